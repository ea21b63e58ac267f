"""One template bound to one tokenizer: what it renders, where it ends a turn, what it adds by itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.errors import ModelError, OptionError, did_you_mean
from tunesmith.templates.controls import Controls
from tunesmith.templates.named import INSTRUCTION, NAMED, NAMES, Columns
from tunesmith.templates.rendering import CLOSE, OPEN, RENDER_ERRORS, render

if TYPE_CHECKING:
    from tunesmith.templates.tokenizer import ModelTokenizer

_USER, _ANSWER, _AGAIN = "Quixotic7", "Zephyrine8", "Yttrium9"
"""Words that no template holds."""


@dataclass(frozen=True, kw_only=True)
class Template:
    """A chat template and what was found out about it.

    Attributes:
        name: A name of `NAMES`, a file, or `tokenizer` for the tokenizer's own.
        source: Jinja text, as it is saved beside a finetuned model. It writes the beginning of sequence itself.
        hash: Of what it renders; 64 hex digits.
        end_of_turn: The special token that ends an answer, and `end_of_turn_id`, its id.
        adds: Texts, one of which it puts before a conversation without system message by itself (a default system
            prompt, a date, Alpaca's preambles); empty where it adds none.
        columns: Its columns-wise form, or None.
        controls: The tokenizer's special tokens.
        tokens: `bos_token`, `eos_token`, ... as it reads them.
    """

    name: str
    source: str
    hash: str
    end_of_turn: str
    end_of_turn_id: int
    adds: tuple[str, ...]
    columns: Columns | None
    controls: Controls = field(repr=False, compare=False)
    tokens: Mapping[str, str]

    @property
    def start(self) -> str:
        """What the columns-wise form puts first."""
        return self.tokens["bos_token"] if self.source.startswith(_BOS) else ""

    @property
    def own_input(self) -> bool:
        """Whether it reads a row's `input` as a field of its own."""
        return self.columns is not None

    def added(self, prompt: str) -> str:
        """Give the text of `adds` that a rendered prompt begins with, "" if none."""
        body = prompt[len(self.start) :]
        return max((text for text in self.adds if body.startswith(text)), key=len, default="")

    def render(self, messages: Sequence[Mapping[str, Any]], *, tools: Sequence[Any] | None = None, asking: bool = False) -> str:
        """Render messages; with `asking`, up to where the model begins its answer.

        The text holds the marks `OPEN` and `CLOSE` of `{% generation %}`.
        """
        return render(self.source, messages, tools=tools, generation_prompt=asking, tokens=self.tokens)

    def ask(self, messages: Sequence[Mapping[str, Any]], *, tools: Sequence[Any] | None = None) -> str:
        """Render messages up to where the model begins its answer, without marks."""
        return plain(self.render(messages, tools=tools, asking=True))


_BOS = "{{- bos_token -}}"


def plain(text: str) -> str:
    """Take the marks of `{% generation %}` out of a rendered text."""
    return text.replace(OPEN, "").replace(CLOSE, "")


def resolve(template: str | None, tokenizer: ModelTokenizer) -> Template:
    """Choose a template and bind it to a tokenizer.

    Args:
        template: A name of `NAMES`, a file with a Jinja chat template, or None for the tokenizer's own.
        tokenizer: What encodes its text. A named template begins with the beginning-of-sequence token where the
            tokenizer would add one by itself; a tokenizer's own template gets none but its own.
    Raises:
        OptionError: If there is no such template, or the tokenizer has none of its own.
        ModelError: If the tokenizer lacks special tokens that the template needs, or no answer would ever end.
    """
    name, source, columns = _source(template, tokenizer)
    controls = Controls(tokenizer)
    tokens = dict(tokenizer.special_tokens)
    end = _end_of_turn(name, source, tokens, controls)
    adds = _preambles(columns) if columns else _adds(source, tokens, controls)
    digest = hashlib.sha256(json.dumps([source, end, adds], ensure_ascii=False).encode())
    return Template(
        name=name,
        source=source,
        hash=digest.hexdigest(),
        end_of_turn=end,
        end_of_turn_id=tokenizer.special_ids[end],
        adds=adds,
        columns=columns,
        controls=controls,
        tokens=tokens,
    )


def _source(template: str | None, tokenizer: ModelTokenizer) -> tuple[str, str, Columns | None]:
    if template is None:
        if tokenizer.chat_template is None:
            raise OptionError(
                f"{tokenizer.name} has no chat template of its own; expected --template: one of {', '.join(NAMES)}, or a .jinja file"
            )
        return "tokenizer", tokenizer.chat_template, None
    if template in NAMED:
        named = NAMED[template]
        missing = [token for token in named.needs if token not in tokenizer.special_ids]
        if missing:
            others = ", ".join(name for name in NAMES if not NAMED[name].needs)
            raise ModelError(
                f'template "{template}" needs the special tokens {" ".join(missing)}, which {tokenizer.name} lacks; use one of {others}'
            )
        if "eos_token" in named.source and (tokenizer.eos is None or tokenizer.eos not in tokenizer.special_ids):
            raise ModelError(
                f'template "{template}" ends an answer with the end-of-sequence token, but {tokenizer.name} names none as special'
            )
        return template, (_BOS if tokenizer.adds_bos else "") + named.source, named.columns
    path = Path(template)
    if path.is_file():
        return path.name, path.read_text(encoding="utf-8"), None
    raise OptionError(f'template "{template}": expected a name or a file; {did_you_mean(template, NAMES)}')


def _end_of_turn(name: str, source: str, tokens: Mapping[str, str], controls: Controls) -> str:
    """Find the special token that follows an answer."""
    messages = [{"role": "user", "content": _USER}, {"role": "assistant", "content": _ANSWER}]
    try:
        text = plain(render(source, messages, tokens=tokens))
    except RENDER_ERRORS as error:
        raise OptionError(f'template "{name}": expected it to render a question and an answer, found: {error}') from error
    before, found, after = text.rpartition(_ANSWER)
    if not found or _USER not in before:
        raise OptionError(f'template "{name}": expected it to render a question and then the answer, found: {text[:200]!r}')
    end = controls.first(after)
    if end is None:
        raise ModelError(
            f'template "{name}" writes no special token after an answer (found {after[:40]!r}), so the model would never learn to stop; '
            f"use --template: one of {', '.join(NAMES)}"
        )
    return end


def _preambles(columns: Columns) -> tuple[str, ...]:
    return tuple(text.removesuffix(INSTRUCTION) for text in (columns.without, columns.with_input))


def _adds(source: str, tokens: Mapping[str, str], controls: Controls) -> tuple[str, ...]:
    """Find what the template says before a conversation by itself: what opens the first question and not the second."""
    asked = [{"role": "user", "content": _USER}, {"role": "assistant", "content": _ANSWER}, {"role": "user", "content": _AGAIN}]
    try:
        without = plain(render(source, asked[:1], tokens=tokens, generation_prompt=True)).partition(_USER)[0]
        given = plain(render(source, asked, tokens=tokens)).partition(_ANSWER)[2].partition(_AGAIN)[0]
    except RENDER_ERRORS:
        return ()  # a template of one turn; what it adds is in every prompt, for `preview` to show
    first, second = controls.units(without), controls.units(given)
    common = 0
    while common < min(len(first), len(second)) and first[-1 - common] == second[-1 - common]:
        common += 1
    added = "".join(first[: len(first) - common])
    return (added,) if controls.strip(added).strip() else ()
