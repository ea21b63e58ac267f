"""How values and texts of the data are written in a report: numbers, shares, differences, and characters that hide."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlencode

CLIP = 2_000
"""Characters of one text that a report shows; the artefact holds them all."""
# Shown as codes: controls that turn the direction of text make a row read as what it is not; other controls and halves
# of surrogate pairs are not allowed in HTML.
_HIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def visible(text: str) -> str:
    r"""Show controls as codes; tab and line break stay.

    >>> visible("a\u202eb"), visible("\x00\n")
    ('a[U+202E]b', '[U+0000]\n')
    """
    return _HIDDEN.sub(lambda found: f"[U+{ord(found.group()):04X}]", text.replace("\r\n", "\n"))


def clip(text: str, most: int = CLIP) -> str:
    """Cut a text that is longer than a report shows, and say so.

    >>> clip("a" * 2_002)[1_998:]
    'aa … (2 more characters, clipped)'
    """
    return text if len(text) <= most else f"{text[:most]} … ({len(text) - most:,} more characters, clipped)"


def number(value: str | int | float | None) -> str:
    """Write a cell: whole numbers with thousands, others with four significant digits, null as a dash.

    >>> number(52002), number(0.12345), number(None), number("a")
    ('52,002', '0.1235', '–', 'a')
    """
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    return visible(value)


def share(value: float) -> str:
    """Write a share in per cent; what is neither none nor all never reads as if it were.

    >>> share(0.1234), share(0.0), share(1.0), share(0.0001), share(0.99999)
    ('12.3%', '0%', '100%', '< 0.1%', '> 99.9%')
    """
    if value in {0.0, 1.0}:
        return f"{value:.0%}"
    if 0 < value < 0.0005:
        return "< 0.1%"
    if 0.9995 <= value < 1:
        return "> 99.9%"
    return f"{value:.1%}"


def signed(value: float, *, points: bool = False) -> str:
    """Write a difference with its sign; of shares in percentage points.

    >>> signed(0.688), signed(-0.0123), signed(-0.8333, points=True), signed(0.0)
    ('+0.688', '−0.012', '−83.3 points', '0.000')
    """
    text, unit = (f"{value * 100:+.1f}", " points") if points else (f"{value:+.3f}", "")
    if not text.strip("+-0."):
        text = text[1:]
    return text.replace("-", "−") + unit


def chance(p: float) -> str:
    """Write a p-value.

    >>> chance(0.0), chance(0.0421), chance(1.0)
    ('< 0.001', '0.042', '1.000')
    """
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def judged(better: bool | None) -> str:
    """Say in a sign and a word how a difference is to be read; None: it was not shown.

    >>> judged(True), judged(False), judged(None)
    ('✓ better', '✗ worse', '○ not shown')
    """
    return "○ not shown" if better is None else "✓ better" if better else "✗ worse"


def counted(n: int, one: str, many: str = "") -> str:
    """Count things.

    >>> counted(1, "row"), counted(2000, "row"), counted(2, "copy", "copies")
    ('1 row', '2,000 rows', '2 copies')
    """
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def address(part: str, /, **choices: str) -> str:
    """Name a part of the page and what it shows there.

    >>> address("rows-table", category="refusal", slice="verb=name & topic=forge")
    '#rows-table?category=refusal&slice=verb%3Dname+%26+topic%3Dforge'
    """
    chosen = urlencode({visible(name): visible(value) for name, value in choices.items() if value})
    return f"#{part}?{chosen}" if chosen else f"#{part}"


def listed(names: Sequence[str]) -> str:
    """Join names as a sentence does.

    >>> listed(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
