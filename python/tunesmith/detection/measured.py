"""What was measured of each detector, with the samples, and what follows: in which strata it may drop rows.

The figures are those of `benchmarks/detectors.py`, which writes `measurements.json`. Samples: *planted*: defects planted
into clean real rows, several ways a class; *flags*: what the detector finds in public files, read by one reader, by
stratum; *fixes*: 185 rows of Alpaca that people changed; *kept*: 11,532 rows that they kept (kept does not mean clean).
"""

from __future__ import annotations

import json
from importlib.resources import files
from math import sqrt
from typing import Any, Final

from tunesmith.detection.detector import Measured
from tunesmith.detection.strata import STRATA

_Z: Final = 1.959963984540054
SURE, LIKELY = 0.95, 0.75
"""A detector drops in a stratum where this share of the flags read was right, and the interval's lower end is this high."""
SELDOM: Final = 10_000
"""Or where it fires too seldom to tell: all flags read, none wrong, in at least so many lines."""
BY_DEFINITION: Final = frozenset({"output_empty"})
"""What cannot be wrong needs no stratum: an answer is empty or it is not."""

WORKSHOP: Final = "planted into the workshop's 2,996 rows, with limits of its 900 items"
DAVINCI: Final = "252 self-instruct tasks, before and after finetuning"


def interval(right: int, read: int) -> tuple[float, float]:
    """Give the 95% interval of a share (Wilson 1927, "Probable Inference").

    >>> tuple(round(end, 3) for end in interval(50, 50))
    (0.929, 1.0)
    """
    if not read:
        return 0.0, 1.0
    share, square = right / read, _Z * _Z
    middle = (share + square / (2 * read)) / (1 + square / read)
    half = _Z * sqrt(share * (1 - share) / read + square / (4 * read * read)) / (1 + square / read)
    return max(0.0, middle - half), min(1.0, middle + half)


def shown(name: str) -> tuple[str, ...]:
    """Name the strata in which a detector's precision is shown, so that the default recipe may drop by it."""
    if name in BY_DEFINITION:
        return STRATA
    return tuple(stratum for stratum in STRATA if _shown(FIGURES.get(name, {}).get("strata", {}).get(stratum)))


def _shown(figures: dict[str, int] | None) -> bool:
    if figures is None:
        return False
    right, read, flags, lines = (figures[key] for key in ("right", "read", "flags", "lines"))
    if read and right / read >= SURE and interval(right, read)[0] >= LIKELY:
        return True
    return right == read == flags and lines >= SELDOM


def _share(label: str, right: int, of: int, sample: str) -> Measured:
    low, high = interval(right, of)
    return Measured(figure=f"{label} {right / of:.1%} ({right} of {of}; 95%: {low:.1%} to {high:.1%})", sample=sample)


def _figures(name: str, figures: dict[str, Any]) -> tuple[Measured, ...]:
    made = []
    for planted in figures.get("planted", ()):
        made.append(_share("recall", planted["found"], planted["of"], planted["sample"]))
    for stratum, each in figures.get("strata", {}).items():
        seen = f"{each['flags']:,} flags in {each['lines']:,} lines of the stratum {stratum}"
        if each["read"]:
            made.append(_share("precision", each["right"], each["read"], f"{seen}, one reader"))
        elif stratum == "instruct":
            made.append(Measured(figure="no flag to read", sample=seen))
    if with_limits := figures.get("limited"):
        seen = f"{with_limits['flags']} flags in answers of models, limits fitted on rows of Alpaca that people kept, one reader"
        made.append(_share("precision with limits", with_limits["right"], with_limits["read"], seen))
    if figures.get("asked"):
        made.append(
            _share("unparsed", figures["asked"] - figures["parsed"], figures["asked"], "rows of Alpaca that ask for what it verifies")
        )
    if figures.get("fixes"):
        made.append(_share("recall", figures["fixes"]["found"], figures["fixes"]["of"], "rows of Alpaca that people changed for this"))
    if "kept" in figures:
        made.append(
            Measured(
                figure=f"flags {figures['kept']} rows ({figures['kept'] / 11_532:.2%})", sample="11,532 rows of Alpaca that people kept"
            )
        )
    return (*made, *_MORE.get(name, ()))


def _davinci(before: int, after: int) -> Measured:
    return Measured(figure=f"{before} answers before, {after} after", sample=DAVINCI)


def _workshop(found: int) -> Measured:
    return Measured(figure=f"{found} of {found} found, no false alarm", sample=WORKSHOP)


_BASE: Final = (
    "flags in 272 answers of SmolLM2-135M-Instruct that continue an instruction of Alpaca as plain text (208 without their input, 64 "
    "that ask for a long text), one reader"
)

_MORE: Final[dict[str, tuple[Measured, ...]]] = {
    "prompt_echo": (_workshop(184), _davinci(32, 0)),
    "repetition_loop": (_davinci(186, 7),),
    "repetitive": (_workshop(389), _davinci(247, 21)),
    "truncated": (_workshop(108), _davinci(87, 1)),
    "no_stop": (_davinci(131, 0),),
    "too_long": (Measured(figure="95 of 95 found; 0.3% of the clean rows", sample=WORKSHOP), _davinci(244, 12)),
    "refusal": (_workshop(86),),
    "hallucinated_input": (_share("precision", 7, 8, _BASE),),
    "too_short": (_share("precision", 5, 5, _BASE),),
    "off_topic": (
        _share("recall", 388, 500, "500 rows of Alpaca, each with the answer of another one; all-MiniLM-L6-v2"),
        Measured(figure="flags 2 of 500", sample="the same rows as they are; one of the two is right"),
    ),
    "wrong_format": (
        _workshop(92),
        Measured(
            figure="recall 73.6% (320 of 435)",
            sample="rows of Alpaca of the form they ask for, answered by a sentence instead; the patterns were written on them",
        ),
    ),
    "misspelled": (_workshop(97),),
}

_FILE: Final = "measurements.json"


def _read() -> dict[str, Any]:
    made: dict[str, Any] = json.loads(files("tunesmith.detection").joinpath(_FILE).read_text(encoding="utf-8"))
    return made


FIGURES: Final[dict[str, Any]] = _read()
MEASURED: Final[dict[str, tuple[Measured, ...]]] = {
    name: _figures(name, FIGURES.get(name, {})) for name in dict.fromkeys([*FIGURES, *_MORE])
}
