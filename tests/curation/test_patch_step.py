"""The recipe step `patch`: each action on each kind of row, with other steps around it, in chunks of any size."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunesmith.curation import curate, diff, explain, what_if
from tunesmith.curation.alternatives import NeedsRunError
from tunesmith.curation.edits import Edit, edit_id, fingerprint, read_patch, write_patch
from tunesmith.curation.local import LocalEngine
from tunesmith.errors import ArtefactError, InputError, OptionError
from tunesmith.rows import Version, ids, read

ROWS = [
    {"instruction": "Add 1 and 2.", "input": "", "output": "4", "topic": "sums"},
    {"instruction": "Sing", "input": "n/a", "output": "La", "topic": "songs"},
    {"instruction": "Sing", "input": "n/a", "output": "La", "topic": "songs"},
    {"instruction": "Name a tree", "input": "", "output": "As an AI I cannot", "topic": None},
]
TALK = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello"},
    {"role": "user", "content": "And?"},
    {"role": "assistant", "content": "Bye"},
]
ASKED = [{"role": "user", "content": "Which?"}]
PAIR = {"prompt": ASKED, "chosen": [{"role": "assistant", "content": "This."}], "rejected": [{"role": "assistant", "content": "That."}]}


def edit_of(frame: pl.DataFrame, row: int, action: str, **values) -> Edit:
    position, row_id = frame["position"][row], frame["row_id"][row]
    name = edit_id(position, row_id, action, values.get("category"), turn=values.get("turn"))
    return Edit(edit_id=name, position=position, row_id=row_id, action=action, **{"status": "accepted", **values})


def new(number: int, **fields) -> Edit:
    return Edit(edit_id=f"new{number}", action="add", fields=fields, status="accepted", category="missing")


@pytest.fixture
def patched(tmp_path):
    """Curate rows with a patch made of edits, and with steps before and after it."""

    def make(source, *edits: Edit, before=(), after=(), out=None, engine=None, **options):
        path = tmp_path / "patch.jsonl"
        write_patch(path, edits)
        return curate(source, {"steps": [*before, {"patch": {"file": str(path), **options}}, *after]}, out=out, engine=engine)

    return make


def entries(made) -> list[tuple]:
    return made.ledger.select("position", "rule", "action", "field", "turn", "value").rows()


class TestActions:
    def test_drop(self, patched):
        frame = read(ROWS).frame
        made = patched(ROWS, edit_of(frame, 3, "drop", category="refusal", reason="It refuses.", evidence={"ratio": 3.5}, reviewer="Ada"))
        assert (made.rows_in, made.added, made.kept, made.dropped, made.edited) == (4, 0, 3, 1, 0)
        assert entries(made) == [(3, "refusal", "drop", None, None, None)]
        said = made.ledger["evidence"][0]
        assert said.startswith('It refuses.; {"ratio": 3.5}; edit ')
        assert said.endswith("of patch.jsonl, accepted by Ada")
        assert made.reasons == {"patch.refusal": 1}
        assert made.removed["position"].to_list() == [3]

    def test_edit(self, patched):
        frame = read(ROWS).frame
        made = patched(ROWS, edit_of(frame, 0, "edit", fields={"output": "3", "input": None}))
        assert (made.kept, made.edited, made.dropped) == (4, 1, 0)
        assert made.frame["output"].to_list() == ["3", "La", "La", "As an AI I cannot"]
        assert made.removed.select("position", "output").rows() == [(0, "4")]
        entry = made.ledger.row(0, named=True)
        assert (entry["rule"], entry["action"], entry["field"]) == ("edit", "edit", "output, input")
        assert (entry["row_id"], entry["new_id"]) == (frame["row_id"][0], made.frame["row_id"][0])
        assert ids(made.frame)["row_id"].equals(made.frame["row_id"])

    def test_weight_and_mask_of_a_row(self, patched):
        frame = read(ROWS).frame
        made = patched(ROWS, edit_of(frame, 0, "weight", weight=2.5, category="rare"), edit_of(frame, 1, "mask"))
        assert made.frame["weight"].to_list() == [2.5, 0, 1, 1]
        assert made.frame["row_id"].equals(frame["row_id"])
        assert entries(made) == [(0, "rare", "edit", "weight", None, 2.5), (1, "mask", "edit", "weight", None, 0)]
        assert made.ledger["new_id"].null_count() == 2
        assert made.removed.select("position", "weight").rows() == [(0, 1), (1, 1)]
        assert made.edited == 2

    def test_mask_of_a_turn(self, patched):
        data = [{"messages": TALK}]
        frame = read(data).frame
        made = patched(data, edit_of(frame, 0, "mask", turn=2, category="too_long"))
        assert [turn["train"] for turn in made.frame["messages"][0]] == [None, None, False, None, None]
        assert made.frame["row_id"][0] != frame["row_id"][0]
        assert entries(made) == [(0, "too_long", "edit", "train", 2, None)]
        assert made.frame.select("instruction", "output", "system").rows() == [("And?", "Bye", "Be brief.")]

    def test_edit_of_turns(self, patched):
        data = [{"messages": TALK}] * 4
        frame = read(data).frame
        shorter = [TALK[1], {"role": "assistant", "content": "Yes", "tool_calls": [{"name": "f", "arguments": "{}"}]}]
        made = patched(
            data,
            edit_of(frame, 0, "edit", turn=2, fields={"output": "Good day"}),
            edit_of(frame, 1, "edit", fields={"output": "So long", "instruction": "Well?", "system": None}),
            edit_of(frame, 2, "edit", fields={"messages": shorter}),
            edit_of(frame, 3, "edit", turn=1, fields={"instruction": "Good morning"}),
        )
        contents = [[turn["content"] for turn in messages] for messages in made.frame["messages"]]
        assert contents[0] == ["Be brief.", "Hi", "Good day", "And?", "Bye"]
        assert contents[1] == ["Hi", "Hello", "Well?", "So long"]
        assert contents[2] == ["Hi", "Yes"]
        assert contents[3] == ["Be brief.", "Good morning", "Hello", "And?", "Bye"]
        assert made.frame["output"].to_list() == ["Bye", "So long", "Yes", "Bye"]
        assert made.frame["instruction"].to_list() == ["And?", "Well?", "Hi", "And?"]
        assert made.frame["system"].to_list() == ["Be brief.", None, None, "Be brief."]
        assert '"function"' in made.frame["messages"][2][1]["tool_calls"]
        # What is edited reads back with the same ids as what was read so to begin with.
        again = read([{"messages": [{"role": m["role"], "content": m["content"]} for m in made.frame["messages"][0]]}]).frame
        assert again["row_id"][0] == made.frame["row_id"][0]

    def test_edit_of_pairs_and_texts(self, patched):
        frame = read([PAIR]).frame
        made = patched(
            [PAIR], edit_of(frame, 0, "edit", fields={"rejected": [{"role": "assistant", "content": "Neither."}], "output": "It."})
        )
        assert (made.frame["output"][0], made.frame["rejected"][0][0]["content"]) == ("It.", "Neither.")
        data = [{"text": "Once upon a time."}]
        made = patched(data, edit_of(read(data).frame, 0, "edit", fields={"output": "The end."}))
        assert made.frame["output"].to_list() == ["The end."]

    def test_add(self, patched):
        frame = read(ROWS).frame
        made = patched(
            ROWS,
            new(1, instruction="Reverse", input="ab", output="ba", topic="words"),
            edit_of(frame, 0, "drop"),
            replace(new(2, instruction="Reverse", input="cd", output="dc"), weight=0.5),
        )
        assert (made.rows_in, made.added, made.kept, made.dropped) == (4, 2, 5, 1)
        rows = made.frame.tail(2)
        assert rows["position"].to_list() == [4, 5]
        assert rows["origin"].to_list() == [
            {"file": "patch.jsonl", "record": 0, "part": None},
            {"file": "patch.jsonl", "record": 2, "part": None},
        ]
        assert rows.select("kind", "output", "weight", "topic").rows() == [("instruct", "ba", 1.0, "words"), ("instruct", "dc", 0.5, None)]
        assert ids(rows)["row_id"].equals(rows["row_id"])
        assert entries(made)[1:] == [(4, "missing", "keep", None, None, None), (5, "missing", "keep", None, None, 0.5)]
        assert "added by edit new1" in made.ledger["evidence"][1]

    def test_an_edit_that_changes_nothing_is_booked_but_is_no_edit(self, patched):
        frame = read(ROWS).frame
        made = patched(ROWS, edit_of(frame, 0, "edit", fields={"output": "4"}), edit_of(frame, 1, "weight", weight=1))
        assert made.edited == 0
        assert made.removed.is_empty()
        assert made.ledger["action"].to_list() == ["keep", "keep"]
        assert made.frame.equals(frame)

    def test_only_accepted_edits_are_taken_and_the_rest_is_told(self, patched):
        frame = read(ROWS).frame
        some = [edit_of(frame, row, "drop", status=status) for row, status in enumerate(["accepted", "proposed", "proposed", "rejected"])]
        made = patched(ROWS, *some)
        assert made.dropped == 1
        assert made.notes == ("patch.jsonl: 2 proposed edits are not taken (`all: true` takes them)",)
        assert patched(ROWS, *some, all=True).dropped == 3
        nothing = patched(ROWS, *some[1:])
        assert nothing.dropped == 0
        assert nothing.notes[0] == "patch.jsonl: none of its 3 edits is taken"


class TestRefusals:
    @pytest.mark.parametrize(
        ("data", "action", "values", "expected"),
        [
            (ROWS[0], "edit", {"fields": {"messages": TALK}}, 'field "fields.messages": expected a field of a row of kind instruct'),
            (ROWS[0], "edit", {"fields": {"instruction": " "}}, "a row that asks nothing"),
            (ROWS[0], "edit", {"fields": {"output": "a\0"}}, "expected text without NUL"),
            (ROWS[0], "edit", {"fields": {"output": "a"}, "turn": 1}, 'field "turn": expected none'),
            (ROWS[0], "edit", {"fields": {"tools": [1, 2]}, "turn": None}, ""),
            (ROWS[0], "edit", {"fields": {"tools": "{"}}, "expected a list of tool schemas"),
            (ROWS[0], "mask", {"turn": 0}, "the row has no turns"),
            ({"text": "a"}, "edit", {"fields": {"instruction": "a"}}, "kind text (output)"),
            ({"text": "a"}, "edit", {"fields": {"output": ""}}, 'field "fields.output": expected text'),
            ({"messages": TALK}, "mask", {"turn": 9}, "expected a turn of the row's 5 (0 to 4), found 9"),
            ({"messages": TALK}, "mask", {"turn": 1}, "expected a turn of the assistant, found"),
            ({"messages": TALK}, "edit", {"turn": 2, "fields": {"instruction": "a"}}, "expected a turn of the user, found"),
            ({"messages": TALK}, "edit", {"fields": {"input": "a"}}, 'field "fields.input": expected a field of a row of kind chat'),
            ({"messages": TALK}, "edit", {"fields": {"rejected": TALK[4:]}}, 'field "fields.rejected"'),
            ({"messages": TALK}, "edit", {"fields": {"instruction": ""}}, "expected what the user asks"),
            (
                {"messages": TALK},
                "edit",
                {"fields": {"messages": TALK, "output": "a"}},
                "expected `messages`, which holds all turns, or texts",
            ),
            (
                {"messages": TALK},
                "edit",
                {"fields": {"messages": TALK[:2] + TALK[1:]}},
                "fields.messages[2].role: expected assistant, found user",
            ),
            (
                {"messages": TALK},
                "edit",
                {"fields": {"messages": [{"role": "wizard", "content": "a"}]}},
                "fields.messages[0].role: expected one of",
            ),
            ({"messages": TALK[:2]}, "edit", {"fields": {"output": "a"}}, "expected a row that ends with an answer"),
            (PAIR, "edit", {"fields": {"messages": ASKED}}, "expected a conversation that ends with the chosen answer"),
        ],
    )
    def test_an_edit_that_does_not_fit_its_row(self, patched, data, action, values, expected):
        frame = read([data]).frame
        if not expected:  # any list is a list of schemas
            assert patched([data], edit_of(frame, 0, action, **values)).frame["tools"].to_list() == ["[1, 2]"]
            return
        with pytest.raises(InputError) as caught:
            patched([data], edit_of(frame, 0, action, **values))
        assert expected in str(caught.value)
        assert "patch.jsonl, edit " in str(caught.value)

    @pytest.mark.parametrize(
        ("fields", "expected"),
        [
            ({"output": "a", "instruction": ""}, 'field "fields.instruction": expected a prompt, found nothing'),
            ({"instruction": "a", "output": 3}, 'field "fields.output": expected text'),
            (
                {"instruction": "a", "output": "b", "topics": "c"},
                'field "fields.topics": expected a column of the version, found another; did you mean "topic"?',
            ),
            (
                {"instruction": "a", "output": "b", "topic": {"x": 1}},
                'field "fields.topic": expected a value of the column\'s type, String',
            ),
            ({"instruction": "a", "output": "b", "topic": 3}, "expected a value of the column's type, String, found 3"),
            ({"anything": "a"}, 'field "fields": expected a row'),
        ],
    )
    def test_a_new_row_that_is_none(self, patched, fields, expected):
        with pytest.raises(InputError) as caught:
            patched(ROWS, edit_of(read(ROWS).frame, 0, "drop"), new(1, **fields))
        assert expected in str(caught.value)
        assert "patch.jsonl, line 2" in str(caught.value)

    def test_another_version(self, patched):
        frame = read(ROWS).frame
        with pytest.raises(InputError, match="a patch for another version: 1 of 2 edits name a row of the rows read"):
            patched(ROWS[:3], edit_of(frame, 0, "drop"), edit_of(frame, 3, "drop"))
        with pytest.raises(InputError, match="found its content at position 1, 2"):
            patched(ROWS, replace(edit_of(frame, 1, "drop"), position=0))

    def test_the_recipe_names_the_place(self, tmp_path):
        recipe = tmp_path / "r.yaml"
        recipe.write_text("steps:\n  - patch: {file: nowhere.jsonl}\n")
        with pytest.raises(InputError, match=r"r\.yaml, step 1 \(patch\), .*nowhere\.jsonl: expected a patch"):
            curate(ROWS, recipe)
        recipe.write_text("steps:\n  - patch: {}\n")
        with pytest.raises(OptionError, match='"file" is missing'):
            curate(ROWS, recipe)


class TestWithOtherSteps:
    def test_an_edit_knows_its_row_by_the_id_read_or_the_one_on_entering(self, patched):
        frame, fixed = read(ROWS).frame, curate(ROWS, {"steps": ["fix"]}).frame
        assert frame["row_id"][1] != fixed["row_id"][1]
        for rows in (frame, fixed):
            made = patched(ROWS, edit_of(rows, 1, "edit", fields={"output": "Lala"}), edit_of(rows, 2, "drop"), before=["fix"])
            assert (made.dropped, made.edited) == (1, 1)
            assert made.frame["output"][1] == "Lala"
            assert made.frame["input"][1] == ""
        stranger = replace(edit_of(frame, 1, "drop"), row_id="0" * 32)
        with pytest.raises(
            InputError, match=rf"expected row 0+ at position 1, found {fixed['row_id'][1]} \(read as {frame['row_id'][1]}\)"
        ):
            patched(ROWS, stranger, before=["fix"])

    def test_a_later_patch_knows_the_row_by_both_ids_too(self, tmp_path):
        frame = read(ROWS).frame
        write_patch(tmp_path / "a.jsonl", [edit_of(frame, 0, "edit", fields={"output": "3"})])
        steps = [{"patch": {"file": str(tmp_path / "a.jsonl")}}, {"patch": {"file": str(tmp_path / "b.jsonl")}}]
        once = curate(ROWS, {"steps": steps[:1]}).frame
        for rows in (frame, once):
            write_patch(tmp_path / "b.jsonl", [edit_of(rows, 0, "edit", fields={"instruction": "Add one and two."})])
            made = curate(ROWS, {"steps": steps})
            assert made.frame.select("instruction", "output").row(0) == ("Add one and two.", "3")
            assert made.ledger.filter(position=0)["step"].to_list() == ["patch", "patch_2"]
            assert made.ledger["row_id"].to_list() == [frame["row_id"][0], once["row_id"][0]]
            assert (made.edited, made.removed.height) == (1, 1)

    def test_later_and_earlier_steps_judge_added_rows_too(self, patched):
        made = patched(
            ROWS,
            new(1, instruction="Sing", input="n/a", output="La"),
            new(2, instruction="Name a bird", output=""),
            new(3, instruction="Name a tree", output="As an AI I cannot"),
            before=["fix", {"detect": {"drop": "fatal", "flag": "none", "skip": ["arith_wrong"]}}],
            after=["exact_duplicates"],
        )
        assert (made.rows_in, made.added, made.kept, made.dropped) == (4, 3, 3, 4)
        assert made.reasons == {"exact_duplicates.exact_duplicate": 3, "detect.output_empty": 1}
        assert made.frame["position"].to_list() == [0, 1, 3]
        assert [step["rows_in"] for step in made.steps] == [7, 7, 6, 6]

    def test_an_added_row_must_hold_what_the_recipe_requires(self, tmp_path):
        write_patch(tmp_path / "patch.jsonl", [new(1, instruction="a", output="b", topic="c"), new(2, instruction="a", output="b")])
        recipe = {"schema": {"required": ["topic"]}, "steps": [{"patch": {"file": str(tmp_path / "patch.jsonl")}}]}
        made = curate(ROWS, recipe)
        assert (made.rows_in, made.added, made.kept, made.dropped, made.rejected) == (4, 2, 4, 0, 2)
        assert made.rejects["file"].to_list()[-1] == "patch.jsonl"

    def test_several_sources_and_rejects_leave_room(self, patched):
        bad = [{"instruction": "", "output": "x"}]
        made = patched([read(ROWS), read(bad + ROWS[:1] + bad)], new(1, instruction="a", output="b"))
        assert made.frame["position"].to_list() == [0, 1, 2, 3, 5, 7]
        assert (made.rows_in, made.added, made.kept, made.rejected) == (7, 1, 6, 2)

    def test_a_row_that_an_earlier_step_dropped_is_still_edited_but_not_decided_about(self, patched):
        frame = read(ROWS).frame
        made = patched(ROWS, edit_of(frame, 2, "edit", fields={"output": "Lo"}), before=["exact_duplicates"])
        assert (made.dropped, made.edited) == (1, 0)
        assert made.removed.select("position", "output").rows() == [(2, "La"), (2, "Lo")]
        assert made.ledger["step"].to_list() == ["exact_duplicates"]


class TestOnDisk:
    def test_the_patch_decides_what_is_made_again(self, patched, tmp_path):
        frame = read(ROWS).frame
        edits = [edit_of(frame, 0, "drop"), edit_of(frame, 1, "drop", status="proposed")]
        first = patched(ROWS, *edits, out=tmp_path / "v")
        assert not first.reused
        manifest = Version.open(tmp_path / "v").manifest
        assert manifest.inputs["patch.file"] == fingerprint(read_patch(tmp_path / "patch.jsonl"))
        assert patched(ROWS, *edits, out=tmp_path / "v").reused
        Version.open(tmp_path / "v").verify()
        with pytest.raises(ArtefactError, match="not made from the same inputs"):
            patched(ROWS, *edits, out=tmp_path / "v", all=True)
        with pytest.raises(ArtefactError, match="not made from the same inputs"):
            patched(ROWS, edits[0], replace(edits[1], status="accepted"), out=tmp_path / "v")

    def test_an_output_that_holds_the_patch_is_not_replaced(self, tmp_path):
        curate(ROWS, {"steps": []}, out=tmp_path / "v")
        write_patch(tmp_path / "v" / "patch.jsonl", [edit_of(read(ROWS).frame, 0, "drop")])
        with pytest.raises(ArtefactError, match="lies in it"):
            curate(ROWS, {"steps": [{"patch": {"file": str(tmp_path / "v")}}]}, out=tmp_path / "v", force=True)

    def test_explain_diff_and_what_if(self, patched, tmp_path):
        data = [{"messages": TALK}, *({"messages": [{"role": "user", "content": f"{k}"}, TALK[4]]} for k in range(3))]
        frame = read(data).frame
        curate(data, {"steps": []}, out=tmp_path / "plain")
        patched(
            tmp_path / "plain",
            edit_of(frame, 0, "edit", fields={"messages": TALK[:3]}, category="too_long"),
            edit_of(frame, 1, "weight", weight=3, category="rare"),
            edit_of(frame, 2, "drop", category="refusal"),
            edit_of(frame, 3, "mask", turn=1, category="refusal"),
            after=[{"filter": {"name": "long", "characters": {"max": 400}}}],
            out=tmp_path / "v",
        )
        story = explain(tmp_path / "v", 0).rows[0]
        assert {change["field"]: (change["before"], change["after"]) for change in story.changes} == {
            "instruction": ("And?", "Hi"), "output": ("Bye", "Hello"), "messages[3].content": ("And?", None),
            "messages[4].content": ("Bye", None),
        }  # fmt: skip
        assert [change["field"] for change in explain(tmp_path / "v", 1).rows[0].changes] == ["weight"]
        assert explain(tmp_path / "v", 2).rows[0].entries[0]["rule"] == "refusal"
        masked = explain(tmp_path / "v", 3).rows[0].changes
        assert masked == ({"field": "messages[1].train", "before": None, "after": "false"},)
        assert diff(tmp_path / "plain", tmp_path / "v").why == {
            "added": {}, "removed": {"patch.refusal": 1}, "edited": {"patch.rare": 1, "patch.refusal": 1, "patch.too_long": 1},
        }  # fmt: skip
        assert what_if(tmp_path / "v", "long.characters.max=3").newly_dropped == 1
        with pytest.raises(NeedsRunError, match=r"patch\.all changes what is measured"):
            what_if(tmp_path / "v", "patch.all=true")


@st.composite
def patches(draw, frame: pl.DataFrame) -> list[Edit]:
    """Some edits of rows, and some rows more; every status, several edits of one row."""
    edits: list[Edit] = []
    for k in range(draw(st.integers(0, 8))):
        action = draw(st.sampled_from(["drop", "edit", "weight", "mask", "add"]))
        values: dict = {"status": draw(st.sampled_from(["proposed", "accepted", "rejected"]))}
        values["category"] = draw(st.none() | st.sampled_from(["refusal", "too_long"]))
        if action == "add":
            edits.append(
                replace(new(k, instruction=draw(st.sampled_from(["Sing", "Sum"])), output=draw(st.sampled_from(["La", ""]))), **values)
            )
            continue
        row = draw(st.integers(0, frame.height - 1))
        talk = frame["kind"][row] == "chat"
        if action == "edit":
            values["fields"] = {"output": draw(st.sampled_from(["La", "n/a", "", "Lo lo"]))}
            values["turn"] = draw(st.sampled_from([None, 2])) if talk else None
        elif action == "weight":
            values["weight"] = draw(st.sampled_from([0.0, 0.5, 1.0, 3.0]))
        elif action == "mask" and talk:
            values["turn"] = draw(st.sampled_from([None, 2, 4]))
        edits.append(replace(edit_of(frame, row, action, **values), edit_id=f"e{k}"))
    return edits


CHAT = [{"messages": [*TALK[:4], {"role": "assistant", "content": text}]} for text in ("Bye", "So long", "Bye")]
MIXED = pl.concat([read(ROWS).frame.drop("topic"), read(CHAT).frame.with_columns(pl.col("position") + 4)])


@settings(max_examples=25)
@given(st.data(), st.booleans(), st.sampled_from([1, 2, 3, 100]))
def test_chunks_change_nothing_and_all_rows_are_accounted_for(tmp_path_factory, data, everything, chunk):
    edits = data.draw(patches(MIXED))
    path = tmp_path_factory.mktemp("patch") / "patch.jsonl"
    write_patch(path, edits)
    fix = {"fix": {"only": ["input_placeholder"]}}
    steps = [fix, {"patch": {"file": str(path), "all": everything}}, {"exact_duplicates": {"of": ["prompt", "response"]}}]
    whole, pieces = (curate(MIXED, {"steps": steps}, engine=LocalEngine(chunk=size)) for size in (100_000, chunk))
    for name in ("frame", "removed", "ledger", "values", "edges"):
        assert getattr(whole, name).equals(getattr(pieces, name)), name
    wanted = [edit for edit in edits if edit.status == "accepted" or (everything and edit.status == "proposed")]
    assert whole.added == sum(edit.action == "add" for edit in wanted)
    assert whole.rows_in + whole.added == whole.kept + whole.dropped + whole.rejected
    # Every row taken has its line in the ledger, unless it was gone already; no other row has one of the patch.
    booked = whole.ledger.filter(step="patch")
    assert booked["position"].n_unique() == booked.height
    new_positions = set(whole.values["position"]) - set(MIXED["position"])
    assert set(booked["position"]) == {edit.position for edit in wanted if edit.position is not None} | new_positions
    assert set(booked.filter(action="drop")["position"]) == {edit.position for edit in wanted if edit.action == "drop"}
    assert set(whole.frame["position"]) | set(whole.removed["position"]) == set(MIXED["position"]) | new_positions
