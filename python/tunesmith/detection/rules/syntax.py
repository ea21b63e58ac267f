"""JSON and Python that do not parse."""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import polars as pl

from tunesmith.detection.detector import Detector, Example, Hit, Judged, Page, any_of, excerpt, hits, lines

if TYPE_CHECKING:
    from tunesmith.detection.limits import Limits

_FENCE: Final = re.compile(r"```([\w+-]*)[^\n]*\n(.*?)(?:```|\Z)", re.DOTALL)
_JSON: Final = (
    r"(?i)\b(?:as|in|into|to|valid|create|generate|write|make|produce|output|return|provide|construct|build|design|give|format|using|"
    r"compose)\b"
    r"[^.\n]{0,30}\bjson\b"
)
_JSON_ELSEWHERE: Final = any_of(
    r"json.?schema fix repair invalid error errors json5 jsonl geojson.?js yaml javascript js typescript react python schema template",
    r"(?:from|provided.with|given|in).(?:the|this|a|an|given|following|json).?(?:given|following)?.json keys? values? query incorrect "
    r"correct debug parse explain regex edit comments? object.literal",
)
_GAP: Final = re.compile(r"\.\.\.|…|<[a-zA-Z][^<>\n]*>|//|/\*|^\s*#|\{\{|\$\{", re.MULTILINE)

_PYTHON: Final = r"(?i)\bpython\b"
_PYTHON_ELSEWHERE: Final = any_of(
    r"python.?2\S* fix debug errors? correct incorrect syntax bugs? mistakes? output.of complete rewrite explain pseudo.?code "
    r"javascript java ruby sql html shell",
    r"bash command pip cython jupyter regex template difference translate edit bug issue wrong",
)
_OLD: Final = re.compile(
    r"(?m)^\s*print\s+[^(\s=]|\bexcept\s+\w+\s*,\s*\w+\s*:|\braw_input\(|\bxrange\(|^\s*>>>|^\s*\.\.\.|^\s*[!%$]|\bexec\s+[\"']|^In "
    r"\[|<[a-z][\w ]*>|\{\{|"
    r"^\s*(?:pip|python3?|conda)\s|\bprint\s+[\"']"
)
_STATEMENT: Final = re.compile(
    r"^(?:def \w|class \w+|import \w|from \w[\w.]* import |for \w[\w, ]* in \S|while \S|if \S+ ?(?:[=<>!]=?|in |:|\()|try:|with \w|"
    r"print\(|@\w|async def |"
    r"[a-z_]\w*(?:\.\w+|\[[^\]]*\])*\s*(?:[-+*/]?=)\s*\S|[a-z_][\w.]*\(.*\)$)"
)
_PROSE: Final = re.compile(r"[A-Z][\w'’]*,?(?: [\w'’\"`-]+,?){2,}|[A-Z]\w*,? \w+ \w+ ")
_QUOTED: Final = re.compile(r"\"{3}.*?(?:\"{3}|\Z)|'{3}.*?(?:'{3}|\Z)", re.DOTALL)
_MOST: Final = 20_000


def _load(text: str) -> str | None:
    """Say why a text is no JSON; None where it is one value, or values one after the other."""
    try:
        json.loads(text, parse_int=str)  # numbers of any length are JSON
    except ValueError as error:
        lines_of = [line for line in text.splitlines() if line.strip()]
        if len(lines_of) > 1 and all(_is_json(line) for line in lines_of):
            return None
        return str(error)
    except RecursionError:
        return None
    return None


def _is_json(line: str) -> bool:
    try:
        json.loads(line, parse_int=str)
    except (ValueError, RecursionError):
        return False
    return True


def _json_invalid(view: pl.DataFrame, _limits: Limits) -> Iterator[Judged]:
    prompt = pl.concat_str("instruction", "input", separator="\n")
    response = pl.col("response")
    fenced = response.str.contains(r"```json(?:[^\w]|$)")
    asked = pl.col("instruction").str.contains(_JSON) & response.str.contains(r"^\s*[{\[]|```")
    maybe = view.filter(
        response.str.contains("```json", literal=True) | pl.col("instruction").str.contains_any(["json"], ascii_case_insensitive=True)
    )
    for row, text, elsewhere in lines(
        maybe.filter(fenced | asked).with_columns(prompt.str.contains(_JSON_ELSEWHERE).alias("elsewhere")),
        pl.lit(True),
        "response",
        "elsewhere",
    ):
        parts = [(match.start(2), match.group(2)) for match in _FENCE.finditer(text) if match.group(1).lower() == "json"]
        if not parts and not elsewhere and "```" not in text and re.match(r"\s*[{\[]", text) and re.search(r"[}\]]\s*$", text):
            parts = [(0, text)]
        if not parts or elsewhere or any(_GAP.search(part) for _, part in parts) or len(text) > _MOST:
            yield Judged(row, parsed=False)
            continue
        wrong = next(((start, part, why) for start, part in parts if (why := _load(part.strip()))), None)
        if wrong is None:
            yield Judged(row, parsed=True)
        else:
            start, part, why = wrong
            yield Judged(row, True, Hit(row, "response", start, start + len(part), excerpt(f"{why}: {part}")))


def _python_syntax(view: pl.DataFrame, _limits: Limits) -> Iterator[Judged]:
    response = pl.col("response")
    fenced = response.str.contains(r"(?i)```(?:python|py)3?[^\w]")
    prompt = pl.concat_str("instruction", "input", separator="\n")
    asked = pl.col("instruction").str.contains(_PYTHON) & response.str.contains(
        r"(?m)^\s*(?:def |class |import |from |for |while |print\(|[a-z_]\w* = )"
    )
    maybe = view.filter(
        response.str.contains("```", literal=True) | pl.col("instruction").str.contains_any(["python"], ascii_case_insensitive=True)
    )
    for row, text, elsewhere in lines(
        maybe.filter(fenced | asked).with_columns(prompt.str.contains(_PYTHON_ELSEWHERE).alias("elsewhere")),
        pl.lit(True),
        "response",
        "elsewhere",
    ):
        if elsewhere or len(text) > _MOST:
            yield Judged(row, parsed=False)
            continue
        blocks = [
            (match.start(2), match.group(2)) for match in _FENCE.finditer(text) if match.group(1).lower() in ("python", "py", "python3")
        ]
        if not blocks and "```" not in text and _only_code(text):
            blocks = [(0, text)]
        judged = [(start, block, _compiled(block)) for start, block in blocks if not _OLD.search(block)]
        wrong = next(((start, block, why) for start, block, why in judged if why), None)
        if wrong:
            start, block, why = wrong
            yield Judged(row, True, Hit(row, "response", start, start + len(block), excerpt(why)))
        else:
            yield Judged(row, parsed=bool(judged) and len(judged) == len(blocks))


def _only_code(text: str) -> bool:
    """Tell an answer that is code and nothing else: it begins like code, and no line of it reads like a sentence."""
    lines_of = [line for line in text.strip().splitlines() if line.strip()]
    if not lines_of or not _STATEMENT.match(next((line for line in lines_of if not line.lstrip().startswith("#")), "")):
        return False
    return not any(
        _PROSE.match(line.strip()) or re.match(r"\s*(?:\d+\.|[-*•]) [A-Z]|[A-Z]\w*(?: \w+)*:\s*$|(?:Output|Input|Example|Result)\b", line)
        for line in lines_of
    )


def _compiled(block: str) -> str | None:
    """Say what the parser says of a block of Python; None where it parses."""
    text = re.sub(r"(?m)^\s*\.\.\.\s*$", "pass", _dedented(block))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            ast.parse(text)
    except SyntaxError as error:
        # "await" outside of a function runs in notebooks; a signature alone, with its doc string, is shown as such.
        shown = (error.text or "").strip()
        return f"line {error.lineno}: {error.msg}: {shown}"
    except (ValueError, RecursionError, MemoryError):
        return None
    return None


def _dedented(block: str) -> str:
    """Take away the indentation that all lines share."""
    filled = [line for line in block.splitlines() if line.strip()]
    indent = min((len(line) - len(line.lstrip(" ")) for line in filled), default=0)
    return "\n".join(line[indent:] if line[:indent].isspace() or not indent else line for line in block.splitlines())


JSON_INVALID = Detector(
    name="json_invalid",
    severity="fatal",
    grade="B",
    fields=("response",),
    find=hits(_json_invalid),
    judge=_json_invalid,
    page=Page(
        finds="JSON that does not parse: a block marked ```json, or the whole answer where the instruction asks for JSON and the "
        "answer is "
        "one {...} or [...]. JSON lines are fine; comments, trailing commas and single quotes are not.",
        harm="What reads the answer cannot parse it.",
        bad=Example(instruction="Give the data as JSON.", response="{'name': 'Anna', 'age': 40}"),
        good=Example(instruction="Give the data as JSON.", response='{"name": "Anna", "age": 40}'),
        false_alarms="None found. Parts left out (...), templates, comments and JavaScript are not judged.",
    ),
)

PYTHON_SYNTAX = Detector(
    name="python_syntax",
    severity="fatal",
    grade="B",
    fields=("response",),
    find=hits(_python_syntax),
    judge=_python_syntax,
    page=Page(
        finds="Python that does not parse: a block marked ```python, or the whole answer where the instruction asks for Python and every "
        "line of the answer is code.",
        harm="The model learns to write what does not run: lost indentation, a bracket that stays open.",
        bad=Example(instruction="Write a Python function that adds two numbers.", response="def add(a, b):\nreturn a + b"),
        good=Example(instruction="Write a Python function that adds two numbers.", response="def add(a, b):\n    return a + b"),
        false_alarms="Syntax that is newer than the Python that runs this. Python 2, sessions (>>>), shell lines, templates and code amid "
        "prose are not judged.",
    ),
)

DETECTORS = (JSON_INVALID, PYTHON_SYNTAX)
