"""`curate`: sources and a recipe to a version, in memory or on disk, every row accounted for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from html import escape
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith.artefact import finished
from tunesmith.core.memory import give_back
from tunesmith.curation.counts import wide
from tunesmith.curation.decision import Fate, decide
from tunesmith.curation.engine import Engine
from tunesmith.curation.gathering import Gathered, gather
from tunesmith.curation.held import Rows
from tunesmith.curation.ledger import ledger
from tunesmith.curation.local import LocalEngine
from tunesmith.curation.measuring import Measures, measure
from tunesmith.curation.recipe import Recipe, load_recipe
from tunesmith.errors import OptionError
from tunesmith.progress import SILENT, Progress
from tunesmith.rows import Version, write_version
from tunesmith.rows.pieces import SIZE
from tunesmith.stores import as_place


@dataclass(frozen=True, kw_only=True)
class Curated:
    """A curated data set.

    Rows in + added = kept + dropped + rejected, always.

    Attributes:
        rows_in: Records read, rejects included.
        added: Rows that the recipe added.
        kept: Rows that stay.
        dropped: Rows that a step dropped.
        edited: Rows kept whose text, turns or weight a step changed.
        flagged: Rows kept that carry a flag.
        rejected: Records that could not be rows.
        steps: The funnel: `step, rows_in, dropped, edited, flagged, seconds` of each; a row counts as dropped where
            it was dropped first.
        reasons: `step.rule` to the number of rows that it dropped; a row counts under each of its reasons.
        frame: The rows kept, final text.
        removed: The rows dropped, and the edited rows as they were.
        ledger: Every rule that fired.
        counted: What was measured, every valid row; counts are narrow (`curation.counts`).
        edges: Pairs that keyed steps found.
        rejects: What is wrong with the rejected records.
        notes: Facts worth telling.
        out: Where it was written; None in memory.
        reused: Whether it was already there.
    """

    rows_in: int
    added: int
    kept: int
    dropped: int
    edited: int
    flagged: int
    rejected: int
    steps: Sequence[Mapping[str, Any]]
    reasons: Mapping[str, int]
    frame: pl.DataFrame = field(repr=False)
    removed: pl.DataFrame = field(repr=False)
    ledger: pl.DataFrame = field(repr=False)
    counted: pl.DataFrame = field(repr=False)
    edges: pl.DataFrame = field(repr=False)
    rejects: pl.DataFrame = field(repr=False)
    notes: tuple[str, ...] = ()
    out: str | Path | None = None
    reused: bool = False

    @property
    def values(self) -> pl.DataFrame:
        """What was measured, every valid row: `position` and a column per `step.measure`."""
        return wide(self.counted)

    @property
    def summary(self) -> dict[str, Any]:
        """The `--json` fields."""
        return {**{name: getattr(self, name) for name in _COUNTS}, "steps": list(self.steps), "reasons": dict(self.reasons)}

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(name)}</th>" for name in _FUNNEL)
        body = "".join("<tr>" + "".join(f"<td>{escape(str(step[name]))}</td>" for name in _FUNNEL) + "</tr>" for step in self.steps)
        total = ", ".join(f"{name.replace('_', ' ')} {getattr(self, name):,}" for name in _COUNTS)
        return f"<p>{escape(total)}</p><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


_COUNTS = ("rows_in", "added", "kept", "dropped", "edited", "flagged", "rejected")
_FUNNEL = ("step", "rows_in", "dropped", "edited", "flagged")


def curate(
    source: Any = None,
    recipe: Recipe | str | Path | Mapping[str, Any] | None = None,
    *,
    out: str | Path | None = None,
    format: str | None = None,  # noqa: A002  (named as the option is)
    mapping: Mapping[str, str] | None = None,
    dry_run: bool = False,
    force: bool = False,
    engine: Engine | None = None,
    cache: str | Path | None = None,
    rows_per_file: int | None = None,
    progress: Progress = SILENT,
) -> Curated:
    """Curate rows by a recipe.

    Args:
        source: Anything that `rows.read` takes, or a list of such; the recipe's sources when absent.
        recipe: A file, a mapping of the same shape, or a `Recipe`; the default (safe fixes, drop fatal findings and
            exact copies, flag the rest) when absent.
        out: The version to write, a folder or an address (s3://bucket/v1); in memory when absent.
        format: The format of `source`, inferred unless given; those of the recipe's sources stand there.
        mapping: Names of the fields of `source` to the names they are read under, likewise.
        dry_run: Decide, but write nothing.
        force: Replace what lies at `out`.
        engine: Runs the measures; the local one unless given.
        cache: A folder that keeps what models computed, by content; named in the manifest, never part of a result.
        rows_per_file: Rows of a file; unsaid, tables of more than 1 GiB in memory are cut into parts.
        progress: Told about every pass.
    Returns:
        The curated rows with their ledger.
    Raises:
        OptionError: If the recipe cannot be honoured.
        InputError: If a source cannot be read.
        ArtefactError: If something else lies at `out`.

    >>> made = curate([{"instruction": "Add 1 and 2.", "output": "3"}, {"instruction": "Add 2 and 2.", "output": ""}])
    >>> made.kept, made.dropped, made.ledger["rule"].to_list()
    (1, 1, ['output_empty'])
    """
    recipe = load_recipe(recipe)
    if source is not None and recipe.sources:
        progress.say("the sources of the recipe are left out: others are given")
    sources = _several(source) if source is not None else recipe.sources
    paths = [*(getattr(one, "path", one) for one in sources), *(file for step in recipe.steps for file in step.files())]
    gathered = gather(sources, recipe, progress, format=format, mapping=mapping)
    data = gathered.data
    notes = (*data.notes, *(remark for step in recipe.steps for remark in step.remarks()))
    for note in notes:
        progress.say(note)
    inputs = {**data.inputs, **{name: given for step in recipe.steps for name, given in step.inputs().items()}}
    options = _options(recipe)
    if out is not None and not dry_run:
        manifest = finished(out, kind="version", inputs=inputs, options=options, sources=paths, force=force, progress=progress)
        if manifest is not None:
            return _reopened(Version.open(out))
    recipe = gathered.met(recipe)
    # From here on the rows are held once, as the steps leave them.
    rows = Rows(schema=data.frame.schema, held=(data.frame,))
    data = replace(data, frame=data.frame.clear())
    gathered = replace(gathered, data=data)
    measures = measure(rows, recipe, engine or LocalEngine(cache=Path(cache) if cache is not None else None), progress)
    fate = decide(measures.values, measures.edges, recipe.steps)
    made = _made(gathered, recipe, measures, fate, notes)
    del measures, fate
    if out is None or dry_run:
        return made
    give_back()
    with progress.task("Writing"):
        write_version(
            out, frame=made.frame, removed=made.removed, ledger=made.ledger, values=wide(made.counted.lazy()), edges=made.edges,
            rejected=made.rejects, inputs=inputs, options=options, result=made.summary, rows_per_file=rows_per_file, progress=progress,
            details={"recipe": recipe.as_dict(), "notes": list(made.notes), "cache": None if cache is None else str(cache)},
        )  # fmt: skip
    return Curated(**{**vars(made), "out": as_place(out)})


def _several(source: Any) -> Sequence[Any]:
    """Tell several sources from one source that is a list of records."""
    if isinstance(source, list | tuple) and source and not any(isinstance(item, Mapping) for item in source):
        return source
    return [source]


def _options(recipe: Recipe) -> dict[str, Any]:
    """What decides the content: the recipe without where things lie (their content is among the inputs)."""
    raw = recipe.as_dict()
    for source in raw["sources"]:
        source["path"] = Path(source["path"]).name
    for step in raw["steps"]:
        for options in step.values():
            options.update({name: Path(options[name]).name for name in ("against", "file") if name in options})
    return {"recipe": raw}


def _made(gathered: Gathered, recipe: Recipe, measures: Measures, fate: Fate, notes: tuple[str, ...]) -> Curated:
    data, rows = gathered.data, measures.rows
    height, before = rows.height, _before(rows)
    book = ledger(fate.decisions, _first_ids(rows, fate.decisions["position"]), measures, recipe.steps, data.rejected)
    kept, dropped = _apart(rows, fate.dropped)
    # Edits change an id, or the weight; what stood there before is kept beside it, for dropped rows too.
    removed = pl.concat([before, dropped]).sort("position", maintain_order=True)
    rejected = data.rejected["position"].n_unique()
    added = sum(positions.len() for positions in gathered.added.values())
    made = Curated(
        rows_in=height + rejected - added, added=added, kept=kept.height, dropped=dropped.height, edited=fate.edited,
        flagged=fate.flagged, rejected=rejected,
        steps=[{**asdict(count), "seconds": round(measures.seconds[count.step], 3)} for count in fate.steps],
        reasons=_reasons(fate.decisions), frame=kept, removed=removed, ledger=book, counted=measures.values, edges=measures.edges,
        rejects=data.rejected, notes=notes,
    )  # fmt: skip
    _check_balance(made)
    return made


def _first_ids(rows: Rows, positions: pl.Series) -> pl.DataFrame:
    """Give the ids, `position, row_id`, that some rows had when they were read."""
    wanted = pl.col("position").is_in(positions.unique().implode())
    now = rows.select("position", "row_id").filter(wanted)
    if rows.before is None:
        return now
    were = rows.before.select("position", first="row_id")
    return now.join(were, on="position", how="left", maintain_order="left").select(
        "position", pl.coalesce("first", "row_id").alias("row_id")
    )


def _apart(rows: Rows, dropped: pl.Series) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Part the rows into those that stay and those that do not; they are handed over."""
    gone = pl.col("position").is_in(dropped.implode())
    kept, lost = [], []
    for piece in rows.handed_over(SIZE):
        kept.append(piece.filter(~gone))
        lost.append(piece.filter(gone))
    return pl.concat(kept), pl.concat(lost)


def _before(rows: Rows) -> pl.DataFrame:
    """Give the rows that steps changed as they were read; an edit that came to nothing changed none."""
    if rows.before is None:
        return pl.DataFrame(schema=rows.schema)
    now = rows.select("position", "row_id", "weight").filter(pl.col("position").is_in(rows.before["position"].implode()))
    return rows.before.filter((rows.before["row_id"] != now["row_id"]) | rows.before["weight"].ne_missing(now["weight"]))


def _reasons(decisions: pl.DataFrame) -> dict[str, int]:
    rules = decisions.filter(action="drop").select(pl.concat_str("step", "rule", separator=".").alias("reason"), "position")
    counts = rules.group_by("reason").agg(pl.col("position").n_unique().alias("rows")).sort("rows", "reason", descending=[True, False])
    return dict(counts.iter_rows())


def _check_balance(made: Curated) -> None:
    """Rows in + added = kept + dropped + rejected, and each step hands on what it did not drop."""
    alive = made.rows_in + made.added - made.rejected
    for step in made.steps:
        if step["rows_in"] != alive:
            raise RuntimeError(f"step {step['step']}: {alive} rows were handed on, {step['rows_in']} came in; this is a bug in Tunesmith")
        alive -= step["dropped"]
    if alive != made.kept or made.rows_in + made.added != made.kept + made.dropped + made.rejected:
        raise RuntimeError(f"{made.rows_in} rows in, but {made.summary} out; this is a bug in Tunesmith")


def _reopened(version: Version) -> Curated:
    result = dict(version.manifest.result)
    missing = [name for name in (*_COUNTS, "steps", "reasons") if name not in result]
    if missing:
        raise OptionError(f"{version.folder}: its manifest lacks {', '.join(missing)}; --force makes it again")
    return Curated(
        **{name: result[name] for name in (*_COUNTS, "steps", "reasons")},
        frame=version.frame, removed=version.removed, ledger=version.ledger, counted=version.values, edges=version.edges,
        rejects=version.rejected, notes=tuple(version.manifest.details.get("notes", ())), out=version.folder, reused=True,
    )  # fmt: skip
