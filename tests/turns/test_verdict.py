"""The verb `verdict`: what is accepted, what is not shown, how often it errs, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

import tunesmith as ts
from tunesmith.artefact import Manifest, read_manifest, writing
from tunesmith.errors import ArtefactError, InputError, OptionError
from tunesmith.evaluation import statistics
from tunesmith.turns.answers import ANY, EVERY
from tunesmith.turns.judging import judge
from turns import worlds

PARTS = {"gate": 100, "confirm": 100}


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def rates(placebo: float, patch: float, **other: float) -> dict[str, dict[str, float]]:
    return {"placebo": {"refusal": placebo, **other}, "patch": {"refusal": patch, **other}}


# --- how often it errs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seeds", [1, 3])
def test_under_the_null_hardly_anything_is_accepted(seeds: int) -> None:
    """Patch and placebo alike: far below 5% are accepted, and the gate alone lets at most some 5% through."""
    random = rng()
    made = [judge(worlds.simulated(PARTS, rates(0.2, 0.2), rng=random, noise=0.3, seeds=seeds)) for _ in range(200 if seeds == 1 else 40)]
    assert sum(each["verdict"] == "accepted" for each in made) <= 0.05 * len(made)
    passed = sum(each["p"] < 0.05 and each["high"] < 0 for each in made)
    assert passed <= 0.06 * len(made)


def test_a_detectable_effect_is_found_as_often_as_is_said() -> None:
    """At n 100 and 2% broken, 11 points have a power of .8 on the gate."""
    random = np.random.default_rng(1)
    found = 0
    for _ in range(150):
        answers = worlds.simulated({"gate": 100, "confirm": 30}, rates(0.2, 0.2), rng=random, noise=0)
        fixed, broken = random.random(100) < 0.13, random.random(100) < 0.02
        base = np.where(fixed, 1.0, 0.0)
        for name in ("refusal", "any of them"):
            answers.findings["placebo"][name][:100, 0] = base
            answers.findings["patch"][name][:100, 0] = np.where(broken & ~fixed, 1.0, 0.0)
        result = judge(answers)
        found += result["p"] < 0.05 and result["high"] < 0
    assert 0.7 < found / 150 < 0.9


def test_the_detectable_effect_is_the_reference_s() -> None:
    """reference: power .8, 2% broken: 11, 6, 4, 2.5 points; at level .005: 16, 8, 5, 3.5."""
    for alpha, expected in ((0.05, (11, 6, 4, 2.5)), (0.005, (16, 8, 5, 3.5))):
        for n, points in zip((100, 250, 500, 1000), expected, strict=True):
            found = statistics.detectable(n, alpha=alpha)
            assert found is not None
            assert 100 * found == pytest.approx(points, abs=0.55)
    assert statistics.detectable(5) is None


def test_the_power_is_that_of_simulated_mcnemar_tests() -> None:
    random, n, broken = rng(), 120, 0.05
    net = statistics.detectable(n, broken=broken)
    assert net is not None
    changes = random.multinomial(n, [net + broken, broken, 1 - net - 2 * broken], size=3000)
    found = np.mean([statistics.mcnemar(int(fixed), int(worse)) <= 0.05 for fixed, worse, _ in changes])
    assert found == pytest.approx(0.8, abs=0.03)


def test_clusters_lessen_what_can_be_found() -> None:
    alone = judge(worlds.simulated({"gate": 200, "confirm": 200}, rates(0.2, 0.2), rng=rng(), noise=0))
    joint = judge(worlds.simulated({"gate": 200, "confirm": 200}, rates(0.2, 0.2), rng=rng(), noise=0, cluster=4))
    assert joint["gate"]["clusters"] == 50
    assert joint["detectable"] > 2 * alone["detectable"]


def test_seeds_that_differ_widen_the_interval() -> None:
    """Two runs of each arm on 2,000 items: items alone would be sure of what is the runs' own luck."""
    luck = {"gate": 2000, "confirm": 100}
    widths = []
    for spread in (0.0, 0.05):
        gate = judge(worlds.simulated(luck, rates(0.3, 0.3), rng=rng(3), seeds=3, run_spread=spread))["gate"]
        widths.append(gate["high"] - gate["low"])
    assert widths[1] > 2 * widths[0]


def test_one_seed_is_the_paired_test_and_seeds_are_averaged() -> None:
    values = rng().random((50, 3))
    base = rng(1).random((50, 3))
    single = statistics.paired_runs(values[:, :1], base[:, :1])
    assert single == statistics.paired(values[:, 0] - base[:, 0])
    several = statistics.paired_runs(values, base)
    assert several.difference == pytest.approx(values.mean() - base.mean())
    assert several.low < several.difference < several.high


# --- what decides -----------------------------------------------------------------------------------------------------


def test_a_large_effect_is_accepted_and_confirmed() -> None:
    result = judge(worlds.simulated(PARTS, rates(0.4, 0.05), rng=rng()))
    assert result["verdict"] == "accepted"
    assert result["reasons"] == []
    assert result["difference"] == result["gate"]["difference"] < -0.25
    assert result["confirm"]["high"] < 0
    assert result["gate"]["categories"]["refusal"]["role"] == "target"


def test_worse_is_not_better() -> None:
    result = judge(worlds.simulated(PARTS, rates(0.05, 0.4), rng=rng()))
    assert result["verdict"] == "not shown"
    assert result["reasons"][0].startswith("the patch is worse than the placebo")


def test_confirm_is_looked_at_only_when_the_gate_is_passed_and_must_agree() -> None:
    looked: list[int] = []

    def look(items: pl.DataFrame) -> list[str]:
        looked.append(items.height)
        return ["looked"]

    none = judge(worlds.simulated(PARTS, rates(0.2, 0.2), rng=rng()), look=look)
    assert (none["verdict"], none["confirm"], looked) == ("not shown", None, [])
    answers = worlds.simulated(PARTS, rates(0.4, 0.05), rng=rng())
    for name in ("refusal", "any of them"):
        answers.findings["patch"][name][100:] = answers.findings["placebo"][name][100:]
    result = judge(answers, look=look)
    assert (result["verdict"], looked) == ("not shown", [100])
    assert "not confirmed on 100 others" in result["reasons"][0]
    assert "looked" in result["notes"]


def test_another_defect_that_rises_forbids_it() -> None:
    arms = rates(0.4, 0.05, repetitive=0.02)
    arms["patch"]["repetitive"] = 0.3
    result = judge(worlds.simulated(PARTS, arms, rng=rng()))
    assert result["verdict"] == "not shown"
    assert result["gate"]["categories"]["repetitive"]["worse"]
    assert [reason for reason in result["reasons"] if "`repetitive` is worse than with the placebo" in reason]
    assert result["confirm"] is None


def test_what_too_few_items_leave_open_is_named_with_the_items_it_would_take() -> None:
    arms = rates(0.9, 0.05, truncated=0.5)
    result = judge(worlds.simulated({"gate": 40, "confirm": 40}, arms, rng=rng(5), noise=0.6), margin=0.05)
    found = result["gate"]["categories"]["truncated"]
    assert found["inconclusive"]
    assert found["needs"] > 40
    assert any(f"about {found['needs']:,} independent ones" in reason for reason in result["reasons"])
    assert judge(worlds.simulated({"gate": 40, "confirm": 40}, arms, rng=rng(5), noise=0.6), margin=0.9)["verdict"] == "accepted"


def test_the_main_metric_may_not_fall() -> None:
    answers = worlds.simulated(PARTS, rates(0.4, 0.05), rng=rng())
    scores = rng().random((200, 1)) * 0.1 + 0.5
    metrics = {"placebo": {"rougeL": scores, "rouge1": scores}, "patch": {"rougeL": scores - 0.05, "rouge1": scores - 0.05}}
    answers = worlds.Answers(**{**vars(answers), "scores": metrics})
    result = judge(answers)
    assert result["gate"]["metrics"]["rougeL"]["worse"]
    assert not result["gate"]["metrics"]["rouge1"]["worse"], "one metric was chosen beforehand"
    assert any(reason.startswith("rougeL is worse than with the placebo (-0.050") for reason in result["reasons"])


def test_any_of_several_and_each_of_them_adjusted() -> None:
    arms = {
        "placebo": {"refusal": 0.3, "repetitive": 0.2, "truncated": 0.1},
        "patch": {"refusal": 0.0, "repetitive": 0.0, "truncated": 0.1},
    }
    targets = ("refusal", "repetitive")
    result = judge(worlds.simulated(PARTS, arms, rng=rng(), noise=0.02, targets=targets))
    assert result["outcome"] == "any of refusal, repetitive"
    gate = result["gate"]
    assert {name: each["role"] for name, each in gate["categories"].items()} == {
        "refusal": "target",
        "repetitive": "target",
        "truncated": "other",
    }
    assert gate["arms"]["placebo"]["rate"] > gate["categories"]["refusal"]["arms"]["placebo"]


def test_too_few_items() -> None:
    result = judge(worlds.simulated({"gate": 29, "confirm": 40}, rates(0.9, 0.0), rng=rng()))
    assert result["reasons"] == ["too few items: 29 in gate and 40 in confirm, at least 30 in each are needed"]
    assert (result["gate"], result["difference"], result["detectable"]) == (None, None, None)


# --- the verb ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An experiment and evaluations of its arms: placebo 40% refusals, patch 2%."""
    folder = tmp_path_factory.mktemp("world")
    data = worlds.version(folder / "data")
    ts.arms(worlds.patch(folder / "p.jsonl", data), data, folder / "experiment", steps=5, seeds=(0, 1))
    for arm, rate in (("current", 0.4), ("patch", 0.02), ("placebo", 0.4)):
        for seed in (0, 1):
            worlds.evaluation(folder / f"{arm}-{seed}", refused=rate, seed=seed)
    worlds.evaluation(folder / "part", refused=0.02, seed=0, parts=("gate", "confirm"))
    return folder


def judged(world: Path, **evaluations: str) -> dict[str, Any]:
    return ts.verdict(world / "experiment", {name.replace("_", ":"): world / path for name, path in evaluations.items()})


def test_the_verdict_is_written_and_said_in_a_sentence(world: Path) -> None:
    result = judged(world, current="current-0", patch="patch-0", placebo="placebo-0")
    assert json.loads((world / "experiment" / "verdict.json").read_text()) == json.loads(json.dumps(result))
    assert result["verdict"] == "accepted"
    gate = result["gate"]
    assert list(gate["arms"]) == ["current", "patch", "placebo"]
    sentence = result["sentence"]
    assert sentence.startswith(f"Dropping 10 rows cut `refusal` from {gate['arms']['current']['rate']:.0%} to ")
    assert f"of {gate['items']} gate items (patch against placebo: {100 * gate['difference']:.0f} points, 95% interval " in sentence
    assert f"confirmed on {result['confirm']['items']} others" in sentence
    assert sentence.endswith("one seed: the interval covers items alone).")
    assert any("the runs of current:0, patch:0, placebo:0 were not found" in note for note in result["notes"])
    assert any("1 of the 2 seeds" in note for note in result["notes"])


def test_all_items_and_those_of_gate_and_confirm_alone_are_the_same_to_it(world: Path) -> None:
    whole = judged(world, patch="patch-0", placebo="placebo-0")
    part = judged(world, patch="part", placebo="placebo-0")
    assert (part["gate"], part["confirm"]) == (whole["gate"], whole["confirm"])


def mended(other: str, share: float) -> dict[str, Any]:
    """Judge a patch that turns every refusal (half of the items) into an answer, of which a share has another defect."""
    answers = worlds.simulated({"gate": 100, "confirm": 100}, rates(0.0, 0.0, **{other: 0.0}), rng=rng(), noise=0)
    refused, second = np.arange(200) % 2 == 0, np.arange(200) % round(2 / share) == 0
    for arm, names in (("placebo", {"refusal": refused}), ("patch", {other: second})):
        for name, found in names.items():
            answers.findings[arm][name][found] = 1.0
        for name in (ANY, EVERY):
            answers.findings[arm][name][:] = (
                answers.findings[arm]["refusal"] if name == ANY else np.max(list(answers.findings[arm].values()), 0)
            )
    return judge(answers)


def test_what_a_defect_hid_is_not_what_the_patch_breaks() -> None:
    """A refusal cannot be too long; the answer in its place may be."""
    result = mended("too_long", 0.25)
    found = result["gate"]["categories"]["too_long"]
    assert found["difference"] > 0.1
    assert found["sound"]["difference"] == 0
    assert result["verdict"] == "accepted"


def test_one_defect_in_the_place_of_another_is_no_gain() -> None:
    result = mended("too_long", 1.0)
    assert result["gate"]["high"] < 0
    assert result["verdict"] == "not shown"
    assert "other defects take the place" in result["reasons"][0]


def test_seeds_are_averaged(world: Path) -> None:
    result = judged(world, patch_0="patch-0", patch_1="patch-1", placebo_0="placebo-0", placebo_1="placebo-1")
    assert result["verdict"] == "accepted"
    assert any("2 against 2 training runs alone could give no p below 1/6" in note for note in result["notes"])
    assert "one seed" not in result["sentence"]


def test_looks_at_confirm_are_logged_once_a_candidate_and_told_to_others(world: Path, tmp_path: Path) -> None:
    data = worlds.version(tmp_path / "data")
    for name in ("one", "two"):
        ts.arms(worlds.patch(tmp_path / "p.jsonl", data), data, tmp_path / name, steps=5, seeds=(0, 1))
    log = tmp_path / "one" / "confirm.jsonl"
    sides = {"patch": world / "patch-0", "placebo": world / "placebo-0"}
    first = ts.verdict(tmp_path / "one", sides)
    assert ts.verdict(tmp_path / "one", sides) == first
    assert len(log.read_text().splitlines()) == 1
    assert not any("had been looked at" in note for note in first["notes"])
    other = {"patch:1": world / "patch-1", "placebo:1": world / "placebo-1"}
    second = ts.verdict(tmp_path / "one", other)
    assert any("had been looked at for 1 other candidate (first on 2" in note for note in second["notes"])
    assert len(log.read_text().splitlines()) == 2
    assert ts.verdict(tmp_path / "one", sides)["notes"] == first["notes"], "the first to look saw fresh items"
    elsewhere = ts.verdict(tmp_path / "two", other, earlier=[tmp_path / "one"])
    assert any("had been looked at" in note for note in elsewhere["notes"])
    worlds.evaluation(tmp_path / "same", refused=0.4, seed=5)
    unspent = ts.verdict(tmp_path / "two", {"patch": tmp_path / "same", "placebo": tmp_path / "same"})
    assert unspent["verdict"] == "not shown"
    assert len((tmp_path / "two" / "confirm.jsonl").read_text().splitlines()) == 1, "not looked at"
    log.write_text("{}\n")
    with pytest.raises(InputError, match=r"confirm\.jsonl, line 1: expected a look"):
        ts.verdict(tmp_path / "one", sides)


def test_not_shown_says_what_would_have_been_found(world: Path, tmp_path: Path) -> None:
    for seed, name in enumerate(("patch", "placebo")):
        worlds.evaluation(tmp_path / name, refused=0.1, seed=seed)
    result = ts.verdict(world / "experiment", {name: tmp_path / name for name in ("patch", "placebo")})
    assert result["verdict"] == "not shown"
    assert result["sentence"].startswith("Not shown: dropping 10 rows against `refusal` on ")
    assert f"{100 * result['detectable']:.0f} points or more would have been found with power .8" in result["sentence"]
    wild = judged(world, patch="placebo-1", placebo="placebo-0")
    assert wild["detectable"] is None
    assert "for any effect to be found with power .8" in wild["sentence"]


def test_only_dev_items_are_too_few(world: Path, tmp_path: Path) -> None:
    for arm in ("patch", "placebo"):
        worlds.evaluation(tmp_path / arm, refused=0.1, n=60)
    result = ts.verdict(world / "experiment", {arm: tmp_path / arm for arm in ("patch", "placebo")})
    assert result["sentence"] == "Not shown: too few items: 0 in gate and 0 in confirm, at least 30 in each are needed."


def test_what_is_refused(world: Path, tmp_path: Path) -> None:
    cases: list[tuple[dict[str, str], type[Exception], str]] = [
        ({"patch": "patch-0"}, OptionError, "found patch; placebo is missing"),
        ({"patch": "patch-0", "placebo": "placebo-0", "curent": "current-0"}, OptionError, 'unknown arm "curent"; did you mean "current"'),
        ({"patch": "patch-0", "patch_0": "patch-1", "placebo": "placebo-0"}, OptionError, "two evaluations of patch, seed 0"),
        ({"patch_7": "patch-0", "placebo": "placebo-0"}, OptionError, "the experiment's seeds are 0, 1"),
        ({"patch_x": "patch-0", "placebo": "placebo-0"}, OptionError, "the seed a whole number"),
        (
            {"patch_1": "patch-0", "placebo": "placebo-0"},
            OptionError,
            "expected the same seeds of every arm, found 0 of placebo and 1 of patch",
        ),
        ({"patch": "data", "placebo": "placebo-0"}, ArtefactError, "expected an evaluation, found a version"),
    ]
    for evaluations, error, message in cases:
        with pytest.raises(error, match=message):
            judged(world, **evaluations)
    with pytest.raises(ArtefactError, match="expected an experiment"):
        ts.verdict(world / "data", {"patch": world / "patch-0", "placebo": world / "placebo-0"})
    worlds.evaluation(tmp_path / "fewer", refused=0.1, n=150)
    worlds.evaluation(tmp_path / "drawn", refused=0.1, seed=0)
    with pytest.raises(InputError, match="expected evaluations of the same gate and confirm items"):
        ts.verdict(world / "experiment", {"patch": world / "patch-0", "placebo": tmp_path / "fewer"})
    worlds.evaluation(tmp_path / "limited", refused=0.1, seed=0, limit=170)
    with pytest.raises(InputError, match="the same gate and confirm items"):
        ts.verdict(world / "experiment", {"patch": world / "patch-0", "placebo": tmp_path / "limited"})
    with pytest.raises(OptionError, match="margin: expected a number between 0 and 1"):
        ts.verdict(world / "experiment", {"patch": world / "patch-0", "placebo": world / "placebo-0"}, margin=1.5)


def test_other_limits_are_refused(world: Path, tmp_path: Path) -> None:
    other = worlds.evaluation(tmp_path / "other", refused=0.4, seed=0)
    text = (other / "manifest.json").read_text()
    (other / "manifest.json").write_text(text.replace('"characters_max": ', '"characters_max": 1'))
    with pytest.raises(InputError, match="differ in the detectors' limits"):
        ts.verdict(world / "experiment", {"patch": world / "patch-0", "placebo": other})


# --- equal training ---------------------------------------------------------------------------------------------------


def run(folder: Path, weights: str, *, steps: int = 5, tokens: int = 1000, lr: float = 0.1, pack: Path | None = None) -> Path:
    """A run's manifest, and its table of losses."""
    with writing(folder) as work:
        (work.folder / "losses.parquet").touch()
        work.finish(
            Manifest(
                kind="run", inputs={"pack": read_manifest(pack).hash if pack else "p"}, options={"method": "full", "lr": lr}, hash=weights,
                result={"steps": steps, "supervised_tokens": tokens},
                details={"resolved": {"lr": lr, "bins": 1, "steps": steps}, "pack": str(pack)},
            )
        )  # fmt: skip
    return folder


def answered_by(folder: Path, weights: str, source: Path) -> Path:
    """An evaluation as if of a model with these weights."""
    import shutil

    shutil.copytree(source, folder)
    said = json.loads((folder / "manifest.json").read_text())
    said["inputs"]["--model"] = weights
    (folder / "manifest.json").write_text(json.dumps(said))
    return folder


def test_runs_are_found_and_compared(world: Path, tmp_path: Path) -> None:
    data = worlds.version(tmp_path / "data")
    ts.arms(worlds.patch(tmp_path / "p.jsonl", data), data, tmp_path / "x", steps=5)
    sides = {
        arm: answered_by(tmp_path / "evaluations" / arm, weights, world / f"{arm}-0") for arm, weights in (("patch", "a"), ("placebo", "b"))
    }
    run(tmp_path / "runs" / "one", "a")
    run(tmp_path / "runs" / "two", "b", tokens=1019)
    made = ts.verdict(tmp_path / "x", sides)
    assert made["equal"] == {"steps": {"patch": 5, "placebo": 5}, "supervised_tokens": {"patch": 1000, "placebo": 1019}, "warning": None}
    assert not any("were not found" in note for note in made["notes"])
    run(tmp_path / "elsewhere", "b", tokens=1050)
    given = ts.verdict(tmp_path / "x", sides, runs={"placebo": tmp_path / "elsewhere"})
    assert given["equal"]["warning"] == "the arms saw different numbers of supervised tokens, by up to 5.0%: patch 1,000, placebo 1,050"
    for options, message in (
        ({"steps": 7}, "expected a run of 5 steps, as the experiment says, found 7"),
        ({"lr": 0.2}, "found lr 0.2 and 0.1"),
    ):
        with pytest.raises(InputError, match=message):
            ts.verdict(tmp_path / "x", sides, runs={"placebo": run(tmp_path / f"bad{message[-1]}", "b", **options)})  # type: ignore[arg-type]
    with pytest.raises(InputError, match="found those of other weights"):
        ts.verdict(tmp_path / "x", sides, runs={"placebo": tmp_path / "runs" / "one"})
    with pytest.raises(OptionError, match="--run current: expected the run of an evaluation"):
        ts.verdict(tmp_path / "x", sides, runs={"current": tmp_path / "runs" / "one"})


def test_a_run_on_another_arm_s_rows_is_refused(world: Path, tmp_path: Path) -> None:
    data = worlds.version(tmp_path / "data")
    made = ts.arms(worlds.patch(tmp_path / "p.jsonl", data), data, tmp_path / "x", steps=5)
    with writing(tmp_path / "pack") as work:
        inputs = {"current": read_manifest(made.folder / "current").hash}
        work.finish(Manifest(kind="pack", inputs=inputs, options={}, hash="q"))
    sides = {arm: answered_by(tmp_path / arm, weights, world / f"{arm}-0") for arm, weights in (("patch", "a"), ("placebo", "b"))}
    with pytest.raises(InputError, match=r"expected a run on the rows of .*patch, found one on those of .*current"):
        ts.verdict(made.folder, sides, runs={"patch": run(tmp_path / "r", "a", pack=tmp_path / "pack")})
