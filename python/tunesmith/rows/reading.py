"""From any source to rows, whole: the verb `read`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tunesmith.progress import SILENT, Progress
from tunesmith.rows.data import Data
from tunesmith.rows.lengths import MAX_CHARACTERS
from tunesmith.rows.streaming import Stream


def read(
    source: Any,
    *,
    format: str | None = None,  # noqa: A002  (named as the option is)
    mapping: Mapping[str, str] | None = None,
    max_characters: int = MAX_CHARACTERS,
    progress: Progress = SILENT,
) -> Data:
    """Read rows from anything, checked one by one.

    A record that cannot be a row is rejected with every problem it has; it keeps its place, so positions
    count rejects too. A version, or a part of a split, keeps its positions and ids.

    Args:
        source: Path, glob, folder, ``"-"``, address, version, split, DataFrame, LazyFrame, ``datasets.Dataset``, list of dicts, or
            what `read`, `curate`, `restore` or `split` gave.
        format: One of the formats by name; inferred from the fields unless given.
        mapping: Names of the source's fields to the names they are read under.
        max_characters: A record with a longer field is rejected (``too_long``).
        progress: Where to tell how far it is.
    Returns:
        The valid rows, the rejects, the format and the inputs' content hashes.
    Raises:
        InputError: If there is nothing to read, or no format fits.
        OptionError: If there is no format of that name.
        MissingExtraError: If an address needs a package that is not installed.

    >>> data = read([{"instruction": "Add 1 and 2.", "output": "3"}, {"instruction": "", "output": "4"}])
    >>> data.format, data.frame.height, data.rejected["code"].to_list()
    ('alpaca', 1, ['empty_prompt'])
    """
    return Stream(source=source, format=format, mapping=mapping, max_characters=max_characters, progress=progress).data()
