"""The Markdown that reference pages are made of."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable

SECTIONS = ("Args", "Returns", "Raises", "Attributes", "Yields")
NOTE = "<!-- Written by tools/reference.py from the code; do not edit. -->"


def page(title: str, *parts: str) -> str:
    """Join a page; blank lines are single."""
    text = "\n\n".join([NOTE, f"# {title}", *parts])
    return re.sub(r"\n{3,}", "\n\n", text).rstrip() + "\n"


def prose(text: str) -> str:
    """Escape what Markdown would read as HTML, outside of code."""
    parts = re.split(r"(`[^`]*`)", text)
    return "".join(part if part.startswith("`") else part.replace("&", "&amp;").replace("<", "&lt;") for part in parts)


def cell(value: object) -> str:
    """Write a value so that a Markdown table keeps it."""
    return prose(str(value)).replace("|", r"\|").replace("\n", " ")


def table(heads: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    """Draw a Markdown table; nothing without rows."""
    lines = [[cell(value) for value in row] for row in rows]
    if not lines:
        return ""
    heads = list(heads)
    return "\n".join(f"| {' | '.join(line)} |" for line in [heads, ["---"] * len(heads), *lines])


def paragraph(text: str | None) -> str:
    """Fold a docstring."""
    return " ".join(inspect.cleandoc(text or "").split())


def docstring(text: str | None) -> str:
    """Turn a google-style docstring into Markdown: sections become lists, examples code."""
    out: list[str] = []
    section = ""
    for line in inspect.cleandoc(text or "").split("\n"):
        name = line.removesuffix(":")
        if line.endswith(":") and name in SECTIONS:
            section = name
            out += ["", f"**{name}**", ""]
        elif section in ("Args", "Raises", "Attributes") and re.match(r"    \S", line):
            term, sign, rest = line.strip().partition(": ")
            out.append(f"- `{term}`: {rest}" if sign else f"- {term}")
        elif section and line.startswith("    "):
            out.append(("  " if section != "Returns" else "") + line.strip())
        else:
            section = section if not line else ""
            out.append(line)
    return _examples("\n".join(out))


def _examples(text: str) -> str:
    """Fence the paragraphs that are doctests; escape the others."""
    blocks = re.split(r"\n{2,}", text)
    fenced = [
        f"```pycon\n{block.strip()}\n```" if block.lstrip().startswith(">>>") else prose(block.replace("``", "`")) for block in blocks
    ]
    return "\n\n".join(fenced).strip()
