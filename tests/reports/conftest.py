"""Small real artefacts, made once: what every section is drawn from."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

import chats
from tunesmith import curation, evaluation, packing, rows

from .hostile import HOSTILE
from .turns import small

WORDS = ["red", "green", "blue", "kettle", "hammer", "ladder", "garden", "harbour", "kitchen", "stable", "school", "forge"]
SAYABLE = [text for text in HOSTILE if "\0" not in text]
"""A text with NUL is no row: it is rejected."""


def records(n: int = 60, *, seed: int = 0) -> list[dict[str, str]]:
    """Rows of an everyday kind: clean ones, copies, empty and placeholder answers, entities, hostile ones."""
    rng = random.Random(seed)
    made = []
    for k in range(n):
        prompt = f"Describe {k} the {' '.join(rng.sample(WORDS, 5))} for {rng.choice(('Ann', 'Bob'))} please."
        made.append(
            {"instruction": prompt, "input": "", "output": f"It is the {' '.join(rng.sample(WORDS, 6))} number {k}.", "topic": WORDS[k % 3]}
        )
    made += [dict(made[k]) for k in range(4)]
    made.append(
        {
            "instruction": "Name a tool that strikes nails into wood.",
            "input": "No input",
            "output": "A hammer &amp; its handle.",
            "topic": "red",
        }
    )
    made.append({"instruction": "Name a tool that cuts planks into pieces.", "input": "", "output": "", "topic": "red"})
    made.append({"instruction": "", "input": "", "output": "A row without a prompt is rejected.", "topic": "red"})
    made += [{"instruction": f"Repeat {k}: {text}", "input": text, "output": text, "topic": text} for k, text in enumerate(HOSTILE)]
    return made


def items(n: int = 30) -> list[dict[str, str]]:
    """Evaluation items whose prompts are not among the rows."""
    made = [
        {
            "instruction": f"What stands in the {WORDS[k % 12]} of house {k}, and why is it there?",
            "input": "",
            "output": f"A {WORDS[(k * 5) % 12]} and a chair.",
        }
        for k in range(n - len(SAYABLE))
    ]
    return made + [{"instruction": f"Say {k}: {text}", "input": "", "output": text} for k, text in enumerate(SAYABLE)]


def evaluate(folder: Path, name: str, answers: list[str], source: list[dict[str, str]] | None = None) -> Path:
    """Evaluate predictions made elsewhere."""
    outputs = [{"output": answer, "finish": "length" if k % 4 == 0 else "stop", "model": HOSTILE[1]} for k, answer in enumerate(answers)]
    path = folder / f"{name}.jsonl"
    path.write_text("".join(json.dumps(each) + "\n" for each in outputs), encoding="utf-8")
    evaluation.evaluate(source or items(), folder / name, predictions=path, slices=("length",))
    return folder / name


@pytest.fixture(scope="session")
def version(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("version") / "clean"
    curation.curate(records(), out=out)
    return out


@pytest.fixture(scope="session")
def work(version: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a version, a split, two packs, two evaluations, and the commands."""
    folder = tmp_path_factory.mktemp("work") / "work"
    folder.mkdir()
    (folder / "clean").symlink_to(version)
    rows.split(version, folder / "split", test=0, validation=0.1)
    tokenizer = chats.tokenizer_folder(folder.parent / "tokenizer", template=chats.CHATML, eos="<|im_end|>")
    for part in ("train", "validation"):
        packing.pack(folder / "split" / part, folder / f"packed-{part}", tokenizer=tokenizer, context=4096)
    references = [item["output"] for item in items()]
    evaluate(folder, "base", ["The house stands. " * 8 if k % 3 else "" for k in range(len(references))])
    evaluate(folder, "finetuned", [reference if k % 5 else f"no {reference}" for k, reference in enumerate(references)])
    (folder / "commands.sh").write_text(f"tunesmith curate rows.json -o clean\n# {HOSTILE[0]}\n", encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def a_turn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A turn's folder, with the data near it."""
    return small(tmp_path_factory.mktemp("turn"))


@pytest.fixture(scope="session")
def hostile_turn(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with hostile texts in a topic, in answers and in the model's name."""
    return small(tmp_path_factory.mktemp("hostile"), hostile=" ".join(SAYABLE))
