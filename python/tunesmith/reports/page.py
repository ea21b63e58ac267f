"""One HTML file: no network, a content security policy by hash, nothing of the data ever read as markup.

Text is escaped by jinja2; the rows of big tables travel as gzip in an inert script element, are inflated in the browser
and set by `textContent`. Equal reports are equal bytes.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from tunesmith._version import __version__
from tunesmith.reports.blocks import Report, Rows, Tags
from tunesmith.reports.texts import number, visible

FOLDER = Path(__file__).parent
BUDGET = 5_000_000
"""Bytes that a report should stay under."""
TABLE = 4_000_000
"""Bytes of text that one table of rows holds at most, before compression."""
MARK = "tunesmith report"
"""What every report says of itself."""


def draw(report: Report) -> str:
    """Draw a report as one HTML page."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined
    from markupsafe import Markup

    def finalize(value: Any) -> Any:
        # Every expression of the template passes here, so that none can forget the controls that hide.
        return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value

    environment = Environment(
        loader=FileSystemLoader(FOLDER), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=finalize
    )
    environment.filters["number"] = number
    environment.filters["tagged"] = _tagged
    script = (FOLDER / "page.js").read_text(encoding="utf-8")
    return environment.get_template("page.html.j2").render(
        report=report,
        tables={block.id: fitting(block) for section in report.sections for block in section.blocks if isinstance(block, Rows)},
        packed=packed,
        style=(FOLDER / "page.css").read_text(encoding="utf-8"),
        script=script,
        policy=policy(script),
        mark=MARK,
        version=__version__,
    )


def policy(script: str) -> str:
    """Write the content security policy: this one script, by hash, and nothing from anywhere."""
    digest = base64.b64encode(sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    )


def fitting(rows: Rows) -> list[Any]:
    """Take the records that one table can hold: the first ones, up to `TABLE` bytes."""
    taken, size = [], 0
    for record in rows.records:
        size += sum(map(_size, record))
        if size > TABLE:
            break
        taken.append([_shown(value) for value in record])
    return taken


def packed(rows: Rows, records: Sequence[Any]) -> str:
    """Pack a table's columns and records: base64 of gzip of JSON, which no parser of HTML can read as anything."""
    columns = [{**vars(column), "name": visible(column.name)} for column in rows.columns]
    text = json.dumps({"columns": columns, "records": records}, ensure_ascii=False, separators=(",", ":"))
    return base64.b64encode(gzip.compress(text.encode(), mtime=0)).decode()


def _tagged(tags: Tags) -> str:
    """Write tags for the script to read; the template escapes them as any text."""
    return json.dumps({visible(name): _shown(list(values)) for name, values in tags.items()}, ensure_ascii=False)


def _size(value: Any) -> int:
    return sum(map(_size, value)) if isinstance(value, list | tuple) else len(str(value).encode("utf-8", "replace"))


def _shown(value: Any) -> Any:
    if isinstance(value, str):
        return visible(value)
    if isinstance(value, list | tuple):
        return [_shown(item) for item in value]
    return value
