"""The patch: a file of proposed, accepted and rejected changes to rows, one JSON object a line, and what makes it fit a version.

Read and written here, checked line by line; which edits are taken, and which give way to another edit of their row, is decided here.
`changes` makes the rows, the step `patch` of a recipe applies them.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.artefact import is_artefact, read_manifest
from tunesmith.curation.patch_lines import ACTIONS, FIELDS, STATUSES, Action, LineError, Status, parse
from tunesmith.errors import InputError, at

if TYPE_CHECKING:
    import polars as pl

__all__ = [
    "ACTIONS", "FIELDS", "PATCH", "STATUSES", "Action", "Edit", "Status", "against", "conflicts", "edit_id", "find_patch", "fingerprint",
    "read_lines", "read_patch", "taken", "write_patch",
]  # fmt: skip

PATCH = "patch.jsonl"
"""What the file is called in a diagnosis."""


@dataclass(frozen=True, kw_only=True)
class Edit:
    """One change to one row, with its reason.

    Attributes:
        edit_id: 16 hex digits, unique in a patch (`edit_id`).
        position: The row's position in the version that the patch is for; None for `add`.
        row_id: The row's id there; None for `add`.
        action: `drop` the row; `edit` its `fields`; give it a `weight`; `mask` it, or its `turn`, so that it is not supervised;
            `add` a row with `fields`.
        fields: New values of fields (`edit`; with `turn` the text of that turn), or a whole new row (`add`).
        weight: The row's new weight (`weight`), or that of a new row (`add`).
        turn: Index into `messages` of the turn that is edited or masked; None for the row.
        category: The detector or cause behind it; the rule in the ledger.
        reason: One sentence for a reader.
        evidence: What it rests on, a JSON object.
        status: `proposed`, `accepted` or `rejected`.
        reviewer: Who decided.
    """

    edit_id: str
    position: int | None = None
    row_id: str | None = None
    action: Action
    fields: Mapping[str, Any] | None = None
    weight: float | None = None
    turn: int | None = None
    category: str | None = None
    reason: str | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    status: Status = "proposed"
    reviewer: str | None = None


def edit_id(
    position: int | None,
    row_id: str | None,
    action: str,
    category: str | None = None,
    *,
    turn: int | None = None,
    fields: Mapping[str, Any] | None = None,
) -> str:
    """Name an edit by what it does and to which row: 16 hex digits, the same wherever it is computed.

    Args:
        position: The row's; None for `add`.
        row_id: The row's; None for `add`.
        action: As in `Edit`.
        category: As in `Edit`.
        turn: The turn, where only one is changed.
        fields: What tells apart edits that are alike in all else, such as new rows.

    >>> edit_id(7, "00" * 16, "drop", "refusal")
    'c22ce59e57bf555c'
    """
    said = json.dumps([position, row_id, action, category, turn, fields], ensure_ascii=True, sort_keys=True)
    return sha256(said.encode()).hexdigest()[:16]


def find_patch(path: str | Path) -> Path:
    """Find the file: a patch, or the one in a diagnosis.

    Raises:
        InputError: If there is none.
    """
    place = Path(path)
    if place.is_dir():
        if not (place / PATCH).is_file():
            raise InputError(f"{place}: expected a patch, or a folder that `diagnose` wrote, found a folder without {PATCH}")
        return place / PATCH
    if not place.exists():
        raise InputError(f"{place}: expected a patch ({PATCH}), found no such file; `tunesmith diagnose` writes one")
    return place


def read_patch(path: str | Path) -> list[Edit]:
    """Read a patch and check every line.

    A line needs `action`, and `position` and `row_id` unless it adds a row; without `edit_id` it gets one, without `status` it
    is `proposed`. Blank lines are left out.

    Args:
        path: A `patch.jsonl`, or the folder of a diagnosis.
    Returns:
        The edits in the order of the file; none where the file is empty.
    Raises:
        InputError: With file, line, field, what was found and what was expected.
    """
    return [edit for _, edit in read_lines(path)]


def read_lines(path: str | Path) -> list[tuple[int, Edit]]:
    """Read a patch as `read_patch` does, each edit with its line in the file (from 1)."""
    place = find_patch(path)
    try:
        raw = place.read_bytes()
    except OSError as error:
        raise InputError(f"{place}: cannot be read: {error.strerror}") from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InputError(f"{at(place, line=line)}: expected UTF-8, found byte {raw[error.start]:#04x}; save it as UTF-8") from error
    made: list[tuple[int, Edit]] = []
    seen: dict[str, int] = {}
    for line, content in enumerate(text.split("\n"), 1):
        if not content.strip():
            continue
        edit = _edit(content, place, line)
        if edit.edit_id in seen:
            found = f"{edit.edit_id}, which line {seen[edit.edit_id]} has too"
            raise InputError(f"{at(place, line=line, field='edit_id')}: expected an id of its own, found {found}; take one of the two out")
        seen[edit.edit_id] = line
        made.append((line, edit))
    return made


def write_patch(path: str | Path, edits: Iterable[Edit]) -> None:
    """Write a patch, whole or not at all, one JSON object a line.

    Args:
        path: The file; what is there is replaced.
        edits: In the order in which they are to stand.
    Raises:
        InputError: If an edit is not one that `read_patch` takes.
    """
    place = Path(path)
    lines = [json.dumps(asdict(edit), ensure_ascii=False, allow_nan=False) for edit in edits]
    seen: set[str] = set()
    for number, line in enumerate(lines, 1):
        edit = _edit(line, place, number)
        if edit.edit_id in seen:
            raise InputError(f"{at(place, line=number, field='edit_id')}: expected an id of its own, found {edit.edit_id} again")
        seen.add(edit.edit_id)
    beside = place.with_name(place.name + ".part")
    try:
        with beside.open("w", encoding="utf-8", newline="\n") as file:
            file.writelines(line + "\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(place)
    except OSError as error:
        raise InputError(f"{place}: expected a file that can be written: {error.strerror}") from error


def taken(edits: Iterable[Edit], all: bool = False) -> list[Edit]:  # noqa: A002  (the surface's word)
    """Choose the edits to apply: the accepted ones, one a row.

    Of several accepted edits of one row `drop` goes before `edit`, `edit` before `weight`, `weight` before `mask`; of
    several of one action the first in the file. What gives way is listed by `conflicts`. Rejected edits are never taken.

    Args:
        edits: A patch.
        all: Take the proposed ones too.
    Returns:
        The edits taken, in the order of the patch.
    """
    return _resolved(edits, all)[0]


def conflicts(edits: Iterable[Edit], all: bool = False) -> list[tuple[Edit, Edit]]:  # noqa: A002
    """List the edits that would be taken if another edit of their row did not go before: (taken, gives way)."""
    return _resolved(edits, all)[1]


def _resolved(edits: Iterable[Edit], everything: bool) -> tuple[list[Edit], list[tuple[Edit, Edit]]]:
    wanted = [edit for edit in edits if edit.status == "accepted" or (everything and edit.status == "proposed")]
    first: dict[int, Edit] = {}
    for edit in wanted:
        if edit.position is None:
            continue
        other = first.get(edit.position)
        if other is None or ACTIONS.index(edit.action) < ACTIONS.index(other.action):
            first[edit.position] = edit
    lost = [(first[e.position], e) for e in wanted if e.position is not None and first[e.position] is not e]
    gone = {id(edit) for _, edit in lost}
    return [edit for edit in wanted if id(edit) not in gone], lost


def fingerprint(edits: Iterable[Edit]) -> str:
    """Hash what a patch says (32 hex digits): its edits in order, however the file writes them."""
    import polars as pl

    from tunesmith import core

    said = [json.dumps(asdict(edit), ensure_ascii=True, sort_keys=True) for edit in edits]
    return core.content_hash(pl.DataFrame({"edit": said}, schema={"edit": pl.String}))


def against(edits: Sequence[Edit], frame: pl.DataFrame, *, patch: str | Path = PATCH, version: str | Path = "the rows read") -> None:
    """Refuse edits of rows that are not there: position and id must both be those of a row.

    Args:
        edits: The edits to apply; those that add rows are not looked at.
        frame: `position` and `row_id` of the version's rows.
        patch: What messages call the patch; a diagnosis beside it says what it was made from.
        version: What messages call the version.
    Raises:
        InputError: With how many match, the first that does not, and what the patch was made from.
    """
    named = [edit for edit in edits if edit.action != "add"]
    ids = dict(frame.select("position", "row_id").iter_rows())
    wrong = [edit for edit in named if ids.get(edit.position) != edit.row_id]
    if not wrong:
        return
    first = wrong[0]
    elsewhere = [position for position, row_id in ids.items() if row_id == first.row_id][:3]
    if elsewhere:
        found = f"its content at position {', '.join(map(str, elsewhere))}"
    elif first.position in ids:
        found = f"another row there ({ids[first.position]})"
    else:
        found = "no row at that position"
    raise InputError(
        f"{patch}: a patch for another version: {len(named) - len(wrong):,} of {len(named):,} edits name a row of {version}; the first "
        f"that does not, edit {first.edit_id}: expected row {first.row_id} at position {first.position}, found {found}. {_source(patch)}"
    )


def _source(patch: str | Path) -> str:
    """Say what a patch was made from, where a diagnosis lies around it."""
    folder = Path(patch) if Path(patch).is_dir() else Path(patch).parent
    if not is_artefact(folder):
        return "Name the version that it was made from"
    made = read_manifest(folder)
    inputs = ", ".join(f"{name} ({given})" for name, given in made.inputs.items())
    return f"The {made.kind} in {folder} was made from {inputs}: name that version"


def _edit(content: str, place: Path, line: int) -> Edit:
    try:
        given = parse(content)
    except LineError as error:
        raise InputError(f"{at(place, line=line, field=error.field)}: {error}") from error
    if "edit_id" not in given:
        named = (given.get("position"), given.get("row_id"), given["action"], given.get("category"))
        given["edit_id"] = edit_id(*named, turn=given.get("turn"), fields=given["fields"] if given["action"] == "add" else None)
    if "weight" in given:
        given["weight"] = float(given["weight"])
    return Edit(**given)
