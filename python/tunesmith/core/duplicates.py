"""Near duplicates: groups and twins, or the pairs they come from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith.core import _native, near_options
from tunesmith.core.columns import text_columns
from tunesmith.core.near_options import Bands, PresetName, Unit


def near_duplicates(
    texts: Any,
    *,
    threshold: float | None = None,
    shingle: int | None = None,
    unit: Unit | None = None,
    against: Any = None,
    preset: PresetName = "tunesmith",
    fold_numbers: bool | None = None,
    fold_marks: bool | None = None,
    bands: Bands | None = None,
    permutations: int | None = None,
    seed: int = 0,
    memory: int = 512,
    spill: str | Path | None = None,
    progress: Callable[[int], object] | None = None,
) -> pl.DataFrame:
    """Find groups of nearly equal texts: MinHash candidates, each verified by exact Jaccard similarity.

    The similarity of two texts is the Jaccard index of their sets of shingles (``shingle`` neighbouring tokens,
    known by a 64-bit hash). A text of fewer tokens is one shingle, so that short texts are compared whole; a text
    without any token is compared as the raw text it is. Nulls are never duplicates. A pair of similarity
    ``threshold`` becomes a candidate with a probability of 0.999, a more similar one more surely; what is
    reported is exact. MinHash after Broder (1997), banded after Leskovec, Rajaraman and Ullman, chapter 3.

    With several fields the similarity of two rows is the smallest over the fields: the same instruction with
    another input is not a duplicate. Two fields that are both null are alike; a null and a text have nothing in
    common. Candidates are sought in the field with the most distinct texts.

    Args:
        texts: ``String[n]``; or several columns (a DataFrame, or a list of Series) that are compared field by field.
        threshold: The smallest similarity that counts, above 0, at most 1. This and the next ones are the preset's
            unless said; 0.7.
        shingle: Tokens in a shingle; 5.
        unit: ``word`` (the default): Unicode word segments that hold a letter or digit, lower-cased, and every Han,
            Kana, Thai, Lao or Khmer character; ``space``: lower-cased pieces between white space; ``piece``:
            lower-cased pieces between characters that are neither letter, digit nor ``_``, the empty ones included;
            ``character``: code points as they are.
        against: ``String[m]``, or as many columns as ``texts`` in the same order: find the twins there instead of
            among the texts themselves.
        preset: Parameters of another system: ``datatrove``, ``text-dedup``, ``data-juicer`` or ``nemo``; see the
            how-to page. Verification stays on.
        fold_numbers: Whether every number becomes 0 first, so that "Divide 100 by 7" equals "Divide 14 by 6". No.
        fold_marks: Whether punctuation becomes white space, and accents are dropped, first. No.
        bands: ``recall``: as many hash functions a band as ``permutations`` allow with the recall above; ``balanced``:
            datasketch's optimum, whose recall at the threshold is about a half; or (bands, hash functions in each).
        permutations: Hash functions at most, where the threshold allows; more mean fewer false candidates to verify; 128.
        seed: Draws the hash functions.
        memory: MiB that the search takes, about, beside the texts and the answer. Band keys that do not fit go to
            temporary files, which are deleted whatever happens. It changes no result.
        spill: Folder of the temporary files, on a disk; the system's for temporary files unless said.
        progress: Called with the number of texts read so far (those of ``against`` included).
    Returns:
        One row per text: ``row: UInt32``; ``root: UInt32``, the smallest row of its group (the connected
        component of similar pairs), itself when alone; ``twin: UInt32``, the most similar other row (the
        smallest where several are), null when none; ``similarity: Float64``, the twin's. With ``against``, ``twin``
        and ``root`` are rows of ``against``, the most similar and the smallest similar one, null when none.
    Raises:
        InputError: If the columns are not text, or differ in length or number.
        OptionError: If an option is out of range, or the folder does not take the temporary files.

    >>> frame = near_duplicates(["a b c d", "z", "A b c d!", None], shingle=1)
    >>> frame.rows()
    [(0, 0, 2, 1.0), (1, 1, None, None), (2, 0, 0, 1.0), (3, 3, None, None)]
    >>> prompts, answers = pl.Series(["Add them.", "Add them.", "add them"]), pl.Series(["1, 2", "3, 4", "1 2"])
    >>> near_duplicates([prompts, answers])["root"].to_list()
    [0, 1, 0]
    """
    options = near_options.search(
        preset=preset,
        threshold=threshold,
        shingle=shingle,
        unit=unit,
        fold_numbers=fold_numbers,
        fold_marks=fold_marks,
        bands=bands,
        permutations=permutations,
        seed=seed,
        memory=memory,
        spill=spill,
    )
    return pl.DataFrame(_native.near_duplicates(text_columns(texts, name="texts"), _against(against), options, progress))


def near_pairs(
    texts: Any,
    *,
    threshold: float | None = None,
    shingle: int | None = None,
    unit: Unit | None = None,
    against: Any = None,
    every: bool = False,
    preset: PresetName = "tunesmith",
    fold_numbers: bool | None = None,
    fold_marks: bool | None = None,
    bands: Bands | None = None,
    permutations: int | None = None,
    seed: int = 0,
    memory: int = 512,
    spill: str | Path | None = None,
    progress: Callable[[int], object] | None = None,
) -> pl.DataFrame:
    """List the pairs of nearly equal texts with their exact similarity.

    Texts with the same tokens (in every field) form a class, and all members of a class have the same similar texts.
    Unless ``every`` is set, a class is listed as links of similarity 1 from its first row to each other member, and
    its relation to other classes between first rows alone: the whole relation, in linear space. With ``against``, of
    equal texts there only the first is listed.

    Args:
        texts: ``String[n]``, or several columns, as for `near_duplicates`.
        threshold: The smallest similarity that is listed.
        shingle: Tokens in a shingle.
        unit: As for `near_duplicates`.
        against: ``String[m]``, or several columns: pair the texts with those instead of among themselves.
        every: List each pair of rows by itself; k copies of one text are k (k - 1) / 2 pairs.
        preset: As for `near_duplicates`, like the others.
        fold_numbers: Whether every number becomes 0 first.
        fold_marks: Whether punctuation becomes white space, and accents are dropped, first.
        bands: Bands and hash functions in each, or the rule that finds them.
        permutations: Hash functions at most.
        seed: Draws the hash functions.
        memory: MiB that the search takes, about, beside the texts and the pairs.
        spill: Folder of the temporary files.
        progress: Called with the number of texts read so far.
    Returns:
        ``a: UInt32``, ``b: UInt32`` (a < b; with ``against`` a row of it), ``similarity: Float64``, sorted by a and b.
    Raises:
        InputError: If the columns are not text, or differ in length or number.
        OptionError: If an option is out of range, or the folder does not take the temporary files.

    >>> near_pairs(["a b c d", "a b c", "a b c d!", "z"], shingle=1, every=True).rows()
    [(0, 1, 0.75), (0, 2, 1.0), (1, 2, 0.75)]
    """
    options = near_options.search(
        preset=preset,
        threshold=threshold,
        shingle=shingle,
        unit=unit,
        fold_numbers=fold_numbers,
        fold_marks=fold_marks,
        bands=bands,
        permutations=permutations,
        seed=seed,
        memory=memory,
        spill=spill,
    )
    return pl.DataFrame(_native.near_pairs(text_columns(texts, name="texts"), _against(against), every, options, progress))


def _against(against: Any) -> list[pl.Series] | None:
    return None if against is None else text_columns(against, name="against")
