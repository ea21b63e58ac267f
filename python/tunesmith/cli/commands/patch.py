"""`tunesmith patch`: look at a patch, apply it to a version, take it back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import click

from tunesmith.cli.manners import Outcome, Session, require, rows_per_file, verb

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from tunesmith.diagnosis.patching import Applied, Shown, Undone


@verb(
    "patch",
    example="""
tunesmith patch show diagnosis/patch.jsonl split/train
tunesmith patch apply diagnosis/patch.jsonl split/train -o patched
tunesmith patch apply diagnosis/patch.jsonl split/train -o patched --all
tunesmith patch undo diagnosis/patch.jsonl patched -o train-again
""",
    remote=("version", "out"),
)
@click.argument("action", type=click.Choice(["show", "apply", "undo"]))
@click.argument("patch", type=click.Path())
@click.argument("version", type=click.Path(), required=False)
@click.option("-o", "--out", type=click.Path(file_okay=False), help="The version to write (apply, undo).")
@click.option("--all", "everything", is_flag=True, help="Take the proposed edits too (apply), or show what would be taken (show).")
@click.option("--show", "samples", type=click.IntRange(min=0), default=3, show_default=True, help="Edits to show of each category (show).")
@click.option("--dry-run", is_flag=True, help="Decide and show, but write nothing (apply).")
@rows_per_file
@click.option("--force", is_flag=True, help="Replace what lies at the output (apply, undo).")
def command(
    session: Session, action: str, patch: str, version: str | None, out: str | None, *, everything: bool, samples: int, dry_run: bool,
    force: bool, rows_per_file: int | None,
) -> Outcome:  # fmt: skip
    """Look at a patch, apply its accepted edits to a version, or take them back.

    \b
    show PATCH [VERSION]         counts per action, status and category; with VERSION the words that change
    apply PATCH VERSION -o OUT   a new version: dropped, edited, weighted, masked and added rows, all in its ledger
    undo PATCH VERSION -o OUT    VERSION, which `apply` made, as it was before: rows, ids, positions, weights

    PATCH is a patch.jsonl or the folder of a diagnosis. Edits that are proposed are left out without --all; rejected ones are never
    taken. Of several edits of a row one is taken: drop before edit before weight before mask.
    """  # noqa: D301  (click's mark for "keep these lines" is a real backspace)
    from tunesmith.diagnosis import patch_apply, patch_show, patch_undo

    require(not (dry_run and action != "apply"), f"--dry-run belongs to apply; {action} was asked for")
    require(not (everything and action == "undo"), "--all belongs to apply and show; undo takes back what was applied")
    if action == "show":
        require(out is None and not force, "patch show writes nothing; leave out -o and --force")
        found = patch_show(patch, version, all=everything, samples=samples)
        return Outcome(data=found.as_dict(), show=lambda console: _show(console, found, patch))
    require(
        version is not None, f"expected the VERSION that the patch is {'for' if action == 'apply' else 'to be taken back from'}, found none"
    )
    require(out is not None or dry_run, "expected -o VERSION, what to write" + (", or --dry-run" if action == "apply" else ""))
    if action == "undo":
        assert version is not None
        undone = patch_undo(patch, version, out, force=force, rows_per_file=rows_per_file, progress=session.progress)
        return Outcome(data=undone.as_dict(), show=lambda console: _undone(console, undone))
    made = patch_apply(
        patch, version, out, all=everything, dry_run=dry_run, force=force, rows_per_file=rows_per_file, progress=session.progress
    )
    data: dict[str, Any] = {**made.as_dict(), **({"dry_run": True} if dry_run else {})}
    return Outcome(data=data, show=lambda console: _applied(console, made, dry_run=dry_run))


def _show(console: Console, found: Shown, patch: str) -> None:
    from tunesmith.cli.terminal import table, visible

    statuses = ("proposed", "accepted", "rejected")
    rows = [[action, *(by.get(status) for status in statuses), found.taken.get(action)] for action, by in found.counts.items()]
    console.print(table(f"{visible(patch)}: {found.edits:,} edits", ["action", *statuses, "would be taken"], rows))
    if found.categories:
        listed = [
            [name, sum(by.values()), ", ".join(f"{action} {n:,}" for action, n in by.items())] for name, by in found.categories.items()
        ]
        console.print(table("Why", ["category", "edits", "actions"], listed))
    for sample in found.samples:
        console.print(_sample(sample), soft_wrap=True)
    _notes(console, found.notes)


def _sample(sample: Mapping[str, Any]) -> Text:
    """Draw an edit: what is asked, why, and the words that go [-so-] and come {+so+}."""
    from rich.text import Text

    from tunesmith.cli.terminal import visible

    place = "a new row" if sample["position"] is None else f"row {sample['position']}"
    text = Text()
    text.append(f"{sample['action']} {place}", style="bold")
    text.append(visible(f" ({', '.join(part for part in (sample['category'], sample['status']) if part)}): {_short(sample['reason'])}\n"))
    text.append(visible(f"  prompt: {_short(sample['prompt'])}\n"))
    for change in sample["changes"]:
        text.append(visible(f"  {change['field']}: "))
        for word in change["words"]:
            piece = visible(" ".join(word["text"].split(" ")).replace("\n", "⏎"))
            piece = _middle(piece) if word["op"] == "equal" else piece if len(piece) <= 300 else piece[:299] + "…"
            marks = {"delete": ("[-", "-]", "red strike"), "insert": ("{+", "+}", "green"), "equal": ("", "", "")}[word["op"]]
            text.append(f"{marks[0]}{piece}{marks[1]}", style=marks[2])
        text.append("\n")
    return text


def _middle(text: str) -> str:
    return text if len(text) <= 120 else f"{text[:59]} … {text[-58:]}"


def _applied(console: Console, made: Applied, *, dry_run: bool) -> None:
    from shlex import quote

    from tunesmith.cli.terminal import table

    curated = made.curated
    console.print(table("Edits taken", ["action", "edits"], made.taken.items()))
    if curated.reasons:
        console.print(table("Why rows were dropped", ["step.rule", "rows"], curated.reasons.items()))
    added = f" + {curated.added:,} added" if curated.added else ""
    console.print(
        f"{curated.rows_in:,} in{added} = {curated.kept:,} kept + {curated.dropped:,} dropped + {curated.rejected:,} rejected;"
        f" of those kept {curated.edited:,} edited",
        markup=False, soft_wrap=True,
    )  # fmt: skip
    _notes(console, made.notes)
    if dry_run:
        console.print("nothing was written (--dry-run)", markup=False)
        return
    said = "already made from the same rows and patch" if curated.reused else "written"
    console.print(f"{curated.out}: {said}", markup=False, soft_wrap=True)
    touched = curated.ledger["position"].to_list()[:1]
    if touched:
        console.print(f"what became of a row: tunesmith explain {quote(str(curated.out))} {touched[0]}", markup=False, soft_wrap=True)


def _undone(console: Console, undone: Undone) -> None:
    console.print(
        f"{undone.rows_in:,} in + {undone.restored:,} restored = {undone.kept:,} kept + {undone.taken_out:,} taken out;"
        f" of those kept {undone.reverted:,} as they were before the patch changed them",
        markup=False, soft_wrap=True,
    )  # fmt: skip
    if undone.equal:
        console.print("the same content as the version that was patched", markup=False)
    said = "already made" if undone.reused else "written"
    console.print(f"{undone.out}: {said}", markup=False, soft_wrap=True)


def _notes(console: Console, notes: Iterable[str]) -> None:
    from tunesmith.cli.terminal import visible

    for note in notes:
        console.print(visible(note), markup=False, soft_wrap=True)


def _short(text: str | None) -> str:
    folded = " ".join((text or "").split())
    return folded if len(folded) <= 200 else folded[:199] + "…"
