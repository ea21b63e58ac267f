"""The verb `loop`: one turn end to end on a tiny model, interrupted everywhere, and what its file may say."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest
import yaml

import tiny
import tunesmith as ts
from tunesmith import artefact, diagnosis
from tunesmith.artefact import Manifest, is_artefact, read_manifest, writing
from tunesmith.curation.edits import Edit, read_patch, write_patch
from tunesmith.errors import ArtefactError, InputError, OptionError
from tunesmith.training import runs
from tunesmith.turns import turning
from tunesmith.turns.settings import read_settings

Patch = pytest.MonkeyPatch


def rows(n: int, *, seed: int = 0) -> list[dict[str, str]]:
    return [{"instruction": prompt, "output": answer} for prompt, answer in tiny.exchanges(n, seed=seed)]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model, 40 rows, 96 items."""
    folder = tmp_path_factory.mktemp("world")
    tiny.model_folder(folder / "model")
    ts.curate(rows(40), {"steps": []}, out=folder / "data")
    (folder / "items.json").write_text(json.dumps(rows(96, seed=1)))
    return folder


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def write(world: Path, folder: Path, **sections: Any) -> Path:
    """A tunesmith.yaml for a turn of a second or two."""
    loop = {
        "data": str(world / "data"),
        "items": str(world / "items.json"),
        "model": str(world / "model"),
        "out": "out",
        "accept": "proposed",
    }
    said = {
        "loop": {**loop, **sections.pop("loop", {})},
        "pack": {"context": 64},
        "train": {"method": "full", "steps": 3, "bins": 1, "lr": "1e-3", **sections.pop("train", {})},
        "evaluate": {"max_new_tokens": 4, "metric": ["rougeL"], **sections.pop("evaluate", {})},
        "verdict": {"margin": 0.99},
        **sections,
    }
    file = folder / "tunesmith.yaml"
    file.write_text(yaml.safe_dump(said))
    return file


def proposing(positions: range | list[int], *, status: str = "proposed", category: str = "refusal") -> Any:
    """A stand-in for `diagnose`: it proposes to drop these rows."""

    def diagnose(evaluation: Any, *, data: Any, out: Path, **options: Any) -> None:
        assert options["part"] == "dev"
        assert is_artefact(evaluation, "evaluation")
        assert is_artefact(options["base"], "evaluation")
        if is_artefact(out, "diagnosis"):
            return
        ids = dict(ts.read(data).frame.select("position", "row_id").iter_rows())
        with writing(out) as work:
            edits = [
                Edit(edit_id=f"{k:016x}", position=k, row_id=ids[k], action="drop", category=category, status=status)  # type: ignore[arg-type]
                for k in positions
            ]
            write_patch(work.folder / "patch.jsonl", edits)
            work.finish(Manifest(kind="diagnosis", inputs={}, options={}, hash="0" * 32))

    return diagnose


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The runs that were trained, in order; a run that was found there is not among them."""
    names: list[str] = []
    train = runs._train

    def counted(job: Any, work: Any, out: Path, **options: Any) -> Manifest:
        made = train(job, work, out, **options)
        names.append(f"{out.parent.parent.name}/{out.name}")
        return made

    monkeypatch.setattr(runs, "_train", counted)
    return names


# --- a turn -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["full", "lora"])
def test_a_turn(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trained: list[str], method: str) -> None:
    monkeypatch.setattr(diagnosis, "diagnose", proposing(range(0, 12, 2)))
    file = write(world, tmp_path, train={"method": method})
    made = ts.loop(file)
    turn = tmp_path / "out" / "turn-1"
    assert trained == ["turn-1/current-0", "turn-1/patch-0", "turn-1/placebo-0"]
    assert sorted(path.name for path in turn.iterdir()) == ["arms", "base", "diagnosis", "evaluations", "manifest.json", "packs", "runs"]
    assert sorted(path.name for path in (turn / "evaluations").iterdir()) == ["current-0", "patch-0", "placebo-0"]
    places = {"base": "base", **{arm: f"evaluations/{arm}-0" for arm in ("current", "patch", "placebo")}}
    parts = {name: set(pl.read_parquet(turn / place / "items.parquet")["part"]) for name, place in places.items()}
    assert parts["base"] == parts["current"] == {"dev", "gate", "confirm"}
    assert parts["patch"] == parts["placebo"] == {"gate", "confirm"}
    manifests = [read_manifest(turn / "runs" / f"{arm}-0", "run") for arm in ("current", "patch", "placebo")]
    assert {each.result["steps"] for each in manifests} == {3}
    assert [each.options for each in manifests] == [manifests[0].options] * 3
    manifest = read_manifest(turn, "turn")
    said = json.loads((turn / "arms" / "verdict.json").read_text())
    assert said == {key: value for key, value in manifest.result.items() if key != "paths"}
    assert said["equal"]["steps"] == {"current": 3, "patch": 3, "placebo": 3}
    assert said["verdict"] == made["verdict"] == "not shown"
    assert set(said["gate"]["arms"]) == {"base", "current", "patch", "placebo"}
    assert "proposed and nobody" not in said["sentence"]
    assert any("6 edits were taken as proposed: nobody reviewed them" in note for note in said["notes"])
    seconds = manifest.details["seconds"]
    assert [name for name in seconds if name.startswith("train")] == ["train current", "train patch", "train placebo"]
    assert manifest.details["loop"]["loop"]["accept"] == "proposed"
    again = ts.loop(file)
    assert again["reused"]
    assert again["turns"][0]["sentence"] == made["turns"][0]["sentence"]
    assert len(trained) == 3


def test_epochs_become_the_steps_of_all_arms(world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The patched pack is smaller, so that as many epochs would be fewer steps."""
    monkeypatch.setattr(diagnosis, "diagnose", proposing(range(20)))
    ts.loop(write(world, tmp_path, train={"steps": None, "epochs": 1.0, "bins": None}))
    turn = tmp_path / "out" / "turn-1"
    bins = {arm: read_manifest(turn / "packs" / arm).result["bins"] for arm in ("current", "patch")}
    assert bins["patch"] < bins["current"]
    steps = {arm: read_manifest(turn / "runs" / f"{arm}-0").result["steps"] for arm in ("current", "patch", "placebo")}
    assert set(steps.values()) == {bins["current"]}
    assert json.loads((turn / "arms" / "experiment.json").read_text())["steps"] == bins["current"]


def test_several_seeds_train_every_arm_with_each(world: Path, tmp_path: Path, monkeypatch: Patch, trained: list[str]) -> None:
    monkeypatch.setattr(diagnosis, "diagnose", proposing(range(6)))
    ts.loop(write(world, tmp_path, loop={"seeds": [3, 4]}, train={"steps": 1}))
    assert sorted(trained) == sorted(f"turn-1/{arm}-{seed}" for arm in ("current", "patch", "placebo") for seed in (3, 4))
    said = json.loads((tmp_path / "out" / "turn-1" / "arms" / "verdict.json").read_text())
    assert any(note.startswith("2 seeds: intervals draw items and seeds") for note in said["notes"])


def test_an_accepted_turn_is_the_next_one_s_data(world: Path, tmp_path: Path, monkeypatch: Patch, trained: list[str]) -> None:
    """Verdicts are stood in for: what is tested is what follows from them. The second turn's current runs are the first's patched ones."""

    def diagnose(*args: Any, data: Any, **options: Any) -> None:
        proposing(ts.read(data).frame["position"].to_list()[:4])(*args, data=data, **options)

    monkeypatch.setattr(diagnosis, "diagnose", diagnose)
    judge = turning.judging.verdict
    monkeypatch.setattr(turning.judging, "verdict", lambda *args, **options: {**judge(*args, **options), "verdict": "accepted"})
    made = ts.loop(write(world, tmp_path), turns=2)
    assert [turn["turn"] for turn in made["turns"]] == [1, 2]
    assert trained == [f"turn-1/{arm}-0" for arm in ("current", "patch", "placebo")] + ["turn-2/patch-0", "turn-2/placebo-0"]
    second = read_manifest(tmp_path / "out" / "turn-2", "turn")
    assert second.inputs["data"] == read_manifest(tmp_path / "out" / "turn-1" / "arms" / "patch").hash
    assert any("the gate items have decided 1 turns before" in note for note in second.result["notes"])
    assert (second.options["plan"]) == [3, 1]
    assert ts.loop(write(world, tmp_path), turns=2)["reused"]


def test_a_turn_that_proposes_nothing_trains_no_arms(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trained: list[str]
) -> None:
    monkeypatch.setattr(diagnosis, "diagnose", proposing([]))
    made = ts.loop(write(world, tmp_path), turns=3)
    assert (made["verdict"], len(made["turns"]), trained) == ("nothing to change", 1, ["turn-1/current-0"])
    assert made["sentence"].startswith("Nothing to change: the diagnosis of the dev items proposes no edit")
    assert is_artefact(tmp_path / "out" / "turn-1", "turn")


def test_a_loop_that_takes_accepted_edits_waits_for_them(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trained: list[str]
) -> None:
    monkeypatch.setattr(diagnosis, "diagnose", proposing(range(5)))
    file = write(world, tmp_path, loop={"accept": "accepted"})
    made = ts.loop(file)
    assert made["verdict"] == "waiting for review"
    assert "5 edits are proposed in" in made["sentence"]
    assert not is_artefact(tmp_path / "out" / "turn-1")
    patch = tmp_path / "out" / "turn-1" / "diagnosis" / "patch.jsonl"
    edits = read_patch(patch)
    write_patch(patch, [Edit(**{**vars(edit), "status": "accepted" if k < 3 else "rejected"}) for k, edit in enumerate(edits)])
    made = ts.loop(file)
    assert made["verdict"] == "not shown"
    assert trained == [f"turn-1/{arm}-0" for arm in ("current", "patch", "placebo")]
    assert json.loads((tmp_path / "out" / "turn-1" / "arms" / "experiment.json").read_text())["edits"] == {"drop": 3}


def test_too_few_items_train_no_arms(world: Path, tmp_path: Path, monkeypatch: Patch, trained: list[str]) -> None:
    monkeypatch.setattr(diagnosis, "diagnose", proposing(range(5)))
    made = ts.loop(write(world, tmp_path, evaluate={"limit": 60}))
    assert made["sentence"] == "Not shown: too few items: 0 in gate and 0 in confirm, at least 30 in each are needed."
    assert trained == ["turn-1/current-0"]
    assert is_artefact(tmp_path / "out" / "turn-1", "turn")


@pytest.mark.slow
def test_a_real_diagnosis_and_report(world: Path, tmp_path: Path) -> None:
    """No stand-in: whatever a model that has learnt nothing gives, a turn ends with a verdict and a report."""
    done = run_cli(write(world, tmp_path), "--json")
    assert done.returncode == 1, done.stderr
    made = json.loads(done.stdout)
    assert made["verdict"] in ("not shown", "nothing to change")
    assert Path(tmp_path, made["turns"][0]["report"]).stat().st_size > 10_000


# --- interrupted ------------------------------------------------------------------------------------------------------


def test_interrupted_at_every_step_nothing_is_trained_twice(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trained: list[str]
) -> None:
    monkeypatch.setattr(diagnosis, "diagnose", proposing(range(0, 12, 2)))
    file = write(world, tmp_path)
    steps: list[str] = []
    step = turning.Turn._step

    @contextmanager
    def interrupted(self: Any, name: str, text: str) -> Iterator[None]:
        with step(self, name, text):
            yield
        if name not in steps:
            steps.append(name)
            raise KeyboardInterrupt

    monkeypatch.setattr(turning.Turn, "_step", interrupted)
    for _ in range(40):
        try:
            made = ts.loop(file)
            break
        except KeyboardInterrupt:
            assert not is_artefact(tmp_path / "out" / "turn-1")
    assert len(steps) == 13
    assert trained == [f"turn-1/{arm}-0" for arm in ("current", "patch", "placebo")]
    monkeypatch.setattr(turning.Turn, "_step", step)
    whole = ts.loop(write(world, tmp_path, loop={"out": "whole"}))
    assert [turn["sentence"] for turn in made["turns"]] == [turn["sentence"] for turn in whole["turns"]]
    seconds = [read_manifest(tmp_path / out / "turn-1").details["seconds"] for out in ("out", "whole")]
    assert set(seconds[0]) == set(seconds[1])


def run_cli(file: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "tunesmith", "loop", file.name, "--threads", "1", *options]
    return subprocess.run(command, cwd=file.parent, capture_output=True, text=True, check=False, timeout=300)


@pytest.mark.slow
@pytest.mark.parametrize("kill", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_loop_goes_on(world: Path, tmp_path: Path, kill: signal.Signals) -> None:
    """Killed in the midst of a training: the run before it is not touched, the one in work goes on."""
    file = write(world, tmp_path, train={"steps": 200_000, "checkpoint_steps": 50})
    process = subprocess.Popen(
        [sys.executable, "-m", "tunesmith", "loop", file.name, "--threads", "1"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    work = tmp_path / "out" / "turn-1" / "runs" / "current-0.work"
    try:
        wait_for(lambda: any(work.glob("checkpoint-*")), process)
        process.send_signal(kill)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == (130 if kill == signal.SIGINT else -9)
    if kill == signal.SIGINT:
        assert "the same command goes on" in errors
    assert (work.parent.parent / "packs" / "current").is_dir()
    pack = (work.parent.parent / "packs" / "current" / "manifest.json").stat().st_mtime_ns
    second = subprocess.Popen(
        [sys.executable, "-m", "tunesmith", "loop", file.name, "--threads", "1"], cwd=tmp_path, stderr=subprocess.PIPE, text=True
    )
    try:
        assert second.stderr is not None
        lines = iter(second.stderr)
        assert any("going on from the checkpoint of step" in line for line in lines)
    finally:
        os.kill(second.pid, signal.SIGKILL)
        second.wait()
    assert (work.parent.parent / "packs" / "current" / "manifest.json").stat().st_mtime_ns == pack


def wait_for(found: Any, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 120
    while not found():
        assert process.poll() is None, process.stderr.read() if process.stderr else ""
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_other_settings_are_refused_and_force_begins_anew(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trained: list[str]
) -> None:
    monkeypatch.setattr(diagnosis, "diagnose", proposing(range(5)))
    ts.loop(write(world, tmp_path))
    other = write(world, tmp_path, train={"steps": 2})
    with pytest.raises(ArtefactError, match=r"was made from other data, items, model or settings; choose another `out` in .* or --force"):
        ts.loop(other)
    ts.loop(other, force=True)
    assert len(trained) == 6
    (tmp_path / "out" / "turn-2").mkdir()
    (tmp_path / "out" / "turn-2" / "mine.txt").write_text("mine")
    with pytest.raises(ArtefactError, match="expected a turn of an earlier loop, found something else"):
        ts.loop(other, force=True)
    shutil.rmtree(tmp_path / "out" / "turn-2")
    inside = write(world, tmp_path, loop={"data": str(tmp_path / "out" / "turn-1" / "arms" / "patch")})
    with pytest.raises(ArtefactError, match="lies in it"):
        ts.loop(inside, force=True)


def test_one_loop_at_a_time(world: Path, tmp_path: Path) -> None:
    import fcntl

    (tmp_path / "out").mkdir()
    with (tmp_path / "out" / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(ArtefactError, match="in use by another run"):
            ts.loop(write(world, tmp_path))


# --- the file ---------------------------------------------------------------------------------------------------------


def test_what_the_file_may_say(world: Path, tmp_path: Path) -> None:
    made = read_settings(write(world, tmp_path, curate={"recipe": "r.yaml"}))
    assert made.train.lr == 0.001, "YAML reads 1e-3 as a text"
    assert made.evaluate.metrics == ("rougeL",)
    assert Path(made.loop.out) == tmp_path / "out"
    for sections, message in (
        ({"lop": {}}, 'unknown section "lop"; did you mean "loop"'),
        ({"loop": {"accpet": "proposed"}}, 'loop: unknown option "accpet"; did you mean "accept"'),
        ({"loop": {"accept": "all"}}, "loop.accept: expected 'accepted' or 'proposed', found \"all\""),
        ({"loop": {"seeds": [1, 1]}}, "loop.seeds: expected different whole numbers from 0"),
        ({"loop": {"turns": 0}}, "loop.turns: expected at least 1, found 0"),
        ({"train": {"epoch": 3}}, 'train: unknown option "epoch"; did you mean "epochs"'),
        ({"train": {"lr": "fast"}}, "train, lr: expected float, found 'fast'"),
        ({"train": {"seed": 1}}, "train: seed is `seeds` in the section loop"),
        ({"evaluate": {"parts": ["dev"]}}, 'evaluate: unknown option "parts"'),
        ({"diagnose": {"part": "all"}}, "diagnose.part: expected 'dev', found \"all\""),
        ({"pack": ["template"]}, r"section pack: expected keys and values \(`name: value`\), found list"),
    ):
        with pytest.raises(OptionError, match=message):
            read_settings(write(world, tmp_path, **sections))  # type: ignore[arg-type]
    with pytest.raises(InputError, match=r"loop\.data: expected rows at .*dat, found nothing there; did you mean \"data\""):
        read_settings(write(world, tmp_path, loop={"data": str(world / "dat")}))
    with pytest.raises(InputError, match="found no such file"):
        read_settings(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_text("loop: {data: [}")
    with pytest.raises(OptionError, match=r"bad\.yaml, line 1: expected YAML"):
        read_settings(tmp_path / "bad.yaml")
    (tmp_path / "less.yaml").write_text("loop: {data: d}")
    with pytest.raises(OptionError, match="loop: items is missing; The items to evaluate on"):
        read_settings(tmp_path / "less.yaml")
    (tmp_path / "none.yaml").write_text("train: {}")
    with pytest.raises(OptionError, match="expected a section `loop` with data, items, model and out, found train"):
        read_settings(tmp_path / "none.yaml")


def test_misuse_ends_with_2(world: Path, tmp_path: Path) -> None:
    file = write(world, tmp_path, loop={"accpet": 1})
    done = run_cli(file)
    assert (done.returncode, done.stdout) == (2, "")
    assert 'did you mean "accept"' in done.stderr


def test_a_sealed_folder_is_an_artefact(tmp_path: Path) -> None:
    artefact.seal(tmp_path, Manifest(kind="turn", inputs={}, options={}, hash="0" * 32))
    assert is_artefact(tmp_path, "turn")
    assert [path.name for path in tmp_path.iterdir()] == ["manifest.json"]
