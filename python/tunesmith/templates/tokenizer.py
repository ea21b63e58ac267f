"""A model's tokenizer with what surrounds it: special tokens, chat template, context limit, files. Nothing of transformers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.errors import MissingExtraError, ModelError

if TYPE_CHECKING:
    from tunesmith.core import Tokenizer

TOKENIZER = "tokenizer.json"
TEMPLATE = "chat_template.jinja"
CONFIG = "tokenizer_config.json"
FILES = (TOKENIZER, CONFIG, "special_tokens_map.json", "added_tokens.json", TEMPLATE, "chat_template.json", "generation_config.json")
"""What a tokenizer's folder may hold that a finetuned model must hold too."""

_NAMED = ("bos_token", "eos_token", "unk_token", "sep_token", "pad_token", "cls_token", "mask_token")
_LIMITS = ("max_position_embeddings", "n_positions", "max_sequence_length", "seq_length", "n_ctx")
_USUAL_ENDS = ("</s>", "<|endoftext|>", "<|end_of_text|>", "<eos>", "<|im_end|>", "[SEP]")


@dataclass(frozen=True, kw_only=True)
class ModelTokenizer:
    """A tokenizer and what its model expects around a text.

    Attributes:
        core: Encodes and decodes.
        name: As the user named it.
        folder: Where its files lie.
        hash: Of the tokenizer, its special tokens and its chat template; 64 hex digits.
        special_tokens: `bos_token`, `eos_token`, ...: their text, as chat templates read them.
        special_ids: Every added token marked special, and its id.
        strips: Special tokens that take white space with them: (before, after).
        adds_bos: Whether the model's tokenizer puts `bos_token` before a plain text by itself.
        chat_template: Jinja text, or None (a base model).
        position_limit: Positions that the model can hold (its config), or None where no file says so.
        length_limit: `model_max_length` of the tokenizer's config, or None.
    """

    core: Tokenizer
    name: str
    folder: Path
    hash: str
    special_tokens: Mapping[str, str]
    special_ids: Mapping[str, int]
    strips: Mapping[str, tuple[bool, bool]]
    adds_bos: bool
    chat_template: str | None
    position_limit: int | None
    length_limit: int | None

    def id_of(self, token: str | None) -> int | None:
        """Look up a token's id; None for None and for what the vocabulary does not hold."""
        return None if token is None else self.core.token_to_id(token)

    @property
    def bos(self) -> str | None:
        """The beginning-of-sequence token's text."""
        return self.special_tokens.get("bos_token")

    @property
    def eos(self) -> str | None:
        """The end-of-sequence token's text."""
        return self.special_tokens.get("eos_token")

    @cached_property
    def bos_id(self) -> int | None:
        """The id of `bos`."""
        return self.id_of(self.bos)

    @cached_property
    def eos_id(self) -> int | None:
        """The id of `eos`."""
        return self.id_of(self.eos)

    @cached_property
    def pad_id(self) -> int | None:
        """The id of the padding token, None where the model has none."""
        return self.id_of(self.special_tokens.get("pad_token"))

    @property
    def context_limit(self) -> int | None:
        """The model's context: the smaller of what the model and its tokenizer say."""
        return min((n for n in (self.position_limit, self.length_limit) if n), default=None)


def load_tokenizer(model: str | Path) -> ModelTokenizer:
    """Load the tokenizer of a local folder, or of a hub name that lies in the local cache. Nothing is downloaded.

    Args:
        model: A folder with `tokenizer.json` (a model's, a run's, a pack's `tokenizer/`), that file, or a hub name.
    Raises:
        ModelError: If there is no such tokenizer here, or its files cannot be read.
    """
    from tunesmith.core import Tokenizer

    folder = _folder(model)
    config = _json(folder / CONFIG)
    model_config, generation = _json(folder / "config.json"), _json(folder / "generation_config.json")
    raw = _json(folder / TOKENIZER)
    core = Tokenizer.from_file(str(folder / TOKENIZER))
    added = raw.get("added_tokens") or []
    special_ids = {token["content"]: token["id"] for token in added if token.get("special")}
    named = _special_tokens(config, _json(folder / "special_tokens_map.json"))
    for which in ("bos", "eos", "pad"):
        if f"{which}_token" not in named and (token := _by_id(core, which, generation, model_config)):
            named[f"{which}_token"] = token
    if "eos_token" not in named and not config:
        usual = [token for token in _USUAL_ENDS if token in special_ids]
        named |= {"eos_token": usual[0]} if usual else {}
    template = _chat_template(folder, config)
    digest = hashlib.sha256(json.dumps([raw, named, template], sort_keys=True, ensure_ascii=False).encode())
    return ModelTokenizer(
        core=core,
        name=str(model),
        folder=folder,
        hash=digest.hexdigest(),
        special_tokens=named,
        special_ids=special_ids,
        strips={t["content"]: (bool(t.get("lstrip")), bool(t.get("rstrip"))) for t in added if t.get("lstrip") or t.get("rstrip")},
        adds_bos=_adds_bos(core, config, named.get("bos_token")),
        chat_template=template,
        position_limit=_position_limit(model_config),
        length_limit=_length_limit(config),
    )


def _folder(model: str | Path) -> Path:
    path = Path(model)
    if path.name == TOKENIZER and path.is_file():
        return path.parent
    if (path / TOKENIZER).is_file():
        return path
    if not str(model) or path.is_file():
        raise ModelError(f'"{model}": expected a model\'s folder, found {"a file; name its folder" if str(model) else "no name"}')
    if path.is_dir():
        found = ", ".join(sorted(p.name for p in path.iterdir())[:8]) or "nothing"
        raise ModelError(
            f"{path}: expected a model's folder with {TOKENIZER}, found {found}; "
            "load the model's tokenizer with transformers (AutoTokenizer) and save it there (save_pretrained)"
        )
    name = str(model)
    if path.is_absolute() or name.startswith((".", "~")) or name.count("/") > 1:
        raise ModelError(f"{name}: no such folder; expected a model's folder with {TOKENIZER}, or a hub name")
    return _cached(name)


def _cached(name: str) -> Path:
    """Find a hub name in the local cache."""
    try:
        from huggingface_hub import try_to_load_from_cache
        from huggingface_hub.errors import HFValidationError
    except ImportError as error:
        raise MissingExtraError("huggingface_hub", "train", f'"{name}" is no folder here; looking it up as a hub name') from error
    try:
        found = try_to_load_from_cache(name, TOKENIZER)
    except HFValidationError as error:
        raise ModelError(f"{name}: no such folder, and no hub name either ({error})") from error
    if not isinstance(found, str):
        raise ModelError(f"{name}: no such folder, and not in the local hub cache; fetch it once: hf download {name}")
    return Path(found).parent


def _json(path: Path) -> dict[str, Any]:
    """Read a JSON object; {} where the file is absent."""
    if not path.is_file():
        return {}
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelError(f"{path}: expected JSON, found {error}; fetch the model's files again") from error
    if not isinstance(value, dict):
        raise ModelError(f"{path}: expected a JSON object, found {type(value).__name__}")
    return value


def _text(value: Any) -> str | None:
    """Read a token as the configs write it: text, or an object with `content`."""
    value = value.get("content") if isinstance(value, dict) else value
    return value if isinstance(value, str) else None


def _special_tokens(config: Mapping[str, Any], fallback: Mapping[str, Any]) -> dict[str, str]:
    named = {}
    for name in _NAMED:
        token = _text(config.get(name)) or (_text(fallback.get(name)) if name not in config else None)
        if token:
            named[name] = token
    extra = config.get("extra_special_tokens")
    if isinstance(extra, dict):
        named |= {name: token for name, value in extra.items() if (token := _text(value))}
    return named


def _by_id(core: Tokenizer, which: str, *configs: Mapping[str, Any]) -> str | None:
    """Name a special token by the id that a model's config gives it."""
    for config in configs:
        value = config.get(f"{which}_token_id")
        value = value[0] if isinstance(value, list) and value else value
        if isinstance(value, int) and not isinstance(value, bool):
            token: str | None = core.id_to_token(value)
            return token
    return None


def _chat_template(folder: Path, config: Mapping[str, Any]) -> str | None:
    if (folder / TEMPLATE).is_file():
        return (folder / TEMPLATE).read_text(encoding="utf-8")
    value = config.get("chat_template") or _json(folder / "chat_template.json").get("chat_template")
    if isinstance(value, list):  # several, by name
        value = next((entry.get("template") for entry in value if entry.get("name") == "default"), None)
    return value if isinstance(value, str) else None


def _adds_bos(core: Tokenizer, config: Mapping[str, Any], bos: str | None) -> bool:
    if bos is None:
        return False
    if isinstance(config.get("add_bos_token"), bool):
        return bool(config["add_bos_token"])
    ids = core.encode(["a"], special_tokens=True).to_list()[0]
    return bool(ids) and ids[0] == core.token_to_id(bos)


def _position_limit(config: Mapping[str, Any]) -> int | None:
    for holder in (config, config.get("text_config") or {}):
        for name in _LIMITS:
            if isinstance(holder.get(name), int) and holder[name] > 0:
                return int(holder[name])
    return None


def _length_limit(config: Mapping[str, Any]) -> int | None:
    value = config.get("model_max_length")
    # transformers writes 1e30 where nothing is known.
    return int(value) if isinstance(value, int | float) and 0 < value < 10**8 else None
