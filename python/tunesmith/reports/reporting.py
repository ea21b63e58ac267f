"""`report`: any artefact, or a folder that holds several, as one HTML file."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from tunesmith.artefact import MANIFEST, Manifest, read_manifest
from tunesmith.copies import local
from tunesmith.errors import ArtefactError, InputError, OptionError
from tunesmith.progress import SILENT, Progress
from tunesmith.reports import page
from tunesmith.reports.blocks import ORIGIN, Block, Cell, Code, Drawn, Grid, Report, Rows, Samples, Section, Shown, Words
from tunesmith.stores import is_address

if TYPE_CHECKING:
    from tunesmith.slices import Profile

ORDER = ("version", "split", "pack", "run", "evaluation", "diagnosis", "experiment", "turn")
STORY = ("turn", "experiment", "diagnosis", "evaluation", "version", "split", "run", "pack")
RING = ("turn", "experiment", "diagnosis")
"""The way back, which is told first."""
COMMANDS = "commands.sh"
_HEAD = 65_536
_LINK = re.compile(r"^#[\w-]+")


def report(
    folder: str | Path, out: str | Path | None = None, *, title: str | None = None, force: bool = False, progress: Progress = SILENT
) -> dict[str, Any]:
    """Write a report.

    Args:
        folder: Or an address; a version, split, pack, run, evaluation, diagnosis, experiment or turn, or a folder that holds some of them.
            Two evaluations of the same items are compared: the one named `base` (else the first by name) is what came before.
        out: The HTML file; `report.html` in the folder unless said. An earlier report is replaced.
        title: Headline; the folder's name unless said.
        force: Replace a file that is no report.
        progress: Where to report.
    Returns:
        `report` (the path), `bytes`, `verdict` (the report's first sentence) and `sections` (their ids).
    Raises:
        ArtefactError: If there is nothing to draw, or another file is in the way.
        MissingExtraError: Without altair.
    """
    if is_address(folder):
        if out is None:
            raise OptionError(f"{folder}: expected -o REPORT.html, a file of this machine, where the artefact lies at an address")
        title = title or PurePosixPath(folder).name
    folder = local(folder)
    out = Path(out) if out is not None else folder / "report.html"
    parts = _artefacts(folder)
    _free(out, force=force)
    drawn = _sections(parts, progress)
    sections = [*drawn.sections, _origin(folder, parts, drawn.parts)]
    made = Report(
        title=title or _title(folder, parts),
        verdict=drawn.verdict or sections[0].lead,
        sections=_arranged(sections),
        outcome=drawn.outcome,
        caveats=drawn.caveats,
    )
    return _written(out, made, progress)


def _title(folder: Path, parts: list[tuple[str, Path]]) -> str:
    """Name a report after its folder; a turn after its loop too."""
    place = folder.resolve()
    return f"{place.parent.name}, {place.name.replace('-', ' ')}" if parts == [("turn", folder)] else place.name


def profile_report(
    made: Profile, out: str | Path, *, title: str = "Profile", force: bool = False, progress: Progress = SILENT
) -> dict[str, Any]:
    """Write the report of a profile.

    Args:
        made: What `tunesmith.slices.profile` returned.
        out: The HTML file. An earlier report is replaced.
        title: Headline.
        force: Replace a file that is no report.
        progress: Where to report.
    Returns:
        As `report`.
    Raises:
        ArtefactError: If another file is in the way.
        MissingExtraError: Without altair.
    """
    from tunesmith.reports.sections import profile

    _free(Path(out), force=force)
    with progress.task("Drawing the report", 1) as done:
        sections, verdict = profile.sections(made)
        done(1)
    return _written(Path(out), Report(title=title, verdict=verdict, sections=_arranged(sections)), progress)


def ready(out: str | Path, *, force: bool = False) -> None:
    """Tell, before long work, whether a report with plots can be written.

    Args:
        out: The HTML file.
        force: Replace a file that is no report.
    Raises:
        ArtefactError: If another file is in the way.
        MissingExtraError: Without altair.
    """
    from tunesmith.reports import charts

    _free(Path(out), force=force)
    charts.require()


def _written(out: Path, made: Report, progress: Progress) -> dict[str, Any]:
    content = page.draw(made).encode()
    if len(content) > page.BUDGET:
        progress.say(f"the report holds {len(content) / 1e6:.1f} MB; above {page.BUDGET / 1e6:.0f} MB browsers open it slowly")
    out.parent.mkdir(parents=True, exist_ok=True)
    beside = out.with_name(out.name + ".work")
    beside.write_bytes(content)
    os.replace(beside, out)  # noqa: PTH105  (the one atomic form: a reader never sees half of it)
    return {"report": str(out), "bytes": len(content), "verdict": made.verdict, "sections": [section.id for section in made.sections]}


def _free(out: Path, *, force: bool) -> None:
    """Refuse to replace what is no report, before any work is done."""
    if out.is_dir():
        raise ArtefactError(f"{out}: expected the name of an HTML file, found a folder; name a file in it")
    if force or not out.exists():
        return
    with out.open("rb") as file:
        head = file.read(_HEAD).lower()
    if not (head.lstrip().startswith(b"<!doctype html") and page.MARK.encode() in head):
        raise ArtefactError(f"{out} exists and is no report; choose another name, or --force to replace it")


def _artefacts(folder: Path) -> list[tuple[str, Path]]:
    """List (kind, folder): the folder itself, else the artefacts directly in it, in the order of the ring."""
    if not folder.is_dir():
        raise ArtefactError(f"{folder}: expected a folder with an artefact, found {'a file' if folder.exists() else 'nothing'}")
    if (folder / MANIFEST).is_file():
        found = [(str(read_manifest(folder).kind), folder)]
    else:
        children = sorted(path for path in folder.iterdir() if (path / MANIFEST).is_file())
        found = [(str(read_manifest(path).kind), path) for path in children]
    found = [(kind, path) for kind, path in found if kind in ORDER]
    if not found:
        raise ArtefactError(f"{folder}: expected a {', '.join(ORDER[:-1])} or {ORDER[-1]}, or a folder that holds some; found none")
    return sorted(found, key=lambda part: (ORDER.index(part[0]), part[1].name != "base", part[1].name))


def _sections(parts: list[tuple[str, Path]], progress: Progress) -> Drawn:
    """Draw every artefact, the story first: what came out, then what went in."""
    from tunesmith.reports.sections import comparison, evaluation, pack, run, split, version

    draw: dict[str, Callable[[Path], list[Section]]] = {
        "version": version.sections,
        "split": split.sections,
        "run": run.sections,
        "evaluation": evaluation.sections,
    }
    of = {kind: [path for other, path in parts if other == kind] for kind in STORY}
    whole = Drawn(sections=[])
    with progress.task("Drawing the report", len(parts)) as done:
        drawn = 0
        for kind, paths in of.items():
            if kind in RING:
                whole = _joined(whole, _way_back(kind, paths, of))
            elif kind == "evaluation" and len(paths) == 2:
                try:
                    made, verdict = comparison.sections(*paths, finetuned=_finetuned(of["run"], *paths))
                    whole = _joined(whole, Drawn(sections=made, verdict=verdict))
                except InputError as error:
                    made = _several(draw[kind], paths)
                    made[0] = replace(made[0], blocks=[Words(text=f"The two evaluations are not compared: {error}."), *made[0].blocks])
                    whole = _joined(whole, Drawn(sections=made))
            elif kind == "pack":
                whole = _joined(whole, Drawn(sections=pack.sections(paths) if paths else []))
            else:
                whole = _joined(whole, Drawn(sections=_several(draw[kind], paths)))
            drawn += len(paths)
            done(drawn)
    return whole


def _way_back(kind: str, paths: list[Path], of: Mapping[str, list[Path]]) -> Drawn:
    """Draw turns, experiments or diagnoses; the first sentence is the last one's, which is where things stand."""
    from tunesmith.reports.sections import diagnosis, turn

    def one(path: Path) -> Drawn:
        if kind == "turn":
            return turn.draw(path)
        if kind == "experiment":
            return turn.draw_experiment(path)
        made = diagnosis.Diagnosed.open(path, data=of["version"])
        return Drawn(sections=diagnosis.sections(made), verdict=diagnosis.sentence(made))

    made = [one(path) for path in paths]
    if len(made) < 2:
        return made[0] if made else Drawn(sections=[])
    named = [
        _named(section, k, path.name)
        for k, (path, drawn) in enumerate(zip(paths, made, strict=True), start=1)
        for section in drawn.sections
    ]
    return replace(made[-1], sections=named, parts=tuple(part for drawn in made for part in drawn.parts))


def _joined(whole: Drawn, made: Drawn) -> Drawn:
    """Put more sections after those that there are; the first that says something says it."""
    said = whole if whole.verdict else made
    return replace(said, sections=[*whole.sections, *made.sections], parts=(*whole.parts, *made.parts))


def _several(draw: Callable[[Path], list[Section]], paths: list[Path]) -> list[Section]:
    """Draw artefacts of a kind; several are told apart by their folder's name."""
    if len(paths) == 1:
        return draw(paths[0])
    return [_named(section, k, path.name) for k, path in enumerate(paths, start=1) for section in draw(path)]


def _named(section: Section, k: int, name: str) -> Section:
    """Tell a section apart from its likes: in its title, its address, and the links of its numbers."""
    blocks = [_renamed(block, k) for block in section.blocks]
    return replace(section, id=f"{section.id}-{k}", title=f"{section.title}: {name}", blocks=blocks, headline=())


def _renamed(block: Block, k: int) -> Block:
    if isinstance(block, Rows | Samples):
        return replace(block, id=f"{block.id}-{k}")
    if isinstance(block, Grid):
        rows = [
            [replace(cell, to=_LINK.sub(rf"\g<0>-{k}", cell.to)) if isinstance(cell, Shown) else cell for cell in row] for row in block.rows
        ]
        return replace(block, id=f"{block.id}-{k}", rows=rows)
    return block


def _finetuned(runs: list[Path], base: Path, other: Path) -> bool:
    """Tell whether a run in the folder leads from the model of one evaluation to that of the other, by content."""
    before, after = (set(read_manifest(path).inputs.values()) for path in (base, other))
    manifests = [read_manifest(path) for path in runs]
    return any(run.hash in after and run.hash not in before and run.inputs.get("model") in before for run in manifests)


def _arranged(sections: list[Section]) -> list[Section]:
    return sorted(sections, key=lambda section: section.rank)


def _origin(folder: Path, parts: list[tuple[str, Path]], inner: Sequence[tuple[str, Path]] = ()) -> Section:
    from tunesmith.reports.sections import again

    turns = [path for kind, path in parts if kind == "turn"]
    blocks: list[Block] = again.origin(turns[-1]) if turns else []
    if (folder / COMMANDS).is_file():
        text = (folder / COMMANDS).read_text(encoding="utf-8", errors="replace")
        blocks.append(Code(title=f"The commands, in this folder ({COMMANDS})", text=text.strip()))
    rows: list[list[Cell]] = []
    inside = {path for _, path in inner}
    for kind, path in (*(part for part in parts if part[1] not in inside), *inner):
        manifest: Manifest = read_manifest(path)
        inputs = ", ".join(f"{name} {value[:16]}" for name, value in manifest.inputs.items())
        rows.append([_place(path, folder), kind, manifest.hash[:32], inputs or "–", manifest.tool])
    definitions = {
        "folder": "In the folder of this report.",
        "content": "Hash of the rows and columns, never of a time or a path.",
        "made from": "Name and hash (its first 16 digits) of each input.",
    }
    blocks.append(
        Grid(title="Artefacts", columns=("folder", "kind", "content", "made from", "made by"), rows=rows, definitions=definitions)
    )
    lead = "Every artefact names what it was made from by content; the same inputs and options give the same hashes."
    return Section(id="reproduce", title="How to make it again", lead=lead, blocks=blocks, rank=ORIGIN)


def _place(path: Path, folder: Path) -> str:
    """Name a folder as it lies under the report's."""
    return path.relative_to(folder).as_posix() if path != folder and path.is_relative_to(folder) else path.resolve().name
