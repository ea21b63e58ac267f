"""Load a causal language model, with an adapter or without: local files only, safetensors only, no foreign code."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from tunesmith.errors import MissingExtraError, ModelError
from tunesmith.models.weights import parameter_count

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

Dtype = Literal["auto", "float32", "bfloat16"]
Device = Literal["auto", "cpu", "cuda"]

# Below this, on a CPU, converting to and from bfloat16 costs more than it saves.
_WORTH_BFLOAT16 = 50_000_000
_WORTH_THREADS = 5_000_000


def find_model(model: str | Path) -> Path:
    """Find the folder of a model: a local folder, or a hub name that is in the local hub cache. Asks no network.

    Raises:
        ModelError: If there is none, or it holds no configuration or no safetensors.
    """
    folder = Path(model).expanduser()
    if not str(model) or folder.is_file():
        raise ModelError(f'"{model}": expected a model folder, found {"a file; name its folder" if str(model) else "no name"}')
    if not folder.is_dir():
        folder = _in_hub_cache(str(model))
    if not (folder / "config.json").is_file():
        hint = "; it holds an adapter: give it as the adapter, and its base as the model" if is_adapter(folder) else ""
        raise ModelError(f"{model}: expected a model folder, found no config.json{hint}")
    if not any(folder.glob("*.safetensors")):
        other = [path.name for pattern in ("*.bin", "*.pt", "*.pth", "*.gguf") for path in folder.glob(pattern)]
        found = f"found {', '.join(sorted(other)[:3])}" if other else "found no weights"
        raise ModelError(f"{model}: expected weights as safetensors, {found}; load and save it once with transformers to convert it")
    return folder.resolve()


def is_adapter(folder: str | Path) -> bool:
    """Tell whether a folder holds a peft adapter."""
    return (Path(folder) / "adapter_config.json").is_file()


def find_adapter(adapter: str | Path) -> Path:
    """Find the folder of an adapter.

    Raises:
        ModelError: If it is not a folder with a peft adapter in safetensors.
    """
    folder = Path(adapter).expanduser()
    if not is_adapter(folder):
        raise ModelError(f"{adapter}: expected a folder with adapter_config.json, found none; is it a run of `tunesmith train`?")
    if not (folder / "adapter_model.safetensors").is_file():
        raise ModelError(f"{adapter}: expected adapter_model.safetensors, found none; save the adapter as safetensors")
    return folder.resolve()


def _in_hub_cache(name: str) -> Path:
    missing = (
        f"{name}: expected a model folder, or the name of a model in the local hub cache, found neither; "
        f"check the path, or fetch it first: hf download {name}"
    )
    if not re.fullmatch(r"[\w.-]+(/[\w.-]+)?", name):
        raise ModelError(f"{name}: expected a model folder, found none; check the path")
    try:
        from huggingface_hub import snapshot_download
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError
    except ImportError as error:
        raise MissingExtraError("huggingface_hub", "train", "A model by hub name") from error
    try:
        return Path(snapshot_download(name, local_files_only=True))
    except (OSError, ValueError, HfHubHTTPError, HFValidationError) as error:
        raise ModelError(missing) from error


def resolve_device(device: Device) -> str:
    """Choose the device: CUDA where it is there, else the CPU.

    Raises:
        ModelError: If CUDA is asked for and is not there.
    """
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise ModelError("device cuda: torch finds no CUDA device here; use --device cpu")
    return ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device


def resolve_dtype(dtype: Dtype, *, device: str, parameters: int) -> torch.dtype:
    """Choose the type to compute in.

    `auto` is bfloat16 on a GPU that has it, and on a CPU with bfloat16 instructions that work for models of 50
    million parameters or more; float32 otherwise.

    Raises:
        ModelError: If bfloat16 is asked for on a CPU that would kill the process.
    """
    import torch

    if dtype == "bfloat16" and device == "cpu" and not bfloat16_survives():
        raise ModelError(
            "dtype bfloat16: this machine announces matrix instructions that it does not run (a trait of some virtual machines), so torch "
            "would die of them; use --dtype float32, or start with ONEDNN_MAX_CPU_ISA=AVX512_CORE_BF16 in the environment"
        )
    if dtype != "auto":
        return torch.bfloat16 if dtype == "bfloat16" else torch.float32
    if device == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    fast = parameters >= _WORTH_BFLOAT16 and torch.ops.mkldnn._is_mkldnn_bf16_supported() and bfloat16_survives()
    return torch.bfloat16 if fast else torch.float32


@cache
def bfloat16_survives() -> bool:
    """Try a bfloat16 product in a process of its own, once: on some virtual machines AMX traps as an illegal instruction."""
    probe = "import torch; x = torch.ones(64, 64, dtype=torch.bfloat16); torch.nn.functional.linear(x, x)"
    return subprocess.run([sys.executable, "-c", probe], capture_output=True, check=False).returncode == 0


def load_model(model: str | Path, *, adapter: str | Path | None = None, dtype: Dtype = "auto", device: Device = "auto") -> PreTrainedModel:
    """Load a causal language model for inference.

    Args:
        model: A folder, or a hub name in the local hub cache.
        adapter: A folder with a peft adapter, put on the model without merging.
        dtype: The type of the weights; see `resolve_dtype` for `auto`.
        device: Where to; `auto` is CUDA where it is there.
    Returns:
        The model in evaluation mode, with SDPA attention. With an adapter a `peft.PeftModel`.
    Raises:
        ModelError: If there is no such model or adapter, or they do not fit each other.
    """
    folder = find_model(model)
    where = resolve_device(device)
    loaded = load_weights(folder, resolve_dtype(dtype, device=where, parameters=parameter_count(folder)))
    if adapter is not None:
        loaded = put_adapter(loaded, find_adapter(adapter))
    return loaded.to(where).eval()


def load_weights(folder: Path, dtype: torch.dtype) -> PreTrainedModel:
    """Load the model of a folder that `find_model` found, on the CPU, with SDPA attention.

    Raises:
        ModelError: If transformers cannot load it.
    """
    try:
        from transformers import AutoModelForCausalLM
    except ImportError as error:
        raise MissingExtraError("transformers", "train", "A model") from error
    with quiet():
        try:
            model: PreTrainedModel = AutoModelForCausalLM.from_pretrained(
                folder, dtype=dtype, use_safetensors=True, local_files_only=True, trust_remote_code=False, attn_implementation="sdpa"
            )
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            reason = str(error).strip().splitlines()[0]
            raise ModelError(f"{folder}: expected a causal language model that transformers can load, found: {reason}") from error
    return model


def put_adapter(model: PreTrainedModel, folder: Path) -> Any:
    """Put a peft adapter on a loaded model, without merging.

    Raises:
        ModelError: If the adapter was trained on a model of other shapes.
    """
    try:
        from peft import PeftModel
    except ImportError as error:
        raise MissingExtraError("peft", "train", "An adapter") from error
    with quiet():
        try:
            return PeftModel.from_pretrained(model, str(folder), is_trainable=False, local_files_only=True)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            reason = str(error).strip().splitlines()[0]
            raise ModelError(
                f"{folder}: expected an adapter that fits the model, found: {reason}; was it trained on another base?"
            ) from error


def load_tokenizer(folder: str | Path) -> PreTrainedTokenizerBase:
    """Load the transformers tokenizer of a folder (rooms with polars use `tunesmith.templates` instead).

    Raises:
        ModelError: If the folder holds none.
    """
    try:
        from transformers import AutoTokenizer
    except ImportError as error:
        raise MissingExtraError("transformers", "train", "A tokenizer") from error
    with quiet():
        try:
            tokenizer: PreTrainedTokenizerBase = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        except (OSError, ValueError, KeyError, TypeError) as error:
            reason = str(error).strip().splitlines()[0]
            raise ModelError(f"{folder}: expected a tokenizer, found: {reason}") from error
    return tokenizer


@contextmanager
def fitting_threads(parameters: int, device: str) -> Iterator[None]:
    """Compute a tiny model (below 5 million parameters) on one CPU thread.

    Its matrices gain next to nothing from a second one, and on a busy machine threads that wait for each other cost 10 to
    25 times the work (measured on 2 shared cores: 13,400 against 550 tokens/s of training, .1M parameters).
    """
    import torch

    before = torch.get_num_threads()
    tiny = device == "cpu" and parameters < _WORTH_THREADS
    if tiny:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        if tiny:
            torch.set_num_threads(before)


@contextmanager
def quiet() -> Iterator[None]:
    """Keep transformers' bars, advice and deprecations off the terminal: progress is ours to report."""
    import warnings

    from transformers.utils import logging

    bars, level = logging.is_progress_bar_enabled(), logging.get_verbosity()
    logging.disable_progress_bar()
    logging.set_verbosity_error()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()
