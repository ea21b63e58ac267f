"""The pages as a reader follows them: blocks in order, and the folder in which a page is walked.

Comments in a page say what its blocks cannot:

    <!-- folder: rows.json model -->   (once) what the page's folder holds at the start, names of `FIXTURES`
    <!-- slow -->                      (once) the page takes more than some ten seconds
    <!-- needs: make real -->          the next block is not run here; why
    <!-- exit: 1 -->                   the next block's exit code
    <!-- file: recipe.yaml -->         the next block is a file that the reader writes
"""

from __future__ import annotations

import json
import random
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "datasets").rglob("*.md"), *(ROOT / "docs").rglob("*.md")],
    key=lambda path: str(path.relative_to(ROOT)),
)
COMMANDS, PYTHON = ("sh", "console"), "python"


@dataclass(frozen=True)
class Block:
    """A fenced block.

    Attributes:
        line: Where it begins, from 1.
        kind: What stands after the fence.
        text: What it holds.
        needs: Why it is not run here; "" when it is.
        exit: The exit code that is expected.
        file: The file that it is; "" when it is none.
    """

    line: int
    kind: str
    text: str
    needs: str = ""
    exit: int = 0
    file: str = ""


@dataclass(frozen=True)
class Page:
    """A page: its blocks, what its folder holds, and whether it is slow."""

    name: str
    blocks: tuple[Block, ...]
    folder: tuple[str, ...]
    slow: bool


def read_page(path: Path) -> Page:
    """Read a page.

    Raises:
        ValueError: If a comment belongs to no block, or a block does not end.
    """
    name = str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name
    blocks: list[Block] = []
    folder: list[str] = []
    said: dict[str, str] = {}
    slow, fence, start, held = False, "", 0, list[str]()
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if fence:
            if line.strip() == "```":
                blocks.append(
                    Block(start, fence, "\n".join(held) + "\n", said.get("needs", ""), int(said.get("exit", 0)), said.get("file", ""))
                )
                fence, held, said = "", [], {}
            else:
                held.append(line)
        elif line.startswith("```"):
            fence, start = line[3:].strip() or "text", number
        elif found := re.fullmatch(r"<!-- (needs|exit|file|folder): (.+?) -->", line.strip()):
            if found[1] == "folder":
                folder += found[2].split()
            else:
                said[found[1]] = found[2]
        elif line.strip() == "<!-- slow -->":
            slow = True
        elif line.strip() and said:
            raise ValueError(f"{name}, line {number}: expected the block that {said} is about")
    if fence or said:
        raise ValueError(f"{name}: expected a block to begin and to end, found {fence or said}")
    return Page(name, tuple(blocks), tuple(folder), slow)


def console(text: str) -> tuple[str, list[str]]:
    """Take a console block apart: the script of its `$` lines, and the lines of output that it shows.

    >>> console("$ ls\\na\\n…\\n")
    ('ls\\n', ['a', '…'])
    """
    lines = text.splitlines()
    script = "".join(f"{line[2:]}\n" for line in lines if line.startswith("$ "))
    return script, [line for line in lines if not line.startswith("$ ") and line.strip()]


def shown(expected: list[str], found: str) -> str | None:
    """Find the first line that should have been printed, in order, and was not; `…` stands for any lines."""
    lines = iter(line.strip() for line in found.splitlines())
    for line in expected:
        if line.strip() != "…" and line.strip() not in lines:
            return line
    return None


def _workshop(name: str) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes((ROOT / "datasets" / "workshop" / name).read_bytes()) and None


def _your(folder: Path) -> None:
    rows = [{"instruction": "Name a color.", "input": "", "output": "Red."}, {"instruction": "Add 1 and 2.", "output": "3"}]
    (folder / "your.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def _alpaca(folder: Path) -> None:
    """Stand in for Alpaca's file: 12,000 rows of its form, no two prompts alike."""
    rng, words = random.Random(0), "red green blue one two three cat dog bird runs sleeps sings a the small big list name say house".split()  # noqa: SIM905
    rows = [
        {"instruction": " ".join(rng.choices(words, k=9)) + f" {k}", "input": "", "output": " ".join(rng.choices(words, k=7)) + "."}
        for k in range(12_000)
    ]
    (folder / "alpaca_data.json").write_text(json.dumps(rows), encoding="utf-8")


def _model(folder: Path) -> None:
    import tiny

    tiny.model_folder(folder / "model", context=256)


def _models(folder: Path) -> None:
    """Stand in for SmolLM2 and MiniLM: tiny models of the same interfaces."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules as parts
    from tokenizers.processors import TemplateProcessing
    from transformers import BertConfig, BertModel

    import tiny

    tiny.model_folder(folder / "models" / "SmolLM2-135M-Instruct", context=512)
    bert = folder / "bert"
    config = BertConfig(
        vocab_size=320, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64, max_position_embeddings=256
    )
    BertModel(config).save_pretrained(bert)
    tokenizer = tiny.tokenizer(chat_template=None)
    tokenizer.backend_tokenizer.post_processor = TemplateProcessing(single=f"{tiny.BOS} $A", special_tokens=[(tiny.BOS, 1)])
    tokenizer.save_pretrained(bert)
    encoder = SentenceTransformer(modules=[parts.Transformer(str(bert), max_seq_length=128), parts.Pooling(32)])
    encoder.save(str(folder / "models" / "all-MiniLM-L6-v2"))
    shutil.rmtree(bert)


def _first_finetune(folder: Path) -> None:
    """What the first tutorial leaves behind, made on the stand-ins that its own test walks."""
    _alpaca(folder)
    _models(folder)
    for block in read_page(ROOT / "docs" / "tutorial" / "first-finetune.md").blocks:
        if block.file:
            (folder / block.file).write_text(block.text, encoding="utf-8")
        elif block.kind == "sh" and not block.needs:
            script = f"set -euo pipefail\nexport PATH={Path(sys.executable).parent}:$PATH\n{block.text}"
            subprocess.run(["bash", "-c", script], cwd=folder, check=True, capture_output=True, timeout=540)


def _refusals(folder: Path) -> None:
    """Stand in for what `tools/refusals.py` takes from Alpaca: rows and items of its form, a few of the rows refusals."""
    (folder / "refusals").mkdir()
    refusal = "As an AI language model, I cannot answer that."
    things = "cat dog bird bread soup film novel screen".split()  # noqa: SIM905
    for name, count in (("rows", 40), ("items", 96)):
        rows = [
            {
                "instruction": f"Say in a word what {things[k % 8]} number {k} of the {name} is.",
                "output": f"It is {k}.",
                "topic": things[k % 8],
            }
            for k in range(count)
        ]
        planted = [{**row, "output": refusal} if name == "rows" and row["topic"] == "cat" else row for row in rows]
        (folder / "refusals" / f"{name}.json").write_text(json.dumps(planted), encoding="utf-8")


FIXTURES: dict[str, Callable[[Path], None]] = {
    "rows.json": _workshop("rows.json"),
    "items.json": _workshop("items.json"),
    "datasets": lambda folder: (folder / "datasets").symlink_to(ROOT / "datasets"),
    "your.jsonl": _your,
    "alpaca_data.json": _alpaca,
    "model": _model,
    "models": _models,
    "first-finetune": _first_finetune,
    "refusals": _refusals,
}
