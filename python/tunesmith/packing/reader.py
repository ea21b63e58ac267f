"""A pack as training reads it: memory-mapped Arrow, with pyarrow and the standard library alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.artefact import Manifest, read_manifest
from tunesmith.copies import local
from tunesmith.errors import ArtefactError, MissingExtraError

SEGMENTS, PLAN, TOKENIZER = "segments.arrow", "plan.arrow", "tokenizer"


@dataclass(frozen=True, kw_only=True)
class PackedData:
    """An opened pack.

    Attributes:
        folder: Where it lies.
        segments: pyarrow Table, one sequence a row: ``position`` uint64, ``row_id``, ``pair`` (null, or `chosen` /
            `rejected`), ``input_ids`` list of uint32, ``labels`` list of int32 (the id itself at a supervised place,
            -100 elsewhere; not shifted; equally long), ``weight`` float32.
        plan: pyarrow Table, one segment a row, by bin: ``bin``, ``segment`` (row of `segments`), ``offset`` (tokens
            of the bin before it), all uint32.
        details: `template`, `end_of_turn_id`, `eos_id`, `pad_id`, `context`, `tokenizer`.
        manifest: The pack's manifest; its `hash` names the data, the masks and the plan.
    """

    folder: Path
    segments: Any
    plan: Any
    details: Mapping[str, Any]
    manifest: Manifest

    @property
    def tokenizer_folder(self) -> Path:
        """The tokenizer's files with the template that was used, as transformers loads them."""
        return self.folder / TOKENIZER

    def bins(self) -> list[list[int]]:
        """List each bin's segments, in the order in which they lie in it."""
        bins: list[list[int]] = []
        for number, segment in zip(self.plan["bin"].to_pylist(), self.plan["segment"].to_pylist(), strict=True):
            while number >= len(bins):
                bins.append([])
            bins[number].append(segment)
        return bins


def read_pack(folder: str | Path) -> PackedData:
    """Open a pack without copying it into memory; one at an address by way of its copy.

    Raises:
        ArtefactError: If the folder is no pack, or a file of it is missing or damaged.
        MissingExtraError: If pyarrow is not installed.
    """
    try:
        import pyarrow as pa
    except ImportError as error:
        raise MissingExtraError("pyarrow", "train", "Reading a pack") from error
    manifest = read_manifest(folder, "pack")
    folder = local(folder)
    tables = {}
    for name in (SEGMENTS, PLAN):
        try:
            tables[name] = pa.ipc.open_file(pa.memory_map(str(folder / name))).read_all()
        except (OSError, pa.ArrowInvalid) as error:
            raise ArtefactError(f"{folder / name}: expected an Arrow file, found {error}; make the pack again") from error
    return PackedData(folder=folder, segments=tables[SEGMENTS], plan=tables[PLAN], details=manifest.details, manifest=manifest)
