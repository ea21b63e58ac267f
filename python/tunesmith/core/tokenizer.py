"""Tokenizers of the `tokenizer.json` format, ids as the package `tokenizers` gives them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple, cast, get_args

import polars as pl

from tunesmith.core import _native
from tunesmith.core.columns import column, series
from tunesmith.errors import InputError, OptionError

IDS = pl.List(pl.UInt32)
"""What a row of ids is."""
Backend = Literal["tunesmith", "tokenizers 1.0", "tokenizers 0.23"]
"""Implementations, the fastest first."""


class AddedToken(NamedTuple):
    """A token that a tokenizer adds to its model."""

    content: str
    id: int
    special: bool


class Tokenizer:
    """One `tokenizer.json`, read once; safe to use from many threads and after a fork.

    Padding, truncation and dropout in the file are not honoured: a row's ids are all its ids, always the same.
    """

    def __init__(self, json: str, *, name: str = "tokenizer.json", backend: Backend | None = None) -> None:
        """Read the text of a `tokenizer.json`.

        Args:
            json: The text.
            name: What messages call it.
            backend: Run this implementation and no faster one, to compare them; None is the fastest that is exact.
        Raises:
            InputError: If it is no tokenizer.
            OptionError: If `backend` is not known or does not take the configuration.
        """
        if backend not in (None, *get_args(Backend)):
            raise OptionError(f"backend={backend!r}: expected one of {', '.join(get_args(Backend))}, or None for the fastest")
        self.name = name
        try:
            self._native = _native.Tokenizer(json, backend)
        except (InputError, OptionError) as error:
            raise type(error)(f"{name}: {error}") from None

    @classmethod
    def from_file(cls, path: str | Path, *, backend: Backend | None = None) -> Tokenizer:
        """Read a `tokenizer.json`; `backend` as for the class.

        Raises:
            InputError: If it cannot be read or is no tokenizer.
            OptionError: If `backend` does not take the configuration.
        """
        try:
            return cls(Path(path).read_text(encoding="utf-8"), name=str(path), backend=backend)
        except OSError as error:
            raise InputError(f"{path}: cannot be read: {error.strerror}") from error
        except UnicodeDecodeError as error:
            raise InputError(f"{path}: expected the JSON text of a tokenizer.json, found bytes that are not UTF-8") from error

    @classmethod
    def from_pretrained(cls, folder: str | Path) -> Tokenizer:
        """Read the tokenizer of a model's folder.

        Raises:
            InputError: If the folder is not there or holds no `tokenizer.json`.
        """
        path = Path(folder)
        if path.is_file():
            return cls.from_file(path)
        if not path.is_dir():
            raise InputError(f"{path}: expected the folder of a model, found nothing there; download it first")
        if not (path / "tokenizer.json").is_file():
            found = ", ".join(sorted(entry.name for entry in path.iterdir())[:8]) or "nothing"
            raise InputError(
                f"{path}: expected tokenizer.json, found {found}; write one with "
                "transformers.AutoTokenizer.from_pretrained(...).save_pretrained(...)"
            )
        return cls.from_file(path / "tokenizer.json")

    def encode(
        self,
        texts: Any,
        *,
        special_tokens: bool = False,
        parse_special: bool = False,
        continuation: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> pl.Series:
        """Encode texts into ids.

        Args:
            texts: Texts, ``String[n]``; null stays null.
            special_tokens: Put around each text what the tokenizer's post-processor puts there (BOS, ``[CLS]``, ...).
            parse_special: Take text that spells a special token for that token. Leave it off for text of others:
                a row that says ``<|im_end|>`` would end its turn. Off is the package's ``encode_special_tokens = True``.
            continuation: The texts go on where other text ended: no dummy prefix (the space that SentencePiece-like
                tokenizers put before a text, ``add_prefix_space``), no special tokens around.
            progress: Called with the number of texts done.
        Returns:
            ``List(UInt32)[n]``.
        Raises:
            InputError: If a text has no encoding (a word-level model without an unknown token).
            OptionError: If `continuation` meets `special_tokens` or a tokenizer that has no continuations.
        """
        made = series(texts, pl.String, name="texts")
        ids = self._native.encode(made, special_tokens, parse_special, continuation, False, progress)
        return _one(ids, made.name)

    def count(
        self,
        texts: Any,
        *,
        special_tokens: bool = False,
        parse_special: bool = False,
        continuation: bool = False,
        progress: Callable[[int], None] | None = None,
    ) -> pl.Series:
        """Count the ids that `encode` would give, without keeping them.

        Returns:
            ``UInt32[n]``, null for null.
        """
        made = series(texts, pl.String, name="texts")
        return _one(self._native.count(made, special_tokens, parse_special, continuation, False, progress), made.name)

    def decode(self, ids: Any, *, skip_special_tokens: bool = True, progress: Callable[[int], None] | None = None) -> pl.Series:
        """Decode ids into texts; ids that no token has are passed over.

        Args:
            ids: ``List(UInt32)[n]`` (lists of other integers are cast); null stays null.
            skip_special_tokens: Leave special tokens out of the text.
            progress: Called with the number of rows done.
        Returns:
            ``String[n]``.
        Raises:
            InputError: If the rows are no lists of ids, or a list holds a null.
        """
        made = _ids(ids)
        return _one(self._native.decode(made, skip_special_tokens, False, progress), made.name)

    def encode_expr(
        self, texts: pl.Expr | str, *, special_tokens: bool = False, parse_special: bool = False, continuation: bool = False
    ) -> pl.Expr:
        """`encode` as an expression: elementwise, lazy and streaming; ``List(UInt32)``, null for null."""

        def encode(morsel: pl.Series) -> pl.Series:
            made = series(morsel, pl.String, name="texts")
            return _one(self._native.encode(made, special_tokens, parse_special, continuation, True, None), made.name)

        return _elementwise(texts, encode, IDS)

    def count_expr(
        self, texts: pl.Expr | str, *, special_tokens: bool = False, parse_special: bool = False, continuation: bool = False
    ) -> pl.Expr:
        """`count` as an expression: elementwise, lazy and streaming; ``UInt32``, null for null."""

        def count(morsel: pl.Series) -> pl.Series:
            made = series(morsel, pl.String, name="texts")
            return _one(self._native.count(made, special_tokens, parse_special, continuation, True, None), made.name)

        return _elementwise(texts, count, pl.UInt32())

    def decode_expr(self, ids: pl.Expr | str, *, skip_special_tokens: bool = True) -> pl.Expr:
        """`decode` as an expression: elementwise, lazy and streaming; ``String``, null for null."""

        def decode(morsel: pl.Series) -> pl.Series:
            made = _ids(morsel)
            return _one(self._native.decode(made, skip_special_tokens, True, None), made.name)

        return _elementwise(ids, decode, pl.String())

    def token_to_id(self, token: str) -> int | None:
        """Give the id of a token as the vocabulary spells it; None when it is not there."""
        return self._native.token_to_id(token)

    def id_to_token(self, id: int) -> str | None:  # noqa: A002
        """Give the token of an id as the vocabulary spells it; None when no token has it."""
        return self._native.id_to_token(id) if 0 <= id < 2**32 else None

    @property
    def vocab_size(self) -> int:
        """Count the distinct tokens, added ones included."""
        return self._native.vocab_size

    @property
    def added_tokens(self) -> list[AddedToken]:
        """Tokens that the file adds to its model, by id."""
        return [AddedToken(*added) for added in self._native.added]

    @property
    def backend(self) -> Backend:
        """Which implementation runs.

        ``tunesmith``: our own, for byte-level BPE with the patterns of GPT-2, Llama 3, Qwen and SmolLM2, BPE over characters
        as in Llama 2, Mistral and Gemma, and BERT. Else ``tokenizers 1.0``, and ``tokenizers 0.23`` where 1.0 gives other
        ids than the Python package, or takes no such configuration. The ids are the package's with each of them.
        """
        return cast(Backend, self._native.backend)

    @property
    def backend_reason(self) -> str | None:
        """Why a slower implementation runs; None for ``tunesmith``."""
        return self._native.backend_reason

    def __repr__(self) -> str:
        """Tell the file, size and backend."""
        return f"Tokenizer({self.name!r}, vocab_size={self.vocab_size}, backend={self.backend!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        """Refuse to be pickled with a reason; processes read the file themselves."""
        raise TypeError("a Tokenizer is not pickled; send the path and read it there")


def _elementwise(column: pl.Expr | str, kernel: Callable[[pl.Series], pl.Series], returned: pl.DataType) -> pl.Expr:
    # Kernels run in the calling thread: the streaming engine runs morsels in parallel already.
    expression = pl.col(column) if isinstance(column, str) else column
    return expression.map_batches(kernel, return_dtype=returned, is_elementwise=True)


def _ids(values: Any) -> pl.Series:
    made = column(values, name="ids", expected=f"a column of {IDS}")
    if made.dtype != IDS:
        inner = made.dtype.inner if isinstance(made.dtype, pl.List) else None
        if made.dtype != pl.Null and (inner is None or not (inner.is_integer() or inner == pl.Null)):
            raise InputError(f"ids: expected a column of {IDS}, found {made.dtype}")
        try:
            made = made.cast(IDS)
        except pl.exceptions.PolarsError as error:
            raise InputError(f"ids: expected a column of {IDS}: {error}") from error
    return made


def _one(table: Any, name: str) -> pl.Series:
    return pl.DataFrame(table).to_series().alias(name)
