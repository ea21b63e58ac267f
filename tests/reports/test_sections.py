"""Each section says what its artefact holds: the numbers on the page against the files, and against counts made another way."""

from __future__ import annotations

import json
import re
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import polars as pl
import pytest
from click.testing import CliRunner

from tunesmith import evaluation
from tunesmith.artefact import read_manifest
from tunesmith.cli import main
from tunesmith.detection import DETECTORS
from tunesmith.reports import profile_report
from tunesmith.reports.blocks import Block, Figures, Grid, Plot, Rows, Samples, Section, Shown, Words
from tunesmith.reports.definitions import METRICS, PACK, PROFILE, metric
from tunesmith.reports.sections import comparison, pack, profile, run, split
from tunesmith.reports.sections import evaluation as single
from tunesmith.reports.sections.version import sections as version_sections
from tunesmith.reports.texts import share
from tunesmith.slices import profile as make_profile

from .conftest import items, records
from .hostile import assert_harmless
from .test_report import a_run


def cell(value: Any) -> Any:
    return value.text if isinstance(value, Shown) else value


def grid(blocks: Any, title: str) -> dict[str, dict[str, Any]]:
    """A grid as {first cell: {column: cell}}."""
    (found,) = [block for block in blocks if isinstance(block, Grid) and block.title == title]
    return {cell(row[0]): dict(zip(found.columns, map(cell, row), strict=True)) for row in found.rows}


def rows(section: Section) -> Rows:
    (found,) = [block for block in section.blocks if isinstance(block, Rows)]
    return found


def of(kind: type[Block], section: Section) -> list[Any]:
    return [block for block in section.blocks if isinstance(block, kind)]


def test_version(version: Path) -> None:
    data, ledger = version_sections(version)
    result = read_manifest(version).result
    figures = {figure.label: figure.value for figure in of(Figures, data)[0].figures}
    assert figures["rows in"] == f"{result['rows_in']}" == str(len(records()))
    assert int(figures["kept"]) + int(figures["dropped"]) + int(figures["rejected"]) == int(figures["rows in"])
    funnel = grid(data.blocks, "The funnel, step by step")
    assert list(funnel) == ["read", *(step["step"] for step in result["steps"])]
    left = [row["left"] for row in funnel.values()]
    assert left == sorted(left, reverse=True)
    assert left[-1] == result["kept"]
    entries = pl.read_parquet(version / "ledger.parquet").filter(pl.col("action") != "keep")
    why = grid(data.blocks, "Why rows went, changed or were marked")
    dropped = entries.filter(action="drop").group_by("step", "rule").len()
    for step, rule, n in dropped.iter_rows():
        assert why[rule if step == rule else f"{step}: {rule}"]["rows"] == f"{n}"
    assert why["detect: output_empty"]["share"] == share(1 / result["rows_in"])
    actions = [row["action"] for row in why.values()]
    assert actions == sorted(actions, key=["dropped", "edited", "flagged", "rejected"].index), "dropped rows come first"
    table = rows(ledger)
    assert len(table.records) == table.total == entries.height
    rejected = [record for record in table.records if record[1] == "rejected"]
    assert any("A row without a prompt is rejected." in text for record in rejected for _, text in record[5])
    edited = [record for record in table.records if record[1] == "edited" and record[3] == "html_entity"]
    assert ["missing", "amp;"] in [list(part) for part in edited[0][5]]


def test_why_it_is_dropped_explains_every_rule(version: Path) -> None:
    (found,) = [block for block in version_sections(version)[0].blocks if isinstance(block, Grid) and block.title.startswith("Why")]
    for row in found.rows:
        name = row[0].text.split(": ")[-1]  # type: ignore[union-attr]
        assert row[0].under or name not in DETECTORS  # type: ignore[union-attr]


def test_split(work: Path) -> None:
    (section,) = split.sections(work / "split")
    result = read_manifest(work / "split").result
    figures = {figure.label: figure.value for figure in of(Figures, section)[0].figures}
    assert figures == {"train": str(result["train"]), "validation": str(result["validation"]), "leaks": "0"}, "no part that is empty"
    border = grid(section.blocks, "The certificate, border by border")["validation and train"]
    assert border["leaks"] == 0


def test_packs(work: Path) -> None:
    folders = [work / "packed-train", work / "packed-validation"]
    (section,) = pack.sections(folders)
    shown = grid(section.blocks, "What is in them")
    for folder in folders:
        result = read_manifest(folder).result
        line = shown[folder.name]
        tokens = pl.read_parquet(folder / "tokens.parquet")
        assert line["supervised tokens"] == tokens["supervised"].sum()
        assert line["masked tokens"] == tokens["masked"].sum()
        assert (line["rows"], line["fill"]) == (result["rows"], share(result["fill"]))
    (one,) = pack.sections(folders[:1])
    assert {figure.label for figure in of(Figures, one)[0].figures} == set(PACK)


def test_run(tmp_path: Path) -> None:
    (section,) = run.sections(a_run(tmp_path / "run", model="a" * 32, name="b" * 32))
    assert [(f.label, f.value) for f in of(Figures, section)[0].figures] == [
        ("steps", "3"), ("epochs", "1"), ("tokens", "100"), ("supervised tokens", "12"), ("loss", "1.250"), ("tokens per second", "50"),
    ]  # fmt: skip
    (plot,) = of(Plot, section)
    assert plot.alt == "Training loss from 4 to 1.33; validation from 3 to 2."
    assert "3 steps" in plot.caption
    many = tmp_path / "many"
    (thinned,) = run.sections(a_run(many, model="a" * 32, name="c" * 32, points=500))
    assert "each point the mean of 3 steps" in of(Plot, thinned)[0].caption


@pytest.mark.slow
def test_a_real_run(tmp_path: Path) -> None:
    import tiny
    from tunesmith.training import train

    made = tiny.pack_folder(tmp_path / "pack", [tiny.chat_segment(*row) for row in tiny.exchanges(12)])
    train(made, tmp_path / "run", model=tiny.model_folder(tmp_path / "model"), method="lora", steps=4, validation=made)
    (section,) = run.sections(tmp_path / "run")
    figures = {figure.label: figure.value for figure in of(Figures, section)[0].figures}
    assert figures["steps"] == "4"
    assert float(figures["loss"]) > 0
    assert "validation from" in of(Plot, section)[0].alt


def test_comparison(work: Path) -> None:
    (story, answers), verdict = comparison.sections(work / "base", work / "finetuned", finetuned=False)
    compared = evaluation.compare(work / "base", work / "finetuned")
    shown = grid(story.blocks, "Metrics")
    assert list(shown) == list(compared["metrics"])
    line, row = shown["rougeL"], compared["metrics"]["rougeL"]
    assert (line["base"], line["finetuned"]) == (f"{row['base']:.3f}", f"{row['other']:.3f}")
    assert line["difference"] == f"{row['difference']:+.3f} ✓ better"
    assert f"{row['low']:+.3f} to {row['high']:+.3f}" in verdict
    assert shown["exact_match"]["finetuned"] == share(24 / 30), "shares are in per cent"
    defects = grid(story.blocks, "Defects of the outputs")
    assert set(defects) == set(compared["findings"])
    for name, found in compared["findings"].items():
        assert defects[name]["base"] == share(found["base"])
        word = "○ not shown" if found["p"] >= 0.05 else "✓ better" if found["fixed"] > found["broken"] else "✗ worse"
        assert defects[name]["difference"].endswith(word)
    assert "✓ better" in defects["repetitive"]["difference"]
    table = rows(answers)
    assert len(table.records) == table.total == len(items())
    same = [record for record in table.records if all(part[0] == "same" for part in record[4])]
    assert len(same) == 24, "an answer equal to its reference has no mark"
    assert [column.name for column in table.columns][-3:] == ["rougeL, base", "rougeL, finetuned", "defects, finetuned"]


def test_the_other_way_round_is_worse(work: Path) -> None:
    (story, _), verdict = comparison.sections(work / "finetuned", work / "base", finetuned=True)
    assert verdict.startswith("Finetuning lowered rougeL from ")
    assert grid(story.blocks, "Metrics")["rougeL"]["difference"].endswith("✗ worse")
    assert "More outputs with" in story.lead
    _, same = comparison.sections(work / "base", work / "base", finetuned=True)
    assert same.startswith("Finetuning did not measurably change rougeL (")


def test_samples_are_the_extremes_and_the_middle(work: Path) -> None:
    (story, answers), _ = comparison.sections(work / "base", work / "finetuned", finetuned=False)
    (few,) = of(Samples, story)
    gains = sorted((record[6] - record[5] for record in rows(answers).records), reverse=True)
    values = [float(sample.title.split("rougeL ")[1].split(" ")[0].replace("−", "-")) for sample in few.samples]
    assert values == [pytest.approx(gain, abs=5e-4) for gain in (gains[0], gains[len(gains) // 2], gains[-1])]
    assert [name for name, _, _ in few.samples[0].texts] == ["reference", "base", "finetuned"]


def test_one_evaluation_beside_its_references(work: Path) -> None:
    story, table = single.sections(work / "base")
    summary = evaluation.summary(work / "base")
    shown = grid(story.blocks, "Defects")
    assert shown["output_empty"]["outputs"] == share(10 / 30)
    for name, line in shown.items():
        assert line["references"] == share(summary["reference_findings"][name]["rate"])
    how = grid(story.blocks, "How the answers were made")["base"]
    assert how["cut"] == summary["finish"]["length"]
    assert how["new tokens"] is None, "predictions from elsewhere have no budget that we know"
    assert rows(table).total == 30


def test_items_without_references(tmp_path: Path) -> None:
    source = [{"instruction": f"Question {k}, what is it?"} for k in range(6)]
    for name in ("base", "later"):
        path = tmp_path / f"{name}.jsonl"
        path.write_text("".join(json.dumps({"output": f"{name} {k}"}) + "\n" for k in range(6)), encoding="utf-8")
        evaluation.evaluate(source, tmp_path / name, predictions=path)
    (story, table), verdict = comparison.sections(tmp_path / "base", tmp_path / "later", finetuned=False)
    assert "no metric" in verdict
    assert any("no references" in block.text for block in of(Words, story))
    assert len(rows(table).records) == 6
    single.sections(tmp_path / "base")


def test_profile(tmp_path: Path) -> None:
    made = make_profile(records())
    sections, verdict = profile.sections(made)
    ids = [section.id for section in sections]
    assert ids == ["profile", "findings", "lengths", "slices", "signals", "rows", "examples"]
    assert f"{made.result['rows']} rows, 2 of them rejected" in verdict
    figures = {figure.label: figure.value for figure in of(Figures, sections[0])[0].figures}
    assert set(figures) <= set(PROFILE)
    assert figures["exact duplicates"] == str(made.result["duplicates"]["exact"])
    shown = grid(sections[1].blocks, "Findings")
    assert {name: int(line["rows"]) for name, line in shown.items()} == made.result["findings"]
    severities = [line["severity"] for line in shown.values()]
    assert severities == sorted(severities, key=["fatal", "review", "information"].index)
    assert len(of(Plot, sections[2])) == 2
    assert {"Verbs", "Topics", "Languages"} <= {block.title for block in of(Grid, sections[3])}
    assert rows(sections[6]).total == made.findings.height
    drawn = profile_report(made, tmp_path / "p.html", title="Profile")
    assert_harmless((tmp_path / "p.html").read_text(encoding="utf-8"))
    assert drawn["sections"] == ids


def test_every_bar_and_value_of_a_profile_leads_to_rows(tmp_path: Path) -> None:
    nouns = ["harbour", "bridge", "market", "station"]
    texts = [
        {"instruction": f"{verb} the {noun} of town {k}." + " please" * (k % 7), "output": "so " * k, "topic": noun}
        for k, (verb, noun) in enumerate((v, n) for v in ("Describe", "Paint", "List") for n in nouns * 20)
    ]
    made = make_profile(texts)
    sections, _ = profile.sections(made)
    table = rows(sections[[section.id for section in sections].index("rows")])
    assert table.total == len(texts) == len(table.records)
    names = [column.name for column in table.columns]
    values = {name: {record[names.index(name)] for record in table.records} for name in names if name != "row"}

    def rows_behind(address: str) -> bool:
        ((name, (value,)),) = parse_qs(address.removeprefix(f"#{table.id}?")).items()
        return name not in names or value in values[name]  # a column of one value is left out

    grids = [block for block in of(Grid, sections[3]) if block.title != "Boilerplate"]
    assert {"Verbs", "Verb and object", "Topics", "Prompts that share words"} <= {block.title for block in grids}
    links = [line[0].to for block in grids for line in block.rows if isinstance(line[0], Shown) and line[0].to]
    assert len(links) > 12
    assert all(map(rows_behind, links))
    for plot in of(Plot, sections[2]):
        bars = [unescape(found) for found in re.findall(r'href="([^"]*)"', plot.picture.wide)]
        assert len(bars) >= 3
        assert all(map(rows_behind, bars))
        assert "vega.github" not in plot.picture.wide


def test_profile_of_nothing() -> None:
    sections, verdict = profile.sections(make_profile([]))
    assert verdict == "0 rows, 0 of them rejected."
    assert [section.id for section in sections] == ["profile"]


def test_profile_command(tmp_path: Path) -> None:
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(records()), encoding="utf-8")
    out = tmp_path / "deep" / "p.html"
    answered = CliRunner().invoke(main, ["profile", str(path), "-o", str(out), "--json"])
    assert answered.exit_code == 0, answered.stderr
    said = json.loads(answered.stdout)
    assert said["report"] == str(out)
    assert said["bytes"] == out.stat().st_size
    assert said["rows"] == len(records())
    shown = CliRunner().invoke(main, ["profile", str(path), "-o", str(out)])
    assert shown.exit_code == 0
    assert " MB)" in shown.stdout
    refused = CliRunner().invoke(main, ["profile", str(path), "-o", str(path)])
    assert refused.exit_code == 2
    assert "is no report" in refused.stderr
    assert "Detecting" not in refused.stderr, "said before any work is done"
    assert json.loads(path.read_text(encoding="utf-8")) == records(), "the data is still there"


def test_every_default_metric_has_its_own_definition() -> None:
    from tunesmith.evaluation.metrics import KNOWN

    definitions = [metric(name) for name in KNOWN]
    assert len(set(definitions)) == len(KNOWN)
    assert metric("mine") == "Mean over the items."
    assert set(METRICS) <= set(KNOWN)
