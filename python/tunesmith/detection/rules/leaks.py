"""Text of the template, or of the next example, inside a field."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import polars as pl

from tunesmith.detection.detector import Detector, Example, Hit, Page, any_of, excerpt, lines, matched

if TYPE_CHECKING:
    from tunesmith.detection.limits import Limits

_PROMPT = pl.concat_str("instruction", "input", separator="\n")
_NUMBERED = r"(?m)^\s*(?:#+\s*)?\(?(\d{1,3})[.):]\s*(Instruction|Input|Output|Response)s?\s*:"
_LABELS = re.compile(r"(?im)^[ \t]*(?:#+\s*)?(instruction|input|output)s?\s*:")
_SPECIAL = (
    r"<\|(?:im_start|im_end|im_sep|endoftext|end_of_text|begin_of_text|eot_id|start_header_id|end_header_id|user|assistant|system|end|"
    r"prompter|endofprompt|pad|channel|message|start|return|eom_id|python_tag|tool_call)\|>"
    r"|\[/?INST\]|<</?SYS>>|</s>|<s>\s*\[INST\]|<(?:start|end)_of_turn>|<\uff5c[^<>\n]{1,30}\uff5c>"
)
_TAIL = re.compile(rf"(?:\s*(?:{_SPECIAL}))+\s*\Z")
_MARK = (
    r"[ \t]*(?:#{1,4}|(?:#{1,4}[ \t]*|\*\*)?"
    r"(?:Instruction|Input|Output|Response|Human|User|Assistant|Question|Answer)s?[ \t]*:(?:\*\*)?)[ \t]*"
)
"""A line of a template that has nothing on it: "##", "### Response:", "Input:"."""
_DANGLING = re.compile(rf"(?:\s*\n{_MARK})+\s*\Z")
_FENCE = re.compile(r"\s*\n[ \t]*```[ \t]*\s*\Z")
_UNFILLED = any_of(
    r"templates? forms? formats? questionnaires? surveys? worksheets? prompts? examples? fill blanks? quiz\w* tests? markdown headings? "
    r"headers? layout outline continue complet\w+",
)
"""Tasks whose answer may end with a label or a heading that is left open."""
_SECTION = r"(?m)^\s*#{2,4}\s*(?:Instruction|Input|Response|Human|Assistant|User|System|Prompt)s?\s*:"
_SPEAKER = r"(?m)\S\s*\n\s*(?:Human|Assistant|USER|ASSISTANT)\s*:\s*\S"
_PREAMBLE = (
    r"Below is an instruction that describes a task|A chat between a curious (?:user|human) and an artificial intelligence assistant"
)
_ABOUT_TOKENS = any_of(r"special.tokens? chat.templates? prompt.templates? tokeni[sz]\w+ eos html strikethrough markdown fine.?tun\w+")
_MENTIONS = any_of(r"tokens? what.is what.are what.does means? meaning regex escape") + f"|{_ABOUT_TOKENS}"
_DIALOGUE = any_of(
    r"dialog(?:ue)?s? conversations? chats? chatbots? scripts? scenes? interviews? role.?play\w* transcripts? assistant",
    r"exchange skit prompt few.?shot messages? turns? instruction.tuning fine.?tun\w+ special.tokens? templates? eos html",
    r"strikethrough",
)
_LABELLED = "output|response|reply|answer|solution|assistant|ai|bot|antwort|ausgabe|lösung|réponse|答|答案|回答|输出"
"""Labels of templates: in English, and as translations of data sets have them."""
_LABEL = rf"(?i)^\s*(?:\*\*|#+\s*)?(?:{_LABELLED}|final answer|(?-i:A))(?:\*\*)?\s*[:：](?:\*\*)?\s*"
_SPEAKERS = r"(?i)^\W*(?:response|reply|answer|assistant|ai|bot|a)\b"
"""Labels that may stand for one who speaks: the answer to a prompt that asks for talk may open with them."""
_OTHER_LABEL = re.compile(r"\n[ \t]*(?:\*\*|#+[ \t]*)?[A-Z][A-Za-z]*(?: \w+)?(?:\*\*)?[ \t]*[:：]|\b[B-D][ \t]*[:：]")
_LABEL_AGAIN = re.compile(r"(?:\*\*|#+[ \t]*)?[A-Z][A-Za-z]*(?: \w+)?(?:\*\*)?[ \t]*[:：]")
"""A label right after a label: the first one is of the template, whatever form the second one begins."""
_INSTRUCTION_DATA = r"(?i)\b(?:instructions?|tasks?)\b[^.]{0,60}\b(?:inputs?|outputs?)\b"


def _merged_rows(view: pl.DataFrame, _limits: Limits) -> Iterator[Hit]:
    for name in ("response", "input"):
        field = pl.col(name)
        three = pl.lit(True)
        for label in ("instruction", "input", "output"):
            three &= field.str.contains(rf"(?im)^[ \t]*(?:#+\s*)?{label}s?\s*:")
        text_of = "prose" if name == "response" else name
        for row, text, prompt in lines(
            view.filter(field.str.contains(_NUMBERED) | three).with_columns(_PROMPT.alias("prompt")), pl.lit(True), text_of, "prompt"
        ):
            match = _next_example(text)
            if name == "response" and match is None and len({found.group(1).lower() for found in _LABELS.finditer(text)}) == 3:
                match = None if _LABELS.search(prompt) or re.search(_INSTRUCTION_DATA, prompt) else _LABELS.search(text)
            if match and not (name == "input" and re.search(r"(?i)\b(?:pars\w+|extract|example|format)\b", prompt)):
                yield matched(row, name, match)


def _next_example(text: str) -> re.Match[str] | None:
    """Find a numbered example: "14. Instruction:", or two labels of one number ("1. Input: ... 2. Output:" counts steps)."""
    found = list(re.finditer(_NUMBERED, text))
    numbers = [match.group(1) for match in found]
    sure = (match for match in found if match.group(2) == "Instruction" or numbers.count(match.group(1)) > 1)
    return next(sure, None)


def _template_leak(view: pl.DataFrame, _limits: Limits) -> Iterator[Hit]:
    prose = pl.col("prose")
    token, section, spoken = (prose.str.contains(each) for each in (f"{_SPECIAL}|{_PREAMBLE}", _SECTION, _SPEAKER))
    unasked = (
        (token & ~_PROMPT.str.contains(f"{_SPECIAL}|{_PREAMBLE}|{_ABOUT_TOKENS}"))
        | (section & ~_PROMPT.str.contains(f"{_SECTION}|{_ABOUT_TOKENS}"))
        | (spoken & ~_PROMPT.str.contains(rf"{_DIALOGUE}|\bhumans?\b|\busers?\b"))
    )
    pattern = re.compile(f"{_SPECIAL}|{_PREAMBLE}|{_SECTION[4:]}|{_SPEAKER[4:]}", re.MULTILINE)
    for row, text in lines(view.filter(token | section | spoken), unasked, "prose"):
        if match := pattern.search(text):
            yield matched(row, "response", match)
    yield from _left_over(view)
    marks = re.compile(f"{_SPECIAL}|{_PREAMBLE}")
    for name in ("instruction", "input"):
        here = view.filter(pl.col(name).str.contains(f"{_SPECIAL}|{_PREAMBLE}"))
        for row, text in lines(here, ~pl.col("instruction").str.contains(_MENTIONS), name):
            if match := marks.search(text):
                yield matched(row, name, match)


def _left_over(view: pl.DataFrame) -> Iterator[Hit]:
    """Find answers whose last lines are marks of a template with nothing on them, or a fence that closes nothing."""
    response = pl.col("response")
    last = response.str.strip_chars_end().str.tail(1)
    view = view.filter(last.is_in(["#", ":", "*", "`"]))
    marks = response.str.contains(rf"\S\s*\n{_MARK}\s*$") & ~_PROMPT.str.contains(_UNFILLED)
    marks &= ~_PROMPT.str.contains(r"(?im)^[ \t]*(?:instruction|input|output|response|question|answer)s?[ \t]*:")
    fence = response.str.contains(r"\S\s*\n[ \t]*```\s*$") & (response.str.count_matches("```", literal=True) == 1)
    for row, text in lines(view, marks | fence, "response"):
        if match := _DANGLING.search(text) or _FENCE.search(text):
            start = match.end() - len(match.group().lstrip())
            yield Hit(row, "response", start, match.end(), excerpt("… " + text[max(0, start - 30) :]))


def _cut_tail(text: str) -> str:
    """Cut control tokens, or marks of a template with nothing on them, from the end; what stands before them is the answer.

    Where control tokens stand in a text, it may be a prompt: that ends with a label rightly.
    """
    cut = _TAIL.sub("", text)
    if not re.search(_SPECIAL, text):
        cut = _DANGLING.sub("", text)
        if cut == text and text.count("```") == 1:
            cut = _FENCE.sub("", text)
    return cut if cut.strip() else text


def _label_prefix(view: pl.DataFrame, _limits: Limits) -> Iterator[Hit]:
    pattern = re.compile(_LABEL)
    labelled = view.filter(pl.col("prose").str.contains(_LABEL)).filter(pl.col("prose").str.contains(rf"{_LABEL}\S"))
    shown = rf"(?i)\b(?:{_LABELLED})\s*[:：]|\bq\s*(?:&|and)\s*a\b|\bformat\b|\b(?-i:[AQ])\s*[:：)]|问\s*[:：]"
    asked = _PROMPT.str.contains(shown)
    talk = _PROMPT.str.contains(r"(?i)\b(?:dialogue|conversation|script)\b") & pl.col("prose").str.contains(_SPEAKERS)
    for row, text in lines(labelled, ~asked & ~talk, "prose"):
        match = pattern.match(text)
        # "Answer: ..., Confidence: ..." is a form, and so is "A: ..., B: ..."; "Answer: Fruit: ..." holds one.
        if match and (_LABEL_AGAIN.match(text, match.end()) or not _OTHER_LABEL.search(text, match.end())):
            yield matched(row, "response", match)


def _cut_label(text: str) -> str:
    cut = re.sub(_LABEL, "", text, count=1)
    return cut if cut.strip() else text


MERGED_ROWS = Detector(
    name="merged_rows",
    severity="fatal",
    grade="A",
    fields=("response", "input"),
    find=_merged_rows,
    page=Page(
        finds='A numbered "Instruction:", "Input:" or "Output:" label at the start of a line, or all three labels in one answer: '
        "the next example of the generator stayed in the field.",
        harm="The model learns to go on with a task of its own after the answer.",
        bad=Example(
            instruction="Describe a teacher.", response="She was patient.\n14. Instruction: Explain gravity.\n14. Input:\n<noinput>"
        ),
        good=Example(instruction="List the parts of a program.", response="1. Input handling\n2. Output"),
        false_alarms="Tasks that ask for instruction data.",
    ),
)

TEMPLATE_LEAK = Detector(
    name="template_leak",
    severity="fatal",
    grade="A",
    fields=("response", "instruction", "input"),
    find=_template_leak,
    fix=_cut_tail,
    page=Page(
        finds='Control tokens (<|im_end|>, [INST], </s>, <end_of_turn>), section headings ("### Response:"), a known preamble, or a '
        'speaker label ("Human:") that the prompt does not call for; an answer whose last lines are marks with nothing on them '
        '("##", "Input:"), or a fence (```) that closes nothing.',
        harm="The tokens are tokenized as text, so the model learns to spell them, and to speak the user's part.",
        bad=Example(instruction="Name a colour.", response="Blue.<|im_end|>"),
        good=Example(instruction="Write a dialogue with a chatbot.", response="Human: Hello\nAssistant: Hello!"),
        false_alarms="Texts about templates and dialogues; left alone where the prompt says so or uses the same marks.",
        fix="Cuts control tokens, empty marks and a fence that closes nothing from the end of the text. Elsewhere (the start, the middle, "
        "other marks) there is no safe fix: what follows may be another turn. All that it would cut in the public files was read (of marks "
        "and fences 1 row of Alpaca and 33 answers of models): nothing of an answer is lost. Lines to sign on (____) stay.",
    ),
)

LABEL_PREFIX = Detector(
    name="label_prefix",
    severity="review",
    grade="C",
    fields=("response",),
    find=_label_prefix,
    fix=_cut_label,
    page=Page(
        finds='An answer that opens with a label ("Output:", "Answer:", "Solution:", "A:", "Antwort:", "答：") that the prompt neither '
        "asks for nor has itself. The first of several labels (Answer, Confidence) is part of a form and left alone, unless they follow "
        "each other at once.",
        harm="A label of the generator's template becomes the model's habit.",
        bad=Example(instruction="Name a colour.", response="Output: Blue."),
        good=Example(instruction="Reply in the form 'Answer: ...'. Name a colour.", response="Answer: Blue."),
        false_alarms="Formats that the prompt shows without naming them; a person's answer that sums itself up first.",
        fix="Cuts the label and the white space after it. Safe: the answer itself stays whole.",
    ),
)

DETECTORS = (MERGED_ROWS, TEMPLATE_LEAK, LABEL_PREFIX)
