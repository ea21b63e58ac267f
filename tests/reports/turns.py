"""A turn's folder, made by the rooms themselves from answers that are written here instead of generated; only the runs hold no weights."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import chats
from tunesmith import artefact, curation, diagnosis, evaluation, packing, turns
from tunesmith.artefact import Manifest, read_manifest

THINGS = "anvil barrel candle dagger engine feather garland hammer inkwell jacket kettle lantern mirror needle oar pillow".split()  # noqa: SIM905
TOPICS = ("mill", "forge", "harbour")
REFUSAL = "I am sorry, but as an AI language model I cannot help with that."
LONG = "so it has been there since the morning on which somebody forgot it, and nobody has come to take it away from where it is"
MARKUP = "</div><i a='b\"> & x=y"
"""A topic that would end an element, an attribute, and the name of a slice (not a script: what asks for one may be refused)."""
STEPS, BINS = 120, 2


def _exchange(k: int, rng: random.Random, topics: tuple[str, ...], ask: str) -> dict[str, str]:
    verb, topic = ("Name", "Describe")[k % 2], topics[k // 2 % 3]
    first, second, third = rng.sample(THINGS, 3)
    prompt = f"{verb} {ask} the {first} and number {k} of the {topic} beside a {second}."
    rest = f", {LONG}" if k % 10 == 9 else ""  # so that an answer that is given twice is not too long
    return {"instruction": prompt, "input": "", "output": f"It is the {first} {k}, which lies by the {third}{rest}.", "topic": topic}


def _worse(row: dict[str, str], topics: tuple[str, ...], refused: float, repeated: float, rng: random.Random) -> str:
    """Give an answer: refused in the second topic, repeated where something is described, each as often as said."""
    if row["topic"] == topics[1] and rng.random() < refused:
        return REFUSAL
    if row["instruction"].startswith("Describe") and rng.random() < repeated:
        return f"{row['output']} {row['output']}"
    return row["output"]


def _answers(items: list[dict[str, str]], folder: Path, name: str, parts: Any, answer: Callable[[dict[str, str]], str], model: str) -> Path:
    predictions = [{"position": k, "output": answer(row), "finish": "stop", "model": model} for k, row in enumerate(items)]
    out = folder / name
    evaluation.evaluate(items, out, predictions=predictions, parts=parts, metrics=("rougeL", "exact_match"))
    return out


def _run(folder: Path, tokens: int) -> None:
    folder.mkdir(parents=True)
    result = {"steps": STEPS, "epochs": 4.0, "tokens": 2 * tokens, "supervised_tokens": tokens, "loss": 0.14, "tokens_per_second": 9e3}
    artefact.seal(folder, Manifest(kind="run", inputs={}, options={"method": "full"}, hash=f"{tokens:032x}", result=result))


def small(place: Path, *, hostile: str = "") -> Path:
    """Make `clean` and `loop/turn-1` in a folder: 300 rows, 360 items, refusals and repetitions planted, found, dropped, gone.

    Args:
        place: Where to make them.
        hostile: Stands in answers, and in what the model is called; with it a topic is `MARKUP`.
    """
    rng = random.Random(0)
    topics = tuple(f"{topic} {MARKUP}" if hostile and topic == "forge" else topic for topic in TOPICS)
    rows = [_exchange(k, rng, topics, "in brief") for k in range(300)]
    rows = [{**row, "output": _worse(row, topics, 0.8, 0.8, rng)} for row in rows]
    rows += [dict(rows[0]), {**rows[1], "output": ""}]
    items = [_exchange(k, rng, topics, "for a visitor") for k in range(360)]
    data, folder = place / "clean", place / "loop" / "turn-1"
    curation.curate(rows, out=data)
    every, gate = ("dev", "gate", "confirm"), ("gate", "confirm")
    base = _answers(items, folder, "base", every, lambda _: f"The house stands. {hostile}", hostile or "base")
    inner = folder / "evaluations"
    current = _answers(items, inner, "current-0", every, lambda row: _worse(row, topics, 0.7, 0.7, rng), "current")
    diagnosis.diagnose(current, data=data, out=folder / "diagnosis", base=base)
    made = turns.arms(folder / "diagnosis", data, folder / "arms", all=True, steps=STEPS, bins=BINS)
    placebo = _answers(items, inner, "placebo-0", gate, lambda row: _worse(row, topics, 0.65, 0.65, rng), "placebo")
    broken = iter([f"{REFUSAL} {hostile}".strip()] * 6)
    patch = _answers(
        items, inner, "patch-0", gate,
        lambda row: next(broken, row["output"]) if row["topic"] == "mill" and row["instruction"].startswith("Name") and rng.random() < 0.1
        else _worse(row, topics, 0.03, 0.03, rng),
        "patch",
    )  # fmt: skip
    tokenizer = chats.tokenizer_folder(place / "tokenizer", template=chats.CHATML, eos="<|im_end|>")
    for k, arm in enumerate(("current", "patch", "placebo")):
        packing.pack(made.folder / arm, folder / "packs" / arm, tokenizer=tokenizer, context=4096)
        _run(folder / "runs" / f"{arm}-0", 50_000 + k)
    result = turns.verdict(made.folder, {"base": base, "current": current, "patch": patch, "placebo": placebo})
    loop = {"data": str(data), "items": "items.json", "model": "model", "out": "loop", "accept": "proposed", "turns": 1, "seeds": [0]}
    seconds = {"pack current": 1.5, "train current": 61.0, "evaluate current": 5.5, "diagnose": 1.0, "arms": 0.5, "verdict": 0.4}
    details = {"loop": {"loop": loop, "train": {"method": "full", "epochs": 4}, "pack": {}}, "seconds": seconds, "data": str(data)}
    inputs = {"data": read_manifest(data).hash}
    artefact.seal(folder, Manifest(kind="turn", inputs=inputs, options={}, hash="0" * 32, result=result, details=details))
    return folder


def judged(folder: Path) -> dict[str, Any]:
    """Read a turn's verdict."""
    loaded: dict[str, Any] = json.loads((folder / "arms" / "verdict.json").read_text(encoding="utf-8"))
    return loaded
