"""Starting is light: help pages and `import tunesmith` load neither polars nor torch."""

import subprocess
import sys

import pytest

from tunesmith.cli import COMMANDS, main

HEAVY = ("polars", "torch", "transformers", "pydantic", "altair", "scipy", "numpy", "pyarrow", "yaml", "jinja2")


def loaded_after(code: str) -> set[str]:
    """The heavy modules that are loaded after some code ran."""
    script = f"import sys\n{code}\nprint('HEAVY', *(m for m in {HEAVY!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.rsplit("HEAVY", 1)[1].split())


def test_import_is_light() -> None:
    assert loaded_after("import tunesmith; dir(tunesmith)") == set()


@pytest.mark.parametrize("verb", ["", *COMMANDS])
def test_help_is_light(verb: str) -> None:
    arguments = [*([verb] if verb else []), "--help"]
    code = f"from tunesmith.cli import main\ntry: main({arguments!r})\nexcept SystemExit as end: assert not end.code"
    assert loaded_after(code) == set()


@pytest.mark.parametrize("verb", COMMANDS)
def test_help_has_an_example(verb: str) -> None:
    done = subprocess.run([sys.executable, "-m", "tunesmith", verb, "--help"], capture_output=True, text=True, check=True)
    assert "Example:" in done.stdout
    assert f"tunesmith {verb}" in done.stdout


def test_commands_are_named_after_their_files() -> None:
    for verb in COMMANDS:
        assert main.get_command(None, verb).name == verb  # type: ignore[arg-type]
