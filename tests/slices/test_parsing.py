"""Verb and object by a parser."""

import json
import sys
from pathlib import Path

import polars as pl
import pytest
import spacy
from click.testing import CliRunner

from slices.parsers import document, make_pipeline
from tunesmith.cli import main
from tunesmith.errors import MissingExtraError, ModelError
from tunesmith.slices import profile
from tunesmith.slices.parsing import _asked, parse
from tunesmith.slices.verbs import OTHER, QUESTION


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(make_pipeline(tmp_path_factory.mktemp("parser") / "tiny"))


ASKED = {
    "Write a long poem about rain.": ("write", "poem"),
    "Can you list a planet?": ("list", "planet"),
    "  Describe a new city about rain.  ": ("describe", "city"),
    "What is a story?": (QUESTION, None),
    "": (OTHER, None),
}


def test_verbs_and_objects(pipeline: str) -> None:
    found = parse(pl.Series([*ASKED, None], dtype=pl.String), pipeline)
    assert found.rows() == [*ASKED.values(), (OTHER, None)]


def test_no_instructions(pipeline: str) -> None:
    assert parse(pl.Series([], dtype=pl.String), pipeline).schema == {"verb": pl.String, "object": pl.String}


def test_the_whole_tree_is_searched_and_names_are_objects() -> None:
    vocab = spacy.blank("en").vocab
    # The first child of the root holds no verb; the second is one, and its object is a name.
    under = document(vocab, "Task : describe Paris", "NOUN PUNCT VERB PROPN", [0, 0, 0, 2], "ROOT punct acl dobj", "task : describe Paris")
    assert _asked(under) == ("describe", "paris")
    universal = document(vocab, "Nenne drei Flüsse", "VERB NUM NOUN", [0, 2, 0], "ROOT nummod obj", "nennen drei Fluss")
    assert _asked(universal) == ("nennen", "fluss")
    clause = document(vocab, "Explain why it rains", "VERB SCONJ PRON VERB", [0, 3, 3, 0], "ROOT advmod nsubj ccomp", "explain why it rain")
    assert _asked(clause) == ("explain", None)


def test_a_profile_counts_what_the_parser_sees(pipeline: str, tmp_path: Path) -> None:
    rows = [{"instruction": text, "output": "So it is."} for text in ASKED if text.strip()]
    assert profile(rows, parser=pipeline).result["objects"] == {"describe city": 1, "list planet": 1, "write poem": 1}
    (tmp_path / "rows.json").write_text(json.dumps(rows), encoding="utf-8")
    done = CliRunner().invoke(main, ["profile", str(tmp_path / "rows.json"), "--parser", pipeline, "--json"])
    assert json.loads(done.stdout)["verbs"] == {"describe": 1, "list": 1, QUESTION: 1, "write": 1}


def test_a_pipeline_that_is_not_there_or_does_not_parse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = pl.Series(["Write a poem."])
    with pytest.raises(ModelError, match="python -m spacy download en_core_web_sm"):
        parse(one, "xx_none_sm")
    spacy.blank("en").to_disk(tmp_path / "blank")
    with pytest.raises(ModelError, match="no components, which gives no dependencies, no parts of speech, no lemmas"):
        parse(one, str(tmp_path / "blank"))
    monkeypatch.setitem(sys.modules, "spacy", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'tunesmith\[parser\]'"):
        parse(one, "en_core_web_sm")
