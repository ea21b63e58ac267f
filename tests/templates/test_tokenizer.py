"""A model's folder as we open it, against transformers, and what is said when it is none."""

from __future__ import annotations

import json

import pytest

import chats
from tunesmith.errors import ModelError
from tunesmith.templates import load_tokenizer, resolve
from tunesmith.templates.saving import save_tokenizer


def test_special_tokens_and_ids_are_those_of_transformers(tmp_path):
    folder = chats.tokenizer_folder(tmp_path, template=chats.CHATML, eos="<|im_end|>", limit=512)
    ours, theirs = load_tokenizer(folder), chats.transformers_tokenizer(folder)
    assert (ours.bos_id, ours.eos_id, ours.pad_id) == (theirs.bos_token_id, theirs.eos_token_id, theirs.pad_token_id)
    assert ours.chat_template == theirs.chat_template
    assert (ours.adds_bos, ours.context_limit) == (False, 512)
    assert load_tokenizer(folder / "tokenizer.json").hash == ours.hash


def test_a_tokenizer_saved_by_transformers_opens(tmp_path):
    theirs = chats.transformers_tokenizer(chats.tokenizer_folder(tmp_path / "a", template=chats.CHATML, eos="<|im_end|>"))
    theirs.save_pretrained(tmp_path / "b")
    ours = load_tokenizer(tmp_path / "b")
    assert (ours.bos_id, ours.eos_id, ours.pad_id) == (theirs.bos_token_id, theirs.eos_token_id, theirs.pad_token_id)
    assert ours.chat_template == chats.CHATML
    assert ours.length_limit is None  # transformers writes 1e30 for "not known"


def test_whether_bos_is_added_is_asked_of_the_tokenizer_and_its_config(tmp_path):
    folder = chats.tokenizer_folder(tmp_path, adds_bos=True)
    assert load_tokenizer(folder).adds_bos
    config = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**config, "add_bos_token": False}))
    assert not load_tokenizer(folder).adds_bos


def test_templates_in_the_config_and_tokens_as_objects(tmp_path):
    folder = chats.tokenizer_folder(tmp_path)
    config = {
        "eos_token": {"content": "<|im_end|>", "special": True}, "bos_token": None,
        "chat_template": [{"name": "tool_use", "template": "x"}, {"name": "default", "template": chats.CHATML}],
        "model_max_length": 100,
    }  # fmt: skip
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    (folder / "config.json").write_text(json.dumps({"text_config": {"max_position_embeddings": 300}}))
    ours = load_tokenizer(folder)
    assert (ours.eos, ours.bos, ours.chat_template) == ("<|im_end|>", None, chats.CHATML)
    assert (ours.position_limit, ours.length_limit, ours.context_limit) == (300, 100, 100)


def test_the_end_of_sequence_is_read_from_the_models_config(tmp_path):
    folder = chats.tokenizer_folder(tmp_path)
    (folder / "tokenizer_config.json").unlink()
    (folder / "config.json").write_text(json.dumps({"eos_token_id": [7, 2], "bos_token_id": 1}))
    ours = load_tokenizer(folder)
    assert (ours.eos, ours.bos) == ("<|eot_id|>", "<s>")


def test_the_hash_sees_template_and_tokens_and_not_the_name(tmp_path):
    a = load_tokenizer(chats.tokenizer_folder(tmp_path / "a", template=chats.CHATML))
    same = load_tokenizer(chats.tokenizer_folder(tmp_path / "b", template=chats.CHATML))
    template = load_tokenizer(chats.tokenizer_folder(tmp_path / "c", template=chats.QWEN))
    eos = load_tokenizer(chats.tokenizer_folder(tmp_path / "d", template=chats.CHATML, eos="<|im_end|>"))
    assert a.hash == same.hash
    assert len({a.hash, template.hash, eos.hash}) == 3


@pytest.mark.parametrize("name", ["alpaca", "chatml", "plain"])
@pytest.mark.parametrize("adds_bos", [False, True])
def test_a_saved_tokenizer_prompts_as_it_was_trained(tmp_path, name, adds_bos):
    """transformers renders and masks with the saved template what we packed with the named one."""
    from tunesmith.rows import read
    from tunesmith.templates import encode

    model = load_tokenizer(chats.tokenizer_folder(tmp_path / "base", eos="<|im_end|>", adds_bos=adds_bos))
    template = resolve(name, model)
    save_tokenizer(model, template, tmp_path / "saved")
    theirs = chats.transformers_tokenizer(tmp_path / "saved")
    row = chats.chat("Hi there", "Hello", "More", "Done")
    made = encode(read([row]).frame, tokenizer=model, template=template, turns="unroll").frame
    ids, labels = made.row(-1)[3:]
    asked = theirs.apply_chat_template(row["messages"][:-1], tokenize=True, add_generation_prompt=True, return_dict=True)["input_ids"]
    assert ids[: len(asked)] == asked
    assert labels[len(asked)] != -100
    assert "{% generation %}" in theirs.chat_template
    assert load_tokenizer(tmp_path / "saved").chat_template == template.source


def test_what_is_no_tokenizer_is_named(tmp_path):
    with pytest.raises(ModelError, match="no such folder"):
        load_tokenizer("./nowhere")
    (tmp_path / "model.safetensors").write_text("")
    with pytest.raises(ModelError, match=r"expected a model's folder with tokenizer.json, found model.safetensors.*save_pretrained"):
        load_tokenizer(tmp_path)
    with pytest.raises(ModelError, match="not in the local hub cache; fetch it once: hf download nobody/nothing-of-that-name"):
        load_tokenizer("nobody/nothing-of-that-name")
    folder = chats.tokenizer_folder(tmp_path / "bad")
    (folder / "tokenizer_config.json").write_text("{")
    with pytest.raises(ModelError, match=r"tokenizer_config.json: expected JSON"):
        load_tokenizer(folder)
