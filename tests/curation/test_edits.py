"""The patch file: what is read comes back as written, what is damaged is told with its line and field, one edit a row is taken."""

from __future__ import annotations

import json
from dataclasses import replace

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tunesmith.curation.edits import Edit, against, conflicts, edit_id, fingerprint, read_patch, taken, write_patch
from tunesmith.errors import InputError

ID = "0123456789abcdef" * 2
OTHER = "f" * 32


def line(**values: object) -> str:
    return json.dumps({"edit_id": "e1", "position": 1, "row_id": ID, "action": "drop", **values})


def written(tmp_path, *lines: str):
    path = tmp_path / "patch.jsonl"
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def refusal(tmp_path, *lines: str) -> str:
    with pytest.raises(InputError) as caught:
        read_patch(written(tmp_path, *lines))
    return str(caught.value)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
json_values = st.recursive(st.none() | st.booleans() | st.integers(-9, 9) | texts, lambda inner: st.lists(inner, max_size=2), max_leaves=4)


@st.composite
def any_edit(draw, number: int = 0) -> Edit:
    action = draw(st.sampled_from(["drop", "edit", "weight", "mask", "add"]))
    given: dict = {"category": draw(st.none() | st.sampled_from(["refusal", "too_long"])), "reason": draw(st.none() | texts)}
    given["evidence"] = draw(st.dictionaries(texts, json_values, max_size=2))
    given["status"] = draw(st.sampled_from(["proposed", "accepted", "rejected"]))
    given["reviewer"] = draw(st.none() | texts)
    if action != "add":
        given["position"], given["row_id"] = draw(st.integers(0, 5)), draw(st.sampled_from([ID, OTHER]))
    if action in ("edit", "add"):
        given["fields"] = draw(st.dictionaries(st.sampled_from(["instruction", "output"]), texts, min_size=1, max_size=2))
    if action == "weight":
        given["weight"] = draw(st.floats(0, 100))
    if action == "mask":
        given["turn"] = draw(st.none() | st.integers(0, 3))
    return Edit(edit_id=f"{number:016x}", action=action, **given)


@st.composite
def patches(draw) -> list[Edit]:
    return [replace(draw(any_edit()), edit_id=f"{k:016x}") for k in range(draw(st.integers(0, 6)))]


@settings(max_examples=60)
@given(patches())
def test_what_is_written_comes_back(tmp_path_factory, edits):
    path = tmp_path_factory.mktemp("patch") / "patch.jsonl"
    write_patch(path, edits)
    assert read_patch(path) == edits
    assert read_patch(path.parent) == edits  # a diagnosis is named by its folder
    assert [json.loads(each)["edit_id"] for each in path.read_text(encoding="utf-8").split("\n")[:-1]] == [edit.edit_id for edit in edits]


def test_a_line_needs_no_more_than_says_which_row_and_what(tmp_path):
    bare = json.dumps({"position": 1, "row_id": ID, "action": "drop"})
    made = read_patch(written(tmp_path, "\ufeff" + bare, "", "  "))
    assert made == [Edit(edit_id=edit_id(1, ID, "drop"), position=1, row_id=ID, action="drop")]
    assert made[0].status == "proposed"


def test_ids_of_edits_tell_apart_what_differs():
    names = [
        edit_id(1, ID, "drop"),
        edit_id(2, ID, "drop"),
        edit_id(1, OTHER, "drop"),
        edit_id(1, ID, "mask"),
        edit_id(1, ID, "drop", "refusal"),
    ]
    names += [
        edit_id(1, ID, "mask", turn=1),
        edit_id(None, None, "add", fields={"output": "a"}),
        edit_id(None, None, "add", fields={"output": "b"}),
    ]
    assert len(set(names)) == len(names)
    assert all(len(name) == 16 and int(name, 16) >= 0 for name in names)
    assert edit_id(1, ID, "drop", "refusal") == edit_id(1, ID, "drop", "refusal")


def test_the_fingerprint_is_of_what_is_said_not_of_bytes(tmp_path):
    edits = [Edit(edit_id="a", position=1, row_id=ID, action="weight", weight=2, reason="é")]
    plain = read_patch(written(tmp_path, line(edit_id="a", action="weight", weight=2, reason="é")))
    loose = read_patch(
        written(tmp_path, "", '{"weight":2.0,  "reason":"\\u00e9","action":"weight","row_id":"' + ID + '","position":1,"edit_id":"a"}')
    )
    assert fingerprint(plain) == fingerprint(loose) == fingerprint([replace(edits[0], weight=2.0)])
    assert fingerprint(plain) != fingerprint([replace(plain[0], status="accepted")])
    assert fingerprint([]) != fingerprint(plain)


@pytest.mark.parametrize(
    ("bad", "expected"),
    [
        ("{", "line 2: expected one JSON object a line"),
        ("[]", "line 2: expected a JSON object with the fields of an edit, found []"),
        ('"drop"', "line 2: expected a JSON object"),
        (line(acton="drop"), 'line 2, field "acton": expected a field of an edit (did you mean "action"?)'),
        (line(action="dorp"), 'field "action": expected one of drop, edit, weight, mask, add (did you mean "drop"?), found "dorp"'),
        (line(action=None), 'field "action": expected one of drop, edit, weight, mask, add, found nothing'),
        (line(action=["drop"]), 'field "action": expected one of'),
        (line(status="accept"), 'field "status": expected one of proposed, accepted, rejected (did you mean "accepted"?)'),
        (line(position=-1), 'field "position": expected a position, a whole number, found -1'),
        (line(position=True), 'field "position"'),
        (line(position=1.0), 'field "position"'),
        (line(position=2**64), 'field "position"'),
        (line(position=None), 'field "position": expected a position, a whole number (it tells which row is meant), found nothing'),
        (line(row_id="xyz"), 'field "row_id": expected a row id, 32 hex digits, found "xyz"'),
        (line(row_id=None), 'field "row_id"'),
        (line(weight=1), 'field "weight": expected nothing (drop takes no weight), found 1'),
        (line(turn=1), 'field "turn": expected nothing (drop takes no turn)'),
        (line(fields={"output": "a"}), 'field "fields": expected nothing (drop takes no fields)'),
        (line(action="weight"), 'field "weight": expected a number, 0 or more, found nothing'),
        (line(action="weight", weight=-1), 'field "weight": expected a number, 0 or more, found -1'),
        (line(action="weight", weight=float("nan")), "line 2: expected one JSON object a line, found NaN"),
        (line(action="weight", weight=1e39), 'field "weight"'),
        (line(action="weight", weight=10**400), 'field "weight"'),
        (line(action="weight", weight="2"), 'field "weight"'),
        (line(action="mask", turn=-1), 'field "turn": expected the index of a turn'),
        (line(action="edit"), 'field "fields": expected the new values'),
        (line(action="edit", fields={}), 'field "fields": expected the new values'),
        (line(action="edit", fields=["output"]), 'field "fields": expected an object'),
        (
            line(action="edit", fields={"outptu": "a"}),
            'field "fields.outptu": expected a field that an edit can change (did you mean "output"?)',
        ),
        (line(action="edit", fields={"topic": "a"}), 'field "fields.topic"'),
        (line(action="edit", fields={"output": 3}), 'field "fields.output": expected text, found 3'),
        (line(action="edit", turn=1, fields={"messages": [{}]}), 'field "fields.messages"'),
        (line(action="edit", turn=1, fields={"output": None}), 'field "fields.output": expected text, found nothing'),
        (line(action="edit", turn=1, fields={"output": "a", "instruction": "b"}), 'field "fields": expected one of instruction, output'),
        (line(action="edit", fields={"messages": []}), 'field "fields.messages": expected a list of turns'),
        (
            line(action="add", fields={"output": "a"}),
            'field "position": expected nothing (a new row gets its place when it is added), found 1',
        ),
        (line(action="add", position=None, row_id=None), 'field "fields": expected the new values'),
        (line(evidence=[1]), 'field "evidence": expected an object, found [1]'),
        (line(category=""), 'field "category": expected a name'),
        (line(reason=3), 'field "reason": expected text'),
        (line(edit_id="e0"), 'field "edit_id": expected an id of its own, found e0, which line 1 has too'),
        ('{"reason": "\\ud800", ' + line()[1:], "line 2: expected one JSON object a line"),
        ("[" * 100_000, "line 2: expected one JSON object a line"),
    ],
)
def test_a_damaged_line_is_told_with_its_place(tmp_path, bad, expected):
    said = refusal(tmp_path, line(edit_id="e0"), bad)
    assert "patch.jsonl" in said
    assert expected in said
    assert len(said) < 500


def test_other_files_are_told(tmp_path):
    with pytest.raises(InputError, match="found no such file"):
        read_patch(tmp_path / "nowhere.jsonl")
    with pytest.raises(InputError, match=r"found a folder without patch\.jsonl"):
        read_patch(tmp_path)
    (tmp_path / "latin.jsonl").write_bytes(line().encode() + b'\n{"reason": "\xe9"}')
    with pytest.raises(InputError, match="line 2: expected UTF-8, found byte 0xe9"):
        read_patch(tmp_path / "latin.jsonl")
    with pytest.raises(InputError, match="can be written"):
        write_patch(tmp_path / "no" / "patch.jsonl", [])


def test_what_could_not_be_read_is_not_written(tmp_path):
    path = written(tmp_path, line())
    good = Edit(edit_id="a", position=1, row_id=ID, action="drop")
    for bad in ([replace(good, weight=3.0)], [good, good], [replace(good, position=None)]):
        with pytest.raises(InputError):
            write_patch(path, bad)
    assert [edit.edit_id for edit in read_patch(path)] == ["e1"]
    assert [each.name for each in tmp_path.iterdir()] == ["patch.jsonl"]


@settings(max_examples=300)
@given(st.data(), patches())
def test_a_damaged_file_is_read_or_refused_but_never_breaks(tmp_path_factory, data, edits):
    path = tmp_path_factory.mktemp("patch") / "patch.jsonl"
    write_patch(path, edits)
    raw = bytearray(path.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(raw)))
        cut = data.draw(st.integers(0, 6))
        raw[at : at + cut] = data.draw(
            st.binary(max_size=4) | st.sampled_from([b'"', b"{", b"}", b"null", b"\n", b"1e999", b"\xff", b"\\ud800"])
        )
    path.write_bytes(bytes(raw))
    try:
        made = read_patch(path)
    except InputError as error:
        assert "patch.jsonl" in str(error)  # noqa: PT017
    else:
        write_patch(path, made)
        assert read_patch(path) == made
        fingerprint(made)


@settings(max_examples=100)
@given(patches(), st.booleans())
@example([], False)
def test_one_edit_a_row_is_taken_and_every_other_is_listed(edits, everything):
    chosen, lost = taken(edits, everything), conflicts(edits, everything)
    wanted = [edit for edit in edits if edit.status == "accepted" or (everything and edit.status == "proposed")]
    positions = [edit.position for edit in chosen if edit.action != "add"]
    assert len(positions) == len(set(positions))
    assert set(positions) == {edit.position for edit in wanted} - {None}
    assert sorted(edit.edit_id for edit in [*chosen, *(two for _, two in lost)]) == sorted(edit.edit_id for edit in wanted)
    order = ["drop", "edit", "weight", "mask"]
    for one, two in lost:
        assert one in chosen
        assert one.position == two.position
        key = [(order.index(each.action), edits.index(each)) for each in (one, two)]
        assert key[0] < key[1]
    assert [edit.edit_id for edit in chosen] == [edit.edit_id for edit in edits if edit in chosen]


class TestAgainst:
    """A patch fits a version when position and id are those of one row."""

    frame = pl.DataFrame({"position": [1, 4, 7], "row_id": [ID, OTHER, ID]}, schema_overrides={"position": pl.UInt64})

    def edit(self, position: int, row_id: str, action: str = "drop") -> Edit:
        return Edit(edit_id=f"e{position}", position=position, row_id=row_id, action=action)

    def test_copies_are_told_apart_by_position(self):
        against([self.edit(1, ID), self.edit(7, ID), self.edit(4, OTHER)], self.frame)
        against([Edit(edit_id="a", action="add", fields={"output": "x"})], self.frame)

    @pytest.mark.parametrize(
        ("position", "row_id", "found"),
        [
            (4, ID, "found its content at position 1, 7"),
            (4, "0" * 32, f"found another row there ({OTHER})"),
            (5, "0" * 32, "found no row at that position"),
        ],
    )
    def test_what_is_not_there_is_told(self, position, row_id, found):
        with pytest.raises(InputError) as caught:
            against([self.edit(1, ID), self.edit(position, row_id)], self.frame, patch="p.jsonl", version="clean")
        said = str(caught.value)
        assert said.startswith("p.jsonl: a patch for another version: 1 of 2 edits name a row of clean")
        assert found in said
        assert f"edit e{position}" in said

    def test_the_diagnosis_beside_it_says_for_which(self, tmp_path):
        from tunesmith.artefact import Manifest, writing

        with writing(tmp_path / "diagnosis") as work:
            work.finish(Manifest(kind="diagnosis", inputs={"train": "abc123"}, options={}, hash="0" * 32))
        path = tmp_path / "diagnosis" / "patch.jsonl"
        write_patch(path, [self.edit(4, ID)])
        for named in (path, path.parent):
            with pytest.raises(InputError, match=r"was made from train \(abc123\): name that version"):
                against(read_patch(named), self.frame, patch=named)
