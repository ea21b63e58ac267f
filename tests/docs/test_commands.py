"""Every command in the README and the docs is run, page by page, in order, or is marked with what it needs."""

import importlib.util
import os
import re
import shlex
import subprocess
import sys
from collections import Counter
from pathlib import Path
from types import ModuleType

import click
import pytest

from tunesmith import cli


def _pages() -> ModuleType:
    """The reader of pages, which stands beside this file."""
    spec = importlib.util.spec_from_file_location("docs_pages", Path(__file__).with_name("pages.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


pages = _pages()
ALL = [pages.read_page(path) for path in pages.PAGES]
GENERATED = "docs/reference/"
"""Pages written from the code: their examples are those of the help pages and docstrings, which are tested there."""
WALKED = [
    page
    for page in ALL
    if any(block.kind in (*pages.COMMANDS, pages.PYTHON) and not block.needs for block in page.blocks)
    and not page.name.startswith(GENERATED)
]
NEEDS = {
    "a release": "a wheel on a package index",
    "a clone": "the make targets and linters of a clone, which CI runs as they are",
    "an environment to install into": "a package of one's own; tests of detection run an entry point",
    "a bucket": "an S3 server; tests of rows run these commands against one",
    "make demo": "minutes; tests of the demo run it",
    "make real": "minutes, Alpaca and SmolLM2; the other commands of that page are run on stand-ins",
}
NOT_RUN = {"a bucket": 1, "an environment to install into": 1, "a release": 1, "a clone": 4, "make demo": 1, "make real": 4}
"""How many blocks are not run, by reason: another one is a decision, made here."""


def environment() -> dict[str, str]:
    """This one, with the programs beside this Python first, offline, one thread a library."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "COLUMNS": "80"}


def run(block: object, script: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script in a folder; the exit code must be the one that the page says."""
    done = subprocess.run(script, cwd=folder, env=environment(), capture_output=True, text=True, check=False, timeout=540)
    assert done.returncode == block.exit, f"line {block.line}: exit {done.returncode}\n{script[-1]}\n{done.stdout}\n{done.stderr}"  # type: ignore[attr-defined]
    return done


@pytest.mark.parametrize("page", [pytest.param(page, id=page.name, marks=[pytest.mark.slow] if page.slow else []) for page in WALKED])
def test_a_page_does_what_it_says(page: object, tmp_path: Path) -> None:
    for name in page.folder:  # type: ignore[attr-defined]
        pages.FIXTURES[name](tmp_path)
    for block in page.blocks:  # type: ignore[attr-defined]
        if block.file:
            (tmp_path / block.file).write_text(block.text, encoding="utf-8")
        elif block.needs:
            continue
        elif block.kind == pages.PYTHON:
            run(block, [sys.executable, "-c", block.text], tmp_path)
        elif block.kind in pages.COMMANDS:
            script, expected = pages.console(block.text) if block.kind == "console" else (block.text, [])
            done = run(block, ["bash", "-euo", "pipefail", "-c", script], tmp_path)
            missing = pages.shown(expected, done.stdout + done.stderr)
            assert missing is None, f"line {block.line}: not printed: {missing}\n{done.stdout}\n{done.stderr}"


def test_what_is_not_run_says_why_and_is_counted() -> None:
    found = Counter(block.needs for page in ALL for block in page.blocks if block.needs)
    for reason, count in found.items():
        print(f"not run, needs {reason} ({NEEDS.get(reason)}): {count}")
    assert set(found) <= set(NEEDS)
    assert found == NOT_RUN


def test_every_command_is_in_a_block_that_is_looked_at() -> None:
    for page in ALL:
        for block in page.blocks:
            if block.kind in ("bash", "shell", "shell-session", "zsh", "py", "python3"):
                pytest.fail(f"{page.name}, line {block.line}: write sh, console or python, so that it is run")
            if page.name.startswith(GENERATED):
                assert block.kind not in pages.COMMANDS, f"{page.name}, line {block.line}: nothing runs it"
            if block.kind == "text":
                assert not re.search(r"^(\$ )?(tunesmith|make|pip|python) ", block.text, re.MULTILINE), f"{page.name}, line {block.line}"


@pytest.mark.parametrize("page", ALL, ids=lambda page: page.name)
def test_links_to_files_lead_somewhere(page: object) -> None:
    path = pages.ROOT / page.name  # type: ignore[attr-defined]
    text = re.sub(r"```.*?```", "", path.read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)#\s]+)", text):
        if "://" not in link:
            assert (path.parent / link).exists(), f"{page.name}: {link}"  # type: ignore[attr-defined]


def examples() -> list[tuple[str, str]]:
    """The example lines of every help page."""
    found = []
    for verb in cli.COMMANDS:
        command = cli.main.get_command(click.Context(cli.main), verb)
        assert command is not None
        lines = (command.help or "").partition("Example:\n")[2].splitlines()
        found += [(verb, line.strip()) for line in lines if line.strip()]
    return found


@pytest.mark.parametrize(("verb", "line"), examples(), ids=lambda value: value)
def test_an_example_of_a_help_page_can_be_typed(verb: str, line: str) -> None:
    words = shlex.split(line.partition(" > ")[0])
    assert words[:2] == ["tunesmith", verb]
    command = cli.main.get_command(click.Context(cli.main), verb)
    assert command is not None
    command.make_context(verb, words[2:])  # refuses unknown options, missing and surplus arguments


def real_commands() -> list[str]:
    """What `make real` runs."""
    script = (pages.ROOT / "tools" / "real.sh").read_text(encoding="utf-8")
    return [found[1] for found in re.finditer(r"^ *run (tunesmith .*?)(?: \|\| .*)?$", script, re.MULTILINE)]


def test_the_tutorials_walk_what_make_real_runs() -> None:
    walked = [next(page for page in ALL if page.name == f"docs/tutorial/{name}.md") for name in ("first-finetune", "second-turn")]
    blocks = [block for page in walked for block in page.blocks]
    typed = [line for block in blocks if block.kind == "sh" and not block.needs for line in block.text.splitlines()]
    assert typed == real_commands()
    for file in ("sample.yaml", "refusals/tunesmith.yaml"):
        written = next(block.text for block in blocks if block.file == file)
        assert written in (pages.ROOT / "tools" / "real.sh").read_text(encoding="utf-8").replace("\n  loop:", "\nloop:")


def test_make_real_says_where_alpaca_is_to_be_named(tmp_path: Path) -> None:
    script = str(pages.ROOT / "tools" / "real.sh")
    beside = str(Path(sys.executable).parent)
    done = subprocess.run(["bash", script, beside, "out", "nowhere.json"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "make real ALPACA=" in done.stderr
    assert not (tmp_path / "out").exists()
    assert subprocess.run(["bash", script], capture_output=True, check=False).returncode == 2


class TestReader:
    """The reader of pages sees what is there."""

    def test_blocks_and_comments(self, tmp_path: Path) -> None:
        path = tmp_path / "page.md"
        path.write_text("<!-- folder: a b -->\n<!-- slow -->\n<!-- exit: 1 -->\n\n```sh\nfalse\n```\n\n```console\n$ ls\nx\n```\n")
        page = pages.read_page(path)
        assert (page.folder, page.slow) == (("a", "b"), True)
        assert [(block.kind, block.text, block.exit) for block in page.blocks] == [("sh", "false\n", 1), ("console", "$ ls\nx\n", 0)]

    @pytest.mark.parametrize("text", ["<!-- needs: x -->\nNo block.\n", "```sh\nls\n", "<!-- file: x -->\n"])
    def test_a_comment_without_a_block_is_refused(self, text: str, tmp_path: Path) -> None:
        (tmp_path / "page.md").write_text(text)
        with pytest.raises(ValueError, match="expected"):
            pages.read_page(tmp_path / "page.md")

    def test_output_is_looked_for_in_order(self) -> None:
        assert pages.shown(["a", "…", "c"], "x\na\nb\nc\n") is None
        assert pages.shown(["c", "a"], "a\nb\nc\n") == "a"

    def test_a_wrong_exit_code_is_noticed(self, tmp_path: Path) -> None:
        with pytest.raises(AssertionError, match="exit 3"):
            run(pages.Block(1, "sh", "exit 3"), ["bash", "-c", "exit 3"], tmp_path)
