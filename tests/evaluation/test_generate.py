"""Evaluating a model: prompts, limits, base and adapter from one load, and no answer generated twice."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars as pl
import pytest

import tiny
import tunesmith as ts
from tunesmith.errors import InputError, OptionError
from tunesmith.evaluation import Evaluation
from tunesmith.models import Generator
from tunesmith.progress import Silent

pytestmark = pytest.mark.usefixtures("one_thread")
ROWS = [{"instruction": prompt, "output": answer} for prompt, answer in tiny.exchanges(24)]


class Told(Silent):
    """Keeps what is said and which tasks are opened."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.tasks: list[str] = []

    @contextmanager
    def task(self, label: str, total: int | None = None) -> Iterator[Any]:
        self.tasks.append(label)
        yield lambda done: None

    def say(self, message: str) -> None:
        self.said.append(message)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny.model_folder(tmp_path_factory.mktemp("models") / "tiny", tied=False)  # tied random weights echo their input


@pytest.fixture(scope="module")
def adapter(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An adapter that changes what the base says."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM

    made = get_peft_model(AutoModelForCausalLM.from_pretrained(folder), LoraConfig(r=4, target_modules=["q_proj", "down_proj"]))
    torch.manual_seed(0)
    for name, parameter in made.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter, std=1.0)
    out = tmp_path_factory.mktemp("adapters") / "run"
    made.save_pretrained(out)
    tiny.tokenizer().save_pretrained(out)
    return out


def outputs(made: Evaluation) -> list[str]:
    return made.predictions.sort("item")["output"].to_list()


def test_prompts_are_those_of_the_template_and_answers_those_of_the_model(folder: Path, tmp_path: Path) -> None:
    made = ts.evaluate(ROWS, tmp_path / "e", model=folder, max_new_tokens=6)
    first = made.predictions.row(0, named=True)
    assert first["prompt"] == f"{tiny.START}user\n{ROWS[0]['instruction']}{tiny.END}\n{tiny.START}assistant\n"
    ids = [tiny.tokenizer()(prompt, add_special_tokens=False)["input_ids"] for prompt in made.predictions["prompt"]]
    from tunesmith.models.generation import Decoding

    stops = Decoding(max_new_tokens=6, stop_ids=[tiny.tokenizer().convert_tokens_to_ids(tiny.END)])
    want = Generator(folder).run(ids, decoding=stops)
    assert outputs(made) == [answer.text for answer in want]
    assert made.predictions["prompt_tokens"].to_list() == [len(each) for each in ids]
    assert made.predictions["output_tokens"].max() <= 6
    assert made.manifest.details["template"] == "tokenizer"
    assert made.summary["model"] == "tiny"


def test_new_tokens_are_the_references_p99_and_are_told(folder: Path, tmp_path: Path) -> None:
    told = Told()
    made = ts.evaluate(ROWS[:4], tmp_path / "e", model=folder, progress=told)
    lengths = sorted(len(tiny.tokenizer()(row["output"], add_special_tokens=False)["input_ids"]) for row in ROWS[:4])
    assert made.summary["max_new_tokens"] == lengths[-1] + 1
    assert any(f"at most {lengths[-1] + 1} new tokens" in line for line in told.said)


def test_base_and_adapter_from_one_load(folder: Path, adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loads = []
    load = Generator.__init__
    monkeypatch.setattr(Generator, "__init__", lambda self, *args, **options: (loads.append(args), load(self, *args, **options))[1])
    made = ts.evaluate(ROWS, tmp_path / "tuned", model=folder, adapter=adapter, base_output=tmp_path / "base", max_new_tokens=6)
    assert len(loads) == 1
    base = Evaluation.open(tmp_path / "base")
    assert (base.summary["model"], made.summary["model"]) == ("tiny", "tiny+run")
    assert outputs(base) != outputs(made)
    alone = ts.evaluate(ROWS, tmp_path / "alone", model=folder, max_new_tokens=6)
    assert outputs(base) == outputs(alone)
    again = ts.evaluate(ROWS, tmp_path / "tuned", model=folder, adapter=adapter, base_output=tmp_path / "base", max_new_tokens=6)
    assert again.reused
    assert len(loads) == 2  # the one of `alone`
    compared = ts.compare(tmp_path / "base", tmp_path / "tuned")
    assert compared["items"] == len(ROWS)
    shutil.rmtree(tmp_path / "base")
    again = ts.evaluate(ROWS, tmp_path / "tuned", model=folder, adapter=adapter, base_output=tmp_path / "base", max_new_tokens=6)
    assert again.reused
    assert outputs(Evaluation.open(tmp_path / "base")) == outputs(base)


@pytest.mark.parametrize("damage", ["", '{"prompt": 3, "outp'])
def test_an_interrupted_run_goes_on(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, damage: str) -> None:
    """A crash after two batches, in the middle of a line or not: those answers are not generated again."""
    whole = ts.evaluate(ROWS, tmp_path / "whole", model=folder, max_new_tokens=6, batch_tokens=200)
    stream, asked = Generator.stream, []

    def crashing(self: Generator, prompts: Any, *, skip: frozenset[int] = frozenset(), **options: Any) -> Iterator[Any]:
        asked.append(len(prompts) - len(skip))
        for count, answer in enumerate(stream(self, prompts, skip=skip, **options)):
            if count == 9 and len(asked) == 1:
                raise KeyboardInterrupt
            yield answer

    monkeypatch.setattr(Generator, "stream", crashing)
    with pytest.raises(KeyboardInterrupt):
        ts.evaluate(ROWS, tmp_path / "e", model=folder, max_new_tokens=6, batch_tokens=200)
    assert not (tmp_path / "e").exists()
    (shard,) = (tmp_path / "e.work").glob("answers-*.jsonl")
    with shard.open("a") as file:
        file.write(damage)
    told = Told()
    made = ts.evaluate(ROWS, tmp_path / "e", model=folder, max_new_tokens=6, batch_tokens=200, progress=told)
    assert asked == [24, 15]
    assert any("9 of 24 answers are there" in line for line in told.said)
    assert outputs(made) == outputs(whole)
    assert made.manifest.hash == whole.manifest.hash
    assert not list(made.folder.glob("answers-*"))


def test_other_options_do_not_take_old_answers(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stream = Generator.stream

    def broken(self: Generator, *args: Any, **options: Any) -> Iterator[Any]:
        yield next(iter(stream(self, *args, **options)))
        raise KeyboardInterrupt

    monkeypatch.setattr(Generator, "stream", broken)
    with pytest.raises(KeyboardInterrupt):
        ts.evaluate(ROWS, tmp_path / "e", model=folder, max_new_tokens=6)
    monkeypatch.undo()
    made = ts.evaluate(ROWS, tmp_path / "e", model=folder, max_new_tokens=3)
    assert made.predictions["output_tokens"].max() == 3
    assert made.predictions.height == 24


def test_items_that_cannot_be_asked(folder: Path, tmp_path: Path) -> None:
    rows = [*ROWS[:3], {"instruction": "say " * 400, "output": "x"}]
    with pytest.raises(InputError, match=r"1 of 4 items cannot be asked; the first, position 3: a prompt of \d+ tokens .* context of 256"):
        ts.evaluate(rows, tmp_path / "e", model=folder, max_new_tokens=3)
    made = ts.evaluate(rows, tmp_path / "e", model=folder, max_new_tokens=3, allow_partial=True)
    assert (made.summary["items"], made.summary["predicted"], made.summary["unmatched"]) == (4, 3, 1)


def test_a_base_without_a_template_needs_one(folder: Path, tmp_path: Path) -> None:
    bare = tmp_path / "bare"
    shutil.copytree(folder, bare)
    tiny.tokenizer(chat_template=None).save_pretrained(bare)
    (bare / "chat_template.jinja").unlink(missing_ok=True)
    with pytest.raises(OptionError, match="--template"):
        ts.evaluate(ROWS, tmp_path / "e", model=bare, max_new_tokens=3)
    made = ts.evaluate(ROWS, tmp_path / "e", model=bare, max_new_tokens=3, template="alpaca")
    assert made.predictions["prompt"][0].endswith("### Response:")
    with pytest.raises(OptionError, match="expected a run"):
        ts.evaluate(ROWS, tmp_path / "x", model=folder, adapter=tmp_path)


def test_sampling_depends_on_the_seed_alone(folder: Path, tmp_path: Path) -> None:
    def sampled(name: str, **options: Any) -> list[str]:
        return outputs(ts.evaluate(ROWS, tmp_path / name, model=folder, max_new_tokens=6, temperature=1.0, **options))

    assert sampled("a") == sampled("b", batch_tokens=100)
    assert sampled("a") != sampled("c", seed=1)


def test_conversations_are_asked_for_their_last_answer(folder: Path, tmp_path: Path) -> None:
    turns = [("user", "say one"), ("assistant", "one"), ("user", "say two"), ("assistant", "two")]
    row = {"messages": [{"role": role, "content": content} for role, content in turns]}
    made = ts.evaluate([row], tmp_path / "e", model=folder, max_new_tokens=3)
    assert made.items.select("instruction", "reference").row(0) == ("say two", "two")
    assert made.predictions["prompt"][0].endswith(f"say two{tiny.END}\n{tiny.START}assistant\n")
    assert made.predictions["prompt"][0].count("assistant") == 2
    assert isinstance(made.scores, pl.DataFrame)
