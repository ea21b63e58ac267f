"""restore: dropped rows come back, edited rows get back their text, by row, rule and step; what cannot come back says why."""

from __future__ import annotations

import json
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith import core, restore
from tunesmith.cli import main
from tunesmith.curation import curate, diff, explain, what_if
from tunesmith.curation.edits import Edit, edit_id, write_patch
from tunesmith.errors import ArtefactError, InputError, OptionError
from tunesmith.rows import Version, read, split

PROMPT = "Please describe the old red house at the corner of the street in the town"
DATA = [
    {"instruction": PROMPT, "output": "It is red."},
    {"instruction": PROMPT + " now", "output": "It is old."},  # a near duplicate of 0
    {"instruction": "Sing [/b] it", "input": "n/a", "output": "La &lt;la&gt; la"},  # edited by two rules
    {"instruction": ""},  # a reject
    {"instruction": "Hum [/b] it", "input": "N/A", "output": ""},  # edited, then dropped
    {"instruction": PROMPT, "output": "It is red."},  # a copy of 0
    {"instruction": "Name a tree", "input": "none", "output": "oak"},  # edited by one rule
    {"instruction": "What colour has it?", "output": "It is red."},  # flagged
]
STEPS = {"steps": [
    {"fix": {"only": ["input_placeholder", "html_entity"]}}, {"filter": {"name": "short", "words": {"min": 1}}},
    {"exact_duplicates": {"of": ["prompt", "response"]}}, {"near_duplicates": {"name": "near", "action": "drop"}},
    {"exact_duplicates": {"name": "same", "of": "response", "action": "flag"}},
]}  # fmt: skip


@pytest.fixture(autouse=True)
def clean(tmp_path, monkeypatch) -> Version:
    """A version of everything, in a folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    Path("rows.json").write_text(json.dumps(DATA))
    curate("rows.json", STEPS, out="clean")
    version = Version.open("clean")
    assert version.frame["position"].to_list() == [0, 2, 6, 7]
    return version


def source() -> pl.DataFrame:
    return read("rows.json").frame


def at(frame: pl.DataFrame, position: int) -> dict:
    return frame.row(by_predicate=pl.col("position") == position, named=True)


def entries(ledger: pl.DataFrame, position: int) -> list[tuple[str, str, str]]:
    return ledger.filter(position=position).select("step", "rule", "action").rows()


class TestRows:
    def test_a_near_duplicate_comes_back(self, clean):
        made = restore("clean", "more", row=1)
        assert (made.restored, made.returned, made.reverted, made.kept, made.dropped, made.rejected) == (1, 1, 0, 5, 2, 1)
        assert made.rows_in == len(DATA) == made.kept + made.dropped + made.rejected
        assert dict(made.undone) == {"near.near_duplicate": 1}
        more = Version.open("more")
        more.verify()
        assert more.frame["position"].to_list() == [0, 1, 2, 6, 7]
        assert at(more.frame, 1) == at(source(), 1)
        assert more.removed["position"].to_list() == [2, 4, 4, 5, 6]
        assert more.frame.equals(made.frame)
        (story,) = explain("more", 1).rows
        (entry,) = story.entries
        assert (story.fate, entry["step"], entry["rule"], entry["action"]) == ("kept", "restore", "near.near_duplicate", "keep")
        assert (entry["twin_position"], entry["threshold"]) == (0, 0.7)
        assert entry["value"] == entry["similarity"] > 0.7
        assert entry["evidence"] == "came back (named by row); was dropped by near.near_duplicate: row 0 is kept of a group of 2"
        assert diff("clean", "more").why == {"added": {"was dropped: near.near_duplicate": 1}, "removed": {}, "edited": {}}

    def test_an_edited_row_gets_back_its_text(self, clean):
        made = restore("clean", "more", row=[2])
        assert (made.restored, made.returned, made.reverted, made.kept, made.edited) == (1, 0, 1, 4, 1)
        assert at(made.frame, 2) == at(source(), 2)
        assert made.removed["position"].to_list() == [1, 4, 4, 5, 6]
        assert entries(made.ledger, 2) == [("restore", "fix.html_entity", "edit")]
        entry = at(made.ledger, 2)
        assert (entry["row_id"], entry["new_id"]) == (at(clean.frame, 2)["row_id"], at(source(), 2)["row_id"])
        assert entry["field"] == "input, output"
        assert entry["evidence"] == "as it was before (named by row); was edited by fix.html_entity, fix.input_placeholder"
        assert diff("clean", "more").why["edited"] == {"restore.fix.html_entity": 1}

    def test_what_was_measured_of_another_text_is_left_out(self, clean):
        restore("clean", "more", row=[1, 2])
        more = Version.open("more")
        assert explain("clean", 2).rows[0].values
        assert explain("more", 2).rows[0].values == {}
        assert explain("more", 1).rows[0].values == explain("clean", 1).rows[0].values
        assert more.values.schema == clean.values.schema
        assert more.edges.equals(clean.edges)

    def test_a_row_edited_and_dropped_comes_back_in_two_steps(self, clean):
        once = restore("clean", "once", row=4)
        assert once.notes == ("1 row comes back edited, as it was when dropped; restoring once more undoes the edits",)
        assert at(once.frame, 4) == at(clean.removed.filter(position=4).tail(1), 4)
        assert at(once.frame, 4)["input"] == ""
        assert entries(once.ledger, 4) == [("fix", "input_placeholder", "edit"), ("restore", "short.words.min", "keep")]
        assert explain("once", 4).rows[0].changes == ({"field": "input", "before": "N/A", "after": ""},)
        twice = restore("once", "twice", row=4)
        assert (twice.returned, twice.reverted, twice.notes) == (0, 1, ())
        assert at(twice.frame, 4) == at(source(), 4)
        assert [action for _, _, action in entries(twice.ledger, 4)] == ["keep", "edit"]
        with pytest.raises(OptionError, match="twice: nothing to restore: row 4: restored already"):
            restore("twice", row=4)

    def test_ids_mean_all_copies_and_those_without_anything_are_told(self, clean):
        shared = at(clean.frame, 0)["row_id"]
        made = restore("clean", row=[shared[:9], 7])
        assert made.returned == 1
        assert at(made.frame, 5) == at(source(), 5)
        assert made.notes == ("row 0: kept as it was read", "row 7: only flagged, and flags alone are nothing to restore")

    @pytest.mark.parametrize(
        ("row", "error", "message"),
        [
            (99, InputError, "no row has the position 99; positions go up to 7"),
            ("ffffffff", InputError, "no row's id begins with ffffffff; expected an id of this version, or a position"),
            (0, OptionError, "nothing to restore: row 0: kept as it was read"),
            (3, OptionError, "nothing to restore: row 3: a rejected record, which never was a row; mend it in the source"),
            ([7, 0], OptionError, "row 0: kept as it was read; nor is there anything for the other rows that were named"),
            (7, OptionError, "row 7: only flagged, and flags alone are nothing to restore"),
        ],
    )
    def test_what_cannot_come_back_says_why(self, clean, row, error, message):
        with pytest.raises(error, match=message):
            restore("clean", "more", row=row)
        assert not Path("more").exists()


class TestRulesAndSteps:
    def test_a_step(self, clean):
        made = restore("clean", step="exact_duplicates")
        assert made.frame["position"].to_list() == [0, 2, 5, 6, 7]
        assert at(made.ledger, 5)["evidence"].startswith(
            "came back (step exact_duplicates); was dropped by exact_duplicates.exact_duplicate"
        )

    @pytest.mark.parametrize("rule", ["near_duplicate", "near.near_duplicate"])
    def test_a_rule_with_or_without_its_step(self, clean, rule):
        assert restore("clean", rule=rule).frame["position"].to_list() == [0, 1, 2, 6, 7]

    def test_edits_of_other_rules_go_too_and_rows_that_are_out_stay_out(self, clean):
        made = restore("clean", rule="input_placeholder")
        assert (made.returned, made.reverted, made.kept) == (0, 2, 4)
        why = "a version keeps an edited row as it was read, and no text between two edits"
        assert made.notes == (
            f"edits of other rules were undone as well, for {why}: fix.html_entity (1)",
            "1 edited row stays out, dropped by what was not named: short.words.min (1)",
        )
        assert dict(made.undone) == {"fix.input_placeholder": 2, "fix.html_entity": 1}
        assert [entry[1] for entry in entries(made.ledger, 2)] == ["fix.input_placeholder"]
        assert [entry[2] for entry in entries(made.ledger, 4)] == ["edit", "drop"]

    def test_a_row_dropped_for_several_reasons(self):
        curate([{"instruction": "Say", "output": ""}], {"steps": ["detect", {"filter": {"name": "short", "words": {"min": 1}}}]}, out="v")
        made = restore("v", rule="words.min")
        assert made.notes == ("rows came back that other rules had dropped as well: detect.output_empty (1)",)
        assert entries(made.ledger, 0) == [("restore", "short.words.min", "keep")]
        assert at(made.ledger, 0)["evidence"].startswith("came back (rule words.min); was dropped by detect.output_empty, short.words.min")

    @pytest.mark.parametrize(
        ("chosen", "message"),
        [
            (
                {"rule": "same.exact_duplicate"},
                r"the rule same\.exact_duplicate dropped and edited none \(rows by action: flag \(1\)\); flags alone",
            ),
            ({"step": "same"}, r"the step same dropped and edited none \(rows by action: flag"),
            ({"rule": "near_duplicat"}, r'knows no rule near_duplicat \(did you mean "near_duplicate"\?\)\. Known, with their rows: fix'),
            (
                {"step": "zzz"},
                r"the ledger knows no step zzz\. Known, with their rows: fix \(2\), exact_duplicates \(1\), near \(1\), short",
            ),
            ({}, "expected --row ROW, --rule RULE or --step STEP, which say what to bring back; found none"),
            ({"rule": ["near_duplicate", "zzz"]}, r"the ledger knows no rule zzz\. Known"),
            ({"row": 1, "step": "nearr"}, r'the ledger knows no step nearr \(did you mean "near"\?\)'),
            ({"row": [0, 7], "step": "same"}, r"nothing to restore: row 0: kept as it was read; .*; the step same dropped and edited none"),
        ],
    )
    def test_what_is_not_known(self, clean, chosen, message):
        with pytest.raises(OptionError, match=message):
            restore("clean", **chosen)

    def test_several_selections_mean_what_one_of_them_means(self, clean):
        made = restore("clean", "more", row=5, rule=["near_duplicate", "html_entity"], step=["short", "same"])
        assert made.frame["position"].to_list() == [0, 1, 2, 4, 5, 6, 7]
        assert (made.returned, made.reverted) == (3, 1)
        said = {entry["position"]: entry["evidence"] for entry in made.ledger.filter(step="restore").to_dicts()}
        assert said[2] == "as it was before (rule html_entity); was edited by fix.html_entity, fix.input_placeholder"
        assert said[5].startswith("came back (named by row); was dropped by exact_duplicates.exact_duplicate")
        assert said[4].startswith("came back (step short)")
        assert made.notes[-1].startswith("the step same dropped and edited none (rows by action: flag (1))")
        again = restore("clean", "more", row=[5], rule=["html_entity", "near_duplicate"], step=("same", "short"))
        assert (again.reused, again.notes) == (True, made.notes)
        twice = restore("clean", row=1, rule="near_duplicate", step="near")
        assert at(twice.ledger.filter(step="restore"), 1)["evidence"].startswith("came back (named by row, rule near_duplicate, step near)")

    def test_a_step_that_did_nothing(self):
        curate("rows.json", {"steps": ["exact_duplicates", {"filter": {"name": "huge", "words": {"max": 900}}}]}, out="v")
        with pytest.raises(
            OptionError, match=r"the step huge dropped, edited and flagged none\. Known, with their rows: exact_duplicates \(1\)"
        ):
            restore("v", step="huge")

    def test_a_rule_whose_rows_are_all_out(self):
        curate([{"instruction": "Say", "input": "n/a", "output": ""}], {"steps": ["fix", "detect"]}, out="v")
        with pytest.raises(
            OptionError, match=r"every row that the step fix edited was dropped by another rule; name that: detect\.output_e"
        ):
            restore("v", step="fix")

    def test_a_version_without_anything(self):
        curate("rows.json", {"steps": []}, out="all")
        with pytest.raises(OptionError, match="its ledger has no dropped or edited row that could come back"):
            restore("all", rule="near_duplicate")
        split("clean", "parts", test=1, validation=0)
        with pytest.raises(OptionError, match="its ledger has no dropped or edited row"):
            restore("parts/train", step="fix")


def everything(version: str) -> Version:
    """Restore until nothing is left: the drops, then the edits."""
    for k in range(3):
        opened = Version.open(version)
        out = opened.removed["position"].unique().to_list()
        if not out:
            return opened
        version = f"{version}-{k}"
        restore(opened, version, row=out)
    pytest.fail(f"rows were left: {out}")


class TestRoundTrip:
    def test_everything_restored_is_the_source(self, clean):
        version = everything("clean")
        assert version.frame.equals(source())
        assert version.manifest.hash == core.content_hash(source())
        version.verify()
        assert {*version.ledger["action"]} == {"reject", "keep", "edit", "flag"}
        assert version.rejected.equals(clean.rejected)

    def test_step_by_step(self, clean):
        last = "clean"
        for step in ("near", "exact_duplicates", "short", "fix"):
            restore(last, f"without-{step}", step=step)
            last = f"without-{step}"
        assert Version.open(last).manifest.hash == core.content_hash(source())

    def test_a_patch_weights_masks_and_turns(self):
        talks = [[("user", f"Say {word}"), ("assistant", word)] for word in ("hi", "it", "so")]
        curate([{"messages": [{"role": role, "content": text} for role, text in talk]} for talk in talks], {"steps": []}, out="v")
        rows = Version.open("v").frame
        edits = []
        for k, (action, more) in enumerate([("mask", {"turn": 1}), ("weight", {"weight": 0.5}), ("drop", {})]):
            named = {"position": rows["position"][k], "row_id": rows["row_id"][k], "action": action}
            edits.append(Edit(edit_id=edit_id(**named), status="accepted", **named, **more))
        write_patch("patch.jsonl", edits)
        curate("v", {"steps": [{"patch": {"file": "patch.jsonl"}}]}, out="patched")
        made = restore("patched", "back", step="patch")
        assert made.frame.equals(rows)
        assert made.ledger.select("position", "rule", "action", "field", "new_id").rows() == [
            (0, "patch.mask", "edit", "messages", rows["row_id"][0]), (1, "patch.weight", "edit", "weight", None),
            (2, "patch.drop", "keep", None, None),
        ]  # fmt: skip
        assert diff("v", "back").same == 3

    def test_an_edit_that_came_after_the_drop_is_not_brought_back(self):
        rows = [{"instruction": "Say", "input": "n/a", "output": "it"}] * 2
        curate(rows, {"steps": ["exact_duplicates", "fix"]}, out="v")
        assert Version.open("v").removed["input"].to_list() == ["n/a", "n/a", ""]
        made = restore("v", "back", step="exact_duplicates")
        assert made.frame["input"].to_list() == ["", "n/a"]
        assert made.removed["position"].to_list() == [0]
        assert everything("back").frame["input"].to_list() == ["n/a", "n/a"]

    def test_edits_that_came_to_nothing(self):
        rows = [{"instruction": "Say", "input": "n/a", "output": ""}, {"instruction": "Say", "input": "n/a", "output": "it"}]
        frame = read(rows).frame
        edits = []
        for k in range(2):
            named = {"position": k, "row_id": frame["row_id"][k], "action": "edit"}
            edits.append(Edit(edit_id=edit_id(**named), status="accepted", fields={"input": "n/a"}, **named))
        write_patch("patch.jsonl", edits)
        curate(rows, {"steps": ["fix", {"patch": {"file": "patch.jsonl"}}, {"filter": {"words": {"min": 1}}}]}, out="v")
        made = restore("v", row=[0, 1])
        assert made.frame.equals(frame)
        assert made.removed.height == 0
        assert made.notes == ("row 1: as it was read, for its edits came to nothing",)

    def test_a_text_between_two_edits_is_said_to_be_lost(self):
        rows = [{"instruction": "Say", "input": "n/a", "output": "1 &lt; 2"}] * 2
        first, second = ({"fix": {"name": name, "only": [name]}} for name in ("input_placeholder", "html_entity"))
        curate(rows, {"steps": [first, "exact_duplicates", second]}, out="v")
        made = restore("v", "back", row=1)
        assert made.frame.row(1, named=True)["output"] == "1 < 2"
        assert "the text between is not kept: this is the later one" in made.ledger.filter(step="restore")["evidence"][0]
        assert everything("back").frame["output"].to_list() == ["1 &lt; 2"] * 2


@settings(max_examples=20, deadline=None)
@given(
    rows=st.lists(
        st.tuples(st.sampled_from(["Say hi", "Say it", "", "Hum"]), st.sampled_from(["n/a", ""]), st.sampled_from(["", "a &lt; b", "x"])),
        min_size=1, max_size=8,
    ),
    order=st.permutations(
        [STEPS["steps"][0], {"filter": {"words": {"min": 1}}}, "exact_duplicates", {"filter": {"characters": {"min": 2}}}]
    ),
)  # fmt: skip
def test_whatever_the_steps_rows_add_up_and_all_come_back(tmp_path_factory, rows, order):
    folder = str(tmp_path_factory.mktemp("any") / "v")
    data = [dict(zip(("instruction", "input", "output"), row, strict=True)) for row in rows]
    first = curate(data, {"steps": order}, out=folder)
    read_in = read(data).frame
    if not first.removed.height:
        return
    made = restore(folder, row=first.removed["position"].to_list())
    assert made.rows_in == first.rows_in == made.kept + made.dropped + made.rejected
    assert made.frame["position"].to_list() == read_in["position"].to_list()
    assert everything(folder).frame.equals(read_in)


def run(*args: str) -> Result:
    return CliRunner().invoke(main, args)


def asked(*args: str) -> dict:
    result = run(*args, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


class TestCommand:
    def test_json_reuse_and_check(self, clean):
        told = asked("restore", "clean", "-o", "more", "--row", "1", "--row", "5")
        assert (told["restored"], told["kept"], told["reused"], told["out"]) == (2, 6, False, "more")
        again = asked("restore", "clean", "-o", "more", "--row", at(clean.removed, 1)["row_id"][:12], "--row", "5", "--row", "1")
        assert again == {**told, "reused": True}
        assert asked("check", "more")["valid"] == 6
        manifest = Version.open("more").manifest
        assert manifest.inputs["version"] == clean.manifest.hash
        assert manifest.options == {"restore": {"rows": [1, 5]}}

    def test_a_changed_version_is_noticed(self, clean):
        frame = clean.removed.with_columns(output=pl.lit("something else"))
        frame.write_parquet("clean/removed.parquet")
        with pytest.raises(ArtefactError, match="the content of removed is not what its manifest states"):
            restore("clean", row=1)

    def test_another_output_needs_force(self):
        asked("restore", "clean", "-o", "more", "--rule", "near_duplicate")
        refused = run("restore", "clean", "-o", "more", "--step", "fix")
        assert refused.exit_code == 2
        assert "--force" in refused.stderr
        assert asked("restore", "clean", "-o", "more", "--step", "fix", "--force", "--rows-per-file", "3")["reverted"] == 2
        assert Path("more/rows.parquet").is_dir()
        assert "lies in it" in run("restore", "clean", "-o", "clean", "--step", "fix", "--force").stderr

    def test_tables_and_a_dry_run(self, tmp_path):
        before = sorted(path.name for path in tmp_path.iterdir())
        shown = run("restore", "clean", "--rule", "input_placeholder", "--dry-run").stdout
        assert "2 restored: 0 came back, 2 got back their text; 8 in = 4 kept + 3 dropped + 1 rejected" in shown
        assert "1 edited row stays out" in shown
        assert "nothing was written" in shown
        assert asked("restore", "clean", "--row", "1", "--dry-run")["dry_run"] is True
        assert sorted(path.name for path in tmp_path.iterdir()) == before
        assert "tunesmith explain more 1" in run("restore", "clean", "-o", "more", "--row", "1").stdout
        assert "already made" in run("restore", "clean", "-o", "more", "--row", "1").stdout

    @pytest.mark.parametrize(
        ("args", "message"),
        [
            (["clean", "--row", "1"], "expected -o VERSION"),
            (["clean", "-o", "more"], "expected --row ROW, --rule RULE or --step STEP"),
            (["clean", "-o", "more", "--row", "1", "--rule", "x"], "the ledger knows no rule x"),
            (["clean", "-o", "more", "--row", "0"], "nothing to restore"),
            (["rows.json", "-o", "more", "--row", "0"], "expected a version, found a file"),
        ],
    )
    def test_misuse_ends_with_2(self, args, message):
        done = run("restore", *args)
        assert done.exit_code == 2
        assert done.stdout == ""
        assert message in done.stderr
        assert not Path("more").exists()

    def test_what_if_says_that_no_recipe_decides_about_it(self):
        restore("clean", "more", row=1)
        with pytest.raises(ArtefactError, match="found one with rows that `restore` brought back, about which no recipe decides"):
            what_if("more", "near.threshold=0.9")

    def test_a_report_of_it(self):
        asked("restore", "clean", "-o", "more", "--row", "1", "--row", "2")
        assert Path(asked("report", "more", "-o", "r.html")["report"]).is_file()

    def test_it_can_be_curated_again(self):
        restore("clean", "more", row=1)
        made = curate("more", STEPS, out="again")
        assert (made.kept, dict(made.reasons)) == (4, {"near.near_duplicate": 1})
