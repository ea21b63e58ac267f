"""The verb `evaluate`: let a model answer, or take its answers, then score and judge them."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith import artefact, core
from tunesmith.artefact import Manifest, writing
from tunesmith.errors import InputError, OptionError
from tunesmith.evaluation import metrics as known_metrics
from tunesmith.evaluation import scoring
from tunesmith.evaluation.evaluation import FINDINGS, ITEMS, PREDICTIONS, SCORES, SUMMARY, Evaluation
from tunesmith.evaluation.formats import Predicted, read_predictions
from tunesmith.evaluation.generating import Answers, Subject, ask, clear
from tunesmith.evaluation.items import PARTS, Items, Part, check_parts, make_items
from tunesmith.evaluation.matching import match
from tunesmith.evaluation.summarising import summarise
from tunesmith.models import Embedder
from tunesmith.models.loading import Device, Dtype
from tunesmith.progress import SILENT, Progress
from tunesmith.rows import read


def evaluate(
    source: Any,
    out: str | Path,
    *,
    model: str | Path | None = None,
    adapter: str | Path | None = None,
    base_output: str | Path | None = None,
    predictions: Any = None,
    predictions_format: str | None = None,
    template: str | None = None,
    max_new_tokens: int | None = None,
    temperature: float = 0.0,
    stop: Sequence[str] = (),
    metrics: Sequence[str] | None = None,
    embedder: str | Path | None = None,
    slices: Sequence[str] = (),
    limit: int | None = None,
    parts: Collection[Part] = PARTS,
    allow_partial: bool = False,
    format: str | None = None,  # noqa: A002  (named as the option is)
    mapping: Mapping[str, str] | None = None,
    cache: str | Path | None = None,
    batch_tokens: int = 16_384,
    dtype: Dtype = "auto",
    device: Device = "auto",
    seed: int = 0,
    force: bool = False,
    progress: Progress = SILENT,
) -> Evaluation:
    """Evaluate a model on rows, or predictions made elsewhere.

    Outputs are scored against the rows' answers where there are any, and judged by the detectors, as the answers
    themselves are, with limits fitted on the answers. An interrupted run goes on with the answers it has.

    Args:
        source: Rows, with answers or without: whatever `tunesmith.read` takes.
        out: The evaluation to write.
        model: A local folder or a hub name: generate with it.
        adapter: A run, to put on `model`.
        base_output: Another evaluation to write: the base's, from the same load and with the same stops.
        predictions: A file, frame or list of predictions, instead of `model`.
        predictions_format: One of `formats.FORMATS`; told by its fields unless said.
        template: A named template or file; the tokenizer's own unless said.
        max_new_tokens: None: the 99th percentile of the references' tokens and one for the end of turn, at most 1,024.
        temperature: 0 is greedy.
        stop: Strings that end an answer, besides the end of turn.
        metrics: Names of `metrics.KNOWN`; `metrics.DEFAULT` unless said, and similarity with an embedder.
        embedder: A local sentence-transformers model, for similarity.
        slices: Columns of the rows to break the metrics down by; verb and the like are always in the items.
        limit: Take the first so many rows.
        parts: Take the items of some parts alone (dev, gate, confirm). Parts, limits of the detectors and `max_new_tokens` are
            made from the whole source first, so that an item is asked and judged as in an evaluation of all.
        allow_partial: Go on where some items have no output; they are counted and left out.
        format: The format of `source`, where it is not to be inferred.
        mapping: Names of the source's fields to the names they are read under.
        cache: A folder that keeps embeddings by content.
        batch_tokens: Tokens a batch holds at most; never changes an output beyond rounding.
        dtype: Of the weights.
        device: Where to generate.
        seed: Of sampling, resampling and the parts.
        force: Replace what lies at `out`.
        progress: Where to report.
    Returns:
        The evaluation, opened.
    Raises:
        OptionError: If options do not go together.
        InputError: If items lack an output and `allow_partial` is not given.
    """
    _check(out, model, adapter, base_output, predictions)
    names = known_metrics.chosen(metrics, embedder=embedder is not None)
    chosen = check_parts(parts)
    data = read(source, format=format, mapping=mapping, progress=progress).some()
    if data.rejected.height:
        progress.say(f"{data.rows - data.frame.height:,} of {data.rows:,} records are rejected and not asked (tunesmith check)")
    subject = None
    read_in: list[Predicted] = []
    inputs = dict(data.inputs)
    options: dict[str, Any] = {
        "metrics": names, "slices": list(slices), "limit": limit, "parts": chosen, "allow_partial": allow_partial, "seed": seed,
    }  # fmt: skip
    if model is not None:
        subject = Subject(
            model=model, adapter=adapter, template=template, max_new_tokens=max_new_tokens, temperature=temperature,
            stop=tuple(stop), seed=seed, batch_tokens=batch_tokens, dtype=dtype, device=device,
        )  # fmt: skip
        inputs |= {f"--{name}": value for name, value in subject.hashes().items()}  # no file is called so
        options |= {"template": template, "max_new_tokens": max_new_tokens, "temperature": temperature, "stop": list(stop), "dtype": dtype}
        if template is not None and Path(template).is_file():
            inputs["--template"] = core.content_hash(pl.DataFrame({"text": [Path(template).read_text(encoding="utf-8")]}))
    else:
        read_in = read_predictions(predictions, format=predictions_format)
        inputs["--predictions"] = core.content_hash(pl.DataFrame([vars(each) for each in read_in], infer_schema_length=None))
    opened = Embedder(embedder, cache=cache) if embedder is not None else None
    if opened is not None:
        inputs["--embedder"] = opened.hash
    plan = _Plan(inputs=inputs, options=options, names=names, by=tuple(slices), embedder=opened, progress=progress, cache=cache)
    side = "predictions" if model is None else "model" if adapter is None else "adapter"
    wanted = [(Path(out), side), *([(Path(base_output), "base")] if base_output is not None else [])]
    todo = [
        (path, side)
        for path, side in wanted
        if plan.finished(path, side, sources=(source, model, adapter, predictions), force=force) is None
    ]
    if todo:
        items = make_items(data, limit=limit, parts=chosen, by=slices, seed=seed, progress=progress)
        if subject is not None:
            _generated(items, subject, plan, todo, allow_partial=allow_partial)
        else:
            _matched(items, read_in, plan, Path(out), name=_name(predictions), allow_partial=allow_partial)
    return Evaluation(Path(out), artefact.read_manifest(out, "evaluation"), reused=Path(out) not in dict(todo))


def _check(out: str | Path, model: object, adapter: object, base_output: str | Path | None, predictions: object) -> None:
    if (model is None) == (predictions is None):
        raise OptionError(f"expected either a model or predictions, found {'neither' if model is None else 'both'}")
    if adapter is not None and model is None:
        raise OptionError("an adapter needs --model, the base that it was trained on")
    if base_output is not None and adapter is None:
        raise OptionError("--base-output is the base's evaluation beside an adapter's; it needs --adapter (to evaluate a base, use -o)")
    if base_output is not None and Path(base_output).resolve() == Path(out).resolve():
        raise OptionError(f"-o and --base-output are both {out}; give each evaluation a folder of its own")


def _name(predictions: Any) -> str:
    return Path(predictions).name.partition(".")[0] if isinstance(predictions, str | Path) else "predictions"


class _Plan:
    """What all evaluations of one call share, and how one of them is written."""

    def __init__(
        self,
        *,
        inputs: Mapping[str, str],
        options: Mapping[str, Any],
        names: Sequence[str],
        by: Sequence[str],
        embedder: Embedder | None,
        progress: Progress,
        cache: str | Path | None,
    ) -> None:
        self.progress = progress
        self._inputs, self._options, self._names, self._by = inputs, options, names, by
        self._embedder, self._cache = embedder, cache

    def finished(self, out: Path, side: str, *, sources: Sequence[object], force: bool) -> Manifest | None:
        """Answer whether `out` holds this work already."""
        options = {**self._options, "side": side}
        return artefact.finished(out, kind="evaluation", inputs=self._inputs, options=options, sources=sources, force=force)

    def write(
        self, work: artefact.Work, items: Items, predictions: pl.DataFrame, side: str, *, facts: Mapping[str, Any], about: Mapping[str, Any]
    ) -> None:
        """Score, judge, summarise, and write the tables."""
        truncated = self._embedder.truncated if self._embedder else 0
        scores = scoring.scores(items, predictions, self._names, embedder=self._embedder, progress=self.progress)
        findings = scoring.findings(items, predictions, progress=self.progress)
        summary = summarise(items.table, predictions, scores, findings, by=self._by, seed=self._options["seed"])
        notes = [*facts.get("notes", ()), *_notes(items, self._names)]
        if self._embedder and (cut := self._embedder.truncated - truncated):
            notes.append(f"{cut:,} texts were longer than the embedding model reads; similarity sees their start")
            summary["embeddings_truncated"] = cut
        model = predictions["model"][0] if predictions.height else None
        whole = {**summary, "model": model, "rejected": items.rejected, **facts, "notes": notes}
        tables = {ITEMS: items.table, PREDICTIONS: predictions, SCORES: scores, FINDINGS: findings}
        for name, table in tables.items():
            table.write_parquet(work.folder / name)
        (work.folder / SUMMARY).write_text(json.dumps(whole, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
        timeless = [table.drop("seconds", strict=False) for table in tables.values()]
        work.finish(
            Manifest(
                kind="evaluation",
                inputs=self._inputs,
                options={**self._options, "side": side},
                hash=core.content_hash(pl.DataFrame({"table": [core.content_hash(table) for table in timeless]})),
                result=whole,
                details={
                    **about,
                    "made": list(items.made),
                    "limits": asdict(items.limits),
                    **({"cache": str(self._cache)} if self._cache else {}),
                },
            )
        )


def _generated(items: Items, subject: Subject, plan: _Plan, todo: Sequence[tuple[Path, str]], *, allow_partial: bool) -> None:
    asked = ask(items, subject, progress=plan.progress)
    facts: dict[str, Any] = {"unmatched": asked.problems.height, "max_new_tokens": asked.max_new_tokens}
    if asked.problems.height:
        item, problem = asked.problems.row(0)
        place = f"the first, position {items.table['position'][item]}"
        told = f"{asked.problems.height:,} of {items.table.height:,} items cannot be asked; {place}"
        if not allow_partial:
            raise InputError(f"{told}: {problem}; --allow-partial leaves them out")
        facts["notes"] = [f"{told}: {problem}"]
    answers = Answers(subject, asked)
    for out, side in todo:
        with writing(out) as work:
            predictions = answers.of(work.folder, adapter=side != "base", progress=plan.progress)
            about = {**asked.about, "stop_ids": answers.stop_ids(), "trained": None if side == "base" else asked.about["trained"]}
            plan.write(work, items, predictions, side, facts=facts, about=about)
            clear(work.folder)


def _matched(items: Items, predictions: Sequence[Predicted], plan: _Plan, out: Path, *, name: str, allow_partial: bool) -> None:
    matched = match(items, predictions, name=name)
    if matched.frame.is_empty():
        raise InputError(f"none of {len(predictions):,} predictions names an item by its {matched.by}; are they of other items?")
    told = f"{matched.unmatched:,} of {items.table.height:,} items have no prediction (matched by {matched.by})"
    if matched.shared:
        told += f"; {matched.shared:,} share their prompt with another item, so only row_id or position can name them"
    notes = []
    if matched.unmatched:
        if not allow_partial:
            raise InputError(f"{told}; the first: position {matched.first_unmatched}; --allow-partial scores the others")
        notes.append(told)
    for count, what in ((matched.duplicates, "are further ones of an item that had one"), (matched.foreign, "name no item")):
        if count:
            notes.append(f"{count:,} of {len(predictions):,} predictions {what}; they are left out")
    facts = {
        "unmatched": matched.unmatched,
        "duplicates": matched.duplicates,
        "foreign": matched.foreign,
        "matched_by": matched.by,
        "notes": notes,
    }
    with writing(out) as work:
        plan.write(work, items, matched.frame, "predictions", facts=facts, about={})


def _notes(items: Items, names: Sequence[str]) -> list[str]:
    references = items.table["reference"].drop_nulls()
    if references.is_empty():
        return ["no item has a reference: outputs are judged by the detectors alone"]
    notes = []
    if references.len() < items.table.height:
        notes.append(f"{items.table.height - references.len():,} items have no reference; metrics are over the others")
    foreign = int((~references.str.contains("[a-zA-Z0-9]")).sum())
    if foreign and any(name.startswith("rouge") for name in names):
        notes.append(f"references without a letter a-z or a digit: {foreign:,}; ROUGE as rouge_score defines it is 0 for them")
    return notes
