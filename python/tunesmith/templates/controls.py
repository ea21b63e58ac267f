"""Special tokens as controls: the template's are parsed, a user's text that spells one is not.

A text that spells a special token is masked before rendering (the token becomes a numbered mark), so that in the
rendered text every special token is the template's own, whatever the template does with the text around it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tunesmith.templates.rendering import CLOSE, OPEN

if TYPE_CHECKING:
    from tunesmith.templates.tokenizer import ModelTokenizer

_FROM, _TO = "\ufdd0", "\ufdd1"  # noncharacters: never part of an interchanged text (Unicode 23.7)
_MARK = re.compile(f"{_FROM}([0-9]+){_TO}")
_KEEP = (False, False)
_OURS = re.compile(f"[{_FROM}{_TO}{OPEN}{CLOSE}]")


class Controls:
    """The special tokens of one tokenizer.

    Args:
        tokenizer: Whose special tokens they are.
    """

    def __init__(self, tokenizer: ModelTokenizer) -> None:
        self._tokenizer = tokenizer
        self._tokens = sorted(tokenizer.special_ids, key=lambda token: (-len(token), token))
        self._number = {token: k for k, token in enumerate(self._tokens)}
        self.pattern = "|".join(re.escape(token) for token in self._tokens) or "(?!)"
        self._spelled = re.compile(self.pattern)
        self._sections = re.compile(f"({self.pattern})")
        self._fresh = self._starts_afresh()

    @property
    def spellings(self) -> list[str]:
        """List the texts that only a template may write: the special tokens, and this package's own marks."""
        return [*self._tokens, _FROM, _TO, OPEN, CLOSE]

    def spelled(self, value: Any) -> bool:
        """Tell whether a text, or any text inside a list or object, spells a special token (or one of the marks)."""
        if isinstance(value, str):
            return self._spelled.search(value) is not None or _OURS.search(value) is not None
        if isinstance(value, Mapping):
            return any(self.spelled(v) for v in value.values())
        return isinstance(value, list) and any(self.spelled(v) for v in value)

    def mask(self, value: Any) -> Any:
        """Put marks in place of the special tokens that a text spells; roles and keys stay."""
        if isinstance(value, str):
            return self._spelled.sub(lambda found: f"{_FROM}{self._number[found[0]]}{_TO}", _OURS.sub("\ufffd", value))
        if isinstance(value, Mapping):
            return {key: v if key == "role" else self.mask(v) for key, v in value.items()}
        return [self.mask(v) for v in value] if isinstance(value, list) else value

    def unmask(self, text: str) -> str:
        """Put the tokens' texts back."""
        return _MARK.sub(lambda found: self._tokens[int(found[1])], text)

    def first(self, text: str) -> str | None:
        """Find the first special token of a text."""
        found = self._spelled.search(text)
        return found[0] if found else None

    def end(self, text: str, token: str, *, after: int) -> int | None:
        """Find where a turn ends: behind the last `token`, else (a tool call has its own) the last special token.

        Args:
            text: A rendered conversation.
            token: The template's end of turn.
            after: Where the turn begins.
        """
        start = text.rfind(token, after)
        if start >= 0:
            return start + len(token)
        return max((found.end() for found in self._spelled.finditer(text, after)), default=None)

    def strip(self, text: str) -> str:
        """Take the special tokens out of a text."""
        return self._spelled.sub("", text)

    def units(self, text: str) -> list[str]:
        """Cut a text into special tokens and characters."""
        return [unit for k, section in enumerate(self._sections.split(text)) for unit in ([section] if k % 2 else section)]

    def encode_masked(self, text: str, *, continuation: bool) -> list[int]:
        """Encode a rendered text that holds marks: special tokens parsed, marked ones spelled out.

        The sections between special tokens are encoded apart, as the tokenizer does itself.
        """
        ids: list[int] = []
        sections = self._sections.split(text)
        strips = self._tokenizer.strips
        for k, section in enumerate(sections):
            if k % 2:
                ids.append(self._tokenizer.special_ids[section])
                continue
            plain = self.unmask(section)
            if k and strips.get(sections[k - 1], _KEEP)[1]:
                plain = plain.lstrip()
            if k + 1 < len(sections) and strips.get(sections[k + 1], _KEEP)[0]:
                plain = plain.rstrip()
            if plain:
                goes_on = continuation or (k > 0 and not self._fresh)
                ids.extend(pieces(self._tokenizer, [plain], parse=False, continuation=goes_on)[0])
        return ids

    def _starts_afresh(self) -> bool:
        """Tell whether the tokenizer begins anew after a special token (older SentencePiece ones add their space again)."""
        if not self._tokens:
            return False
        token = self._tokens[0]
        whole = pieces(self._tokenizer, [token + "a"], parse=True, continuation=False)[0]
        return whole != [self._tokenizer.special_ids[token], *pieces(self._tokenizer, ["a"], parse=False, continuation=True)[0]]


def pieces(tokenizer: ModelTokenizer, texts: Sequence[str], *, parse: bool, continuation: bool) -> list[list[int]]:
    """Encode texts without any token that the tokenizer would add around them."""
    ids: list[list[int]] = tokenizer.core.encode(list(texts), parse_special=parse, continuation=continuation).to_list()
    return ids
