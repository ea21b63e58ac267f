"""The house: rooms import leftwards only, each says what lives in it, files stay small."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "python" / "tunesmith"
FOUNDATION = ("_version", "_lazy", "errors", "progress", "stores", "copies", "uploads", "artefact")
ROOMS = (
    "core", "rows", "templates", "models", "detection", "slices", "curation", "packing",
    "training", "evaluation", "diagnosis", "turns", "reports", "cli",
)  # fmt: skip
FILES = sorted(PACKAGE.rglob("*.py"))


def room_of(module: str) -> str | None:
    """The room of `tunesmith.rows.reading`: rows. The package itself has none."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[0] == "tunesmith" else None


def imports(path: Path) -> set[str]:
    """Every tunesmith module a file imports, wherever in the file."""
    here = ["tunesmith", *path.relative_to(PACKAGE).parts[:-1]]
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + 1] if node.level else []
            module = ".".join([*base, *(node.module.split(".") if node.module else [])])
            found |= {f"{module}.{alias.name}" for alias in node.names} if module == "tunesmith" else {module}
    return {module for module in found if module.split(".")[0] == "tunesmith"}


def test_every_room_is_known() -> None:
    rooms = {path.name for path in PACKAGE.iterdir() if path.is_dir() and path.name != "__pycache__"}
    files = {path.stem for path in PACKAGE.glob("*.py")} - {"__init__"}
    assert rooms <= set(ROOMS)
    assert files == {*FOUNDATION, "__main__"}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_leftwards(path: Path) -> None:
    first = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    if first in ("__init__", "__main__"):
        return  # the package's own face names every room, lazily
    order = (*FOUNDATION, *ROOMS)
    for module in imports(path):
        room = room_of(module)
        if room is not None and room in order:
            assert order.index(room) <= order.index(first), f"{path.relative_to(PACKAGE)} imports {module}, which is to its right"


@pytest.mark.parametrize("room", sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py")))
def test_a_room_says_what_lives_there(room: str) -> None:
    text = ast.get_docstring(ast.parse((PACKAGE / room / "__init__.py").read_text(encoding="utf-8")))
    assert text is not None
    assert len(text.split()) >= 12


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_a_file_has_one_subject(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 420


def test_foundation_is_standard_library() -> None:
    allowed = {"tunesmith", *(f"tunesmith.{name}" for name in FOUNDATION)}
    for name in FOUNDATION:
        path = PACKAGE / f"{name}.py"
        assert imports(path) <= allowed
        assert not {"polars", "click", "rich", "torch", "pydantic"} & {
            alias.name.split(".")[0]
            for node in ast.walk(ast.parse(path.read_text()))
            if isinstance(node, ast.Import)
            for alias in node.names
        }
