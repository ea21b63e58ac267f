"""The report of a turn: what stands on the page against the files, a turn in which little is there, and hostile texts everywhere."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import polars as pl
import pytest

from tunesmith import evaluation
from tunesmith.reports import page, report
from tunesmith.reports.blocks import Drawn, Grid, Rows, Samples, Section, Shown, Words
from tunesmith.reports.sections import turn
from tunesmith.reports.texts import share, signed

from .hostile import HOSTILE, assert_harmless, shown
from .turns import judged

TARGETS = ("repetitive", "refusal")


@pytest.fixture(scope="module")
def folder(a_turn: Path) -> Path:
    return a_turn


@pytest.fixture(scope="module")
def drawn(folder: Path) -> Drawn:
    return turn.draw(folder)


def section(made: Drawn, name: str) -> Section:
    (found,) = [each for each in made.sections if each.id == name]
    return found


def grid(made: Section, title: str) -> dict[str, dict[str, Any]]:
    """A grid as {first cell: {column: cell}}."""
    (found,) = [block for block in made.blocks if isinstance(block, Grid) and block.title.startswith(title)]
    return {text(row[0]): dict(zip(found.columns, row, strict=True)) for row in found.rows}


def text(cell: Any) -> Any:
    return cell.text if isinstance(cell, Shown) else cell


def table(made: Section) -> Rows:
    (found,) = [block for block in made.blocks if isinstance(block, Rows)]
    return found


def edited(folder: Path, out: Path, **changes: Any) -> Path:
    """A copy of a turn with another verdict."""
    shutil.copytree(folder, out)
    (out / "arms" / "verdict.json").write_text(json.dumps({**judged(folder), **changes}), encoding="utf-8")
    return out


def test_the_verdict_comes_first(drawn: Drawn, folder: Path) -> None:
    said = judged(folder)
    assert said["verdict"] == "accepted"
    assert drawn.outcome == "✓ Accepted."
    assert drawn.verdict == said["sentence"].replace("`", "")
    assert [each.id for each in drawn.sections] == [
        "verdict", "categories", "funnel", "causes", "before-after", "cost", "answers", "named",
    ]  # fmt: skip
    assert [name for name, _ in drawn.caveats] == ["Nobody reviewed the edits.", "One seed."]
    figures = {figure.label: figure.value for each in drawn.sections for figure in each.headline}
    arms = said["gate"]["arms"]
    assert (
        figures["any of repetitive, refusal, finetuned → patched"] == f"{share(arms['current']['rate'])} → {share(arms['patch']['rate'])}"
    )
    assert figures["patched − placebo"] == signed(said["difference"], points=True)
    assert figures["the same on confirm"] == signed(said["confirm"]["difference"], points=True)


def test_the_arms_side_by_side(drawn: Drawn, folder: Path) -> None:
    said = judged(folder)
    arms = grid(section(drawn, "verdict"), "The arms")
    assert list(arms) == ["base", "finetuned", "patched", "placebo", "patched − placebo"]
    for name, arm in (("finetuned", "current"), ("patched", "patch"), ("placebo", "placebo")):
        for part in ("gate", "confirm"):
            row = said[part]["arms"][arm]
            assert (arms[name][part].text, arms[name][part].under) == (share(row["rate"]), f"{share(row['low'])} to {share(row['high'])}")
    gate = evaluation.Evaluation.open(folder / "base")
    items = gate.items.filter(pl.col("part") == "gate")
    hits = gate.findings.filter((pl.col("side") == "output") & pl.col("detector").is_in(TARGETS)).join(items, on="item", how="semi")
    assert arms["base"]["gate"].text == share(hits["item"].n_unique() / items.height), "the base is not judged, but shown"


def test_categories_follow_holm(drawn: Drawn, folder: Path) -> None:
    categories = grid(section(drawn, "categories"), "Findings by category")
    for name, row in judged(folder)["gate"]["categories"].items():
        if not any(row["arms"].values()):
            assert name not in categories
            continue
        assert text(categories[name]["patched"]) == share(row["arms"]["patch"])
        better = row["high"] < 0 and row["p"] < 0.05
        worse = row["low"] > 0 and row["p"] < 0.05
        word = "✓ better" if better else "✗ worse" if worse else "○ not shown"
        assert categories[name]["patched − placebo"].text == f"{signed(row['difference'], points=True).removesuffix(' points')} {word}"
        assert categories[name]["category"].to == f"#answers-table?part=gate&category={name}"


def test_the_funnel_balances(drawn: Drawn, folder: Path) -> None:
    found = section(drawn, "funnel")
    chain = grid(found, "From ")
    assert next(iter(chain)) == "read"
    for before, after in pairwise(chain.values()):
        assert int(before["left"].text.replace(",", "")) == after["rows in"]
        assert after["rows in"] - after["out"] == int(after["left"].text.replace(",", ""))
    lines = chain["pack"]
    arms = grid(found, "The rows of each arm")
    assert int(lines["left"].text) == arms["patched"]["trained on"], "from what was read to what the patched model saw"
    edits = len((folder / "diagnosis" / "patch.jsonl").read_text(encoding="utf-8").splitlines())
    assert [row["dropped"] for row in arms.values()] == [0, edits, edits]
    assert {row["balanced"] for row in arms.values()} == {"✓ yes"}
    assert arms["finetuned"]["trained on"] - arms["patched"]["trained on"] == edits


def test_a_funnel_that_does_not_balance_says_so(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "turn-1")
    manifest = tmp_path / "turn-1" / "arms" / "patch" / "manifest.json"
    made = json.loads(manifest.read_text(encoding="utf-8"))
    made["result"]["dropped"] += 1
    manifest.write_text(json.dumps(made), encoding="utf-8")
    arms = grid(section(turn.draw(tmp_path / "turn-1"), "funnel"), "The rows of each arm")
    assert [row["balanced"] for row in arms.values()] == ["✓ yes", "✗ no", "✓ yes"]


def test_causes_and_their_rows(drawn: Drawn, folder: Path) -> None:
    summary = json.loads((folder / "diagnosis" / "summary.json").read_text(encoding="utf-8"))
    found = section(drawn, "causes")
    overview = grid(found, "Categories of error")
    there = [row for row in summary["categories"] if row["rate"] or row["rows"]]
    assert set(overview) == {row["detector"] for row in there}
    for row in there:
        assert text(overview[row["detector"]]["outputs"]) == share(row["rate"])
    (where,) = [block for block in found.blocks if isinstance(block, Grid) and block.title.startswith("Where")]
    parts = [(row["detector"], part) for row in summary["categories"] for part in row["slices"]]
    assert len(where.rows) == len(where.tags) == len(parts)
    for row, tags in zip(where.rows, where.tags, strict=True):
        (part,) = [part for name, part in parts if {"category": [name], "slice": [part["slice"]]} == tags]
        assert text(row[2]) == share(part["rate"])
        assert text(row[3]) == (share(part["target_rate"]) if part["target_rate"] is not None else "–")
    rows = table(section(drawn, "named"))
    causes = pl.read_parquet(folder / "diagnosis" / "causes.parquet")
    assert {record[0] for record in rows.records} == set(causes["position"])
    marked = [part for record in rows.records for part in record[6] if part[0] == "found"]
    assert any("as an AI language model" in words for _, words in marked), "what was found is marked in the row"
    checks = grid(found, "Looked at first")
    assert [row["result"] for row in checks.values()] == ["○ not known"] * 3, "answers from elsewhere do not say how they were made"


def test_links_lead_to_what_they_count(drawn: Drawn) -> None:
    """Each number of rows that leads to the table finds as many there."""
    found = section(drawn, "causes")
    (where,) = [block for block in found.blocks if isinstance(block, Grid) and block.title.startswith("Where")]
    records = table(section(drawn, "named")).records
    followed = 0
    for row, tags in zip(where.rows, where.tags, strict=True):
        cell = row[-1]
        if isinstance(cell, Shown) and cell.to and tags["category"][0] in TARGETS:
            there = [each for each in records if tags["category"][0] in each[1] and tags["slice"][0] in each[2]]
            assert len(there) == int(cell.text.replace(",", ""))
            followed += 1
    assert followed


def test_samples_follow_their_rule(drawn: Drawn, folder: Path) -> None:
    found = section(drawn, "before-after")
    (few,) = [block for block in found.blocks if isinstance(block, Samples)]
    opened = {arm: evaluation.Evaluation.open(folder / "evaluations" / f"{arm}-0") for arm in ("current", "patch")}
    gate = opened["current"].items.filter(pl.col("part") == "gate").sort("row_id")

    def with_finding(arm: str, *names: str) -> set[str]:
        """Row ids: an evaluation of some parts counts its items anew."""
        found = opened[arm].findings.filter((pl.col("side") == "output") & pl.col("detector").is_in(names))
        return set(opened[arm].items.join(found, on="item", how="semi")["row_id"].to_list())

    def items(having: set[str], without: set[str]) -> list[int]:
        return gate.filter(pl.col("row_id").is_in(list(having - without)))["item"].to_list()

    first = next(iter(judged(folder)["gate"]["categories"]))
    fixed = items(with_finding("current", first), with_finding("patch", *TARGETS))
    assert few.samples[0].title == f"Fixed: {first} (item {fixed[0]}, gate)"
    assert [name for name, _, _ in few.samples[0].texts] == ["reference", "finetuned", "patched", "placebo", "base"]
    for sample in few.samples:
        assert sample.tags["category"]
    every = set(judged(folder)["gate"]["categories"])
    broken = items(with_finding("patch", *every), with_finding("current", *every))
    assert broken, "the fixture breaks some"
    assert [sample.title for sample in few.samples if sample.title.startswith("Broken")] == [f"Broken (item {k}, gate)" for k in broken[:3]]


def test_a_rate_leads_to_the_answers_that_it_counts(drawn: Drawn, folder: Path) -> None:
    (where,) = [block for block in section(drawn, "causes").blocks if isinstance(block, Grid) and block.title.startswith("Where")]
    rows = table(section(drawn, "answers"))
    at = {column.name: k for k, column in enumerate(rows.columns)}
    summary = json.loads((folder / "diagnosis" / "summary.json").read_text(encoding="utf-8"))
    parts = {(row["detector"], part["slice"]): part for row in summary["categories"] for part in row["slices"]}
    followed = 0
    for row in where.rows:
        if not isinstance(row[2], Shown) or not row[2].to:
            continue
        asked = dict(parse_qsl(row[2].to.partition("?")[2]))
        there = [
            each
            for each in rows.records
            if each[at["part"]] == "dev" and asked["category"] in each[at["category"]] and asked["slice"] in each[at["slice"]]
        ]
        part = parts[asked["category"], asked["slice"]]
        assert len(there) == round(part["rate"] * part["n"])
        followed += 1
    assert followed


def test_all_answers(drawn: Drawn, folder: Path) -> None:
    rows = table(section(drawn, "answers"))
    names = [column.name for column in rows.columns]
    items = evaluation.Evaluation.open(folder / "base").items
    assert rows.total == len(rows.records) == items.height
    fates = [record[names.index("fate")] for record in rows.records]
    assert fates.count("not asked again") == (items["part"] == "dev").sum()
    for record in rows.records:
        asked = record[names.index("fate")] != "not asked again"
        assert bool(record[names.index("patched")]) == asked
        if record[names.index("fate")] == "fixed":
            assert set(record[names.index("category")]) & set(TARGETS)


def test_not_shown_says_why_and_what_could_have_been_seen(folder: Path, tmp_path: Path) -> None:
    gate = {**judged(folder)["gate"], "difference": -0.01, "low": -0.05, "high": 0.03, "p": 0.6}
    changed = edited(
        folder, tmp_path / "turn-1", verdict="not shown", sentence="Not shown: dropping 9 rows did little.", gate=gate, confirm=None,
        difference=-0.01, low=-0.05, high=0.03, p=0.6, detectable=0.08, reasons=["the patch is not better than the placebo (p 0.6)"],
    )  # fmt: skip
    made = turn.draw(changed)
    assert (made.outcome, made.verdict) == ("○ Not shown.", "Dropping 9 rows did little.")
    figures = {figure.label: figure.value for each in made.sections for figure in each.headline}
    assert figures["could have been seen"] == "8.0 points"
    assert "the same on confirm" not in figures
    first = section(made, "verdict")
    assert any(isinstance(block, Words) and "not better than the placebo" in block.text for block in first.blocks)
    assert [row["met"] for row in grid(first, "What it takes").values()] == ["✗ no", "✓ yes", "✓ yes", "○ not known"]
    assert "confirm" not in next(iter(grid(first, "The arms").values()))


def test_too_few_items(folder: Path, tmp_path: Path) -> None:
    nothing: Mapping[str, Any] = dict.fromkeys(("difference", "low", "high", "p", "detectable", "gate", "confirm"))
    few = ["too few items: 9 in gate and 9 in confirm, at least 30 in each are needed"]
    changed = edited(folder, tmp_path / "turn-1", verdict="not shown", sentence=f"Not shown: {few[0]}.", reasons=few, **nothing)
    made = report(changed, tmp_path / "r.html")
    found = assert_harmless((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert made["verdict"] == f"T{few[0][1:]}."
    assert "Why not: Too few items" in found.text


def test_nothing_to_change(folder: Path, tmp_path: Path) -> None:
    """A turn without arms: what it said is in its manifest."""
    shutil.copytree(folder, tmp_path / "turn-1")
    for name in ("arms", "evaluations/patch-0", "evaluations/placebo-0"):
        shutil.rmtree(tmp_path / "turn-1" / name)
    manifest = tmp_path / "turn-1" / "manifest.json"
    made = json.loads(manifest.read_text(encoding="utf-8"))
    nothing = dict.fromkeys(("difference", "low", "high", "p", "detectable", "gate", "confirm"))
    reason = "the diagnosis of the dev items proposes no edit that is not rejected"
    made["result"] = {
        "verdict": "nothing to change",
        "sentence": f"Nothing to change: {reason}.",
        "reasons": [reason],
        "notes": [],
        **nothing,
    }
    manifest.write_text(json.dumps(made), encoding="utf-8")
    drawn = turn.draw(tmp_path / "turn-1")
    assert (drawn.outcome, drawn.verdict) == ("○ Nothing to change.", f"T{reason[1:]}.")
    assert [each.id for each in drawn.sections] == ["verdict", "funnel", "causes", "cost", "answers", "named"]
    rows = table(section(drawn, "answers"))
    assert "fate" not in [column.name for column in rows.columns]
    assert any(record[1] for record in rows.records), "findings are still told"
    report(tmp_path / "turn-1", tmp_path / "r.html")
    assert_harmless((tmp_path / "r.html").read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "gone", [["base"], ["diagnosis"], ["evaluations"], ["packs", "runs"], ["arms/verdict.json"], ["arms/experiment.json"], ["arms"]]
)
def test_pieces_that_are_not_there(folder: Path, tmp_path: Path, gone: list[str]) -> None:
    shutil.copytree(folder, tmp_path / "turn-1")
    for name in gone:
        path = tmp_path / "turn-1" / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    made = report(tmp_path / "turn-1", tmp_path / "r.html")
    assert_harmless((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert made["verdict"]
    assert "verdict" in made["sections"], "the turn's manifest says it too"


def test_a_diagnosis_and_an_experiment_alone(folder: Path, tmp_path: Path) -> None:
    alone = report(folder / "diagnosis", tmp_path / "d.html")
    assert alone["sections"] == ["causes", "reproduce", "named"]
    assert alone["verdict"].startswith("Errors of ")
    found = assert_harmless((tmp_path / "d.html").read_text(encoding="utf-8"))
    assert any(record[6] for record in found.tables["data-named-rows"]["records"]), "its data are found by content"
    experiment = report(folder / "arms", tmp_path / "e.html")
    assert experiment["sections"] == ["verdict", "categories", "funnel", "reproduce"]
    assert experiment["verdict"] == judged(folder)["sentence"].replace("`", "")
    shutil.copytree(folder / "arms", tmp_path / "far" / "arms")
    (tmp_path / "far" / "arms" / "verdict.json").unlink()
    assert "No verdict yet" in report(tmp_path / "far" / "arms", tmp_path / "f.html")["verdict"]
    shutil.copytree(folder / "diagnosis", tmp_path / "far" / "diagnosis")
    both = report(tmp_path / "far", tmp_path / "b.html")
    assert both["sections"][:3] == ["verdict", "funnel", "causes"]


def test_several_turns_stand_one_after_the_other(folder: Path, tmp_path: Path) -> None:
    for name in ("turn-1", "turn-2"):
        shutil.copytree(folder, tmp_path / name)
    made = report(tmp_path, tmp_path / "r.html")
    assert {"verdict-1", "verdict-2", "answers-1", "answers-2"} <= set(made["sections"])
    found = assert_harmless((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert set(found.tables) == {f"data-{name}-{k}" for name in ("answers-table", "named-rows") for k in (1, 2)}
    parts = {attributes.get(name) for _, attributes in found.tags for name in ("id", "data-rows", "data-filter")}
    links = [str(attributes["href"]) for tag, attributes in found.tags if tag == "a"]
    assert all(link[1:].partition("?")[0] in parts for link in links), "no link leads nowhere"


def test_hostile_texts(hostile_turn: Path, tmp_path: Path) -> None:
    made = report(hostile_turn, tmp_path / "r.html")
    html = (tmp_path / "r.html").read_text(encoding="utf-8")
    found = assert_harmless(html)
    assert shown(HOSTILE[0]) in found.text
    assert made["bytes"] < page.BUDGET
    assert made["verdict"] in found.text


def test_how_to_make_it_again(folder: Path, tmp_path: Path) -> None:
    report(folder, tmp_path / "r.html")
    found = assert_harmless((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert "tunesmith loop tunesmith.yaml" in found.text
    assert "accept: proposed" in found.text
    assert "tunesmith verdict arms --evaluation current:0=evaluations/current-0" in found.text
    for name in ("packs/current", "runs/patch-0", "evaluations/placebo-0", "arms/patch"):
        assert name in found.text


def test_the_same_turn_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        report(folder, tmp_path / f"{name}.html")
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
