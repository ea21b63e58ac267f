from __future__ import annotations

import json
import random

import pytest
import torch

import tiny
from tunesmith.errors import InputError, ModelError, OptionError
from tunesmith.models.generate import generate, main, read_prompts, write_answers
from tunesmith.models.generation import Decoding, Generator


@pytest.fixture(scope="module", params=["llama", "qwen2", "gpt2"])
def folder(request, tmp_path_factory):
    return tiny.model_folder(tmp_path_factory.mktemp(request.param), request.param)


@pytest.fixture(scope="module")
def llama(tmp_path_factory):
    return tiny.model_folder(tmp_path_factory.mktemp("llama"))


def prompts(n, seed=0, longest=40):
    rng = random.Random(seed)
    return [[rng.randrange(5, 320) for _ in range(rng.randrange(1, longest))] for _ in range(n)]


def plain_greedy(model, prompt, n, stops):
    """The slow twin: no batch, no cache, no padding."""
    ids = list(prompt)
    for _ in range(n):
        with torch.inference_mode():
            token = int(model(input_ids=torch.tensor([ids])).logits[0, -1].argmax())
        if token in stops:
            return ids[len(prompt) :], "stop"
        ids.append(token)
    return ids[len(prompt) :], "length"


def test_greedy_equals_generation_one_by_one_without_cache(folder):
    asked = prompts(7)
    generator = Generator(folder, dtype="float32", device="cpu")
    # Stop ids that random models do produce, so that both endings occur.
    stops = sorted({plain_greedy(generator._model, prompt, 5, set())[0][3] for prompt in asked[:2]})
    answers = generate(generator, asked, max_new_tokens=9, stop_ids=stops)
    for prompt, answer in zip(asked, answers, strict=True):
        ids, finish = plain_greedy(generator._model, prompt, 9, set(stops))
        assert (answer.ids, answer.finish) == (ids, finish)
        assert answer.prompt_tokens == len(prompt)
        assert answer.output_tokens == len(ids) + (finish == "stop")
    assert {answer.finish for answer in answers} == {"stop", "length"}


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_an_answer_does_not_depend_on_its_batch_mates(folder, temperature):
    asked = prompts(12, seed=1)
    generator = Generator(folder, dtype="float32", device="cpu")
    common = {"max_new_tokens": 8, "temperature": temperature, "stop_ids": [7, 20], "seed": 3}
    together = generate(generator, asked, batch_tokens=1 << 20, **common)
    alone = generate(generator, asked, batch_tokens=1, **common)
    assert [a.ids for a in together] == [a.ids for a in alone]


def test_sampling_follows_the_seed_and_the_distribution(llama):
    generator = Generator(llama, dtype="float32", device="cpu")
    asked = [[9, 10, 11]] * 400
    first = generate(generator, asked, max_new_tokens=1, temperature=0.7, stop_ids=[], seed=1)
    again = generate(generator, asked, max_new_tokens=1, temperature=0.7, stop_ids=[], seed=1)
    other = generate(generator, asked, max_new_tokens=1, temperature=0.7, stop_ids=[], seed=2)
    assert [a.ids for a in first] == [a.ids for a in again] != [a.ids for a in other]
    with torch.inference_mode():
        shares = torch.softmax(generator._model(input_ids=torch.tensor([[9, 10, 11]])).logits[0, -1].double() / 0.7, -1)
    # The mean surprise of the draws is the entropy, within 5 standard errors.
    surprise = -shares.log()[[a.ids[0] for a in first]]
    entropy, variance = (
        float(-(shares * shares.log()).sum()),
        float((shares * shares.log() ** 2).sum() - (shares * shares.log()).sum() ** 2),
    )
    assert abs(float(surprise.mean()) - entropy) < 5 * (variance / 400) ** 0.5


def test_stop_strings_end_an_answer_and_are_cut_from_the_text(llama):
    generator = Generator(llama, dtype="float32", device="cpu")
    free = generate(generator, [[9, 10, 11]], max_new_tokens=12, temperature=1.0, stop_ids=[])[0]
    middle = generator.tokenizer.decode(free.ids[4:6])
    stopped = generate(generator, [[9, 10, 11]], max_new_tokens=12, temperature=1.0, stop_ids=[], stop=[middle])[0]
    assert stopped.finish == "stop"
    assert stopped.output_tokens <= 6 == len(free.ids[:6])
    assert middle not in stopped.text
    assert free.text.startswith(stopped.text)


def test_a_prompt_must_have_tokens_and_leave_room(llama):
    with pytest.raises(ModelError, match=r"prompt 1: expected at least one token"):
        generate(llama, [[5], []], max_new_tokens=4)
    with pytest.raises(ModelError, match=r"prompt 0: 256 tokens leave no room.*reads 256"):
        generate(llama, [[5] * 256], max_new_tokens=4)
    answer = generate(llama, [[5] * 254], max_new_tokens=40, stop_ids=[])[0]
    assert (answer.finish, answer.output_tokens) == ("length", 2)


@pytest.mark.parametrize("wrong", [{"max_new_tokens": 0}, {"max_new_tokens": 3, "temperature": -1.0}, {"max_new_tokens": 3, "stop": [""]}])
def test_options_that_cannot_be_meant_are_refused(wrong):
    with pytest.raises(OptionError):
        Decoding(**wrong)


def adapted(llama, folder):
    from peft import LoraConfig, get_peft_model

    model = get_peft_model(tiny.model(), LoraConfig(r=4, target_modules="all-linear"))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.3, generator=torch.Generator().manual_seed(0))
    model.save_pretrained(folder)
    return folder


def test_base_and_adapter_answer_from_one_load(llama, tmp_path):
    adapter = adapted(llama, tmp_path / "adapter")
    asked = prompts(5, seed=2)
    both = Generator(llama, adapter=adapter, dtype="float32", device="cpu")
    decoding = Decoding(max_new_tokens=8, stop_ids=[])
    base = [a.ids for a in both.run(asked, decoding=decoding, adapter=False)]
    tuned = [a.ids for a in both.run(asked, decoding=decoding, adapter=True)]
    alone = [a.ids for a in generate(llama, asked, max_new_tokens=8, stop_ids=[], dtype="float32")]
    assert base == alone != tuned


def test_the_file_command_writes_every_answer_and_resumes(llama, tmp_path):
    asked = prompts(6, seed=4)
    source, out = tmp_path / "prompts.jsonl", tmp_path / "answers.jsonl"
    source.write_text(
        "".join(json.dumps({"position": 10 + k, "row_id": f"{k:032x}", "input_ids": ids}) + "\n" for k, ids in enumerate(asked))
    )
    options = ["--model", str(llama), "--max-new-tokens", "5", "--dtype", "float32"]
    assert main([str(source), str(out), *options]) == 0
    whole = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["position"] for line in whole] == [10, 11, 12, 13, 14, 15]
    assert all(line["output"] is not None and line["finish"] in {"stop", "length"} for line in whole)

    # As a crash leaves it: some answers, then half a line. What is there is kept, to the seconds it took.
    generator, decoding = Generator(llama, dtype="float32"), Decoding(max_new_tokens=5)
    killed = tmp_path / "killed.jsonl"

    class Killed(BaseException):
        pass

    class Stop:
        def task(self, label, total=None):
            from contextlib import contextmanager

            @contextmanager
            def open_task():
                def done(n):
                    if n == 3:
                        raise Killed

                yield done

            return open_task()

    with pytest.raises(Killed):
        write_answers(read_prompts(source), killed, generator=generator, decoding=decoding, adapter=True, progress=Stop())
    part = tmp_path / "killed.jsonl.part"
    kept = [json.loads(line) for line in part.read_text().splitlines()[1:]]
    assert len(kept) == 3
    with part.open("a") as file:
        file.write('{"prompt": 5, "outp')
    write_answers(read_prompts(source), killed, generator=generator, decoding=decoding, adapter=True)
    resumed = [json.loads(line) for line in killed.read_text().splitlines()]
    assert [line["output_ids"] for line in resumed] == [line["output_ids"] for line in whole]
    assert all(line in resumed for line in kept)
    assert not part.exists()

    part.write_text('{"work": "another"}\n')
    with pytest.raises(InputError, match="begun with other prompts"):
        write_answers(read_prompts(source), killed, generator=generator, decoding=decoding, adapter=True)


def test_prompts_are_read_alike_from_every_format(tmp_path):
    import pyarrow as pa
    from pyarrow import parquet

    records = [{"item": 3, "input_ids": [1, 2]}, {"item": 4, "input_ids": [5]}]
    table = pa.Table.from_pylist(records)
    parquet.write_table(table, tmp_path / "a.parquet")
    with pa.OSFile(str(tmp_path / "a.arrow"), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, records)))
    assert all(read_prompts(tmp_path / f"a.{end}") == records for end in ("parquet", "arrow", "jsonl"))
    (tmp_path / "b.jsonl").write_text('{"input_ids": [1]}\n{"input_ids": "1 2"}\n')
    with pytest.raises(InputError, match=r'record 1, field "input_ids": expected a list of token ids, found .1 2.'):
        read_prompts(tmp_path / "b.jsonl")
    with pytest.raises(InputError, match=r"none\.jsonl.*No such file"):
        read_prompts(tmp_path / "none.jsonl")
