"""What edits of a patch make of rows: new texts, turns and weights in the place of the old ones, and whole new rows.

Whether an edit fits its row (kind, turn, role, text) is found out here, where the two meet.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from tunesmith.curation.edits import Edit
from tunesmith.curation.patch_lines import TEXTS, shown
from tunesmith.errors import InputError, OptionError, at, did_you_mean
from tunesmith.rows import ids, read, schema
from tunesmith.rows.rejects import Problem
from tunesmith.rows.turns import Turns, mirror, tools

Row = Mapping[str, Any]
ROLES = {"instruction": "user", "output": "assistant"}
"""Whose turn an edit of one turn means."""
_TOUCHED = ("weight", *schema.CONTENT)


def changed(rows: pl.DataFrame, edits: Mapping[int, Edit], *, patch: str | Path) -> pl.DataFrame:
    """Give the rows that edits change, whole, as they are afterwards.

    `edit` sets fields, and what follows from them: in conversations `output` is the last answer, `instruction` the last
    user turn, `system` the first system prompt; with `turn` it is the text of that turn, `messages` is all of them. `mask`
    with `turn` marks that answer as not supervised (`train` false); without, the whole row gets weight 0.

    Args:
        rows: Rows (`schema.ROW` and the user's columns).
        edits: An `edit`, `weight` or `mask` by position; other rows and actions are left alone.
        patch: What messages call the patch.
    Returns:
        The rows whose content or weight is another one now, in the order of `rows`, with new ids.
    Raises:
        InputError: If an edit does not fit its row.

    >>> rows = read([{"instruction": "Add 1 and 2.", "output": "4"}]).frame
    >>> mend = Edit(edit_id="a", position=0, row_id=rows["row_id"][0], action="edit", fields={"output": "3"})
    >>> changed(rows, {0: mend}, patch="patch.jsonl")["output"].to_list()
    ['3']
    """
    wanted = [position for position, edit in edits.items() if edit.action in _MAKERS]
    touched = rows.filter(pl.col("position").is_in(wanted))
    if touched.is_empty():
        return touched
    before = ids(touched)["row_id"]
    old = touched.select("position", "kind", *_TOUCHED).rows(named=True)
    new = [_MAKERS[edits[row["position"]].action](row, edits[row["position"]], f"{patch}") for row in old]
    made = touched.with_columns(
        pl.Series(name, [{**row, **values}[name] for row, values in zip(old, new, strict=True)], dtype=schema.ROW[name])
        for name in _TOUCHED
        if any(name in values for values in new)
    )
    made = ids(made)
    return made.filter((made["row_id"] != before) | made["weight"].ne_missing(touched["weight"]))


def additions(edits: Sequence[tuple[int, Edit]], columns: pl.Schema, *, patch: str | Path) -> pl.DataFrame:
    """Make the new rows that edits add, read as any source would be.

    Args:
        edits: Edits that add a row, each with its line in the file (from 1).
        columns: The columns of the rows they join; a new row may have these and no others.
        patch: What `origin.file` and messages call the patch.
    Returns:
        One row an edit, in order, with `columns`; `position` is not set yet, `origin` names the file and the line (from 0).
    Raises:
        InputError: If the fields are no row, or one that does not fit.
    """
    alike: dict[tuple[str, ...], list[tuple[int, Edit]]] = {}
    for line, edit in edits:  # rows with the same fields are read together: reading has a price of its own
        alike.setdefault(tuple(sorted(edit.fields or ())), []).append((line, edit))
    made = [_new_rows(some, columns, patch) for some in alike.values()]
    if not made:
        return pl.DataFrame(schema=columns)
    return pl.concat(made).sort(pl.col("origin").struct.field("record"))


def _new_rows(edits: Sequence[tuple[int, Edit]], columns: pl.Schema, patch: str | Path) -> pl.DataFrame:
    lines = [line for line, _ in edits]
    given = [dict(edit.fields or {}) for _, edit in edits]

    def wrong(k: int, name: str, said: str) -> InputError:
        return InputError(f"{at(str(patch), line=lines[k], field=name)}: {said}")

    try:
        data = read(given)
    except (InputError, OptionError) as error:
        raise wrong(0, "fields", f"expected a row: {error}") from error
    for problem in data.rejected.head(1).iter_rows(named=True):
        name = f"fields.{problem['field']}" if problem["field"] else "fields"
        raise wrong(problem["record"], name, f"expected {problem['expected']}, found {problem['found']}")
    rows = data.frame.sort(pl.col("origin").struct.field("record"))
    if rows.height != len(edits):
        raise wrong(0, "fields", f"expected one row each, found {rows.height} in {len(edits)}; add each on its own line")
    own = [name for name in rows.columns if name not in schema.ROW]
    for name in own:
        if name not in columns:
            known = [*schema.CONTENT, *(column for column in columns if column not in schema.ROW)]
            raise wrong(0, f"fields.{name}", f"expected a column of the version, found another; {did_you_mean(name, known)}")
    users = [_user_column(name, columns[name], given, wrong) for name in own]
    made = rows.with_columns(
        *users,
        pl.Series("weight", [1.0 if edit.weight is None else edit.weight for _, edit in edits], pl.Float32),
        pl.struct(
            file=pl.lit(Path(patch).name), record=pl.Series([line - 1 for line in lines], dtype=pl.UInt64), part=pl.lit(None, pl.String)
        ).alias("origin"),
    )
    missing = [pl.lit(None, dtype).alias(name) for name, dtype in columns.items() if name not in made.columns]
    return made.with_columns(missing).select(columns.names())


def _user_column(
    name: str, dtype: pl.DataType, given: Sequence[Mapping[str, Any]], wrong: Callable[[int, str, str], InputError]
) -> pl.Series:
    """Take the user's values as the type that the column has; nothing is made to fit."""
    values = [fields.get(name, fields.get(name.removeprefix("user_"))) for fields in given]
    for k, value in enumerate(values):
        try:
            pl.Series(name, [value], dtype, strict=True)
        except (pl.exceptions.PolarsError, TypeError, OverflowError, ValueError) as error:
            raise wrong(k, f"fields.{name}", f"expected a value of the column's type, {dtype}, found {shown(value)}") from error
    return pl.Series(name, values, dtype, strict=True)


def _edited(row: Row, edit: Edit, patch: str) -> dict[str, Any]:
    fields = dict(edit.fields or {})
    if row["kind"] in ("chat", "preference"):
        return _edited_talk(row, edit, fields, patch)
    known = ("output",) if row["kind"] == "text" else (*TEXTS, "tools")
    for name, value in fields.items():
        if name not in known:
            raise _wrong(edit, patch, f"fields.{name}", f"a field of a row of kind {row['kind']} ({', '.join(known)})", name)
        _readable(value, edit, patch, f"fields.{name}")
    if edit.turn is not None:
        raise _wrong(edit, patch, "turn", f"none (the row is of kind {row['kind']} and has no turns)", edit.turn)
    if "tools" in fields:
        fields["tools"] = _tools(fields["tools"], edit, patch)
    now = {**row, **fields}
    said = ("output",) if row["kind"] == "text" else ("instruction", "input")
    if not any((now[name] or "").strip() for name in said):
        raise _wrong(edit, patch, f"fields.{said[0]}", "text (a row that asks nothing is no row)", now[said[0]])
    return fields


def _edited_talk(row: Row, edit: Edit, fields: dict[str, Any], patch: str) -> dict[str, Any]:
    """Edit a conversation: turns first, the columns that mirror them follow."""
    made: dict[str, Any] = {}
    messages = list(row["messages"])
    if "messages" in fields and (others := [name for name in fields if name in TEXTS]):
        raise _wrong(edit, patch, "fields", "`messages`, which holds all turns, or texts of single ones", ", ".join(["messages", *others]))
    for name, value in fields.items():
        place = f"fields.{name}"
        if name == "tools":
            made["tools"] = _tools(value, edit, patch)
        elif name == "messages":
            messages = _turns(value, None, edit, patch, place)
            if row["kind"] == "preference" and messages[-1]["role"] != "assistant":
                raise _wrong(edit, patch, place, "a conversation that ends with the chosen answer", messages[-1]["role"])
        elif name == "rejected" and row["kind"] == "preference":
            made["rejected"] = _turns(value, "user", edit, patch, place)
        elif name in ROLES:
            _readable(value, edit, patch, place)
            turn = _place(messages, ROLES[name], edit, patch, place)
            if name == "instruction" and not (value or "").strip():
                raise _wrong(edit, patch, place, "what the user asks", value)
            messages[turn] = {**messages[turn], "content": value}
        elif name == "system":
            _readable(value, edit, patch, place)
            messages = _with_system(messages, value)
        else:
            raise _wrong(edit, patch, place, f"a field of a row of kind {row['kind']}", name)
    return {**made, **_mirrored(row, messages)}


def _mirrored(row: Row, messages: list[dict[str, Any]]) -> dict[str, Any]:
    return {"messages": messages, **mirror(messages)} if messages != row["messages"] else {}


def _place(messages: Sequence[Row], role: str, edit: Edit, patch: str, place: str) -> int:
    """Find the turn that is meant: the one that the edit names, else the last of this role (an answer must end the row)."""
    if edit.turn is not None:
        _speaks(messages, edit.turn, role, edit, patch)
        return edit.turn
    last = len(messages) - 1
    turn = next((k for k in range(last, -1, -1) if messages[k]["role"] == role), None)
    if turn is None or (role == "assistant" and turn != last):
        raise _wrong(edit, patch, place, f"a row that ends with an answer; `turn` names another {role} turn", messages[last]["role"])
    return turn


def _speaks(messages: Sequence[Row] | None, turn: int, role: str, edit: Edit, patch: str) -> None:
    if messages is None:
        raise _wrong(edit, patch, "turn", "none (the row has no turns; without `turn` the whole row is meant)", turn)
    if turn >= len(messages):
        raise _wrong(edit, patch, "turn", f"a turn of the row's {len(messages)} (0 to {len(messages) - 1})", turn)
    if messages[turn]["role"] != role:
        raise _wrong(edit, patch, "turn", f"a turn of the {role}", f"{turn}, of the {messages[turn]['role']}")


def _with_system(messages: list[dict[str, Any]], text: str | None) -> list[dict[str, Any]]:
    first = next((k for k, message in enumerate(messages) if message["role"] == "system"), None)
    if first is None:
        return [{"role": "system", "content": text}, *messages] if text else messages
    if not text:
        return messages[:first] + messages[first + 1 :]
    return [*messages[:first], {**messages[first], "content": text}, *messages[first + 1 :]]


def _weighted(row: Row, edit: Edit, patch: str) -> dict[str, Any]:  # noqa: ARG001  (one signature for all actions)
    return {"weight": edit.weight}


def _masked(row: Row, edit: Edit, patch: str) -> dict[str, Any]:
    if edit.turn is None:
        return {"weight": 0.0}
    _speaks(row["messages"], edit.turn, "assistant", edit, patch)
    messages = [{**message, "train": False} if k == edit.turn else message for k, message in enumerate(row["messages"])]
    return {"messages": messages}


_MAKERS: Mapping[str, Callable[[Row, Edit, str], dict[str, Any]]] = {"edit": _edited, "weight": _weighted, "mask": _masked}


def _turns(value: Any, after: str | None, edit: Edit, patch: str, place: str) -> list[dict[str, Any]]:
    """Read turns as a source's are read; every one has all keys of a message."""
    turns = Turns()
    messages = turns.read(0, place, value, after=after)
    _refuse(turns.problems, edit, patch)
    return [{**dict.fromkeys(field.name for field in schema.MESSAGE.fields), **message} for message in messages]


def _tools(value: Any, edit: Edit, patch: str) -> str | None:
    problems: list[Problem] = []
    made = tools(value, 0, problems)
    _refuse(problems, edit, patch)
    return made


def _refuse(problems: Sequence[Problem], edit: Edit, patch: str) -> None:
    for problem in problems:
        raise InputError(f"{_named(edit, patch)}, {problem.field}: expected {problem.expected}, found {problem.found}")


def _readable(value: str | None, edit: Edit, patch: str, place: str) -> None:
    if value is not None and "\0" in value:
        raise _wrong(edit, patch, place, "text without NUL", value)


def _named(edit: Edit, patch: str) -> str:
    return f"{patch}, edit {edit.edit_id} of row {edit.position}"


def _wrong(edit: Edit, patch: str, place: str, expected: str, found: object) -> InputError:
    return InputError(f'{_named(edit, patch)}, field "{place}": expected {expected}, found {shown(found)}')
