"""`patch show`, `apply` and `undo`: what is applied can be taken back, whatever the patch and the version; what does not fit is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith import patch_apply, patch_show, patch_undo
from tunesmith.artefact import read_manifest
from tunesmith.cli import main
from tunesmith.curation import curate
from tunesmith.curation.edits import Edit, edit_id, fingerprint, read_patch, write_patch
from tunesmith.errors import ArtefactError, InputError, OptionError
from tunesmith.packing.reader import SEGMENTS
from tunesmith.rows import Version, split

TALK = [("user", "Hi"), ("assistant", "Hello"), ("user", "And [/b]?"), ("assistant", "Bye")]
DATA = [
    {"instruction": "Sing [/b] it", "input": "n/a", "output": "La la la la", "topic": "songs"},
    {"instruction": "Name a tree", "input": "", "output": "As an AI I cannot", "topic": "trees"},
    {"instruction": "Name a tree", "input": "", "output": "As an AI I cannot", "topic": "trees"},
    {"instruction": "Add 1 and 2.", "input": "", "output": "The sum is 4", "topic": None},
    {"instruction": "Say hi", "input": "", "output": "", "topic": "talk"},
]
CHATS = [
    {"messages": [{"role": role, "content": text} for role, text in TALK]},
    {"messages": [{"role": role, "content": text} for role, text in TALK[:2]]},
]


@pytest.fixture(autouse=True)
def clean(tmp_path, monkeypatch) -> Version:
    """A version whose positions have gaps, in a folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    Path("rows.json").write_text(json.dumps(DATA))
    curate("rows.json", {"steps": [{"fix": {"only": ["input_placeholder"]}}, {"filter": {"words": {"min": 1}}}]}, out="clean")
    return Version.open("clean")


def edit_of(frame: pl.DataFrame, row: int, action: str, **values) -> Edit:
    position, row_id = frame["position"][row], frame["row_id"][row]
    name = edit_id(position, row_id, action, values.get("category"), turn=values.get("turn"))
    return Edit(edit_id=name, position=position, row_id=row_id, action=action, **{"status": "accepted", **values})


def written(*edits: Edit, path: str = "patch.jsonl") -> str:
    write_patch(path, edits)
    return path


def a_patch(frame: pl.DataFrame, path: str = "patch.jsonl") -> str:
    """One of each."""
    return written(
        edit_of(frame, 0, "weight", weight=2, category="rare"),
        edit_of(frame, 1, "drop", category="refusal", reason="It refuses.", evidence={"rate": 0.5}),
        edit_of(frame, 2, "drop", category="refusal", status="proposed"),
        edit_of(frame, 2, "mask", category="refusal", status="rejected"),
        edit_of(frame, 3, "edit", category="wrong_sum", fields={"output": "The sum is 3"}),
        edit_of(frame, 3, "mask", category="wrong_sum"),
        Edit(
            edit_id="n1",
            action="add",
            fields={"instruction": "Reverse", "input": "ab", "output": "ba"},
            category="missing",
            status="accepted",
        ),
        path=path,
    )


def divided() -> Version:
    """The training part of a split of rows that have a column of the user's."""
    words = "ash beech cedar date elm fir gorse holly iris juniper kauri larch maple nettle oak pine".split()  # noqa: SIM905
    rows = [{"instruction": f"Name what rhymes with {word} in song", "output": word, "topic": "trees"} for word in words]
    curate(rows, {"steps": []}, out="many")
    split("many", "split", test=0, validation=3)
    return Version.open("split/train")


class TestApply:
    def test_all_counts_balance_and_the_manifest_names_the_patch(self, clean):
        path = a_patch(clean.frame)
        made = patch_apply(path, "clean", "patched")
        assert (made.curated.rows_in, made.curated.added, made.curated.kept, made.curated.dropped, made.curated.edited) == (4, 1, 4, 1, 2)
        assert made.taken == {"drop": 1, "edit": 1, "weight": 1, "add": 1}
        assert made.counts["drop"] == {"proposed": 1, "accepted": 1}
        assert [(each["position"], each["action"], each["other"]) for each in made.conflicts] == [(3, "edit", "mask")]
        assert made.notes == (
            "1 proposed edit is not taken; --all takes it",
            "1 edit gives way to another edit of the same row (drop before edit before weight before mask)",
        )
        version = Version.open("patched")
        version.verify()
        assert version.frame["position"].to_list() == [0, 2, 3, 4]
        assert version.manifest.inputs == {"clean": clean.manifest.hash, "patch.file": fingerprint(read_patch(path))}
        assert patch_apply(path, "clean", "patched").curated.reused
        assert patch_apply(path, clean.frame).curated.frame.equals(version.frame)

    def test_proposed_edits_are_taken_on_request_rejected_ones_never(self, clean):
        made = patch_apply(a_patch(clean.frame), "clean", all=True)
        assert made.taken == {"drop": 2, "edit": 1, "weight": 1, "add": 1}
        assert made.curated.frame["position"].to_list() == [0, 3, 4]
        assert made.notes[0] == "1 edit is taken that nobody has reviewed (--all)"

    def test_a_dry_run_writes_nothing(self, clean):
        made = patch_apply(a_patch(clean.frame), "clean", "patched", dry_run=True)
        assert made.curated.kept == 4
        assert not Path("patched").exists()

    def test_nothing_to_take_is_an_error_that_says_why(self, clean):
        with pytest.raises(OptionError, match=r"found none accepted of 1 edit \(1 proposed, 0 rejected\); set \"status\"") as caught:
            patch_apply(written(edit_of(clean.frame, 0, "drop", status="proposed")), "clean", "patched")
        assert "--all takes the proposed ones" in str(caught.value)
        with pytest.raises(OptionError, match="there is nothing to apply"):
            patch_apply(written(edit_of(clean.frame, 0, "drop", status="rejected")), "clean", "patched", all=True)
        with pytest.raises(OptionError, match="found an empty patch"):
            patch_apply(written(), "clean", "patched")
        assert not Path("patched").exists()

    def test_edits_that_change_nothing_are_told(self, clean):
        made = patch_apply(written(edit_of(clean.frame, 0, "weight", weight=1), edit_of(clean.frame, 1, "drop")), "clean", "patched")
        assert made.notes == ("1 edit changes nothing: the row already reads as the edit says",)
        assert made.curated.edited == 0

    def test_another_version_is_refused_and_nothing_is_written(self, clean):
        path = a_patch(clean.frame)
        patch_apply(path, "clean", "patched")
        for other in ("patched", "rows.json"):
            with pytest.raises(InputError, match=r"a patch for another version: [12] of 3 edits name a row"):
                patch_apply(path, other, "again")
        assert not Path("again").exists()

    def test_a_part_of_a_split_keeps_its_columns(self, clean):
        train = divided()
        row = edit_of(train.frame, 0, "drop")
        added = Edit(edit_id="n1", action="add", fields={"instruction": "Reverse", "output": "ba", "topic": "words"}, status="accepted")
        path = written(row, added)
        made = patch_apply(path, "split/train", "patched").curated
        assert made.frame.columns == train.frame.columns
        assert made.frame.tail(1).select("topic", "cluster", "part").row(0) == ("words", None, None)
        undone = patch_undo(path, "patched", "again")
        assert undone.equal
        assert Version.open("again").frame.equals(train.frame)

    def test_packing_honours_weights_and_masks(self, clean, tmp_path):
        import tiny
        from tunesmith.packing import pack

        tiny.model_folder(tmp_path / "model", context=256)
        curate(CHATS, {"steps": []}, out="talks")
        frame = Version.open("talks").frame
        path = written(edit_of(frame, 0, "mask", turn=1), edit_of(frame, 1, "weight", weight=0.25))
        patch_apply(path, "talks", "patched")
        packs = {name: pl.read_ipc(pack(name, f"{name}-pack", tokenizer="model").folder / SEGMENTS) for name in ("talks", "patched")}
        supervised = {name: [sum(label != -100 for label in labels) for labels in table["labels"]] for name, table in packs.items()}
        assert 0 < supervised["patched"][0] < supervised["talks"][0]
        assert supervised["patched"][1] == supervised["talks"][1]
        assert packs["patched"]["weight"].to_list() == [1.0, 0.25]


class TestUndo:
    def test_the_version_is_as_it_was(self, clean):
        path = a_patch(clean.frame)
        patch_apply(path, "clean", "patched")
        undone = patch_undo(path, "patched", "again")
        assert (undone.rows_in, undone.restored, undone.reverted, undone.taken_out, undone.kept, undone.equal) == (4, 1, 2, 1, 4, True)
        again = Version.open("again")
        again.verify()
        assert again.frame.equals(clean.frame)
        assert again.manifest.hash == clean.manifest.hash
        assert again.ledger.select("position", "step", "rule", "action").rows() == [
            (0, "patch_undo", "rare", "edit"), (1, "patch_undo", "refusal", "keep"), (3, "patch_undo", "wrong_sum", "edit"),
            (4, "patch_undo", "missing", "drop"),
        ]  # fmt: skip
        assert again.removed["position"].to_list() == [0, 3, 4]
        assert patch_undo(path, "patched", "again").reused
        assert patch_undo(path, "patched").frame.equals(clean.frame)

    def test_only_the_patch_that_was_applied_is_taken_back(self, clean):
        path = a_patch(clean.frame)
        patch_apply(path, "clean", "patched")
        other = written(*[replace(edit, status="accepted") for edit in read_patch(path)], path="other.jsonl")
        with pytest.raises(ArtefactError, match=r"expected a version that other\.jsonl .* was applied to, found one of the patch"):
            patch_undo(other, "patched", "again")
        with pytest.raises(ArtefactError, match="found one of the steps fix, filter"):
            patch_undo(path, "clean", "again")
        curate("clean", {"steps": [{"patch": {"file": path}}, "fix"]}, out="more")
        with pytest.raises(ArtefactError, match="found one of the steps patch, fix"):
            patch_undo(path, "more", "again")
        divided()
        with pytest.raises(ArtefactError, match="one that was made otherwise"):
            patch_undo(path, "split/train", "again")
        assert not Path("again").exists()

    def test_a_version_that_was_changed_by_hand_is_refused(self, clean):
        path = a_patch(clean.frame)
        patch_apply(path, "clean", "patched")
        removed = pl.read_parquet("patched/removed.parquet")
        removed.with_columns(pl.lit("x").alias("output")).write_parquet("patched/removed.parquet")
        with pytest.raises(ArtefactError, match="the content of removed is not what its manifest states"):
            patch_undo(path, "patched", "again")

    def test_rows_of_a_file_come_back_too_but_nothing_vouches_for_them(self):
        rows = curate(DATA, {"steps": []}).frame
        path = written(edit_of(rows, 0, "edit", fields={"output": "Lo"}))
        patch_apply(path, "rows.json", "patched")
        undone = patch_undo(path, "patched")
        assert undone.equal is None
        assert undone.frame.drop("origin").equals(rows.drop("origin"))


@st.composite
def versions(draw) -> pl.DataFrame:
    """Rows of both kinds with gaps in their positions, copies, weights, a column of the user's."""
    picked = draw(st.lists(st.sampled_from([*DATA[:4], *CHATS]), min_size=1, max_size=6))
    kinds = [[row for row in picked if "messages" in row], [row for row in picked if "messages" not in row]]
    frame = curate([curate(rows, {"steps": []}).frame for rows in kinds if rows], {"steps": []}).frame
    gaps = pl.Series(draw(st.lists(st.integers(1, 5), min_size=frame.height, max_size=frame.height)), dtype=pl.UInt64).cum_sum()
    weights = draw(st.lists(st.sampled_from([0.5, 1.0, 3.0]), min_size=frame.height, max_size=frame.height))
    return frame.with_columns(gaps.alias("position"), pl.Series("weight", weights, dtype=pl.Float32))


@st.composite
def patches(draw, frame: pl.DataFrame) -> list[Edit]:
    edits = []
    for k in range(draw(st.integers(1, 8))):
        row = draw(st.integers(0, frame.height - 1))
        action = draw(st.sampled_from(["drop", "edit", "weight", "mask", "add"]))
        values: dict = {"status": draw(st.sampled_from(["accepted", "accepted", "proposed", "rejected"]))}
        if action == "add":
            fields = {"instruction": draw(st.sampled_from(["Sing", "Sum"])), "output": "x"}
            edits.append(Edit(edit_id=f"e{k}", action="add", fields=fields, weight=draw(st.sampled_from([None, 2.0])), **values))
            continue
        talk = frame["kind"][row] == "chat"
        if action == "edit":
            choices = [{"output": "New"}, {"output": frame["output"][row]}, {"instruction": "Ask", "system": "Be brief."}]
            values["fields"] = draw(st.sampled_from(choices + [{"messages": CHATS[1]["messages"]}] * talk + [{"input": None}] * (not talk)))
        elif action == "weight":
            values["weight"] = draw(st.sampled_from([0.0, 0.1, 1.0, 7.0]))
        elif action == "mask" and talk:
            values["turn"] = draw(st.sampled_from([None, 1]))
        edits.append(replace(edit_of(frame, row, action, **values), edit_id=f"e{k}"))
    return edits


@settings(max_examples=30)
@given(st.data(), st.booleans())
def test_what_is_applied_can_be_taken_back(tmp_path_factory, data, everything):
    folder = tmp_path_factory.mktemp("undo")
    made = curate(data.draw(versions()), {"steps": []}, out=folder / "version")
    edits = data.draw(patches(made.frame))
    path = folder / "patch.jsonl"
    write_patch(path, edits)
    try:
        applied = patch_apply(path, folder / "version", folder / "patched", all=everything)
    except OptionError:
        assert not any(edit.status == "accepted" or (everything and edit.status == "proposed") for edit in edits)
        return
    curated = applied.curated
    assert curated.rows_in + curated.added == curated.kept + curated.dropped
    assert sum(applied.taken.values()) == curated.ledger.height
    undone = patch_undo(path, folder / "patched", folder / "again")
    again, before = Version.open(folder / "again"), Version.open(folder / "version")
    assert again.frame.equals(before.frame)
    assert undone.equal is True
    assert again.manifest.hash == before.manifest.hash
    assert undone.rows_in + undone.restored == undone.kept + undone.taken_out
    assert (undone.restored, undone.reverted, undone.taken_out) == (curated.dropped, curated.edited, curated.added)


class TestShow:
    def test_counts_and_the_words_that_change(self, clean):
        path = a_patch(clean.frame)
        shown = patch_show(path, "clean")
        assert shown.edits == 7
        assert shown.counts == {
            "drop": {"proposed": 1, "accepted": 1}, "edit": {"accepted": 1}, "weight": {"accepted": 1},
            "mask": {"accepted": 1, "rejected": 1},
            "add": {"accepted": 1},
        }  # fmt: skip
        assert shown.categories == {
            "refusal": {"drop": 2, "mask": 1},
            "wrong_sum": {"edit": 1, "mask": 1},
            "missing": {"add": 1},
            "rare": {"weight": 1},
        }
        assert shown.taken == {"drop": 1, "edit": 1, "weight": 1, "add": 1}
        by = {(sample["action"], sample["position"]): sample for sample in shown.samples}
        assert set(by) == {("weight", 0), ("drop", 1), ("drop", 2), ("edit", 3), ("mask", 3), ("add", None)}
        change = by["edit", 3]["changes"][0]
        assert (change["field"], change["before"], change["after"]) == ("output", "The sum is 4", "The sum is 3")
        assert change["words"] == [{"op": "equal", "text": "The sum is "}, {"op": "delete", "text": "4"}, {"op": "insert", "text": "3"}]
        assert by["drop", 1]["changes"][0]["words"] == [{"op": "delete", "text": "As an AI I cannot"}]
        assert by["add", None]["changes"][0]["words"] == [{"op": "insert", "text": "ba"}]
        assert [change["after"] for change in by["weight", 0]["changes"]] == ["2"]
        assert patch_show(path).samples == []
        assert len(patch_show(path, "clean", samples=1).samples) == 4

    def test_turns_are_shown_once(self):
        curate(CHATS, {"steps": []}, out="talks")
        frame = Version.open("talks").frame
        shown = patch_show(written(edit_of(frame, 0, "edit", fields={"output": "Good night"})), "talks")
        assert [change["field"] for change in shown.samples[0]["changes"]] == ["messages[3].content"]

    def test_another_version_is_refused(self, clean):
        with pytest.raises(InputError, match=r"a patch for another version: 4 of 5 edits name a row of rows\.json"):
            patch_show(a_patch(clean.frame), "rows.json")


def run(*args: str) -> Result:
    return CliRunner().invoke(main, ["patch", *args])


def asked(*args: str) -> dict:
    result = run(*args, "--json")
    assert result.exit_code == 0, result.output
    assert len(result.stdout.splitlines()) == 1
    assert not result.stderr
    return json.loads(result.stdout)


def refused(*args: str) -> str:
    result = run(*args)
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    return " ".join(result.stderr.split())


class TestCommand:
    def test_show(self, clean):
        path = a_patch(clean.frame)
        told = asked("show", path, "clean")
        assert told["counts"]["drop"] == {"proposed": 1, "accepted": 1}
        assert len(told["samples"]) == 6
        assert asked("show", path)["samples"] == []
        result = run("show", path, "clean")
        assert "output: The sum is [-4-]{+3+}" in result.stdout
        assert "prompt: Sing [/b] it" in result.stdout
        assert "1 proposed edit is not taken; --all takes it" in result.stdout
        assert asked("show", path, "--all")["taken"]["drop"] == 2

    def test_apply_and_undo(self, clean):
        path = a_patch(clean.frame)
        told = asked("apply", path, "clean", "-o", "patched")
        assert {k: told[k] for k in ("rows_in", "added", "kept", "dropped", "edited", "rejected", "reused", "out")} == {
            "rows_in": 4, "added": 1, "kept": 4, "dropped": 1, "edited": 2, "rejected": 0, "reused": False, "out": "patched",
        }  # fmt: skip
        assert asked("apply", path, "clean", "-o", "patched")["reused"] is True
        assert "--force" in refused("apply", path, "clean", "-o", "patched", "--all")
        result = run("apply", path, "clean", "-o", "patched", "--all", "--force")
        assert "4 in + 1 added = 3 kept + 2 dropped + 0 rejected" in result.stdout
        assert "nobody has reviewed" in result.stdout
        told = asked("undo", path, "patched", "-o", "again")
        assert (told["equal"], told["restored"], told["reused"]) == (True, 2, False)
        assert read_manifest("again").hash == clean.manifest.hash
        assert asked("undo", path, "patched", "-o", "again")["reused"] is True
        assert "the same content as the version that was patched" in run("undo", path, "patched", "-o", "third").stdout

    def test_a_dry_run(self, clean):
        path = a_patch(clean.frame)
        assert asked("apply", path, "clean", "--dry-run")["dry_run"] is True
        assert "nothing was written" in run("apply", path, "clean", "-o", "patched", "--dry-run").stdout
        assert not Path("patched").exists()

    def test_misuse(self, clean):
        path = a_patch(clean.frame)
        assert "expected -o VERSION" in refused("apply", path, "clean")
        assert "expected the VERSION" in refused("apply", path, "-o", "x")
        assert "expected the VERSION" in refused("undo", path, "-o", "x")
        assert "--dry-run belongs to apply" in refused("undo", path, "clean", "--dry-run", "-o", "x")
        assert "--all belongs to apply and show" in refused("undo", path, "clean", "--all", "-o", "x")
        assert "writes nothing" in refused("show", path, "-o", "x")
        assert "found no such file" in refused("show", "nowhere.jsonl")
        Path("bad.jsonl").write_text("{")
        assert "bad.jsonl, line 1: expected one JSON object a line" in refused("apply", "bad.jsonl", "clean", "-o", "x")
        assert "none accepted of 1 edit" in refused(
            "apply", written(edit_of(clean.frame, 0, "drop", status="proposed"), path="p.jsonl"), "clean", "-o", "x"
        )
        assert "expected a version" in refused("undo", path, "rows.json", "-o", "x")
        assert "nowhere: no such file or folder" in refused("apply", path, "nowhere", "-o", "x")
