"""The reference pages say what the code says."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


def tool(name: str) -> ModuleType:
    """A script of `tools/`, as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


PAGES = tool("reference").PAGES


@pytest.mark.parametrize("name", PAGES)
def test_page_is_what_the_code_says(name: str) -> None:
    written = (ROOT / "docs" / "reference" / name).read_text(encoding="utf-8")
    assert written == PAGES[name](), f"docs/reference/{name} is stale: python tools/reference.py"


def test_no_page_is_without_its_code() -> None:
    assert {path.name for path in (ROOT / "docs" / "reference").glob("*.md")} == set(PAGES)


def test_a_docstring_becomes_lists_and_code() -> None:
    text = "Do it.\n\nArgs:\n    a: The ``<first>``,\n        and more <b>.\nReturns:\n    Nothing.\n\n>>> 1\n1\n"
    assert tool("reference_markdown").docstring(text) == (
        "Do it.\n\n**Args**\n\n- `a`: The `<first>`,\n  and more &lt;b>.\n\n**Returns**\n\nNothing.\n\n```pycon\n>>> 1\n1\n```"
    )


def test_a_cell_keeps_its_table() -> None:
    assert tool("reference_markdown").cell("a|b <c> `<d>`") == r"a\|b &lt;c> `<d>`"
