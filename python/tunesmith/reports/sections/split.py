"""A split: its parts and its certificate."""

from __future__ import annotations

import json
from pathlib import Path

from tunesmith.artefact import read_manifest
from tunesmith.reports.blocks import Block, Cell, Figure, Figures, Grid, Section
from tunesmith.reports.definitions import SPLIT
from tunesmith.reports.texts import counted


def sections(folder: Path) -> list[Section]:
    """Draw a split."""
    result = read_manifest(folder, "split").result
    certificate = json.loads((folder / "certificate.json").read_text(encoding="utf-8"))
    parts = [name for name in ("train", "validation", "test") if result.get(name)]
    names = {**{name: name for name in (*parts, "leaks")}, **({"set aside": "set_aside"} if result.get("set_aside") else {})}
    blocks: list[Block] = [
        Figures(
            figures=[
                Figure(label=label, value=f"{result[key]:,}", definition=SPLIT[label]) for label, key in names.items() if key in result
            ]
        )
    ]
    if certificate.get("borders"):
        rows: list[list[Cell]] = []
        for border in certificate["borders"]:
            pair = border.get("positions")
            floor = certificate["floor"]
            none = "none that share five words in a row" if floor is None else f"none found at or above {floor:g}"
            closest = f"rows {pair[0]} and {pair[1]}" if pair else none
            rows.append([" and ".join(border["between"]), border["leaks"], border["highest_similarity"], closest])
        definitions = {
            "leaks": SPLIT["leaks"],
            "highest similarity": SPLIT["highest similarity"],
            "closest prompts": f"Their positions. {certificate['search']}.",
        }
        columns = ("border", "leaks", "highest similarity", "closest prompts")
        blocks.append(Grid(title="The certificate, border by border", columns=columns, rows=rows, definitions=definitions))
    leaks = counted(int(result.get("leaks", 0)), "leak")
    lead = f"Whole groups move together, so that no row is tested on its twin: {certificate['rule']}. {leaks}."
    return [Section(id="split", title="The split", lead=lead, blocks=blocks)]
