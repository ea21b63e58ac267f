from __future__ import annotations

import json
import shutil
import signal
from collections import Counter
from contextlib import contextmanager

import pyarrow.compute as pc
import pytest
import torch
from pyarrow import parquet

import tiny
from tunesmith.errors import ArtefactError, ModelError, OptionError
from tunesmith.models.generate import generate
from tunesmith.models.loading import bfloat16_survives
from tunesmith.models.weights import model_hash
from tunesmith.training import TrainOptions, preflight, train

ROWS = tiny.exchanges(32)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return tiny.model_folder(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def pack(tmp_path_factory):
    return tiny.pack_folder(tmp_path_factory.mktemp("data") / "pack", [tiny.chat_segment(*row) for row in ROWS])


def losses(run):
    return parquet.read_table(run / "losses.parquet")


def weights(run):
    from safetensors.torch import load_file

    return load_file(next(run.glob("*model*.safetensors")))


def same(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def prompts(rows):
    made = []
    for row in rows:
        ids, labels = tiny.chat_segment(*row)
        made.append([token for token, label in zip(ids, labels, strict=True) if label == -100])
    return made


@pytest.fixture(scope="module")
def base(model, tmp_path_factory):
    """A model that knows form and words from other rows; under an adapter, words never seen could never be said."""
    folder = tmp_path_factory.mktemp("base")
    other = tiny.pack_folder(folder / "other", [tiny.chat_segment(*row) for row in tiny.exchanges(100, seed=9)])
    return train(other, folder / "base", model=model, method="full", epochs=20, bins=2, lr=5e-3).folder


@pytest.mark.slow
@pytest.mark.parametrize("method", ["full", "lora"])
def test_it_learns_32_rows_by_heart_and_when_to_stop(base, pack, tmp_path, method):
    how = {"full": {"epochs": 60, "lr": 4e-3}, "lora": {"epochs": 50, "lr": 1e-2, "lora_r": 32, "lora_alpha": 32}}[method]
    run = train(pack, tmp_path / "run", model=base, method=method, bins=2, score_rows=True, **how)
    found = losses(run.folder)
    scored = found.filter(pc.equal(found["phase"], "scored"))
    # Under frozen norms and embeddings this tiny model's logits are bounded, so an adapter's loss has a floor near 0.3.
    assert pc.max(scored["loss"]).as_py() < {"full": 0.3, "lora": 0.7}[method]
    asked = {"model": run.folder} if method == "full" else {"model": base, "adapter": run.folder}
    answers = generate(asked.pop("model"), prompts(ROWS), max_new_tokens=20, **asked)
    assert [answer.text for answer in answers] == [answer for _, answer in ROWS]
    assert {answer.finish for answer in answers} == {"stop"}


@pytest.mark.parametrize("method", ["lora", "dora"])
def test_an_adapter_lowers_the_loss(base, pack, tmp_path, method):
    run = train(pack, tmp_path / "run", model=base, method=method, bins=2, epochs=6, lr=6e-3, score_rows=True)
    found = losses(run.folder)
    first = found.filter(pc.equal(found["epoch"], 1))
    scored = found.filter(pc.equal(found["phase"], "scored"))
    assert pc.mean(scored["loss"]).as_py() < 0.75 * pc.mean(first["loss"]).as_py()


def test_the_run_loads_with_transformers_and_peft_alone(model, pack, tmp_path):
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

    full = train(pack, tmp_path / "full", model=model, method="full", steps=2, lr=1e-3, bins=4).folder
    lora = train(pack, tmp_path / "lora", model=model, steps=2, lr=1e-2, bins=4).folder
    ids = torch.tensor([[5, 6, 7, 8]])
    with torch.no_grad():
        base = AutoModelForCausalLM.from_pretrained(model, dtype=torch.float32)
        before = base(ids).logits
        tuned = AutoModelForCausalLM.from_pretrained(full, dtype=torch.float32)(ids).logits
        adapted = PeftModel.from_pretrained(base, lora)(ids).logits
        assert not torch.allclose(before, tuned)
        assert not torch.allclose(before, adapted)
        # The adapter's folder names its base, so transformers alone finds it as well.
        torch.testing.assert_close(AutoModelForCausalLM.from_pretrained(lora, dtype=torch.float32)(ids).logits, adapted)
    for folder in (full, lora):
        tokenizer = AutoTokenizer.from_pretrained(folder)
        assert tokenizer.chat_template == tiny.CHAT_TEMPLATE
        stop = GenerationConfig.from_pretrained(folder)
        assert (stop.eos_token_id, stop.pad_token_id) == (tokenizer.convert_tokens_to_ids(tiny.END), 0)
        assert not [path.name for path in folder.iterdir() if path.name.startswith(("checkpoint", "best", "work"))]
        assert not list(folder.glob("*.bin"))


def test_the_end_of_turn_and_the_tokenizers_end_both_stop(model, tmp_path):
    about = {"end_of_turn_id": 4, "eos_id": 2, "pad_id": None}
    pack = tiny.pack_folder(tmp_path / "pack", [tiny.chat_segment(*row) for row in ROWS[:4]], details=about)
    run = train(pack, tmp_path / "run", model=model, steps=1)
    config = json.loads((run.folder / "generation_config.json").read_text())
    assert (config["eos_token_id"], config["pad_token_id"]) == ([4, 2], 4)


def test_every_row_is_in_the_losses_and_the_tokens_add_up(model, pack, tmp_path):
    run = train(pack, tmp_path / "run", model=model, epochs=2, bins=3, score_rows=True)
    found = losses(run.folder)
    supervised = [sum(label != -100 for label in tiny.chat_segment(*row)[1]) for row in ROWS]
    length = [len(tiny.chat_segment(*row)[0]) for row in ROWS]
    trained = found.filter(pc.equal(found["phase"], "train"))
    scored = found.filter(pc.equal(found["phase"], "scored"))
    assert Counter(zip(trained["position"].to_pylist(), trained["epoch"].to_pylist(), strict=True)) == Counter(
        (k, epoch) for k in range(32) for epoch in (1, 2)
    )
    assert sorted(scored["position"].to_pylist()) == list(range(32))
    assert all(
        row_id == f"{position:032x}" for row_id, position in zip(*(found[n].to_pylist() for n in ("row_id", "position")), strict=True)
    )
    assert pc.sum(trained["tokens"]).as_py() == 2 * sum(supervised) == run.result["supervised_tokens"]
    assert pc.sum(scored["tokens"]).as_py() == sum(supervised)
    assert run.result["tokens"] == 2 * sum(length)
    assert [str(field.type) for field in found.schema] == ["uint64", "string", "uint32", "uint32", "string", "double", "uint32"]
    # `loss` is the token-weighted mean of the last epoch's worth of steps.
    bins = -(-run.result["steps"] // 2)
    last = trained.filter(pc.greater(trained["step"], run.result["steps"] - bins))
    wanted = pc.sum(pc.multiply(last["loss"], last["tokens"])).as_py() / pc.sum(last["tokens"]).as_py()
    assert run.result["loss"] == pytest.approx(wanted)


def test_scored_losses_are_those_of_the_saved_model(model, pack, tmp_path):
    from transformers import AutoModelForCausalLM

    run = train(pack, tmp_path / "run", model=model, method="full", steps=3, lr=1e-3, score_rows=True)
    saved = AutoModelForCausalLM.from_pretrained(run.folder, dtype=torch.float32)
    found = losses(run.folder)
    scored = found.filter(pc.equal(found["phase"], "scored")).sort_by("position")
    for row, loss in zip(ROWS[:5], scored["loss"].to_pylist(), strict=False):
        ids, labels = tiny.chat_segment(*row)
        with torch.no_grad():
            alone = saved(input_ids=torch.tensor([ids]), labels=torch.tensor([labels])).loss
        assert loss == pytest.approx(float(alone), rel=1e-5)


def test_accumulation_changes_nothing(model, pack, tmp_path):
    runs = [
        train(pack, tmp_path / f"run{micro}", model=model, method="full", steps=5, bins=4, micro_bins=micro, lr=1e-3) for micro in (4, 1, 3)
    ]
    # The options say the same work; only the passes differ.
    assert len({json.dumps(run.manifest.options, sort_keys=True) for run in runs}) == 1
    first = losses(runs[0].folder)
    for run in runs[1:]:
        other = losses(run.folder)
        assert other.drop(["loss"]) == first.drop(["loss"])
        assert other["loss"].to_pylist() == pytest.approx(first["loss"].to_pylist(), rel=1e-4)
        for name, value in weights(run.folder).items():
            # AdamW divides by sqrt(v): where a gradient is all but 0, rounding moves a weight by up to a step.
            difference = (value - weights(runs[0].folder)[name]).abs()
            assert difference.mean() < 1e-6
            assert difference.max() < 2e-3


def test_a_weight_counts_like_copies(model, tmp_path):
    rows = [tiny.chat_segment(*row) for row in ROWS[:4]]
    weighted = tiny.pack_folder(tmp_path / "weighted", rows, capacity=512, weights=[1, 3, 1, 0])
    copied = tiny.pack_folder(tmp_path / "copied", [rows[0], rows[1], rows[1], rows[1], rows[2]], capacity=512)
    one, other = (
        weights(train(pack, tmp_path / f"run-{pack.name}", model=model, method="full", steps=1, bins=1, lr=1e-3, warmup=0.0).folder)
        for pack in (weighted, copied)
    )
    for name in one:
        assert (one[name] - other[name]).abs().mean() < 1e-6


@contextmanager
def killed_after(steps, *, exception=None):
    """End a run after so many steps, as Ctrl-C does, or by an exception as a crash does."""
    from tunesmith.training.trainer import Watch

    plain = Watch.on_step_end

    def on_step_end(self, args, state, control, **others):
        if state.global_step == steps:
            if exception is not None:
                plain(self, args, state, control, **others)
                raise exception
            signal.raise_signal(signal.SIGINT)
        plain(self, args, state, control, **others)

    Watch.on_step_end = on_step_end
    try:
        yield
    finally:
        Watch.on_step_end = plain


@pytest.mark.parametrize("method", ["lora", "full"])
def test_a_run_goes_on_after_ctrl_c_bit_for_bit(model, pack, tmp_path, method):
    options = {"model": model, "method": method, "epochs": 2, "bins": 3, "micro_bins": 2, "lr": 5e-3, "score_rows": True}
    if method == "lora":
        options["lora_dropout"] = 0.2  # random numbers must go on as well
    whole = train(pack, tmp_path / "whole", **options)
    with killed_after(2), pytest.raises(KeyboardInterrupt):
        train(pack, tmp_path / "cut", **options)
    assert not (tmp_path / "cut").exists()
    cut = train(pack, tmp_path / "cut", **options)
    assert same(weights(whole.folder), weights(cut.folder))
    assert losses(whole.folder).equals(losses(cut.folder))
    assert whole.manifest.hash == cut.manifest.hash
    assert {name: whole.result[name] for name in ("steps", "tokens", "loss")} == {
        name: cut.result[name] for name in ("steps", "tokens", "loss")
    }


def test_a_run_goes_on_after_a_crash_from_the_last_whole_checkpoint(pack, tmp_path):
    base = tiny.model_folder(tmp_path / "gpt2", "gpt2")  # with dropout in its layers
    options = {"model": base, "method": "full", "steps": 7, "bins": 2, "lr": 1e-3, "checkpoint_steps": 2}
    whole = train(pack, tmp_path / "whole", **options)
    with killed_after(5, exception=RuntimeError("power")), pytest.raises(RuntimeError, match="power"):
        train(pack, tmp_path / "cut", **options)
    work = tmp_path / "cut.work"
    assert sorted(path.name for path in work.glob("checkpoint-*")) == ["checkpoint-2", "checkpoint-4"]
    (work / "checkpoint-4" / "tunesmith.json").unlink()  # as if the crash had come while it was written
    cut = train(pack, tmp_path / "cut", **options)
    assert same(weights(whole.folder), weights(cut.folder))
    assert losses(whole.folder).equals(losses(cut.folder))


def test_unfinished_work_of_another_kind_is_not_taken_up(model, pack, tmp_path):
    with killed_after(1), pytest.raises(KeyboardInterrupt):
        train(pack, tmp_path / "run", model=model, steps=4, lr=1e-3)
    with pytest.raises(ArtefactError, match=r"unfinished run of other inputs or options \(lr: 0\.001 then, 0\.002 now\).*--force"):
        train(pack, tmp_path / "run", model=model, steps=4, lr=2e-3)
    other = tiny.pack_folder(tmp_path / "other", [tiny.chat_segment(*row) for row in ROWS[:5]])
    with pytest.raises(ArtefactError, match="pack: "):
        train(other, tmp_path / "run", model=model, steps=4, lr=1e-3)
    run = train(pack, tmp_path / "run", model=model, steps=4, lr=2e-3, force=True)
    assert losses(run.folder)["step"].to_pylist()[0] == 1


def test_a_finished_run_is_reused_and_another_refused(model, pack, tmp_path):
    first = train(pack, tmp_path / "run", model=model, steps=1)
    again = train(pack, tmp_path / "run", model=model, steps=1)
    assert (first.reused, again.reused) == (False, True)
    assert again.result == {**first.result, "reused": True}
    with pytest.raises(ArtefactError, match="--force"):
        train(pack, tmp_path / "run", model=model, steps=2)
    assert train(pack, tmp_path / "run", model=model, steps=2, force=True).result["steps"] == 2


def test_the_same_seed_gives_the_same_run_and_another_does_not(model, pack, tmp_path):
    hashes = [train(pack, tmp_path / f"run{k}", model=model, steps=3, seed=seed).manifest.hash for k, seed in enumerate((0, 0, 1))]
    assert hashes[0] == hashes[1] != hashes[2]
    assert hashes[0] == model_hash(tmp_path / "run0")


def test_steps_go_round_the_pack(model, pack, tmp_path):
    run = train(pack, tmp_path / "run", model=model, steps=5, bins=5)
    found = losses(run.folder)
    bins = 25 / run.result["epochs"]
    assert run.result["steps"] == 5
    assert set(found["step"].to_pylist()) == {1, 2, 3, 4, 5}
    assert max(found["epoch"].to_pylist()) == -(-25 // bins)


def test_validation_is_token_weighted_and_the_best_epoch_is_kept(model, pack, tmp_path):
    from transformers import AutoModelForCausalLM

    # Answers without rhyme or reason: learning the pack by heart makes them worse after a while.
    rows = [
        tiny.chat_segment(prompt, answer)
        for (prompt, _), (_, answer) in zip(tiny.exchanges(9, seed=5), tiny.exchanges(9, seed=6), strict=True)
    ]
    other = tiny.pack_folder(tmp_path / "validation", rows)
    run = train(pack, tmp_path / "run", model=model, method="full", epochs=12, bins=2, lr=5e-3, validation=other, patience=2)
    history = run.manifest.details["validation"]
    best = min(history, key=lambda entry: entry["loss"])
    assert best["epoch"] < history[-1]["epoch"] == best["epoch"] + 2 < 12  # stopped early
    assert run.result["validation_loss"] == best["loss"]
    saved = AutoModelForCausalLM.from_pretrained(run.folder, dtype=torch.float32)
    total, tokens = 0.0, 0
    for ids, labels in rows:
        with torch.no_grad():
            logits = saved(input_ids=torch.tensor([ids])).logits[0, :-1]
        total += float(torch.nn.functional.cross_entropy(logits, torch.tensor(labels[1:]), reduction="sum"))
        tokens += sum(label != -100 for label in labels)
    assert best["loss"] == pytest.approx(total / tokens, rel=1e-5)
    assert best["tokens"] == tokens

    steps = train(pack, tmp_path / "steps", model=model, method="full", steps=30, bins=2, lr=5e-3, validation=other, patience=1)
    assert steps.result["steps"] == 30  # no early stopping
    assert steps.result["validation_loss"] == steps.manifest.details["validation"][-1]["loss"]


@pytest.mark.parametrize("method", ["lora", "full"])
def test_bfloat16_trains_and_keeps_trained_weights_in_float32(model, pack, tmp_path, method):
    if not bfloat16_survives():
        with pytest.raises(ModelError, match="announces matrix instructions that it does not run"):
            train(pack, tmp_path / "run", model=model, method=method, steps=4, dtype="bfloat16")
        pytest.skip("this CPU announces bfloat16 instructions that it does not run")
    run = train(pack, tmp_path / "run", model=model, method=method, steps=4, bins=4, lr=5e-3, dtype="bfloat16")
    found = losses(run.folder)
    first = found.filter(pc.equal(found["step"], 1))
    last = found.filter(pc.equal(found["step"], 4))
    assert pc.mean(last["loss"]).as_py() < pc.mean(first["loss"]).as_py()
    assert {value.dtype for value in weights(run.folder).values()} == {torch.float32}
    assert run.manifest.details["resolved"]["dtype"] == "bfloat16"


def test_activation_checkpointing_changes_nothing(model, pack, tmp_path):
    plain, less = (
        losses(train(pack, tmp_path / f"run{flag}", model=model, steps=3, lr=1e-2, activation_checkpointing=flag).folder)
        for flag in (False, True)
    )
    assert less["loss"].to_pylist() == pytest.approx(plain["loss"].to_pylist(), rel=1e-5)


def test_what_does_not_fit_is_refused_before_the_model_is_loaded(model, pack, tmp_path):
    ids = [5, 400, 6]
    foreign = tiny.pack_folder(tmp_path / "foreign", [(ids, ids)])
    with pytest.raises(ModelError, match=r"holds token id 400, the model .* knows ids below 320"):
        train(foreign, tmp_path / "run", model=model)
    long = tiny.pack_folder(tmp_path / "long", [([5] * 300, [5] * 300)], capacity=300)
    with pytest.raises(ModelError, match="longest sequence has 300 tokens, the model reads 256; pack with --context 256"):
        train(long, tmp_path / "run", model=model)
    masked = tiny.pack_folder(tmp_path / "masked", [([5, 6], [-100, -100])])
    with pytest.raises(ArtefactError, match="expected supervised tokens, found none"):
        train(masked, tmp_path / "run", model=model)
    with pytest.raises(ModelError, match="nowhere: expected a model folder"):
        train(pack, tmp_path / "run", model=tmp_path / "nowhere")
    with pytest.raises(ArtefactError, match=r"manifest\.json"):
        train(tmp_path, tmp_path / "run", model=model)
    assert not (tmp_path / "run").exists()


def test_divergence_names_the_row(pack, tmp_path):
    broken = tiny.model()
    with torch.no_grad():
        broken.model.norm.weight.fill_(float("nan"))
    broken.save_pretrained(tmp_path / "broken")
    shutil.copy(pack / "tokenizer" / "tokenizer.json", tmp_path / "broken")
    with pytest.raises(ModelError, match=r"(step 1: the loss of the row at position \d+ is nan|leak)"):
        train(pack, tmp_path / "run", model=tmp_path / "broken", steps=1)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"method": "qlora"}, "method: expected one of lora, dora, full"),
        ({"lora_dropout": 1.0}, "lora_dropout: expected at least 0 and below 1"),
        ({"steps": 0}, "steps: expected at least 1"),
        ({"bins": 2.5}, "bins: expected int"),
        ({"epochs": 0}, "epochs: expected more than 0"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(wrong, message):
    with pytest.raises(OptionError, match=message):
        TrainOptions(**wrong)


def test_an_unknown_option_is_named():
    with pytest.raises(OptionError, match='unknown option "lora_rank"; did you mean "lora_r"'):
        TrainOptions().changed(lora_rank=4)


def test_preflight_measures_and_writes_nothing(model, pack, tmp_path):
    before = sorted(tmp_path.rglob("*"))
    found = preflight(pack, model=model, epochs=3, bins=2)
    run = train(pack, tmp_path / "run", model=model, epochs=3, bins=2)
    assert (found.steps, found.tokens, found.supervised_tokens) == tuple(run.result[n] for n in ("steps", "tokens", "supervised_tokens"))
    assert found.trainable_parameters == run.manifest.details["resolved"]["trainable_parameters"] < found.parameters
    assert found.seconds == pytest.approx(found.tokens / found.tokens_per_second, abs=0.06)
    assert found.peak_bytes > 1 << 20
    assert before == []
