"""Packs: every token accounted for, a plan that holds each segment once, files that plain pyarrow reads."""

from __future__ import annotations

import json
import random
import subprocess
import sys

import polars as pl
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import chats
from tunesmith.artefact import read_manifest
from tunesmith.cli import main
from tunesmith.errors import ArtefactError, InputError, OptionError, TunesmithWarning
from tunesmith.packing import pack, read_pack
from tunesmith.packing.fitting import fit
from tunesmith.packing.ledger import balance, token_ledger
from tunesmith.rows import read
from tunesmith.templates import encode, load_tokenizer, resolve

WORDS = ["red", "green", "blue", "one", "two", "three", "cat", "dog", "runs", "sleeps"]


def rows(n, *, seed=0, longest=30):
    rng = random.Random(seed)
    return [
        {
            "instruction": " ".join(rng.choices(WORDS, k=rng.randint(1, 8))),
            "input": "",
            "output": " ".join(rng.choices(WORDS, k=rng.randint(1, longest))),
        }
        for _ in range(n)
    ]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return chats.tokenizer_folder(tmp_path_factory.mktemp("model"), limit=256)


@pytest.fixture(scope="module")
def bos_folder(tmp_path_factory):
    return chats.tokenizer_folder(tmp_path_factory.mktemp("bos"), adds_bos=True, limit=256)


def test_every_segment_lies_once_in_a_bin_that_holds_it(tmp_path, folder):
    made = pack(rows(80), tmp_path / "pack", tokenizer=folder, template="plain")
    opened = read_pack(made.folder)
    segments, plan = pl.from_arrow(opened.segments), pl.from_arrow(opened.plan)
    assert segments.columns == ["position", "row_id", "pair", "input_ids", "labels", "weight"]
    assert plan.columns == ["bin", "segment", "offset"]
    assert sorted(plan["segment"]) == list(range(segments.height))
    lengths = segments["input_ids"].list.len().to_list()
    for number, members in enumerate(opened.bins()):
        offsets = plan.filter(bin=number)["offset"].to_list()
        assert offsets == [sum(lengths[m] for m in members[:k]) for k in range(len(members))]
        assert 0 < sum(lengths[m] for m in members) <= 256
    assert made.result["bins"] == len(opened.bins())
    assert made.result["fill"] == sum(lengths) / (256 * len(opened.bins()))
    assert (segments["input_ids"].list.len() == segments["labels"].list.len()).all()


def test_segments_are_what_templates_encode(tmp_path, folder):
    data, model = read(rows(20)), load_tokenizer(folder)
    opened = read_pack(pack(data, tmp_path / "pack", tokenizer=model, template="alpaca").folder)
    expected = encode(data.frame, tokenizer=model, template=resolve("alpaca", model)).frame
    assert pl.from_arrow(opened.segments).select("input_ids", "labels").equals(expected.select("input_ids", "labels"))
    details = opened.details
    assert (details["end_of_turn_id"], details["eos_id"], details["pad_id"], details["context"]) == (2, 2, 0, 256)
    assert details["template"]["name"] == "alpaca"
    saved = load_tokenizer(opened.tokenizer_folder)
    assert saved.chat_template == resolve("alpaca", model).source


@pytest.mark.filterwarnings("ignore::tunesmith.errors.TunesmithWarning")
@pytest.mark.parametrize("overflow", ["drop", "left", "answer"])
@pytest.mark.parametrize("context", [40, 60, 90, 256])
def test_every_token_is_accounted_for(tmp_path, bos_folder, overflow, context):
    data = [*rows(40), {"instruction": "no answer", "input": "", "output": ""}]
    model = load_tokenizer(bos_folder)
    whole = encode(read(data).frame, tokenizer=model, template=resolve("plain", model)).frame
    made = pack(data, tmp_path / "pack", tokenizer=model, template="plain", context=context, overflow=overflow)
    ledger = pl.read_parquet(made.folder / "tokens.parquet")
    assert ledger.columns[:6] == ["position", "row_id", "supervised", "masked", "truncated", "dropped"]
    assert ledger["position"].to_list() == list(range(41))
    per_row = ledger.select("position", total=pl.sum_horizontal("supervised", "masked", "truncated", "dropped"))
    expected = dict(zip(whole["position"], whole["input_ids"].list.len(), strict=True))
    assert dict(per_row.rows()) == {k: expected.get(k, 0) for k in range(41)}
    assert made.result["tokens"] == {name: ledger[name].sum() for name in ("supervised", "masked", "truncated", "dropped")}
    assert ledger.row(40, named=True)["rule"] == "template.unsupervised"
    assert made.result["rows"] + sum(made.result["dropped"].values()) == 41


def test_left_cuts_the_prompt_and_keeps_bos_and_answer(tmp_path, bos_folder):
    data = [{"instruction": "one two three four five six seven eight", "input": "", "output": "red blue"}]
    whole = read_pack(pack(data, tmp_path / "a", tokenizer=bos_folder, template="plain").folder).segments.to_pylist()[0]
    size = len(whole["input_ids"])
    cut = read_pack(
        pack(data, tmp_path / "b", tokenizer=bos_folder, template="plain", context=size - 5, overflow="left").folder
    ).segments.to_pylist()[0]
    assert cut["input_ids"] == [whole["input_ids"][0], *whole["input_ids"][6:]]
    assert [label for label in cut["labels"] if label != -100] == [label for label in whole["labels"] if label != -100]


def test_answer_cuts_the_end_of_turn_which_is_then_not_learnt(tmp_path, folder):
    data = [{"instruction": "one", "input": "", "output": "red blue green two three"}]
    whole = read_pack(pack(data, tmp_path / "a", tokenizer=folder, template="plain").folder).segments.to_pylist()[0]
    size = len(whole["input_ids"])
    made = pack(data, tmp_path / "b", tokenizer=folder, template="plain", context=size - 4, overflow="answer")
    cut = read_pack(made.folder).segments.to_pylist()[0]
    assert cut["input_ids"] == whole["input_ids"][:-4]
    assert cut["labels"] == whole["labels"][:-4]
    assert made.result["tokens"]["truncated"] == 4
    assert read_pack(made.folder).details["end_of_turn_id"] not in cut["labels"]


def test_drop_above_one_percent_warns_and_error_names_the_row(tmp_path, folder):
    data = [*rows(10, longest=2), {"instruction": "long", "input": "", "output": "red " * 200}]
    with pytest.warns(TunesmithWarning, match=r"1 of 11 sequences \(9.1%\) are longer than the context of 100 tokens"):
        pack(data, tmp_path / "a", tokenizer=folder, template="plain", context=100)
    with pytest.raises(InputError, match=r"row 10 .* the context holds 100.*--overflow drop, left or answer"):
        pack(data, tmp_path / "b", tokenizer=folder, template="plain", context=100, overflow="error")
    assert not (tmp_path / "b").exists()


sequences = st.lists(st.lists(st.tuples(st.integers(0, 9), st.booleans()), min_size=1, max_size=12), min_size=1, max_size=8)


@settings(max_examples=60, deadline=None)
@given(sequences, st.integers(2, 10), st.sampled_from(["drop", "left", "answer"]), st.sampled_from([None, 0]))
def test_fitting_against_a_plain_twin(made, capacity, overflow, bos):
    frame = pl.DataFrame(
        {
            "position": pl.Series(range(len(made)), dtype=pl.UInt64), "row_id": [str(k) for k in range(len(made))],
            "pair": pl.Series([None] * len(made), dtype=pl.String),
            "input_ids": pl.Series([[i for i, _ in s] for s in made], dtype=pl.List(pl.UInt32)),
            "labels": pl.Series([[i if learnt else -100 for i, learnt in s] for s in made], dtype=pl.List(pl.Int32)),
        }
    )  # fmt: skip
    fitted = fit(frame, capacity=capacity, overflow=overflow, bos_id=bos)
    expected = []
    for position, whole in enumerate(made):
        s = whole
        if len(s) > capacity and overflow == "answer":
            s = s[:capacity]
        elif len(s) > capacity and overflow == "left":
            first = next((k for k, (_, learnt) in enumerate(s) if learnt), 0)
            keep = 1 if bos is not None and s[0][0] == bos else 0
            if len(s) - capacity <= first - keep:
                s = s[:keep] + s[keep + len(s) - capacity :]
        if len(s) <= capacity and any(learnt for _, learnt in s):
            expected.append((position, [i for i, _ in s], [i if learnt else -100 for i, learnt in s]))
    assert fitted.segments.select("position", "input_ids", "labels").rows() == expected
    ledger = token_ledger(frame, fitted, pl.DataFrame(schema={"position": pl.UInt64, "rule": pl.String, "evidence": pl.String}))
    tokens = balance(ledger, segments=fitted.segments, produced=sum(map(len, made)))
    assert sum(tokens.values()) == sum(map(len, made))


def test_context_is_the_models_limit_and_at_most_4096(tmp_path, folder):
    assert pack(rows(3), tmp_path / "a", tokenizer=folder, template="plain").result["context"] == 256
    wide = chats.tokenizer_folder(tmp_path / "wide", limit=100_000)
    assert pack(rows(3), tmp_path / "b", tokenizer=wide, template="plain").result["context"] == 4096
    with pytest.raises(OptionError, match=r"longer than the 256 positions"):
        pack(rows(3), tmp_path / "c", tokenizer=folder, template="plain", context=257)


def test_weights_are_carried(tmp_path, folder):
    frame = read(rows(4)).frame.with_columns(weight=pl.Series([1.0, 0.5, 2.0, 1.0], dtype=pl.Float32))
    assert read_pack(pack(frame, tmp_path / "a", tokenizer=folder, template="plain").folder).segments["weight"].to_pylist() == [
        1.0,
        0.5,
        2.0,
        1.0,
    ]


def test_the_same_work_is_reused_other_work_is_refused_and_force_replaces(tmp_path, folder):
    first = pack(rows(5), tmp_path / "a", tokenizer=folder, template="plain")
    again = pack(rows(5), tmp_path / "a", tokenizer=folder, template="plain")
    assert (first.reused, again.reused, again.result) == (False, True, first.result)
    with pytest.raises(ArtefactError, match="--force"):
        pack(rows(5), tmp_path / "a", tokenizer=folder, template="alpaca")
    assert pack(rows(5), tmp_path / "a", tokenizer=folder, template="alpaca", force=True).result["template"] == "alpaca"
    other = pack(rows(5), tmp_path / "b", tokenizer=folder, template="alpaca")
    assert read_manifest(other.folder).hash == read_manifest(tmp_path / "a").hash


def test_nothing_to_learn_is_an_error_with_the_reasons(tmp_path, folder):
    with pytest.raises(InputError, match=r"template.unsupervised 1"):
        pack([{"instruction": "a", "input": "", "output": ""}], tmp_path / "a", tokenizer=folder, template="plain")


def test_conversations_keep_every_answer(tmp_path):
    folder = chats.tokenizer_folder(tmp_path / "model", template=chats.CHATML, eos="<|im_end|>")
    data = [chats.chat("red", "green", "blue", "one"), chats.chat("cat", "dog")]
    counts = {turns: pack(data, tmp_path / turns, tokenizer=folder, turns=turns).result for turns in ("all", "last", "unroll")}
    assert [counts[turns]["segments"] for turns in ("all", "last", "unroll")] == [2, 2, 3]
    assert counts["all"]["tokens"]["supervised"] == counts["unroll"]["tokens"]["supervised"] > counts["last"]["tokens"]["supervised"]
    assert {result["rows"] for result in counts.values()} == {2}


def test_a_pack_opens_with_pyarrow_and_nothing_else_of_ours(tmp_path, folder):
    made = pack(rows(9), tmp_path / "pack", tokenizer=folder, template="plain")
    code = f"""
import sys
for name in ("polars", "pydantic", "click", "rich", "jinja2", "tunesmith.core._native"):
    sys.modules[name] = None
from tunesmith.packing import read_pack
opened = read_pack({str(made.folder)!r})
print(opened.segments.num_rows, len(opened.bins()), opened.details["eos_id"])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["9", str(made.result["bins"]), "2"], done.stderr


def test_a_damaged_pack_is_named(tmp_path, folder):
    made = pack(rows(3), tmp_path / "pack", tokenizer=folder, template="plain")
    (made.folder / "plan.arrow").write_bytes(b"broken")
    with pytest.raises(ArtefactError, match=r"plan.arrow: expected an Arrow file"):
        read_pack(made.folder)
    with pytest.raises(ArtefactError, match=r"without manifest\.json"):
        read_pack(tmp_path)


def test_the_command(tmp_path, folder):
    source = tmp_path / "rows.json"
    source.write_text(json.dumps(rows(30)))
    arguments = ["pack", str(source), "-o", str(tmp_path / "out"), "--tokenizer", str(folder), "--template", "plain", "--context", "60"]
    shown = CliRunner().invoke(main, arguments)
    assert shown.exit_code == 0, shown.stderr
    assert "tokens supervised" in shown.stdout
    assert "warning: " in shown.stderr
    again = CliRunner().invoke(main, [*arguments, "--json"])
    data = json.loads(again.stdout)
    assert again.exit_code == 0
    assert data["reused"] is True
    assert {"rows", "bins", "fill", "tokens"} <= data.keys()
    assert data["tokens"].keys() == {"supervised", "masked", "truncated", "dropped"}
    refused = CliRunner().invoke(main, [*arguments[:-1], "70"])
    assert refused.exit_code == 2
    assert "--force" in refused.stderr
    assert CliRunner().invoke(main, [*arguments[:-1], "70", "--force", "--json"]).exit_code == 0
    wrong = CliRunner().invoke(main, [*arguments[:-1], "70", "--overflow", "wrap", "--force"])
    assert wrong.exit_code == 2
