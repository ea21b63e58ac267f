"""Exports as the trainers' own loaders read them; `test_export.py` checks their documented forms.

TRL is among the development dependencies. The others pin a great deal, and are tried by ``make peers``: without their dependencies, in an
environment of its own.
"""

from __future__ import annotations

import json

import pytest
import yaml

import tiny
from tunesmith.packing import export, pack
from tunesmith.rows import split

TEMPLATE = (
    "{% if tools %}{{ tools | tojson }}{% endif %}{% for message in messages %}<{{ message.role }}>{{ message.content or '' }}"
    "{% if message.tool_calls %}{% for call in message.tool_calls %}CALL {{ call.function.name }} {{ call.function.arguments | tojson }}"
    "{% endfor %}{% endif %}</s>{% endfor %}{% if add_generation_prompt %}<assistant>{% endif %}"
)
CALL = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": {"q": "é", "deep": {"n": None}}}}
TALK = {
    "messages": [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Find é."},
        {"role": "assistant", "content": None, "tool_calls": [CALL]},
        {"role": "tool", "content": "[1]", "tool_call_id": "c1"},
        {"role": "assistant", "content": "One.", "weight": 0},
        {"role": "user", "content": "Sure?"},
        {"role": "assistant", "content": "Yes."},
    ],
    "tools": [{"type": "function", "function": {"name": "find", "parameters": {"type": "object", "properties": {}}}}],
}
PLAIN = {"messages": [*TALK["messages"][:2], {"role": "assistant", "content": "Yes?"}, *TALK["messages"][5:]]}
PAIR = {"prompt": [{"role": "user", "content": "q"}], "chosen": [{"role": "assistant", "content": "y"}],
        "rejected": [{"role": "assistant", "content": "n"}]}  # fmt: skip


def instructions(count):
    return [{"instruction": f"Write {k} words about topic {k} {k * 7} {k * 11}.", "input": "", "output": f"word {k}"} for k in range(count)]


def lines(folder, name="train.jsonl"):
    return [json.loads(line) for line in (folder / name).read_text(encoding="utf-8").splitlines()]


@pytest.fixture(scope="module")
def tokenizer():
    return tiny.tokenizer(chat_template=TEMPLATE, end="</s>")


def config(folder, name):
    return yaml.safe_load((folder / name).read_text(encoding="utf-8"))


def load_json(file, cache):
    datasets = pytest.importorskip("datasets")
    return datasets.load_dataset("json", data_files=str(file), split="train", cache_dir=str(cache))


def test_axolotl_trains_on_the_turns_that_the_row_says(tmp_path, tokenizer):
    strategies = pytest.importorskip("axolotl.prompt_strategies.chat_template", exc_type=ImportError)
    from axolotl.utils.dict import DictDefault

    export([TALK, TALK], tmp_path / "e", trainer="axolotl", model="org/name")
    said = DictDefault(config(tmp_path / "e", "axolotl.yaml"))
    strategy = strategies.load(tokenizer, said, ds_cfg=said["datasets"][0])
    made = strategy.tokenize_prompt(load_json(tmp_path / "e" / "train.jsonl", tmp_path / "cache")[0])
    learnt = tokenizer.decode([label for label in made["labels"] if label != -100])
    assert "CALL find" in learnt
    assert "Yes." in learnt
    assert not any(text in learnt for text in ("One.", "Sure?", "Be brief."))


def test_axolotl_accepts_its_configuration(tmp_path):
    schema = pytest.importorskip("axolotl.utils.schemas.config", exc_type=ImportError)
    split(instructions(60), tmp_path / "s", test=9, validation=6)
    export(tmp_path / "s", tmp_path / "e", trainer="axolotl", model="org/name")
    made = schema.AxolotlInputConfig(**config(tmp_path / "e", "axolotl.yaml"))
    assert (made.datasets[0].message_field_training, made.test_datasets[0].path) == ("train", "validation.jsonl")


def test_axolotl_reads_pairs(tmp_path, tokenizer):
    dpo = pytest.importorskip("axolotl.prompt_strategies.dpo.chat_template", exc_type=ImportError)
    from axolotl.utils.dict import DictDefault

    export([PAIR] * 3, tmp_path / "e", trainer="axolotl")
    transform, _ = dpo.default(DictDefault(config(tmp_path / "e", "axolotl-dpo.yaml")))
    made = transform(load_json(tmp_path / "e" / "train-preference.jsonl", tmp_path / "cache")[0], tokenizer)
    assert (made["chosen"].startswith("y"), made["rejected"].startswith("n"), "q" in made["prompt"]) == (True, True, True)


def test_llama_factory_skips_no_row(tmp_path):
    converter = pytest.importorskip("llamafactory.data.converter", exc_type=ImportError)
    from llamafactory.data.parser import get_dataset_list
    from llamafactory.hparams import DataArguments

    export([TALK, PLAIN], tmp_path / "e", trainer="llama-factory")
    said = config(tmp_path / "e", "llama-factory.yaml")
    (attr,) = get_dataset_list([said["dataset"]], str(tmp_path / "e"))
    convert = converter.get_dataset_converter(attr.formatting, attr, DataArguments())
    for record, made in zip(
        lines(tmp_path / "e"), map(convert, load_json(tmp_path / "e" / attr.dataset_name, tmp_path / "cache")), strict=True
    ):
        assert (len(made["_prompt"]), len(made["_response"]), made["_system"]) == (len(record["conversations"]) - 2, 1, "Be brief.")
    export([PAIR] * 2, tmp_path / "p", trainer="llama-factory")
    (attr,) = get_dataset_list([config(tmp_path / "p", "llama-factory-dpo.yaml")["dataset"]], str(tmp_path / "p"))
    made = converter.get_dataset_converter(attr.formatting, attr, DataArguments())(lines(tmp_path / "p", attr.dataset_name)[0])
    assert [turn["content"] for turn in made["_response"]] == ["y", "n"]


def test_llama_factory_v1_weighs_each_turn(tmp_path):
    engine = pytest.importorskip("llamafactory.v1.core.data_engine", exc_type=ImportError)
    export([TALK], tmp_path / "e", trainer="llama-factory")
    sample = engine.DataEngine(str(tmp_path / "e" / "train.v1.jsonl"))[0]
    assert [turn["loss_weight"] for turn in sample["messages"]][-1] == 1


def test_trl_reads_its_configuration_and_prepares_the_rows(tmp_path, tokenizer, monkeypatch):
    trl = pytest.importorskip("trl")
    from datasets import load_dataset

    split(instructions(60), tmp_path / "s", test=9, validation=6)
    export(tmp_path / "s", tmp_path / "e", trainer="trl")
    parser = trl.TrlParser((trl.ScriptArguments, trl.SFTConfig, trl.ModelConfig, trl.scripts.DatasetMixtureConfig))
    args = ["--config", str(tmp_path / "e" / "trl.yaml"), "--bf16", "false", "--use_cpu", "true"]
    script, training, model_args, _ = parser.parse_args_and_config(args)
    assert (script.dataset_test_split, training.max_length, model_args.use_peft) == ("validation", 4096, True)
    monkeypatch.chdir(tmp_path / "e")
    loaded = load_dataset(script.dataset_name, name=script.dataset_config, cache_dir=str(tmp_path / "cache"))
    assert {part: len(held) for part, held in loaded.items()} == {"train": 45, "validation": 6, "test": 9}
    training.output_dir = str(tmp_path / "out")
    parts = {"train_dataset": loaded[script.dataset_train_split], "eval_dataset": loaded[script.dataset_test_split]}
    trainer = trl.SFTTrainer(model=tiny.model(), args=training, processing_class=tokenizer, **parts)
    answers = {record["completion"][0]["content"] for record in lines(tmp_path / "e" / "data")}
    learnt = {tokenizer.decode([i for i in row["labels"] if i != -100]).removesuffix("</s>").strip() for row in trainer.train_dataset}
    assert learnt == answers


def test_trl_takes_a_packs_tokens_as_they_are(tmp_path, tokenizer, monkeypatch):
    trl = pytest.importorskip("trl")
    from datasets import load_dataset

    model = tiny.model_folder(tmp_path / "model", context=256)
    packed = pack(instructions(12), tmp_path / "p", tokenizer=model)
    export(packed.folder, tmp_path / "e", trainer="trl")
    monkeypatch.chdir(tmp_path / "e")
    loaded = load_dataset("data", name=config(tmp_path / "e", "trl.yaml")["dataset_config"], cache_dir=str(tmp_path / "cache"))["train"]
    args = trl.SFTConfig(
        output_dir=str(tmp_path / "out"), max_length=packed.result["context"], bf16=False, use_cpu=True, shuffle_dataset=False
    )
    trainer = trl.SFTTrainer(model=tiny.model(), args=args, processing_class=tokenizer, train_dataset=loaded)
    assert [(row["input_ids"], row["labels"]) for row in trainer.train_dataset] == [(row["input_ids"], row["labels"]) for row in loaded]


def test_torchtune_builds_its_data_sets(tmp_path, tokenizer):
    tune = pytest.importorskip("torchtune.datasets", exc_type=ImportError)

    class Transform:
        """What torchtune asks of a tokenizer."""

        def __call__(self, sample, inference=False):
            told = sample.pop("messages")
            ids = [tokenizer.encode(message.text_content) for message in told]
            return {
                **sample,
                "tokens": [one for each in ids for one in each],
                "mask": [m.masked for m, each in zip(told, ids, strict=True) for _ in each],
            }

        tokenize_messages = None

    export([PLAIN] * 2, tmp_path / "e", trainer="torchtune")
    said = config(tmp_path / "e", "torchtune.yaml")["dataset"]
    component = said.pop("_component_")
    assert component == "torchtune.datasets.chat_dataset"
    said["data_files"] = str(tmp_path / "e" / said["data_files"])
    made = tune.chat_dataset(Transform(), **said, cache_dir=str(tmp_path / "cache"))[0]
    learnt = tokenizer.decode([label for label in made["labels"] if label != -100])
    assert ("Yes?" in learnt, "Yes." in learnt, "Sure?" in learnt) == (True, True, False)
