"""The verbs `detect` (findings with their spans) and `detectors` (the list and the pages)."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import polars as pl

from tunesmith.detection.detector import Detector
from tunesmith.detection.findings import examine
from tunesmith.detection.own import made, named
from tunesmith.detection.registry import DETECTORS, WITH_MODEL, chosen, register
from tunesmith.detection.supervised import view
from tunesmith.errors import ArtefactError, InputError, OptionError
from tunesmith.progress import SILENT, Progress
from tunesmith.rows import read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from tunesmith.models import Embedder
    from tunesmith.rows import Data

_AROUND = 60
ENDINGS = (".parquet", ".jsonl", ".csv")


@dataclass(frozen=True, kw_only=True)
class Detected:
    """What the detectors found.

    Attributes:
        data: The rows that were read.
        findings: Every finding (`rows.schema.FINDING`).
        result: {detector: {count, rate, examples}}: rows found, their share of all valid rows, and examples
            ``{position, field, turn, start, end, evidence, before, span, after}`` with the text around the span; of
            verifiers also ``asked`` and ``unparsed``: lines that ask for what it verifies, and those it could not read.
    """

    data: Data
    findings: pl.DataFrame
    result: Mapping[str, Mapping[str, Any]]


def detect(
    source: Any,
    out: str | Path | None = None,
    *,
    only: Iterable[str] | None = None,
    detectors: Iterable[str | Detector | Callable[[str, str, str], Any]] = (),
    embedder: str | Path | None = None,
    show: int = 3,
    format: str | None = None,  # noqa: A002  (named as the option is)
    mapping: Mapping[str, str] | None = None,
    force: bool = False,
    progress: Progress = SILENT,
) -> Detected:
    """Find defects, with the spans that show them.

    Args:
        source: Anything `rows.read` takes.
        out: File for all findings: Parquet, JSONL or CSV by its ending.
        only: Names of detectors to run; all when None.
        detectors: Detectors of one's own, that run beside the others: ``module:function``, a function of (instruction, input,
            response), or a `Detector` (`detection.own` says what it returns).
        embedder: A local sentence-transformers model, for `off_topic`, which does not run without.
        show: Examples a detector.
        format: The format of the source, where it is not to be inferred.
        mapping: Names of the source's fields to the names they are read under.
        force: Replace an existing ``out``.
        progress: Told of the work.
    Raises:
        ArtefactError: If ``out`` exists and ``force`` is not given.
        InputError: If the ending of ``out`` is none of the three.
        OptionError: If a detector is unknown or needs an ``embedder``, or one's own cannot be loaded.

    >>> detect([{"instruction": "Say hi.", "output": ""}], only=["output_empty"]).result["output_empty"]["count"]
    1
    """
    mine = [own(each) for each in detectors]
    wanted = list(DETECTORS) if only is None else [*only, *mine]
    model = _opened(embedder)
    if model is not None and only is None:
        wanted += WITH_MODEL
    names = [detector.name for detector in chosen(wanted)]
    if model is None and (unable := [name for name in names if name in WITH_MODEL]):
        raise OptionError(f"{unable[0]} needs a model of sentence embeddings; give --embedder MODEL (pip install 'tunesmith[evaluate]')")
    if out is not None:
        _may_write(Path(out), force=force)
    data = read(source, format=format, mapping=mapping, progress=progress).some()
    lines = view(data.frame)
    examined = examine(lines, only=names, embedder=model, progress=progress)
    findings = examined.findings
    if out is not None:
        _write(findings, Path(out))
    read_of = {name: {"asked": asked, "unparsed": asked - parsed} for name, asked, parsed, _ in examined.coverage.iter_rows()}
    result = {
        name: {**_summary(findings.filter(pl.col("detector") == name), lines, data.frame.height, show), **read_of.get(name, {})}
        for name in names
    }
    return Detected(data=data, findings=findings, result=result)


def detectors(name: str | None = None) -> list[dict[str, Any]]:
    """List the detectors with their pages, or the one that is named.

    Raises:
        OptionError: If the name is unknown.

    >>> detectors("output_empty")[0]["severity"]
    'fatal'
    """
    return [detector.as_dict() for detector in (chosen([name]) if name else (DETECTORS | WITH_MODEL).values())]


def _opened(embedder: str | Path | None) -> Embedder | None:
    if embedder is None:
        return None
    from tunesmith.models import Embedder

    return Embedder(embedder)


def own(detector: str | Detector | Callable[[str, str, str], Any]) -> str:
    """Register a detector of one's own, and give its name."""
    if isinstance(detector, str):
        return register(named(detector)).name
    return register(made(detector, origin=getattr(detector, "__module__", "") or "here")).name


def _summary(findings: pl.DataFrame, lines: pl.DataFrame, rows: int, show: int) -> dict[str, Any]:
    count = findings["position"].n_unique()
    shown = findings.head(show)
    return {
        "count": count,
        "rate": count / rows if rows else 0.0,
        "examples": [_example(finding, lines) for finding in shown.iter_rows(named=True)],
    }


def _example(finding: dict[str, Any], lines: pl.DataFrame) -> dict[str, Any]:
    """Put the text around the span beside a finding."""
    at = pl.col("asked" if finding["field"] == "instruction" else "turn").eq_missing(finding["turn"])
    text = lines.filter(pl.col("position") == finding["position"], at)[finding["field"]][0] or ""
    start = 0 if finding["start"] is None else finding["start"]
    end = len(text) if finding["end"] is None else finding["end"]
    span = text[start:end]
    return {
        **{key: finding[key] for key in ("position", "field", "turn", "start", "end", "evidence")},
        "before": ("…" if start > _AROUND else "") + text[max(0, start - _AROUND) : start],
        "span": span if len(span) <= 2 * _AROUND else span[:_AROUND] + " … " + span[-_AROUND:],
        "after": text[end : end + _AROUND] + ("…" if len(text) > end + _AROUND else ""),
    }


def _may_write(out: Path, *, force: bool) -> None:
    if out.suffix not in ENDINGS:
        raise InputError(f"{out}: expected a file that ends in {', '.join(ENDINGS)}, found {out.suffix or 'no ending'}")
    if not out.parent.is_dir():
        raise InputError(f"{out}: the folder {out.parent} is not there; make it first")
    if out.exists() and not force:
        raise ArtefactError(f"{out} exists; choose another output, or --force to replace it")


def _write(findings: pl.DataFrame, out: Path) -> None:
    """Write beside and rename: an interrupted run leaves no half file."""
    part = out.with_name(out.name + ".part")
    try:
        if out.suffix == ".parquet":
            findings.write_parquet(part)
        elif out.suffix == ".jsonl":
            findings.write_ndjson(part)
        else:
            findings.write_csv(part)
        part.rename(out)
    finally:
        part.unlink(missing_ok=True)
