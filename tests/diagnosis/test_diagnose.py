"""The verb on the workshop: what is planted is named and traced, and with nothing planted nothing is claimed."""

import json
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from click.testing import CliRunner

from diagnosis.workshop import FOLDER, MISSING, answers, records, truth
from tunesmith.artefact import read_manifest
from tunesmith.cli import main
from tunesmith.curation.edits import read_patch
from tunesmith.detection import DETECTORS
from tunesmith.diagnosis import CATEGORIES, Diagnosis, diagnose
from tunesmith.diagnosis.schema import CATEGORY, CAUSE
from tunesmith.errors import ArtefactError, InputError, OptionError
from tunesmith.evaluation import evaluate

SLICES = {
    "repetitive": {"verb=describe", "verb=compare"},
    "refusal": {"topic=forge"},
    "too_long": {"verb=name"},
    "truncated": {"verb=explain"},
    "misspelled": {"verb=complete"},
    "wrong_format": {"verb=list"},
    "prompt_echo": {"verb=answer"},
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Evaluations of a base that babbles and of a model that learnt its rows, and the diagnosis."""
    folder = tmp_path_factory.mktemp("workshop")
    items = records("items.json")
    babble = [{"position": k, "output": "so it is and so it is and so it is and", "finish": "length"} for k in range(len(items))]
    evaluate(items, folder / "base", predictions=babble)
    evaluate(items, folder / "finetuned", predictions=answers(items, truth()))
    diagnose(folder / "finetuned", data=FOLDER / "rows.json", base=folder / "base", out=folder / "diagnosis")
    return folder


@pytest.fixture(scope="module")
def diagnosis(made: Path) -> Diagnosis:
    return Diagnosis.open(made / "diagnosis")


def claims(diagnosis: Diagnosis, cause: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for category in diagnosis.summary["categories"]:
        named = {row["slice"] for row in category["slices"] if row["cause"] == cause}
        if named:
            found[category["detector"]] = named
    return found


def test_every_planted_cause_is_named_in_its_slices_and_no_other(diagnosis: Diagnosis) -> None:
    assert claims(diagnosis, "bad_rows") == SLICES
    assert {name for named in claims(diagnosis, "missing").values() for name in named} == {f"verb={MISSING}"}
    for cause in ("decoding", "template", "truncation", "unlearnt", "inherited"):
        assert claims(diagnosis, cause) == {}
    causes = {category["detector"]: category["cause"] for category in diagnosis.summary["categories"]}
    assert {name for name, cause in causes.items() if cause == "bad_rows"} == set(SLICES)
    assert causes["off_reference"] == "missing"


def test_the_planted_rows_are_proposed(diagnosis: Diagnosis) -> None:
    planted = truth()
    edits = {edit.position: edit for edit in diagnosis.patch}
    assert len(edits) == len(diagnosis.patch)
    hits = [position for position in edits if position in planted]
    assert len(hits) >= 0.95 * len(edits)
    assert sum(edits[position].category == planted[position] for position in hits) >= 0.95 * len(edits)
    every, found = Counter(planted.values()), Counter(planted[position] for position in hits)
    for kind, count in every.items():
        assert found[kind] >= 0.9 * count, kind
    assert Counter(edit.action for edit in edits.values()) == diagnosis.summary["patch"]
    assert {edit.status for edit in edits.values()} == {"proposed"}


def test_an_edit_says_why(diagnosis: Diagnosis) -> None:
    frame = {row["position"]: row for row in pl.DataFrame(records("rows.json")).with_row_index("position").to_dicts()}
    edit = next(edit for edit in diagnosis.patch if edit.category == "repetitive")
    assert edit.reason is not None
    assert edit.reason.startswith("repeats itself, as ")
    assert edit.evidence["slice"] in edit.reason
    assert frame[edit.position]["output"]
    assert edit.evidence["low"] < edit.evidence["ratio"] < edit.evidence["high"]
    assert edit.evidence["target_rate"] > 0.6
    assert edit.evidence["reference_rate"] < 0.1
    assert edit.evidence["items"]


def test_a_safe_fix_that_clears_the_row_is_proposed_instead_of_dropping_it(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No category has a fix of its own; were there one that takes an echoed question away, rows would be kept by it."""
    unasked = replace(DETECTORS["prompt_echo"], fix=lambda text: text.rsplit("? ", 1)[-1] if len(text) % 3 else text)
    monkeypatch.setitem(DETECTORS, "prompt_echo", unasked)  # type: ignore[arg-type]
    found = diagnose(made / "finetuned", data=FOLDER / "rows.json", out=tmp_path / "diagnosis")
    edits = [edit for edit in found.patch if edit.category == "prompt_echo"]
    rows = records("rows.json")
    assert {edit.action for edit in edits} == {"edit", "drop"}
    for edit in edits:
        echoed = rows[edit.position]["output"]
        fixed = edit.action == "edit"
        assert fixed == bool(len(echoed) % 3)
        assert edit.fields == ({"output": echoed.rsplit("? ", 1)[-1]} if fixed else None)
    assert {edit.action for edit in found.patch if edit.category != "prompt_echo"} == {"drop"}


def test_tables_are_those_of_the_surface(diagnosis: Diagnosis) -> None:
    assert diagnosis.categories.schema == CATEGORY
    assert diagnosis.causes.schema == CAUSE
    everywhere = diagnosis.categories.filter(slice="all")
    assert everywhere["detector"].to_list() == [*CATEGORIES, "off_reference"]
    assert everywhere["n"].unique().to_list() == [300]  # the part dev
    assert (diagnosis.categories["low"] <= diagnosis.categories["rate"]).all()
    assert (diagnosis.categories["rate"] <= diagnosis.categories["high"]).all()
    ranks = diagnosis.causes.group_by("detector", "slice").agg(pl.col("rank"), falls=pl.col("score").diff().fill_null(-1).max())
    assert all(ranks["rank"].list.eval(pl.element() == pl.int_range(1, pl.len() + 1)).list.all())
    assert (ranks["falls"] <= 0).all()
    methods = dict(diagnosis.causes.group_by("slice").agg(pl.col("method").unique().first()).iter_rows())
    assert methods[f"verb={MISSING}"] == "density"
    assert methods["verb=list"] == "same_defect"


def test_ranked_rows_are_the_patched_ones(diagnosis: Diagnosis) -> None:
    blamed = diagnosis.causes.filter(method="same_defect")["position"].unique()
    assert set(blamed) == {edit.position for edit in diagnosis.patch}


def test_status_is_told_against_the_base(diagnosis: Diagnosis) -> None:
    status = {(c["detector"], row["slice"]): row["status"] for c in diagnosis.summary["categories"] for row in c["slices"]}
    assert status["prompt_echo", "verb=answer"] == "introduced"
    assert status["refusal", "topic=forge"] == "introduced"
    assert status["repetitive", "verb=describe"] == "persistent"
    assert {c["detector"]: c["status"] for c in diagnosis.summary["categories"]}["no_stop"] == "fixed"


def test_it_is_reused_and_never_replaced_unasked(made: Path) -> None:
    kept = {"data": FOLDER / "rows.json", "base": made / "base", "out": made / "diagnosis"}
    assert diagnose(made / "finetuned", **kept).reused
    with pytest.raises(ArtefactError, match="--force"):
        diagnose(made / "finetuned", **kept, part="all")
    manifest = read_manifest(made / "diagnosis", "diagnosis")
    assert set(manifest.inputs) == {"EVALUATION", "--base", "--data rows.json"}


def test_the_same_inputs_give_the_same_diagnosis(made: Path, tmp_path: Path) -> None:
    again = diagnose(made / "finetuned", data=FOLDER / "rows.json", base=made / "base", out=tmp_path / "again")
    assert again.manifest.hash == read_manifest(made / "diagnosis").hash
    assert (tmp_path / "again" / "patch.jsonl").read_bytes() == (made / "diagnosis" / "patch.jsonl").read_bytes()


def test_with_nothing_planted_nothing_is_claimed(tmp_path: Path) -> None:
    """The clean rows, and a model that answers well but for one item in thirty."""
    planted, rows, items = truth(), records("rows.json"), records("items.json")
    clean = [row for k, row in enumerate(rows) if k not in planted]
    taught = [item for item in items if "everse" not in item["instruction"]]
    rng = random.Random(3)
    outputs = [
        {"position": k, "output": f"{item['output']} {item['output']}" if rng.random() < 1 / 30 else item["output"], "finish": "stop"}
        for k, item in enumerate(taught)
    ]
    evaluate(taught, tmp_path / "finetuned", predictions=outputs)
    found = diagnose(tmp_path / "finetuned", data=clean, out=tmp_path / "diagnosis")
    assert found.patch == []
    assert found.summary["patch"] == {}
    assert {category["cause"] for category in found.summary["categories"]} <= {None, "unknown"}
    assert [row for category in found.summary["categories"] for row in category["slices"]] == []
    assert {category["status"] for category in found.summary["categories"]} == {None}


def test_a_model_without_errors_has_an_empty_patch(tmp_path: Path) -> None:
    items = records("items.json")
    evaluate(items, tmp_path / "perfect", predictions=[{"position": k, "output": item["output"]} for k, item in enumerate(items)])
    found = diagnose(tmp_path / "perfect", data=FOLDER / "rows.json", out=tmp_path / "diagnosis")
    assert found.patch == []
    assert {category["cause"] for category in found.summary["categories"]} == {None}
    assert read_patch(tmp_path / "diagnosis") == []


def small(folder: Path, name: str, items: list[dict[str, Any]]) -> Path:
    evaluate(items, folder / name, predictions=[{"position": k, "output": "Yes."} for k in range(len(items))])
    return folder / name


def test_few_items_are_all_for_diagnosis_and_said_to_be(tmp_path: Path) -> None:
    evaluation = small(tmp_path, "few", records("items.json")[:40])
    found = diagnose(evaluation, data=FOLDER / "rows.json", out=tmp_path / "diagnosis")
    assert found.summary["items"] == 40
    assert any("too few for thirds" in note for note in found.summary["notes"])


def test_bad_input_is_told(tmp_path: Path) -> None:
    items = records("items.json")
    one, other = small(tmp_path, "one", items[:40]), small(tmp_path, "other", items[40:80])
    bare = small(tmp_path, "bare", [{"instruction": f"Say {k}."} for k in range(5)])
    rows = FOLDER / "rows.json"
    out = tmp_path / "diagnosis"
    with pytest.raises(InputError, match=r"40 of the 40 items.*evaluate both on the same SOURCE"):
        diagnose(one, data=rows, base=other, out=out)
    with pytest.raises(InputError, match="expected items with references, found none"):
        diagnose(bare, data=rows, out=out)
    with pytest.raises(ArtefactError, match="expected an evaluation, found no such folder"):
        diagnose(tmp_path / "nowhere", data=rows, out=out)
    with pytest.raises(OptionError, match="expected dev or all"):
        diagnose(one, data=rows, out=out, part="gate")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="expected the rows that the model was trained on"):
        diagnose(one, data=[], out=out)
    losses = tmp_path / "losses.parquet"
    table = {"position": [1], "row_id": ["x"], "epoch": [1], "step": [1], "phase": ["train"], "loss": [1.0], "tokens": [3]}
    pl.DataFrame(table).write_parquet(losses)
    with pytest.raises(InputError, match="expected losses of the rows of --data"):
        diagnose(one, data=rows, losses=losses, out=out)
    pl.DataFrame({"loss": [1.0]}).write_parquet(losses)
    with pytest.raises(InputError, match="found no position, row_id, epoch, phase"):
        diagnose(one, data=rows, losses=losses, out=out)
    losses.write_text("no table")
    with pytest.raises(InputError, match=r"losses\.parquet of a run"):
        diagnose(one, data=rows, losses=losses, out=out)
    assert not out.exists()


def test_the_command(made: Path, tmp_path: Path) -> None:
    arguments = ["diagnose", str(made / "finetuned"), "--data", str(FOLDER / "rows.json"), "--base", str(made / "base"), "-o"]
    ran = CliRunner().invoke(main, [*arguments, str(made / "diagnosis"), "--json"])
    assert ran.exit_code == 0
    told = json.loads(ran.stdout)
    assert told["reused"]
    assert {"detector", "rate", "base_rate", "cause", "rows"} <= set(told["categories"][0])
    assert set(told["patch"]) <= {"drop", "edit"}
    shown = CliRunner().invoke(main, [*arguments, str(made / "diagnosis")])
    for text in ("verb=describe", "bad_rows", "missing", "proposed:", "next: tunesmith patch show"):
        assert text in shown.stdout
    assert "…" not in shown.stdout.split("└")[0]  # names are read whole at 80 columns
    assert CliRunner().invoke(main, ["diagnose", str(made / "finetuned"), "-o", str(tmp_path / "x")]).exit_code == 2
    assert CliRunner().invoke(main, [*arguments[:-1], "-o", str(made / "base")]).exit_code == 2
