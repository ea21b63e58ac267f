"""Training and generation on a machine that has torch, transformers, peft and pyarrow, and nothing else of ours."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

import tiny

BLOCKED = """
import runpy, sys
from importlib.machinery import PathFinder

class Absent(PathFinder):
    names = {"polars", "pydantic", "click", "rich", "tunesmith.core", "sentence_transformers"}

    @classmethod
    def find_spec(cls, name, path=None, target=None):
        if name in cls.names or name.split(".")[0] in cls.names:
            return None
        return super().find_spec(name, path, target)

sys.meta_path = [Absent if finder is PathFinder else finder for finder in sys.meta_path]
import torch
torch.set_num_threads(1)
sys.argv = sys.argv[1:]
runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
"""


def run(*arguments):
    return subprocess.run([sys.executable, "-c", BLOCKED, *map(str, arguments)], capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.slow
def test_training_and_generation_need_nothing_else(tmp_path):
    rows = [tiny.chat_segment(*row) for row in tiny.exchanges(6)]
    model, pack = tiny.model_folder(tmp_path / "model"), tiny.pack_folder(tmp_path / "pack", rows)
    blocked = subprocess.run([sys.executable, "-c", BLOCKED, "tunesmith.core"], capture_output=True, text=True, check=False)
    assert "No module named tunesmith.core" in blocked.stderr

    trained = run("tunesmith.training", pack, "-o", tmp_path / "run", "--model", model, "--steps", "2", "--score-rows", "--json")
    assert trained.returncode == 0, trained.stderr
    result = json.loads(trained.stdout)
    assert result["steps"] == 2
    assert {"tokens", "loss", "tokens_per_second"} <= result.keys()
    assert (tmp_path / "run" / "losses.parquet").is_file()

    prompts = tmp_path / "prompts.jsonl"
    prompts.write_text("".join(json.dumps({"position": k, "input_ids": ids[:9]}) + "\n" for k, (ids, _) in enumerate(rows)))
    asked = ["--model", model, "--adapter", tmp_path / "run", "--max-new-tokens", "4"]
    generated = run("tunesmith.models.generate", prompts, tmp_path / "out.jsonl", *asked)
    assert generated.returncode == 0, generated.stderr
    assert [json.loads(line)["position"] for line in (tmp_path / "out.jsonl").read_text().splitlines()] == list(range(6))

    wrong = run("tunesmith.training", tmp_path / "nothing", "-o", tmp_path / "other", "--model", model)
    assert wrong.returncode == 2
    assert wrong.stderr.strip().splitlines()[-1].startswith(f"error: {tmp_path / 'nothing'}: expected a pack")
