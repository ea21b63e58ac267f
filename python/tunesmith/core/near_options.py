"""How near duplicates are looked for: the options, and presets with the parameters of other systems."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from tunesmith.errors import OptionError

Unit = Literal["word", "space", "piece", "character"]
Bands = tuple[int, int] | Literal["recall", "balanced"]
PresetName = Literal["tunesmith", "datatrove", "text-dedup", "data-juicer", "nemo"]


@dataclass(frozen=True, kw_only=True)
class Preset:
    """Parameters that belong together; the defaults are Tunesmith's own."""

    threshold: float = 0.7
    """The smallest exact Jaccard similarity that counts."""
    shingle: int = 5
    """Tokens in a shingle."""
    unit: Unit = "word"
    """What a token is."""
    fold_numbers: bool = False
    """Whether every number becomes 0 first."""
    fold_marks: bool = False
    """Whether punctuation becomes white space, and accents are dropped, first."""
    bands: Bands = "recall"
    """Bands and hash functions in each, or the rule that finds them."""
    permutations: int = 128
    """Hash functions at most, where a rule finds the bands."""


PRESETS: dict[PresetName, Preset] = {
    "tunesmith": Preset(),
    # MinhashConfig and simplify_text of datatrove 0.10; (1/14)^(1/8) = .72 is where half of its pairs meet or more.
    "datatrove": Preset(threshold=0.72, unit="space", fold_numbers=True, fold_marks=True, bands=(14, 8)),
    # MinHashArgs and embed_func of text-dedup 0.4.
    "text-dedup": Preset(unit="piece", bands="balanced", permutations=250),
    # document_minhash_deduplicator of data-juicer 1.6.
    "data-juicer": Preset(unit="space", bands="balanced", permutations=256),
    # FuzzyDeduplicationWorkflow of NeMo Curator; (1/20)^(1/13) = .79.
    "nemo": Preset(threshold=0.8, unit="character", shingle=24, bands=(20, 13)),
}
"""What `near_duplicates` takes as `preset`."""


def _count(value: int, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= 65_536:
        raise OptionError(f"{name}: found {value!r}, expected a whole number from 1 to 65536")
    return value


def _flag(value: bool, name: str) -> bool:
    if not isinstance(value, bool):
        raise OptionError(f"{name}: found {value!r}, expected True or False")
    return value


def cut(shingle: int, unit: str, fold_numbers: bool, fold_marks: bool) -> dict[str, Any]:
    """Check how texts are cut into shingles; what the extension takes.

    Raises:
        OptionError: If an option is out of range.
    """
    return {
        "shingle": _count(shingle, "shingle"),
        "unit": unit,
        "fold_numbers": _flag(fold_numbers, "fold_numbers"),
        "fold_marks": _flag(fold_marks, "fold_marks"),
    }


def _spill(folder: str | Path | None) -> str:
    if folder is None:
        return tempfile.gettempdir()
    if not Path(folder).is_dir():
        raise OptionError(f"spill: found {str(folder)!r}, expected a folder that exists, for temporary files")
    return str(folder)


def search(
    *,
    preset: str,
    threshold: float | None,
    shingle: int | None,
    unit: str | None,
    fold_numbers: bool | None,
    fold_marks: bool | None,
    bands: Bands | None,
    permutations: int | None,
    seed: int,
    memory: int = 512,
    spill: str | Path | None = None,
) -> dict[str, Any]:
    """Fill in what is not said from a preset, and check it; what the extension takes.

    Raises:
        OptionError: If an option is out of range.
    """
    known = next((made for name, made in PRESETS.items() if name == preset), None)
    if known is None:
        raise OptionError(f"preset: found {preset!r}, expected {', '.join(get_args(PresetName))}")
    threshold = known.threshold if threshold is None else threshold
    bands = known.bands if bands is None else bands
    if isinstance(threshold, bool) or not isinstance(threshold, int | float):
        raise OptionError(f"threshold: found {threshold!r}, expected a number above 0 and at most 1")
    if isinstance(seed, bool) or not isinstance(seed, int) or not 0 <= seed < 2**64:
        raise OptionError(f"seed: found {seed!r}, expected a whole number from 0 to 2^64 - 1")
    if isinstance(memory, bool) or not isinstance(memory, int) or not 0 <= memory < 2**40:
        raise OptionError(f"memory: found {memory!r}, expected a whole number of MiB, 0 or more")
    if bands not in ("recall", "balanced") and not (isinstance(bands, tuple | list) and len(bands) == 2):
        raise OptionError(f"bands: found {bands!r}, expected recall, balanced, or (bands, hash functions in each), such as (14, 8)")
    named = None if isinstance(bands, str) else (_count(bands[0], "bands"), _count(bands[1], "bands"))
    return {
        "threshold": float(threshold),
        "cut": cut(
            known.shingle if shingle is None else shingle,
            known.unit if unit is None else unit,
            known.fold_numbers if fold_numbers is None else fold_numbers,
            known.fold_marks if fold_marks is None else fold_marks,
        ),
        "permutations": _count(known.permutations if permutations is None else permutations, "permutations"),
        "bands": named,
        "balanced": bands == "balanced",
        "seed": seed,
        "memory": memory << 20,
        "spill": _spill(spill),
    }
