"""Exports for trainers: each trainer's documented form, every row in a file or left out under a reason, ids kept."""

from __future__ import annotations

import json

import jsonschema
import polars as pl
import pytest
import yaml
from click.testing import CliRunner

import chats
from tunesmith.artefact import read_manifest
from tunesmith.cli import main
from tunesmith.errors import ArtefactError, InputError, OptionError, TunesmithWarning
from tunesmith.packing import export, pack
from tunesmith.rows import read, split
from tunesmith.rows.exports import TRAINERS
from tunesmith.rows.exports.openai import problems

CALL = {"id": "c1", "type": "function", "function": {"name": "find", "arguments": {"q": "é", "deep": {"n": None}}}}
TOOLS = [{"type": "function", "function": {"name": "find", "parameters": {"type": "object", "properties": {}}}}]
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
    "tools": TOOLS,
}
PAIR = {"prompt": [{"role": "user", "content": "q"}], "chosen": [{"role": "assistant", "content": "y"}],
        "rejected": [{"role": "assistant", "content": "n"}]}  # fmt: skip
LINES = [name for name in TRAINERS if name != "hub"]


def instructions(count=12):
    return [
        {"instruction": f"Write {k} words about topic {k}.", "input": "x" * (k % 2), "output": f"word {k}", "topic": k}
        for k in range(count)
    ]


def lines(folder, name="train.jsonl"):
    file = folder / "data" / name if (folder / "data").is_dir() else folder / name
    return [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]


def config(folder, name):
    return yaml.safe_load((folder / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("trainer", LINES)
def test_every_row_has_a_line_and_its_id(tmp_path, trainer):
    rows = instructions()
    made = export(rows, tmp_path / "e", trainer=trainer)
    assert (made.result["rows"], list(made.result["datasets"].values()), made.result["left_out"]) == (12, [12], {})
    assert made.result["lost"] == {"topic": 12}
    places = pl.read_parquet(tmp_path / "e" / "row_ids.parquet")
    assert places["row_id"].to_list() == read(rows).frame["row_id"].to_list()
    assert places["line"].to_list() == places["position"].to_list() == list(range(12))
    records = lines(tmp_path / "e")
    assert [record.get("row_id") for record in records] == ([None] * 12 if trainer == "openai" else places["row_id"].to_list())
    assert set(made.result["files"]) == {path.relative_to(made.folder).as_posix() for path in made.folder.rglob("*") if path.is_file()}
    assert read_manifest(tmp_path / "e", "export").hash in (tmp_path / "e" / "README.md").read_text()


def test_axolotl_learns_the_turns_that_the_row_says(tmp_path):
    export([TALK], tmp_path / "e", trainer="axolotl", model="org/name")
    (record,) = lines(tmp_path / "e")
    assert [turn.get("train") for turn in record["messages"]] == [None, None, None, None, False, None, None]
    assert json.loads(record["messages"][2]["tool_calls"][0]["function"]["arguments"]) == CALL["function"]["arguments"]
    assert json.loads(record["tools"]) == TOOLS
    said = config(tmp_path / "e", "axolotl.yaml")
    assert said["base_model"] == "org/name"
    assert said["datasets"][0]["message_field_training"] == "train"
    assert (said["datasets"][0]["path"], said["datasets"][0]["type"]) == ("train.jsonl", "chat_template")


def test_llama_factory_alternates_and_version_1_weighs(tmp_path):
    made = export([TALK], tmp_path / "e", trainer="llama-factory")
    assert made.result["lost"] == {"tool_call_id": 1, "train": 1}
    (record,) = lines(tmp_path / "e")
    assert [turn["from"] for turn in record["conversations"]] == ["system", "human", "function_call", "observation", "gpt", "human", "gpt"]
    assert json.loads(record["conversations"][2]["value"]) == CALL["function"]
    (weighted,) = lines(tmp_path / "e", "train.v1.jsonl")
    assert [turn["loss_weight"] for turn in weighted["messages"]] == [0, 0, 1, 0, 0, 0, 1]
    info = json.loads((tmp_path / "e" / "dataset_info.json").read_text())
    assert info["train"] == {
        "file_name": "train.jsonl",
        "formatting": "sharegpt",
        "columns": {"messages": "conversations", "tools": "tools"},
    }
    assert config(tmp_path / "e", "llama-factory.yaml")["dataset"] == "train"


def test_what_llama_factory_would_skip_is_left_out_and_named(tmp_path):
    both = {"messages": [TALK["messages"][1], {**TALK["messages"][2], "content": "Looking."}, *TALK["messages"][3:]]}
    twice = {"messages": [{"role": "user", "content": "?"}, {"role": "assistant", "tool_calls": [CALL, CALL]}, *[TALK["messages"][3]] * 2,
                          {"role": "assistant", "content": "!"}]}  # fmt: skip
    waiting = {"messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": "!"}, {"role": "user", "content": "?"}]}
    fine, empty = ({"messages": [{"role": "user", "content": "?"}, {"role": "assistant", "content": text}]} for text in ("!", ""))
    made = export([fine, both, twice, waiting, empty], tmp_path / "e", trainer="llama-factory")
    assert made.result["left_out"] == {
        "a turn with text and tool calls": 1,
        "no answer at the end": 1,
        "nothing to learn: no answer, or none that is trained on": 1,
        "several tool results in a row": 1,
    }
    out = pl.read_parquet(tmp_path / "e" / "left_out.parquet")
    assert out["position"].to_list() == [1, 2, 3, 4]
    assert made.result["rows"] + out.height == 5


def test_the_last_answer_alone_is_prompt_and_completion_for_trl(tmp_path):
    export(instructions(), tmp_path / "one", trainer="trl")
    assert set(lines(tmp_path / "one")[0]) == {"prompt", "completion", "row_id", "position"}
    assert "assistant_only_loss" not in config(tmp_path / "one", "trl.yaml")
    last = {"messages": [*TALK["messages"][:2], {"role": "assistant", "content": "a", "train": False}, *TALK["messages"][5:]]}
    made = export([last], tmp_path / "last", trainer="trl")
    assert (made.result["lost"], [turn["role"] for turn in lines(tmp_path / "last")[0]["completion"]]) == ({}, ["assistant"])
    assert config(export([last], tmp_path / "lf", trainer="llama-factory").folder, "llama-factory.yaml")["mask_history"] is True
    made = export([TALK], tmp_path / "many", trainer="trl")
    assert made.result["lost"] == {"train": 1}
    assert "messages" in lines(tmp_path / "many")[0]
    assert config(tmp_path / "many", "trl.yaml")["assistant_only_loss"] is True


OPENAI = {
    "type": "object",
    "required": ["messages"],
    "additionalProperties": False,
    "properties": {
        "messages": {"type": "array", "minItems": 2, "items": {"oneOf": [
            {"properties": {"role": {"enum": ["system", "user"]}, "name": {"type": "string"},
                            "content": {"type": "string", "minLength": 1}},
             "required": ["role", "content"], "additionalProperties": False},
            {"properties": {"role": {"const": "assistant"}, "content": {"type": ["string", "null"]}, "weight": {"enum": [0, 1]},
                            "name": {"type": "string"}, "tool_calls": {"type": "array", "items": {
                                "type": "object", "required": ["id", "type", "function"], "additionalProperties": False,
                                "properties": {"id": {"type": "string"}, "type": {"const": "function"}, "function": {
                                    "type": "object", "required": ["name", "arguments"], "additionalProperties": False,
                                    "properties": {"name": {"type": "string"}, "arguments": {"type": "string"}}}}}}},
             "required": ["role"], "additionalProperties": False},
            {"properties": {"role": {"const": "tool"}, "content": {"type": "string"}, "tool_call_id": {"type": "string"}},
             "required": ["role", "content", "tool_call_id"], "additionalProperties": False},
        ]}},
        "tools": {"type": "array", "items": {"type": "object", "required": ["type", "function"], "properties": {
            "type": {"const": "function"}, "function": {"type": "object", "required": ["name"]}}}},
        "parallel_tool_calls": {"type": "boolean"},
    },
}  # fmt: skip
"""The chat format of OpenAI's documentation of supervised finetuning, written down as a schema."""


def test_openai_is_strict_and_warns_of_too_few(tmp_path):
    with pytest.warns(TunesmithWarning, match=r"has 2 records; openai starts no job with fewer than 10"):
        made = export([TALK, TALK, {"messages": TALK["messages"][:2]}], tmp_path / "e", trainer="openai")
    assert made.result["left_out"] == {"nothing to learn: no answer, or none that is trained on": 1}
    for record in lines(tmp_path / "e"):
        jsonschema.validate(record, OPENAI)
        assert list(problems(record)) == []
    assert [message.get("weight") for message in lines(tmp_path / "e")[0]["messages"]] == [None, None, None, None, 0, None, None]
    assert json.loads((tmp_path / "e" / "job.json").read_text())["method"] == {"type": "supervised"}


def mangled(change):
    record = json.loads(json.dumps({"messages": [
        {"role": "user", "content": "a"},
        {"role": "assistant", "content": None, "tool_calls": [{**CALL, "function": {"name": "find", "arguments": "{}"}}]},
        {"role": "tool", "content": "b", "tool_call_id": "c1"}, {"role": "assistant", "content": "c"}], "tools": TOOLS}))  # fmt: skip
    change(record)
    return record


@pytest.mark.parametrize(("change", "problem"), [
    (lambda r: None, None),
    (lambda r: r.update(row_id="1"), "an unknown field: row_id"),
    (lambda r: r["messages"][0].update(role="human"), "an unknown role: human"),
    (lambda r: r["messages"][0].update(weight=1), "an unknown field of a message: weight"),
    (lambda r: r["messages"][3].update(weight=0.5), "a weight that is neither 0 nor 1"),
    (lambda r: r["messages"][0].update(name="Ann Lee"), "a name that is not of letters, digits, _ and -"),
    (lambda r: r["messages"][0].update(content=""), "an empty message of the user"),
    (lambda r: r["messages"].pop(), "the last message is not the assistant's"),
    (lambda r: [m.update(weight=0) for m in r["messages"] if m["role"] == "assistant"], "no message to learn"),
    (lambda r: r["messages"].pop(1), "a tool's answer without its call"),
    (lambda r: r["messages"].pop(2), "a tool call without its answer"),
    (lambda r: r["messages"][1]["tool_calls"][0]["function"].update(name="é"), "a function name that is not of letters, digits, _ and -"),
    (lambda r: r["tools"][0].pop("function"), "a tool without a name of letters, digits, _ and -"),
])  # fmt: skip
def test_every_refusal_of_openai_is_known(change, problem):
    assert list(problems(mangled(change))) == ([] if problem is None else [problem])


def test_preference_pairs_in_every_form(tmp_path):
    shown = {}
    for trainer in LINES:
        export([PAIR] * 12, tmp_path / trainer, trainer=trainer)
        shown[trainer] = lines(tmp_path / trainer, "train-preference.jsonl")[0]
    turns = {name: PAIR[name][0] for name in ("prompt", "chosen", "rejected")}
    assert [shown["axolotl"][name] for name in turns] == [[turn] for turn in turns.values()]
    assert [shown["trl"][name] for name in turns] == [[turn] for turn in turns.values()]
    assert shown["llama-factory"]["chosen"] == {"from": "gpt", "value": "y"}
    assert shown["torchtune"]["rejected"] == [turns["prompt"], turns["rejected"]]
    assert shown["openai"] == {"input": {"messages": [turns["prompt"]]}, "preferred_output": [turns["chosen"]],
                               "non_preferred_output": [turns["rejected"]]}  # fmt: skip
    assert config(tmp_path / "axolotl", "axolotl-dpo.yaml")["rl"] == "dpo"
    assert config(tmp_path / "llama-factory", "llama-factory-dpo.yaml")["stage"] == "dpo"
    assert json.loads((tmp_path / "llama-factory" / "dataset_info.json").read_text())["train_preference"]["ranking"] is True


def test_a_split_gives_its_parts_and_never_trains_on_test(tmp_path):
    rows = [{**row, "instruction": f"{row['instruction']} {k} {k * 7} {k * 11}"} for k, row in enumerate(instructions(60))]
    split(rows, tmp_path / "s", test=9, validation=6)
    for trainer in TRAINERS:
        made = export(tmp_path / "s", tmp_path / trainer, trainer=trainer)
        assert sorted(made.result["datasets"].values()) == [6, 9, 45]
        for path in (tmp_path / trainer).iterdir():
            if path.suffix in (".yaml", ".json") and path.name not in ("manifest.json", "dataset_info.json"):
                assert "test.jsonl" not in path.read_text()
                assert "validation" in path.read_text()


def test_texts_pairs_and_talks_go_to_files_of_their_own(tmp_path):
    mixed = [*instructions(2), PAIR]
    frames = [read(mixed[:2]).frame.drop("topic"), read([PAIR]).frame, read([{"text": "A story."}]).frame]
    rows = pl.concat(frames).with_columns(position=pl.int_range(pl.len(), dtype=pl.UInt64))
    for trainer in ("axolotl", "trl", "llama-factory", "torchtune"):
        made = export(rows, tmp_path / trainer, trainer=trainer)
        assert {name.removeprefix("data/"): count for name, count in made.result["datasets"].items()} == {
            "train.jsonl": 2, "train-preference.jsonl": 1, "train-text.jsonl": 1,
        }  # fmt: skip
    with pytest.warns(TunesmithWarning):
        assert export(rows, tmp_path / "o", trainer="openai").result["left_out"] == {"openai has no form for rows of this kind (text)": 1}


def test_weights(tmp_path):
    rows = read(instructions(4)).frame.drop("topic").with_columns(weight=pl.Series([1, 0, 2, 1], dtype=pl.Float32))
    made = export(rows, tmp_path / "a", trainer="axolotl")
    assert (made.result["rows"], made.result["left_out"], made.result["lost"]) == (3, {"weight 0": 1}, {"weight": 1})
    export(rows, tmp_path / "l", trainer="llama-factory")
    weights = [[turn["loss_weight"] for turn in record["messages"]] for record in lines(tmp_path / "l", "train.v1.jsonl")]
    assert weights == [[0, 1], [0, 2], [0, 1]]
    hub = pl.read_parquet(export(rows, tmp_path / "h", trainer="hub").folder / "default" / "*.parquet")
    assert hub["weight"].to_list() == [1, 0, 2, 1]


def test_hub_opens_with_datasets_and_keeps_the_users_columns(tmp_path):
    datasets = pytest.importorskip("datasets")
    rows = instructions()
    made = export(rows, tmp_path / "plain", trainer="hub")
    assert made.result["lost"] == {}
    loaded = datasets.load_dataset(str(made.folder), cache_dir=str(tmp_path / "cache"))["train"]
    assert [loaded[0][name] for name in ("instruction", "input", "output", "topic")] == [rows[0][name] for name in rows[0]]
    export([TALK, TALK], tmp_path / "talks", trainer="hub")
    talks = datasets.load_dataset(str(tmp_path / "talks"), cache_dir=str(tmp_path / "cache"))["train"]
    assert [turn["train"] for turn in talks[0]["messages"]] == [None, None, None, None, False, None, None]
    assert read(tmp_path / "talks" / "default").frame["row_id"].to_list() == read([TALK, TALK]).frame["row_id"].to_list()


@pytest.mark.parametrize("trainer", ["axolotl", "trl"])
def test_a_pack_exports_its_tokens_one_sequence_a_line(tmp_path, trainer):
    model = chats.tokenizer_folder(tmp_path / "model", limit=256)
    packed = pack(instructions(), tmp_path / "p", tokenizer=model, template="plain")
    made = export(packed.folder, tmp_path / "e", trainer=trainer)
    table = pl.read_parquet(tmp_path / "e" / ("data" if trainer == "trl" else "") / "train.parquet")
    assert table.columns == ["input_ids", "attention_mask", "labels"]
    segments = pl.read_ipc(packed.folder / "segments.arrow")
    assert table["input_ids"].to_list() == segments["input_ids"].to_list()
    assert table["labels"].to_list() == segments["labels"].to_list()
    assert all(mask == [1] * len(ids) for ids, mask in table.select("input_ids", "attention_mask").iter_rows())
    assert pl.read_parquet(tmp_path / "e" / "row_ids.parquet")["row_id"].to_list() == segments["row_id"].to_list()
    assert made.result["rows"] == 12
    assert "tokenizer/tokenizer.json" in made.result["files"]
    said = config(tmp_path / "e", f"{trainer}.yaml")
    assert said["sequence_len" if trainer == "axolotl" else "max_length"] == packed.result["context"]
    assert export(packed.folder, tmp_path / "e", trainer=trainer).reused
    with pytest.raises(OptionError, match="is a pack"):
        export(packed.folder, tmp_path / "no", trainer="openai")
    segments.with_columns(pair=pl.lit(0, segments["pair"].dtype)).write_ipc(packed.folder / "segments.arrow")
    with pytest.raises(OptionError, match="rejected answers would be learnt"):
        export(packed.folder, tmp_path / "pairs", trainer=trainer)


def test_reuse_refusals_and_nothing_to_export(tmp_path):
    first = export(instructions(), tmp_path / "e", trainer="trl")
    again = export(instructions(), tmp_path / "e", trainer="trl")
    assert (first.reused, again.reused, again.result) == (False, True, first.result)
    with pytest.raises(ArtefactError, match="--force"):
        export(instructions(), tmp_path / "e", trainer="axolotl")
    assert export(instructions(), tmp_path / "e", trainer="axolotl", force=True).result["rows"] == 12
    with pytest.raises(OptionError, match='did you mean "axolotl"'):
        export(instructions(), tmp_path / "x", trainer="axolotle")
    with pytest.raises(InputError, match=r"no row of train has a form that openai knows: .* \(2\)"):
        export([{"text": "a"}, {"text": "b"}], tmp_path / "x", trainer="openai")
    assert not (tmp_path / "x").exists()


def test_as_typed(tmp_path):
    source = tmp_path / "rows.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in [*instructions(), {"instruction": 3}]))
    done = CliRunner().invoke(main, ["export", str(source), "-o", str(tmp_path / "e"), "--for", "axolotl", "--json"])
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert (result["rows"], result["rejected"], "axolotl.yaml" in result["files"]) == (12, 1, True)
    again = CliRunner().invoke(main, ["export", str(source), "-o", str(tmp_path / "e"), "--for", "axolotl", "--json"])
    assert json.loads(again.stdout) == {**result, "reused": True}
    other = CliRunner().invoke(main, ["export", str(source), "-o", str(tmp_path / "e"), "--for", "trl"])
    assert (other.exit_code, "--force" in other.stderr) == (2, True)
    shown = CliRunner().invoke(main, ["export", str(source), "-o", str(tmp_path / "e"), "--for", "trl", "--force"])
    assert "train.jsonl" in shown.stdout
