"""The reference page of the files on disk: every table with its columns, as the schemas have them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from typing import Any

import polars as pl
from reference_markdown import docstring, page, paragraph, table

from tunesmith.artefact import Kind, Manifest
from tunesmith.curation.edits import Edit
from tunesmith.diagnosis import schema as diagnosis
from tunesmith.evaluation import schema as evaluation
from tunesmith.packing.reader import PackedData
from tunesmith.rows import schema as rows
from tunesmith.training.losses import LossTable


def files() -> str:
    """The columns of every table on disk."""

    def of(module: Any, name: str) -> str:
        return table(["column", "type", ""], columns(module, name))

    lead = (
        "Every artefact is a folder with a `manifest.json` (`format: 1`), written last: a folder without one is not an artefact. Tables "
        "open in plain Polars; a version and a split open with `datasets.load_dataset(FOLDER)`."
    )
    return page(
        "Files",
        lead,
        "## manifest.json",
        f"`kind` is one of {', '.join(Kind.__args__)}.",  # type: ignore[attr-defined]
        docstring(Manifest.__doc__),
        "## version",
        table(
            ["file", "holds"],
            [
                ["`rows.parquet`", "kept rows, final text: the row's columns, then the user's"],
                ["`removed.parquet`", "dropped rows, and edited rows as they were; the same columns"],
                ["`ledger.parquet`", "the rules that fired"],
                ["`values.parquet`", "`position` and a column per `step.measure`, every valid row"],
                ["`edges.parquet`", "pairs of similar rows, down to each step's floor"],
                ["`rejects.jsonl`", "records that are no rows, with what is wrong under `_reject`"],
                ["`README.md`", "the card"],
            ],
        ),
        "A table that takes more than 1 GiB in memory, or has more than `--rows-per-file` rows, is a folder of the same name: "
        "`rows.parquet/part-00000.parquet` and so on, in the order of the rows. `pl.read_parquet('clean/rows.parquet')`, "
        "`pl.scan_parquet`, DuckDB, pyarrow and Spark open both alike; the card's pattern is `rows.parquet/*.parquet`. "
        "The content hash is the same however the tables are cut; `check` names a damaged part.",
        "### Row",
        of(rows, "ROW"),
        paragraph(_after(rows, "ROW")),
        "### Ledger",
        of(rows, "LEDGER"),
        "### Edges",
        of(rows, "EDGES"),
        "### Finding",
        "What `detect -o FILE` writes.",
        of(rows, "FINDING"),
        "### Reject",
        paragraph(_after(rows, "REJECT")) + " `rejects.jsonl` holds them record by record.",
        of(rows, "REJECT"),
        "## split",
        "`train/`, `validation/` and `test/`, each a version with a column `cluster` more (the group), `test/` also with `part` (dev, "
        "gate, confirm); `certificate.json`, what was measured across the borders; `README.md`. An empty part is left out.",
        "## pack",
        "`segments.arrow`, `plan.arrow`, `tokens.parquet`, `tokenizer/`.",
        docstring(PackedData.__doc__),
        "## run",
        "What transformers or peft load: safetensors, configuration, tokenizer, chat template, and a generation configuration with the "
        "trained end of turn; and `losses.parquet`.",
        docstring(LossTable.__doc__),
        "## evaluation",
        "`summary.json` holds the `--json` fields of `evaluate`.",
        "### items.parquet",
        of(evaluation, "ITEM"),
        paragraph(_after(evaluation, "ITEM")),
        "### predictions.parquet",
        of(evaluation, "PREDICTION"),
        "### scores.parquet",
        of(evaluation, "SCORE"),
        paragraph(_after(evaluation, "SCORE")),
        "### findings.parquet",
        of(evaluation, "FINDING"),
        "## diagnosis",
        "`summary.json` holds the `--json` fields of `diagnose`; `patch.jsonl` the proposed edits (see patch, below).",
        "### categories.parquet",
        of(diagnosis, "CATEGORY"),
        paragraph(_after(diagnosis, "CATEGORY")),
        "### causes.parquet",
        of(diagnosis, "CAUSE"),
        "## patch",
        "`patch.jsonl`, one JSON object a line; a line needs `action`, and `position` and `row_id` unless it adds a row.",
        docstring(Edit.__doc__),
        "## experiment",
        "What `arms` makes. `experiment.json`: `format`, `seed`, `seeds`, `steps`, `bins` (a step), `steps_from`, `estimated`, `edits` "
        "{action: count}, `accepted`, `proposed`, `categories`, `placebo` {`rule`, `rows`, `slices` [{`slice`, `rows`, `patch_rows`, "
        "`placebo_rows`, `from`}]}, `rows` {arm: count}.",
        table(
            ["file", "holds"],
            [
                ["`current/`, `patch/`, `placebo/`", "versions: the rows as they are, with the patch, with the placebo"],
                ["`patch.jsonl`, `placebo.jsonl`", "the patches that were applied"],
                ["`experiment.json`", "how to train every arm, what the patch does, what the placebo was drawn from"],
                ["`verdict.json`", "what `verdict` last said: its `--json` object"],
                ["`confirm.jsonl`", "looks at the confirm items: `time`, `items` (hash of their ids), `candidate` (hash of the answers)"],
            ],
        ),
        "## turn",
        "`OUT/turn-N` of a loop: `packs/`, `runs/`, `evaluations/` (an artefact for each arm, and seed), `base`, `diagnosis`, `arms` (an "
        "experiment), `report.html`. The manifest's `result` is the verdict with `paths`; its `details` hold the settings (`loop`), the "
        "`seconds` of each step, and `data`.",
    )


def columns(module: Any, name: str) -> Iterable[tuple[str, str, str]]:
    """Name, type and comment of a schema's columns; the comments stand in the source beside the columns."""
    source = inspect.getsource(module)
    start = re.search(rf"^_?{name}\b.*=.*[{{(]$", source, re.MULTILINE)
    block = source[start.end() : source.index("\n}", start.end())] if start else ""
    comments = dict(re.findall(r'^\s*"(\w+)":.*?#\s*(.*)$', block, re.MULTILINE))
    for column, dtype in getattr(module, name).items():
        yield f"`{column}`", f"`{_dtype(dtype)}`", comments.get(column, "")


def _dtype(dtype: Any) -> str:
    if isinstance(dtype, pl.List):
        return f"List[{_dtype(dtype.inner)}]"
    if isinstance(dtype, pl.Struct):
        return f"Struct[{', '.join(field.name for field in dtype.fields)}]"
    return str(dtype)


def _after(module: Any, name: str) -> str:
    """The text that stands under a constant, as its docstring."""
    found = re.search(rf'^{name} = .*?^(?:\}}\).*?\n|)"""(.*?)"""', inspect.getsource(module), re.MULTILINE | re.DOTALL)
    assert found is not None, name
    return found[1]
