from __future__ import annotations

import json

import numpy as np
import pytest
import torch

import tiny
from tunesmith.errors import ModelError
from tunesmith.models import Cache, load_model, model_hash
from tunesmith.models.cache import key
from tunesmith.models.loading import find_adapter, find_model, resolve_dtype
from tunesmith.models.weights import parameter_count


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tiny.model_folder(tmp_path_factory.mktemp("model") / "model")


def test_a_folder_loads_in_the_type_asked_for(folder):
    model = load_model(folder, dtype="float32", device="cpu")
    assert next(model.parameters()).dtype == torch.float32
    assert not model.training
    assert parameter_count(folder) == sum(p.numel() for p in model.parameters())


def test_a_small_model_computes_in_float32_on_a_cpu():
    assert resolve_dtype("auto", device="cpu", parameters=1_000_000) == torch.float32


def test_what_is_no_model_says_what_to_do(folder, tmp_path):
    with pytest.raises(ModelError, match="nowhere: expected a model folder, found none; check the path"):
        find_model(tmp_path / "nowhere")
    with pytest.raises(ModelError, match="or fetch it first: hf download nobody/nothing"):
        find_model("nobody/nothing")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match=r"found no config\.json"):
        find_model(tmp_path / "empty")
    (tmp_path / "empty" / "adapter_config.json").write_text("{}")
    with pytest.raises(ModelError, match="it holds an adapter: give it as the adapter"):
        find_model(tmp_path / "empty")
    with pytest.raises(ModelError, match=r"expected adapter_model\.safetensors"):
        find_adapter(tmp_path / "empty")
    with pytest.raises(ModelError, match=r"expected a folder with adapter_config\.json"):
        find_adapter(folder)


def test_pickled_weights_are_never_opened(folder, tmp_path):
    bad = tmp_path / "pickled"
    bad.mkdir()
    (bad / "config.json").write_text((folder / "config.json").read_text())
    (bad / "pytorch_model.bin").write_bytes(b"\x80\x04never unpickled")
    with pytest.raises(ModelError, match=r"expected weights as safetensors, found pytorch_model\.bin"):
        load_model(bad)


def test_code_of_strangers_is_never_run(folder, tmp_path):
    bad = tmp_path / "foreign"
    bad.mkdir()
    (bad / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes())
    (bad / "code.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    config = {"model_type": "stranger", "auto_map": {"AutoConfig": "code.C", "AutoModelForCausalLM": "code.M"}}
    (bad / "config.json").write_text(json.dumps(config))
    with pytest.raises(ModelError, match="expected a causal language model that transformers can load"):
        load_model(bad)
    assert not (tmp_path / "ran").exists()


def test_broken_weights_name_the_file(folder, tmp_path):
    bad = tmp_path / "broken"
    bad.mkdir()
    (bad / "config.json").write_text((folder / "config.json").read_text())
    (bad / "model.safetensors").write_bytes(b"not safetensors at all")
    with pytest.raises(ModelError, match=r"model\.safetensors: expected a safetensors file"):
        load_model(bad)


def test_an_adapter_of_another_model_is_refused(folder, tmp_path):
    from peft import LoraConfig, get_peft_model

    other = tiny.model(vocabulary=400)
    other.resize_token_embeddings(400)
    get_peft_model(other, LoraConfig(target_modules=["embed_tokens", "q_proj"])).save_pretrained(tmp_path / "adapter")
    with pytest.raises(ModelError, match="expected an adapter that fits the model"):
        load_model(folder, adapter=tmp_path / "adapter")


def test_the_hash_is_of_content(folder, tmp_path):
    again = tmp_path / "again"
    tiny.model().save_pretrained(again, max_shard_size="100KB")  # other files, same tensors
    assert len(list(again.glob("*.safetensors"))) > 1
    assert model_hash(again) == model_hash(folder)
    other = tiny.model()
    with torch.no_grad():
        other.model.norm.weight[0] += 1e-3
    other.save_pretrained(tmp_path / "other")
    assert model_hash(tmp_path / "other") != model_hash(folder)
    config = json.loads((again / "config.json").read_text())
    (again / "config.json").write_text(json.dumps({**config, "transformers_version": "9", "rms_norm_eps": config["rms_norm_eps"]}))
    assert model_hash(again) == model_hash(folder)
    (again / "config.json").write_text(json.dumps({**config, "rms_norm_eps": 0.5}))
    assert model_hash(again) != model_hash(folder)


def test_a_cache_keeps_values_between_openings(tmp_path):
    entries = {key("model", str(k)): bytes([k % 256]) * 3 for k in range(1200)}
    Cache(tmp_path, "values").put(entries)
    found = Cache(tmp_path, "values").get([*entries, key("model", "unseen")])
    assert found == entries


def sentence_model(folder):
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer import modules as models
    from transformers import BertConfig, BertModel

    config = BertConfig(vocab_size=320, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64)
    torch.manual_seed(0)
    BertModel(config).save_pretrained(folder / "bert")
    tiny.tokenizer().save_pretrained(folder / "bert")
    transformer = models.Transformer(str(folder / "bert"), max_seq_length=16)
    made = SentenceTransformer(modules=[transformer, models.Pooling(32)])
    made.save(str(folder / "sentence"))
    # sentence-transformers keeps a plain model at the root of its folder.
    return folder / "sentence"


def test_embeddings_are_unit_vectors_kept_by_content_and_truncation_is_counted(tmp_path, monkeypatch):
    from tunesmith.models.embed import Embedder, embed

    model = sentence_model(tmp_path)
    texts = ["one two", "cat", "one two", "", "red green " * 40]
    first = Embedder(model, cache=tmp_path / "cache")
    vectors = first.embed(texts)
    assert (vectors.shape, vectors.dtype) == ((5, 32), np.float32)
    # The empty text has no token here, and the zero vector.
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), [1, 1, 1, 0, 1], rtol=1e-5)
    np.testing.assert_array_equal(vectors[0], vectors[2])
    assert abs(float(vectors[0] @ vectors[1])) < 0.9999
    assert first.truncated == 1

    second = Embedder(model, cache=tmp_path / "cache")
    monkeypatch.setattr(second, "_load", lambda: pytest.fail("all vectors are in the cache"))
    np.testing.assert_array_equal(second.embed(texts[::-1]), vectors[::-1])
    assert second.truncated == 1

    said = []

    class Heard:
        from tunesmith.progress import SILENT

        task, say = SILENT.task, said.append

    np.testing.assert_allclose(embed(texts, model=model, progress=Heard), vectors, atol=1e-6)
    assert said == ["1 of 5 texts were longer than the embedding model reads; their start was embedded"]
