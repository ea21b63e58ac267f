"""Damaged text: control characters, entities, text decoded with the wrong encoding."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from tunesmith.detection.detector import Detector, Example, Field, Hit, Page, excerpt, lines

if TYPE_CHECKING:
    from tunesmith.detection.limits import Limits

_FIELDS: tuple[Field, ...] = ("instruction", "input", "response")
_PROMPT = pl.concat_str("instruction", "input", separator="\n")

# U+0085 is a line break; soft hyphens and zero-width characters are used in real text.
_JUNK = r"[\u0300-\u036f]{3,}|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\u0080-\u0084\u0086-\u009f\ufffd\ufeff\ue000-\uf8ff\ufffe\uffff]"
_REMOVED = re.compile(r"[\u0300-\u036f]{3,}|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ufeff\ue000-\uf8ff\ufffe\uffff]")

_ENTITY = (
    r"&(?:lt|gt|amp|quot|apos|nbsp|hellip|mdash|ndash|lsquo|rsquo|ldquo|rdquo|copy|reg|trade|euro|pound|deg|middot|bull|times|"
    r"eacute|egrave|agrave|uuml|ouml|auml|szlig|ccedil|#\d{2,6}|#[xX][0-9a-fA-F]{2,5});"
)
_ESCAPING = r"(?i)\b(?:escap\w+|entit(?:y|ies)|encod\w+|decod\w+|sanitiz\w+|special characters?|ascii|xss|unescap\w+)\b|转义|实体|编码|解码"
_TAG = (
    r"</[a-zA-Z][\w:-]*>|<(?i:!doctype|\?xml|a|b|body|br|button|code|div|em|form|h[1-6]|head|hr|html|i|img|input|label|li|link|meta|"
    r"nav|ol|"
    r"option|p|pre|script|section|select|span|strong|style|sub|sup|svg|table|td|th|title|tr|ul|video)(?:\s[^<>]*)?/?>"
)

_LEADS = "\u00c2-\u00c5\u00ce\u00cf\u00d0\u00d1\u00e2-\u00ef\u00f0"
_CP1252 = r"\u0152\u0153\u0160\u0161\u0178\u017d\u017e\u0192\u02c6\u02dc\u2013-\u203a\u20ac\u2122"
_HIGH = re.compile(rf"[\u0080-\u00ff{_CP1252}]{{2,}}")
_QUOTES = "«»“”‘’‚„‹›"


def _junk_chars(view: pl.DataFrame, _limits: Limits) -> Iterator[Hit]:
    pattern = re.compile(_JUNK)
    for name in _FIELDS:
        for row, text in lines(view, pl.col(name).str.contains(_JUNK), name):
            if match := pattern.search(text):
                codes = " ".join(dict.fromkeys(f"U+{ord(char):04X}" for char in match.group()))
                yield Hit(row, name, match.start(), match.end(), codes[:79])


def _remove_junk(text: str) -> str:
    """Remove what carries no meaning; U+FFFD and C1 characters stand for something that is lost."""
    return _REMOVED.sub("", text.replace("\uf0b7", "•"))


def _html_entity(view: pl.DataFrame, _limits: Limits) -> Iterator[Hit]:
    pattern = re.compile(_ENTITY)
    for name in _FIELDS:
        here = view.filter(pl.col(name).str.contains(_ENTITY))
        for row, text in lines(here, ~pl.col(name).str.contains(_TAG) & ~_PROMPT.str.contains(_ESCAPING), name):
            if match := pattern.search(text):
                count = len(pattern.findall(text))
                yield Hit(row, name, match.start(), match.end(), match.group() + (f" and {count - 1} more" if count > 1 else ""))


def _decode_entities(text: str) -> str:
    return re.sub(_ENTITY, lambda match: html.unescape(match.group()).replace("\xa0", " "), text)


def _byte(char: str) -> int | None:
    """Take a character back to the byte it came from: Windows-1252, with Latin-1 where that has no character."""
    if ord(char) < 0x100:
        return ord(char)
    try:
        return char.encode("cp1252")[0]
    except UnicodeEncodeError:
        return None


def decoded(run: str) -> str | None:
    """Undo one wrong decoding of a run of characters above ASCII; None where it is none.

    >>> decoded("Ã©"), decoded("â€™"), decoded("ÉÈ")
    ('é', '’', None)
    """
    values = [_byte(char) for char in run]
    if None in values:
        return None
    try:
        return bytes(value for value in values if value is not None).decode("utf-8")
    except UnicodeDecodeError:
        return None


def _wrong_runs(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield (start, end, decoded) of runs that are UTF-8 read as Windows-1252 or Latin-1."""
    for match in _HIGH.finditer(text):
        run = match.group()
        if not re.match(f"[{_LEADS}]", run):
            continue
        right = decoded(run)
        if right is None:
            continue
        # «MAIRÂ» and the like: a capital at the end of a word in capitals, then a quotation mark, is real text.
        if len(run) == 2 and run[1] in _QUOTES and match.start() and text[match.start() - 1].isupper():
            continue
        # Two characters such as "Ð°" are only sure for Latin-1 text; other scripts need a second letter.
        if len(right) == 1 and ord(right) > 0x17F and not 0x2000 <= ord(right) <= 0x2122 and ord(right) < 0xFE00:
            continue
        yield match.start(), match.end(), right


def _mojibake(view: pl.DataFrame, _limits: Limits) -> Iterator[Hit]:
    maybe = rf"[\u00c2-\u00c5\u00ce-\u00d1\u00e2-\u00f0][\u0080-\u00bf{_CP1252}]"
    about = _PROMPT.str.contains(r"(?i)\b(?:mojibake|encodings?|utf-?8|latin-?1|windows-?1252)\b")
    for name in _FIELDS:
        beyond_ascii = view.filter(pl.col(name).str.len_bytes() > pl.col(name).str.len_chars())
        for row, text in lines(beyond_ascii.filter(pl.col(name).str.contains(maybe)), ~about, name):
            for start, end, right in _wrong_runs(text):
                yield Hit(row, name, start, end, excerpt(f"{text[start:end]} for {right}"))
                break


def _decode_runs(text: str) -> str:
    """Undo wrong decodings: by ftfy, which also knows those made twice, then run by run what it is too careful about."""
    import ftfy

    # What is lost stays, and stays flagged: ftfy would put U+FFFD in its place.
    text = ftfy.fix_encoding(text, replace_lossy_sequences=False, fix_c1_controls=False)
    parts, last = [], 0
    for start, end, right in _wrong_runs(text):
        parts += [text[last:start], right]
        last = end
    return "".join([*parts, text[last:]])


JUNK_CHARS = Detector(
    name="junk_chars",
    severity="fatal",
    grade="A",
    fields=_FIELDS,
    find=_junk_chars,
    fix=_remove_junk,
    page=Page(
        finds="Three or more combining marks in a row, control characters, U+FFFD, a byte order mark inside the text, "
        "private-use characters.",
        harm="They cost many tokens, teach nothing, and U+FFFD stands for text that is lost.",
        bad=Example(instruction="When was it founded?", response="In 1976. \u0326\u0326\u0326\u0326\u0326"),
        good=Example(instruction="Write cafe with an accent.", response="cafe\u0301, nai\u0308ve, 👩‍🚀"),
        false_alarms="Fonts that put icons into the private use area; stacked marks used for effect.",
        fix="Removes control characters, byte order marks, icons of private fonts (a bullet becomes •) and runs of marks. What stands for "
        "lost text (U+FFFD, C1) stays, and stays flagged.",
    ),
)

HTML_ENTITY = Detector(
    name="html_entity",
    severity="review",
    grade="A",
    fields=_FIELDS,
    find=_html_entity,
    fix=_decode_entities,
    page=Page(
        finds="HTML entities (&lt; &#39; &quot; ...) in a field that holds no real tag, in a task that is not about escaping.",
        harm="The model learns to write &quot; for a quotation mark; code with entities does not run.",
        bad=Example(instruction="Quote the captain.", response="&quot;Land!&quot; he cried."),
        good=Example(instruction="Write a line of HTML.", response="<p>Fish &amp; chips</p>"),
        false_alarms="Lessons about HTML that show an entity without a tag.",
        fix="Decodes each entity once (&amp;lt; becomes &lt;). Safe outside HTML, which the rule leaves alone.",
    ),
)

MOJIBAKE = Detector(
    name="mojibake",
    severity="fatal",
    grade="A",
    fields=_FIELDS,
    find=_mojibake,
    fix=_decode_runs,
    page=Page(
        finds="UTF-8 text that was read as Windows-1252 or Latin-1 (Ã© for é, â€™ for ’): a run whose bytes decode strictly as UTF-8.",
        harm="Frequent words get spellings that no one types; the model writes them.",
        bad=Example(instruction="Where do they meet?", response="They meet at the cafÃ©."),
        good=Example(instruction="Translate 'sister' and 'bread'.", response="IRMÃ, PÃO; «À LA MAIRIÉ»"),
        false_alarms="None found in the French, German and Chinese files; lists of code pages.",
        fix="Puts back what the bytes say in UTF-8, by ftfy (which undoes double decodings, too) and run by run. Safe: only what decodes "
        "strictly changes; what is lost stays.",
    ),
)

DETECTORS = (MOJIBAKE, HTML_ENTITY, JUNK_CHARS)
