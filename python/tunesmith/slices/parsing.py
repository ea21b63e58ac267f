"""The verb of an instruction and its object by a parser: a spaCy pipeline of the user's choice."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from tunesmith.errors import MissingExtraError, ModelError
from tunesmith.progress import SILENT, Progress
from tunesmith.slices.verbs import OTHER, QUESTION, verbs

if TYPE_CHECKING:
    from collections.abc import Iterator

_OBJECTS: Final = frozenset({"dobj", "obj"})
"""The direct object: spaCy's English pipelines say ``dobj``, those of Universal Dependencies ``obj``."""
_NOUNS: Final = frozenset({"NOUN", "PROPN"})
_LONGEST: Final = 400
"""Characters that are read: the first sentence says what is asked, and pasted material takes a parser minutes."""
_BATCH: Final = 256
_NEEDED: Final = {"DEP": "dependencies", "POS": "parts of speech", "LEMMA": "lemmas"}


def parse(instructions: pl.Series, pipeline: str, *, progress: Progress = SILENT) -> pl.DataFrame:
    """Name the verb of each instruction and its object, by a parser.

    The first verb of the first sentence's tree, the root before what hangs on it, and its direct object, as lemmas. It is
    the rule of self-instruct (its `find_root_verb_and_its_dobj`), but for two faults of that code: it follows the first
    child of a word alone, and passes names over. A sentence without a verb is ``question`` or ``other`` by the light rule.

    Args:
        instructions: ``String[n]``.
        pipeline: A spaCy pipeline with a parser, parts of speech and lemmas: its name (``en_core_web_sm``), or a folder.
        progress: Told of the work.
    Returns:
        ``verb, object``: one line per instruction; ``verb`` is never null, ``object`` is where none is named.
    Raises:
        MissingExtraError: If spaCy is not installed.
        ModelError: If there is no such pipeline, or it lacks a part.
    """
    model = _load(pipeline)
    texts = instructions.fill_null("").str.strip_chars().str.head(_LONGEST).to_list()
    found: list[tuple[str | None, str | None]] = []
    with progress.task("Parsing", len(texts)) as done:
        for document in model.pipe(texts, batch_size=_BATCH):
            found.append(_asked(document))
            if len(found) % _BATCH == 0 or len(found) == len(texts):
                done(len(found))
    frame = pl.DataFrame(found, schema={"verb": pl.String, "object": pl.String}, orient="row")
    plain = verbs(instructions)
    none = pl.when(plain == QUESTION).then(pl.lit(QUESTION)).otherwise(pl.lit(OTHER))
    return frame.with_columns(pl.col("verb").fill_null(none))


def _load(pipeline: str) -> Any:
    try:
        import spacy
    except ModuleNotFoundError as error:
        raise MissingExtraError("spaCy", "parser", "--parser") from error
    try:
        # Entities are not asked for, and cost as much as the parse.
        model = spacy.load(pipeline, exclude=["ner", "entity_ruler", "entity_linker", "textcat"])
    except (OSError, ValueError) as error:
        raise ModelError(
            f"{pipeline}: no spaCy pipeline of that name is installed, and no folder holds one; expected a name such as "
            f"en_core_web_sm (python -m spacy download en_core_web_sm) or a pipeline's folder"
        ) from error
    tried = model("Write a poem.")
    lacks = [said for layer, said in _NEEDED.items() if not tried.has_annotation(layer)]
    if lacks:
        raise ModelError(
            f"{pipeline}: found a spaCy pipeline of {', '.join(model.pipe_names) or 'no components'}, which gives no "
            f"{', no '.join(lacks)}; expected one that parses, such as en_core_web_sm"
        )
    return model


def _asked(document: Any) -> tuple[str | None, str | None]:
    sentence = next(iter(document.sents), None) if len(document) else None
    verb = next((token for token in _outward(sentence.root) if token.pos_ == "VERB"), None) if sentence is not None else None
    if verb is None:
        return None, None
    named = next((child for child in verb.children if child.dep_ in _OBJECTS and child.pos_ in _NOUNS), None)
    return verb.lemma_.lower(), named.lemma_.lower() if named is not None else None


def _outward(root: Any) -> Iterator[Any]:
    """The words of a tree, those nearer to the root first."""
    waiting = deque([root])
    while waiting:
        token = waiting.popleft()
        yield token
        waiting.extend(token.children)
