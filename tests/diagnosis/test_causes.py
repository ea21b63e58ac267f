"""Each cause on its own, where it is and where it is not."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from diagnosis.ground import fine, items_of, rows_of, sides_of
from tunesmith.core import content_hash
from tunesmith.diagnosis.candidates import candidates
from tunesmith.diagnosis.causes import Court, Verdict, cause
from tunesmith.diagnosis.checks import Check, Checks, check
from tunesmith.diagnosis.density import density
from tunesmith.diagnosis.losses import last_losses
from tunesmith.diagnosis.measuring import Measure, measure, status
from tunesmith.diagnosis.search import Ground, failing
from tunesmith.diagnosis.sides import ALL, Sides
from tunesmith.errors import InputError
from tunesmith.evaluation import Evaluation, evaluate
from tunesmith.rows import read

LONG = ALL.index("too_long")


def lists(*, base: bool = False, without_rows: bool = False) -> Sides:
    """Every answer to a list is too long, and no target is."""
    rng = np.random.default_rng(0)
    items, rows = items_of(300, rng, dev=1.0), rows_of(1000, rng)
    if without_rows:
        rows = rows.filter(~pl.col("instruction").str.starts_with("List"))
    outputs = np.zeros((items.height, len(ALL)), dtype=bool)
    outputs[:, LONG] = (items["verb"] == "list").to_numpy()
    return sides_of(items, rows, outputs=outputs, targets=np.zeros((rows.height, len(ALL))), base=outputs if base else None)


def verdict(sides: Sides, checks: Checks | None = None, losses: np.ndarray | None = None) -> Verdict:
    ground = Ground(sides=sides, candidates=candidates(sides.items, sides.rows, sides.chosen))
    court = Court(ground=ground, checks=checks or fine(sides), losses=losses)
    place = next(failing(ground, "too_long", sides.chosen.copy(), np.ones(sides.rows.height, dtype=bool)))
    assert place.number is not None
    assert ground.candidates.names[place.number] == "verb=list"
    found = measure(sides, "too_long", ground.candidates.of_items(place.number), ground.candidates.of_rows(place.number))
    assert found is not None
    return cause(court, "too_long", place, found)


def test_what_nothing_explains_is_unknown() -> None:
    assert verdict(lists()).cause == "unknown"


def test_an_empty_slice_is_missing() -> None:
    assert verdict(lists(without_rows=True)) == Verdict(cause="missing", because="no training row is in the slice", facts={"rows": 0})


def test_prompts_that_no_training_prompt_is_near_are_missing() -> None:
    sides = lists()
    asked = pl.when(pl.col("verb") == "list").then(pl.format("List quarks whose baryon spin is {}", "item")).otherwise("instruction")
    found = verdict(replace(sides, items=sides.items.with_columns(instruction=asked)))
    assert found.cause == "missing"
    assert found.facts["far"] > 0.9


def test_what_the_base_does_too_is_inherited_unless_the_targets_have_it() -> None:
    sides = lists(base=True)
    assert verdict(sides).cause == "inherited"
    targets = sides.targets.copy()
    targets[:, LONG] = sides.rows["instruction"].str.starts_with("List").to_numpy()
    assert verdict(replace(sides, targets=targets)).cause == "bad_rows"


def test_rows_that_keep_a_high_loss_are_unlearnt() -> None:
    sides, rng = lists(), np.random.default_rng(0)
    of_lists = sides.rows["instruction"].str.starts_with("List").to_numpy()
    losses = rng.gamma(4.0, 0.1, sides.rows.height)
    assert verdict(sides, losses=losses).cause == "unknown"
    losses[of_lists] *= 3
    losses[:5] = np.nan  # rows that have none
    found = verdict(sides, losses=losses)
    assert found.cause == "unlearnt"
    assert found.facts["loss"] > 2 * found.facts["other_loss"]


def test_decoding_and_template_come_before_all_else() -> None:
    sides = lists(without_rows=True)
    cut = sides.outputs[:, LONG]
    deaf = Check(state="at_fault", says="", facts={"stop_ids": [7], "end_of_turn_id": 2})
    heard = Check(state="at_fault", says="", facts={"stop_ids": [2], "end_of_turn_id": 2})
    assert verdict(sides, replace(fine(sides), decoding=deaf, endless=cut)).cause == "decoding"
    assert verdict(sides, replace(fine(sides), decoding=deaf, endless=cut * 0)).cause == "missing"
    assert verdict(sides, replace(fine(sides), decoding=heard, endless=cut)).cause == "missing"
    assert verdict(sides, replace(fine(sides), decoding=heard, budget=cut)).cause == "decoding"
    assert verdict(sides, replace(fine(sides), template=Check(state="at_fault", says="another"))).cause == "template"


def test_targets_that_packing_cut_are_truncation() -> None:
    sides = lists()
    of_lists = sides.rows["instruction"].str.starts_with("List").to_numpy()
    assert verdict(sides, replace(fine(sides), cut=of_lists)).cause == "truncation"
    assert verdict(sides, replace(fine(sides), cut=np.ones_like(of_lists))).cause == "unknown"  # no more than the others


def measured(**changes: Any) -> Measure:
    plain = {
        "n": 50, "rate": 0.5, "low": 0.4, "high": 0.6, "base_rate": 0.5, "reference_rate": 0.0, "target_rate": 0.0, "target_n": 100,
        "ratio": None, "ratio_low": None, "ratio_high": None, "p_fixed_broken": 1.0, "above": True, "base_above": True,
        "targets_above": False,
    }  # fmt: skip
    return Measure(**{**plain, **changes})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"p_fixed_broken": None, "base_rate": None}, None),
        ({}, "inherited"),
        ({"targets_above": True}, "persistent"),
        ({"p_fixed_broken": 0.001, "base_rate": 0.9}, "persistent"),
        ({"p_fixed_broken": 0.001, "base_rate": 0.9, "rate": 0.0, "above": False}, "fixed"),
        ({"p_fixed_broken": 0.001, "base_rate": 0.1}, "introduced"),
        ({"base_above": False}, None),
        ({"above": False}, None),
    ],
)
def test_status(changes: dict[str, Any], expected: str | None) -> None:
    assert status(measured(**changes)) == expected


def test_density_leaves_the_prompt_itself_out() -> None:
    rows = rows_of(200, np.random.default_rng(0))
    items = pl.DataFrame({"instruction": [rows["instruction"][0], "Quarks whose baryons spin"], "input": [None, None]})
    found = density(items, rows)
    assert found.far.tolist() == [False, True]
    assert found.neighbours[0, 0] == 0
    assert found.cosines[0, 0] == pytest.approx(1, abs=1e-3)
    assert (np.diff(found.cosines, axis=1) <= 0).all()


def test_last_losses_are_those_measured_at_the_end(tmp_path: Path) -> None:
    rows = rows_of(3, np.random.default_rng(0))
    keys = {"position": rows["position"], "row_id": rows["row_id"], "step": [1, 2, 3], "tokens": [4, 4, 4]}
    epochs = [pl.DataFrame({**keys, "epoch": [k] * 3, "phase": ["train"] * 3, "loss": [float(k), 1.0, 2.0]}) for k in (1, 2)]
    pl.concat(epochs).head(5).write_parquet(tmp_path / "losses.parquet")
    losses, _, without = last_losses(tmp_path, rows)
    assert losses[:2].tolist() == [2.0, 1.0]
    assert np.isnan(losses[2])
    assert without == 1
    scored = epochs[0].with_columns(phase=pl.lit("scored"), loss=pl.lit(9.0))
    pl.concat([*epochs, scored]).write_parquet(tmp_path / "losses.parquet")
    assert last_losses(tmp_path / "losses.parquet", rows)[0].tolist() == [9.0] * 3


@pytest.fixture
def asked(tmp_path: Path) -> Path:
    """An evaluation whose answers the budget of 4 tokens cut, although one reference would not have fitted either."""
    items = [{"instruction": "Count.", "output": "one two three four five six"}, {"instruction": "Say one.", "output": "one"}]
    cut = [{"position": k, "output": "one two three four", "finish": "length", "tokens": 4} for k in range(2)]
    evaluate(items, tmp_path / "asked", predictions=cut)
    return tmp_path / "asked"


def stating(folder: Path, **details: Any) -> Evaluation:
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["details"] |= details
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return Evaluation.open(folder)


def test_predictions_from_elsewhere_tell_nothing_of_how_they_were_made(asked: Path) -> None:
    found = check(Evaluation.open(asked), rows_of(3, np.random.default_rng(0)), {})
    assert [each["state"] for each in found.as_dict().values()] == ["unknown"] * 3
    assert found.endless.tolist() == [1.0, 1.0]
    assert found.notes == ()


def test_a_budget_below_the_references_is_at_fault(asked: Path) -> None:
    found = check(stating(asked, max_new_tokens=4), rows_of(3, np.random.default_rng(0)), {})
    assert found.decoding.state == "at_fault"
    assert found.budget.tolist() == [1.0, 0.0]


def test_an_end_of_turn_that_ends_nothing_is_at_fault(asked: Path) -> None:
    trained = {"end_of_turn_id": 2, "template": "chatml", "template_hash": "a"}
    rows = rows_of(3, np.random.default_rng(0))
    deaf = check(stating(asked, max_new_tokens=99, stop_ids=[7], trained=trained, template="plain", template_hash="b"), rows, {})
    assert deaf.decoding.state == "at_fault"
    assert deaf.template.state == "at_fault"
    assert '"plain"' in deaf.template.says
    fits = check(stating(asked, max_new_tokens=99, stop_ids=[2, 7], trained=trained, template_hash="a"), rows, {})
    assert fits.decoding.state == "fine"
    assert fits.template.state == "fine"
    other = check(stating(asked, trained={**trained, "same_tokenizer": False}, template_hash="a"), rows, {})
    assert other.template.state == "at_fault"


def test_what_packing_cut_is_read_from_the_pack(asked: Path, tmp_path: Path) -> None:
    rows = read([{"instruction": f"Say {k}.", "output": f"{k}"} for k in range(3)])
    pack = tmp_path / "pack"
    pack.mkdir()
    manifest = {"format": 1, "kind": "pack", "inputs": {"rows": content_hash(rows.frame)}, "options": {}, "hash": "h"}
    (pack / "manifest.json").write_text(json.dumps(manifest))
    tokens = rows.frame.select("position", "row_id", truncated=pl.Series([0, 3, 0], dtype=pl.UInt32))
    tokens.write_parquet(pack / "tokens.parquet")
    trained = {"pack": str(pack), "pack_hash": "h", "data": {"rows": "x"}}
    found = check(stating(asked, trained=trained), rows.frame, {"rows": "y"})
    assert found.cut is not None
    assert found.cut.tolist() == [False, True, False]
    assert found.truncation.state == "at_fault"
    assert "trained on other data" in found.notes[0]
    assert check(stating(asked, trained=trained), rows.frame, {"rows": "x"}).notes == ()
    assert check(stating(asked, trained={**trained, "pack_hash": "i"}), rows.frame, {}).truncation.state == "unknown"
    foreign = read([{"instruction": "Say what no row says.", "output": "This."}])
    with pytest.raises(InputError, match=r"none of the 1 of --data is among them; name what it was trained on .*made from rows\)"):
        check(stating(asked, trained=trained), foreign.frame, {})
