"""`tunesmith evaluate`: let a model answer, or take its answers, then score and judge them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from tunesmith.cli.manners import Outcome, Session, require, verb
from tunesmith.cli.reading import reading

if TYPE_CHECKING:
    from rich.console import Console

    from tunesmith.evaluation import Evaluation


@verb(
    "evaluate",
    resumes=True,
    example="""
tunesmith evaluate test.json -o base --model base-model --template alpaca
tunesmith evaluate test.json -o tuned --model base-model --adapter run --base-output base
tunesmith evaluate test.json -o elsewhere --predictions predictions.jsonl
""",
)
@click.argument("source")
@click.option("-o", "--out", type=click.Path(file_okay=False), help="The evaluation to write.")
@click.option("--model", help="Generate with this model: a local folder, or a hub name in the local cache.")
@click.option("--adapter", type=click.Path(), help="A run, to put on the model.")
@click.option("--base-output", type=click.Path(file_okay=False), help="Write the base's evaluation here, from the same load.")
@click.option("--predictions", type=click.Path(dir_okay=False), help="Take outputs from a file: JSONL, JSON, Parquet or CSV.")
@click.option("--predictions-format", help="own, messages, openai-batch, alpaca-eval or lm-eval; told by its fields unless given.")
@click.option("--template", help="A named template or a .jinja file; the tokenizer's own unless given.")
@click.option("--max-new-tokens", type=click.IntRange(min=1), help="Default: the 99th percentile of the reference lengths, at most 1,024.")
@click.option("--temperature", type=click.FloatRange(min=0), default=0.0, show_default=True, help="0 is greedy.")
@click.option("--stop", multiple=True, help="A string that ends an answer, besides the end of turn; may be repeated.")
@click.option("--metric", "metrics", multiple=True, help="rouge1 to rouge9, rougeL, rougeLsum, exact_match, similarity; may be repeated.")
@click.option("--embedder", help="A sentence-transformers model, for the metric similarity.")
@click.option("--slice", "slices", multiple=True, metavar="COLUMN", help="Break the metrics down by a column; may be repeated.")
@click.option("--limit", type=click.IntRange(min=1), help="Take the first so many rows.")
@click.option("--part", "parts", multiple=True, type=click.Choice(["dev", "gate", "confirm"]), default=["dev", "gate", "confirm"],
              help="Take the items of one part; may be repeated. Default: all.")  # fmt: skip
@click.option("--allow-partial", is_flag=True, help="Go on where items have no output; they are counted and left out.")
@reading
@click.option("--cache", type=click.Path(file_okay=False), help="A folder that keeps embeddings by content.")
@click.option("--batch-tokens", type=click.IntRange(min=1), default=16_384, show_default=True, help="Tokens a batch holds at most.")
@click.option("--dtype", type=click.Choice(["auto", "float32", "bfloat16"]), default="auto", show_default=True, help="Of the weights.")
@click.option("--device", type=click.Choice(["auto", "cpu", "cuda"]), default="auto", show_default=True, help="Where to generate.")
@click.option("--force", is_flag=True, help="Replace what lies at the output.")
def command(session: Session, source: str, out: str | None, format_: str | None, **options: Any) -> Outcome:
    """Evaluate a model, or predictions made elsewhere, on the rows of SOURCE.

    Outputs are scored against the rows' answers (rows without an answer are judged alone), by ROUGE with stemming and
    exact match, and by similarity with --embedder; the detectors judge outputs and answers alike. Means and rates come
    with 95% intervals. Predictions are matched by row_id, position or prompt, else line by line. An interrupted run goes
    on with the answers it has.
    """
    from tunesmith.evaluation import evaluate

    require(out, "expected -o EVALUATION: where to write")
    made = evaluate(source, out or "", format=format_, seed=session.seed, progress=session.progress, **options)
    data = {**made.summary, "out": out, "reused": made.reused}
    return Outcome(data=data, show=lambda console: _show(console, made, source))


def _show(console: Console, made: Evaluation, source: str) -> None:
    from shlex import quote

    from tunesmith.cli.terminal import table

    summary = made.summary
    finish = ", ".join(f"{reason} {count:,}" for reason, count in summary["finish"].items())
    console.print(f"{source}: {summary['items']:,} items, {summary['predicted']:,} with an output of {summary['model']}", markup=False)
    console.print(f"finish: {finish}", markup=False)
    metrics = [[name, row["value"], row["low"], row["high"], row["items"]] for name, row in summary["metrics"].items()]
    if metrics:
        console.print(table("Metrics: mean over items, 95% interval", ["metric", "value", "low", "high", "items"], metrics))
    references = summary["reference_findings"]
    found = [
        [
            name,
            f"{row['rate']:.1%}",
            f"{row['low']:.1%} to {row['high']:.1%}",
            f"{references[name]['rate']:.1%}" if name in references else None,
        ]
        for name, row in sorted(summary["findings"].items(), key=lambda each: -each[1]["rate"])
        if row["rate"] or references.get(name, {}).get("rate")
    ]
    if found:
        title = "Findings: share of items, 95% interval, and the same in the references"
        console.print(table(title, ["detector", "outputs", "interval", "references"], found))
    for column, values in summary["slices"].items():
        names = list(summary["metrics"])
        rows = [[value, row["items"], *(row["metrics"].get(name, {}).get("value") for name in names)] for value, row in values.items()]
        console.print(table(f"By {column}", [column, "items", *names], rows))
    for note in summary["notes"]:
        console.print(f"note: {note}", markup=False, soft_wrap=True)
    console.print(
        f"{made.folder}: already made from the same inputs and options" if made.reused else f"written to {made.folder}", markup=False
    )
    console.print(f"Next: tunesmith compare OTHER {quote(str(made.folder))}   (paired, item by item)", soft_wrap=True)
