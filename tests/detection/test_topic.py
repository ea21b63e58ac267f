"""Answers of other prompts, by a stand-in for a model of sentence embeddings: one direction a word."""

import json
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from detection.planting_tasks import WORDS
from tunesmith.cli import main
from tunesmith.detection.findings import examine, find
from tunesmith.errors import OptionError


class WordsAsDirections:
    def embed(self, texts: Sequence[str], **_: object) -> NDArray[np.float32]:
        made = np.zeros((len(texts), 512), dtype=np.float32)
        for k, text in enumerate(texts):
            for word in text.lower().split():
                made[k, zlib.crc32(word.strip(".,?").encode()) % 512] += len(word) > 3
        return made / np.maximum(np.linalg.norm(made, axis=1, keepdims=True), 1e-9)


def rows() -> pl.DataFrame:
    words = WORDS.split()
    pairs = [(one, other) for one in words[:10] for other in words[10:20]]
    return pl.DataFrame(
        {
            "instruction": [f"What does the {one} have to do with the {other}?" for one, other in pairs],
            "output": [f"The {one} and the {other} both lie on the shelf by the window there." for one, other in pairs],
        }
    )


def test_exchanged_answers_are_found() -> None:
    clean = rows()
    shifted = clean.with_columns(pl.col("output").shift(37).fill_null(clean["output"][50]))
    model = WordsAsDirections()
    assert examine(clean, only=["off_topic"], embedder=model).findings.is_empty()  # type: ignore[arg-type]
    found = examine(shifted, only=["off_topic"], embedder=model).findings  # type: ignore[arg-type]
    assert found.height >= 70
    assert "other prompts are nearer" in found["evidence"][0]


def test_few_prompts_say_too_little() -> None:
    shifted = rows().with_columns(pl.col("output").shift(11).fill_null(""))
    assert examine(shifted.head(40), only=["off_topic"], embedder=WordsAsDirections()).findings.is_empty()  # type: ignore[arg-type]


def test_without_a_model_it_does_not_run(tmp_path: Path) -> None:
    assert find(rows(), only=["off_topic"]).is_empty()
    (tmp_path / "rows.json").write_text(json.dumps(rows().head(3).to_dicts()))
    run = CliRunner().invoke(main, ["detect", str(tmp_path / "rows.json"), "--only", "off_topic"])
    assert run.exit_code == 2
    assert "--embedder MODEL" in run.stderr
    assert "tunesmith[evaluate]" in run.stderr
    whole = CliRunner().invoke(main, ["detect", str(tmp_path / "rows.json")])
    assert "off_topic did not run" in whole.stdout
    assert "tunesmith[evaluate]" in " ".join(whole.stdout.split())


def test_it_is_no_detector_of_every_run() -> None:
    with pytest.raises(OptionError, match="unknown detector"):
        find(rows(), only=["offtopic"])
    made = examine(rows().head(2))
    assert "off_topic" not in made.findings["detector"].to_list()
