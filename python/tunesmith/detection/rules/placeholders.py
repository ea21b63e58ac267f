"""Words that stand where content should be: "noinput", "n/a", `<noinput>`, empty answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from tunesmith.detection.detector import Detector, Example, Hit, Page, any_of, lines, matched, whole

if TYPE_CHECKING:
    from tunesmith.detection.limits import Limits

_NOTHING = (
    r"^(?:(?:thereis|thereare)?no(?:additional|further|other|specific|extra|particular)?inputs?(?:is|was|are)?"
    r"(?:required|needed|necessary|provided|given|available|specified|applicable|supplied|forthis\w+)?(?:forthis\w+)?"
    r"|na|none|null|nil|blank|notapplicable|noneneeded|nonerequired|noneprovided|inputnotrequired|noinputfield"
    r"|keineeingabe(?:erforderlich|notwendig)?|keininput(?:erforderlich)?|nichtzutreffend|entfällt"
    r"|aucuneentrée|aucuneentréerequise|pasdentrée|pasdentréerequise|sansobjet|nonapplicable"
    r"|无输入|没有输入|无需输入|无输入内容|不适用|无)$"
)
_DATA = r"(?i)\b(?:null|none|nil|n/?a|blank)\b|\b(?:data|what|which) ?types?\b|\b(?:abbreviations?|acronyms?|chemical|symbols?)\b"
_NO_OUTPUT = r"(?i)^[\s<\[(*_\"'.-]*no[ _-]?(?:output|input|response|answer)\b"
_NO_VALUE = r"(?i)^[\s<\[(\"']*(?:n/a|null|tbd|t\.b\.d\.|todo|not applicable|to be determined|to be added|placeholder)[\s>\])\"'.!]*$"
_ABOUT_NO_VALUE = (
    r"(?i)\bn/?a\b|\bnull\b|\btbd\b|\btodo\b|not applicable|to be determined|\bplaceholder\b|\bno[ _-]?(?:output|input|response|answer)\b"
)
_TOKEN = r"(?i)<\s*(?:no[ _-]?(?:input|output)|nooutput|noinput)\s*/?>"
_SPOKEN_OF = re.compile(
    rf"(?i)[\"“'`]\s*{_TOKEN[4:]}\s*[\"”'`]|{_TOKEN[4:]}[\"”'`]? (?:as|in|into|for) (?:the|an?) (?:\w+ )?(?:input|output|field|"
    rf"placeholder)"
)
_ALONE = re.compile(rf"(?im)(?:\A\s*{_TOKEN[4:]}\s*|^[ \t]*{_TOKEN[4:]}[ \t]*(?:\n|\Z)|\s*{_TOKEN[4:]}\s*\Z)")
_STUB = re.compile(
    r"(?is)^\s*(?:<([^<>]{3,500})>|\[([^\[\]]{3,500})\]|\(([^()]{3,500})\))\s*[.!]?\s*$",
)
_STUB_WORDS = re.compile(
    r"(?i)\b(?:images?|pictures?|photos?|photographs?|drawings?|illustrations?|diagrams?|charts?|graphs?|graphics?|logos?|posters?|"
    r"videos?|"
    r"audio|recordings?|sketch(?:es)?|infographics?|attach(?:ed|ments?)|insert(?:ed)?|output|screenshots?|clips?|file|visual|maps?|"
    r"flow.?charts?|links?|placeholder|gifs?|memes?|animations?|renderings?|comic|visuali[sz]ations?|wireframes?|mock-?ups?|tunes?|"
    r"melod(?:y|ies)|"
    r"songs?|music(?:al)?|compositions?|presentations?|word cloud|web ?page|tables? showing|spreadsheets?)\b"
)
_MARKUP_TASK = any_of(
    r"html xml svg tags? markdown arrays? tuples? regex json brackets? bracketed parenthes[ei]s stage.directions?",
)


def _input_placeholder(view: pl.DataFrame, _limits: Limits) -> Iterator[Hit]:
    short = pl.col("input").str.len_chars().is_between(1, 40) & ~pl.col("input").str.contains(r"\d")
    letters = pl.col("input").str.normalize("NFKC").str.to_lowercase().str.replace_all(r"[^\p{L}]", "")
    as_data = letters.is_in(["na", "none", "null", "nil", "blank", "无"]) & pl.col("instruction").str.contains(_DATA)
    for row, text in lines(view.filter(short), letters.str.contains(_NOTHING) & ~as_data, "input"):
        yield whole(row, "input", text)


def _placeholder_token(view: pl.DataFrame, _limits: Limits) -> Iterator[Hit]:
    token = re.compile(_TOKEN)
    for name in ("instruction", "input", "response"):
        beside = pl.col(name).str.replace_all(_TOKEN, "").str.contains(r"\w")
        for row, text in lines(view.filter(pl.col(name).str.contains(_TOKEN)), beside, name):
            # Quoted, or spoken of: "we put <noinput> in the input field".
            match = next(
                (each for each in token.finditer(text) if not _SPOKEN_OF.search(text[max(0, each.start() - 40) : each.end() + 30])), None
            )
            if match:
                yield matched(row, name, match)


def _remove_token(text: str) -> str:
    """Remove tokens that stand alone at an end or on a line; one inside a sentence marks a gap and stays."""
    return _ALONE.sub("", text)


def _output_empty(view: pl.DataFrame, _limits: Limits) -> Iterator[Hit]:
    visible = pl.col("response").str.contains(r"[^\s\x00-\x1f\u00ad\u200b-\u200f\u2028-\u202f\u2060\ufeff]")
    for (row,) in lines(view, ~visible):
        yield Hit(row, "response", None, None, "no answer")


def _output_placeholder(view: pl.DataFrame, _limits: Limits) -> Iterator[Hit]:
    length = pl.col("response").str.len_chars()
    nothing = (length < 200) & pl.col("response").str.contains(_NO_OUTPUT)
    value = (length <= 30) & pl.col("response").str.contains(_NO_VALUE)
    asked = pl.concat_str("instruction", "input", separator="\n").str.contains(_ABOUT_NO_VALUE)
    bare_token = pl.col("response").str.contains(rf"(?i)^\s*{_TOKEN[4:]}\s*$")
    # A token on a line of its own before a real answer is `placeholder_token`: its fix leaves a good row.
    before = pl.col("response").str.contains(rf"(?i)^\s*{_TOKEN[4:]}\s*\n\s*\S")
    for row, text in lines(view.filter(nothing | value | bare_token), (~asked & ~before) | bare_token, "response"):
        yield whole(row, "response", text)


def _output_stub(view: pl.DataFrame, _limits: Limits) -> Iterator[Hit]:
    bracketed = pl.col("response").str.contains(r"^\s*[<\[(]") & (pl.col("response").str.len_chars() <= 520)
    about = pl.concat_str("instruction", "input", separator="\n").str.contains(_MARKUP_TASK)
    for row, text in lines(view.filter(bracketed), ~about, "response"):
        match = _STUB.match(text)
        inner = next((part for part in match.groups() if part), "") if match else ""
        if _STUB_WORDS.search(inner) and not re.search(r"[=;]|^[/!]|^\s*[\"'\d]", inner):
            yield whole(row, "response", text)


INPUT_PLACEHOLDER = Detector(
    name="input_placeholder",
    severity="fatal",
    grade="A",
    fields=("input",),
    find=_input_placeholder,
    fix=lambda _text: "",
    page=Page(
        finds="An input of at most 40 characters, without a digit, whose letters only say that there is none: "
        '"No input", "<noinput>", "N/A", "none required" (English, German, French and Chinese).',
        harm="The model learns that a literal 'noinput' belongs to a prompt, and half of its tasks are put in a form that no user types.",
        bad=Example(instruction="Name three rivers.", input="<no input>", response="Rhine, Elbe, Oder."),
        good=Example(instruction="Which data type is this value?", input="None", response="It is Python's NoneType."),
        false_alarms='"None", "NA" or "null" as data; left alone where the instruction speaks of null values, data '
        "types, abbreviations or symbols.",
        fix="Empties the input. Safe: the text says itself that it holds nothing.",
    ),
)

PLACEHOLDER_TOKEN = Detector(
    name="placeholder_token",
    severity="fatal",
    grade="A",
    fields=("instruction", "input", "response"),
    find=_placeholder_token,
    fix=_remove_token,
    page=Page(
        finds="A token such as <noinput> or <nooutput> beside other text, in any field.",
        harm="A token of the generator's template becomes part of the answer; the finetuned model writes it.",
        bad=Example(instruction="Give a subtitle.", response="<noinput>\nThe long way home"),
        good=Example(instruction="Give a subtitle.", response="The long way home <3"),
        false_alarms="Texts about such tokens.",
        fix="Removes the token where it stands alone at an end of the field or on a line. Inside a sentence it marks a gap: no fix there.",
    ),
)

OUTPUT_EMPTY = Detector(
    name="output_empty",
    severity="fatal",
    grade="A",
    fields=("response",),
    find=_output_empty,
    page=Page(
        finds="An answer that is absent, empty, or holds only white space and invisible characters.",
        harm="The only supervised token is the end of turn: the model learns to say nothing.",
        bad=Example(instruction="What is 25 x 8?", response=" \n"),
        good=Example(instruction="What is 25 x 8?", response="200"),
        false_alarms="None known. Turns that only call tools are not judged.",
    ),
)

OUTPUT_PLACEHOLDER = Detector(
    name="output_placeholder",
    severity="fatal",
    grade="A",
    fields=("response",),
    find=_output_placeholder,
    page=Page(
        finds='An answer under 200 characters that starts with "no output", "noinput" or the like, or one of at most 30 characters '
        "that is "
        '"N/A", "null", "TBD" or "not applicable".',
        harm="The model learns to refuse with a template's filler.",
        bad=Example(instruction="Draw a cat.", response="<No output: this is a visual task>"),
        good=Example(instruction="Does the function return a value or null?", response="null"),
        false_alarms="N/A as a class label or a cell; left alone where the prompt uses the same word.",
    ),
)

OUTPUT_STUB = Detector(
    name="output_stub",
    severity="fatal",
    grade="A",
    fields=("response",),
    find=_output_stub,
    page=Page(
        finds="An answer that is one <...>, [...] or (...) and nothing else, and names media, an attachment, an insertion or output.",
        harm="The model learns to announce a thing instead of making it.",
        bad=Example(instruction="Design a poster against litter.", response="[Image of a poster with a bin]"),
        good=Example(instruction="Write the list in Python.", response="[1, 2, 3]"),
        false_alarms="Answers in HTML, lists, or stage directions; left alone where the prompt speaks of markup, arrays or brackets.",
    ),
)

DETECTORS = (INPUT_PLACEHOLDER, PLACEHOLDER_TOKEN, OUTPUT_EMPTY, OUTPUT_PLACEHOLDER, OUTPUT_STUB)
