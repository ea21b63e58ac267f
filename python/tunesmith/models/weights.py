"""What a model folder holds, read from its safetensors headers: a hash by content, and the size, without loading it."""

from __future__ import annotations

import hashlib
import json
import math
import mmap
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.errors import ModelError, at

# Keys of a configuration that name a place or a tool, never what the model computes.
_INCIDENTAL = {
    "transformers_version",
    "peft_version",
    "_name_or_path",
    "base_model_name_or_path",
    "revision",
    "use_cache",
    "inference_mode",
}


@dataclass(frozen=True, kw_only=True)
class Tensor:
    """One tensor in a safetensors file.

    Attributes:
        name: Its key.
        dtype: As safetensors writes it, such as `F32`.
        shape: Its dimensions.
        file: The file that holds it.
        start: First byte in the file.
        end: One past its last byte.
    """

    name: str
    dtype: str
    shape: tuple[int, ...]
    file: Path
    start: int
    end: int


def tensors(folder: Path) -> Iterator[Tensor]:
    """List the tensors of every safetensors file in a folder, file by file.

    Raises:
        ModelError: If a file is not safetensors.
    """
    for file in sorted(folder.glob("*.safetensors")):
        with file.open("rb") as stream:
            try:
                (length,) = struct.unpack("<Q", stream.read(8))
                if length > file.stat().st_size:
                    raise ValueError(f"a header of {length} bytes")
                header = json.loads(stream.read(length))
                size = 8 + length + max((entry["data_offsets"][1] for name, entry in header.items() if name != "__metadata__"), default=0)
                if size > file.stat().st_size:
                    raise ValueError(f"{file.stat().st_size:,} of {size:,} bytes")
            except (struct.error, ValueError, KeyError, TypeError, AttributeError) as error:
                raise ModelError(f"{at(file)}: expected a safetensors file, found {error}; fetch or save the model again") from error
        for name, entry in header.items():
            if name != "__metadata__":
                start, end = entry["data_offsets"]
                yield Tensor(
                    name=name, dtype=entry["dtype"], shape=tuple(entry["shape"]), file=file, start=8 + length + start, end=8 + length + end
                )


def parameter_count(folder: Path) -> int:
    """Count the stored parameters of a model folder."""
    return sum(math.prod(tensor.shape) for tensor in tensors(folder))


def _object(path: Path) -> dict[str, Any]:
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelError(f"{path}: expected JSON, found: {error}; fetch or save the model again") from error
    if not isinstance(raw, dict):
        raise ModelError(f"{path}: expected a JSON object, found {type(raw).__name__}; fetch or save the model again")
    return raw


def model_hash(folder: Path) -> str:
    """Hash a model or adapter by what it computes with: its tensors and its configuration.

    The order and number of files, their names, paths and the versions of tools do not count.

    Returns:
        32 hex digits of a SHA-256 over (name, dtype, shape, bytes) of every tensor, by name, and the configuration.
    """
    digest = hashlib.sha256()
    for name in ("config.json", "adapter_config.json"):
        path = folder / name
        if path.is_file():
            raw = _object(path)
            kept = {key: value for key, value in raw.items() if key not in _INCIDENTAL}
            # peft stores sets, whose order changes from process to process.
            for key, value in kept.items():
                if isinstance(value, list) and all(isinstance(item, str) for item in value):
                    kept[key] = sorted(value)
            digest.update(json.dumps([name, kept], sort_keys=True).encode())
    maps: dict[Path, mmap.mmap] = {}
    try:
        for tensor in sorted(tensors(folder), key=lambda tensor: tensor.name):
            digest.update(json.dumps([tensor.name, tensor.dtype, tensor.shape]).encode())
            if tensor.end > tensor.start:
                if tensor.file not in maps:
                    with tensor.file.open("rb") as stream:
                        maps[tensor.file] = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
                with memoryview(maps[tensor.file]) as view, view[tensor.start : tensor.end] as part:
                    digest.update(part)
    finally:
        for mapped in maps.values():
            mapped.close()
    return digest.hexdigest()[:32]
