"""One row as the model gets it, from Python and from the command line."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

import chats
import tunesmith as ts
from tunesmith.cli import main
from tunesmith.errors import InputError, OptionError
from tunesmith.rows import read

ROWS = [
    {"instruction": "Say hi", "input": "", "output": "Hi [/b] [bold]there\x1b[31m"},
    {"instruction": "Empty", "input": "", "output": ""},
    {"instruction": "Say bye", "input": "now", "output": "Bye"},
]


@pytest.fixture
def folder(tmp_path):
    return chats.tokenizer_folder(tmp_path / "model")


@pytest.fixture
def source(tmp_path):
    path = tmp_path / "rows.json"
    path.write_text(json.dumps(ROWS))
    return path


def run(*arguments):
    return CliRunner().invoke(main, ["preview", *map(str, arguments)])


def test_a_row_by_position_and_by_id(folder):
    frame = read(ROWS).frame
    by_position = ts.preview(ROWS, tokenizer=str(folder), template="alpaca", row=2)
    by_id = ts.preview(ROWS, tokenizer=str(folder), template="alpaca", row=frame["row_id"][2][:8])
    assert by_position == by_id
    assert (by_position.position, by_position.row_id) == (2, frame["row_id"][2])
    assert "".join(text for text, _ in by_position.runs).endswith("### Input:\nnow\n\n### Response:Bye</s>")
    assert [text for text, supervised in by_position.runs if supervised] == ["Bye</s>"]
    assert [piece["id"] for piece in by_position.pieces] == by_position.input_ids
    assert [piece["supervised"] for piece in by_position.pieces] == [label != -100 for label in by_position.labels]
    assert [check.holds for check in by_position.checks] == [True] * 3
    assert by_position.added.startswith("Below is an instruction that describes a task, paired with an input")


def test_rows_that_cannot_be_shown(folder):
    with pytest.raises(OptionError, match="no such row; positions go from 0 to 2"):
        ts.preview(ROWS, tokenizer=str(folder), template="alpaca", row=7)
    with pytest.raises(OptionError, match="at least 8 digits of a row id"):
        ts.preview(ROWS, tokenizer=str(folder), template="alpaca", row="abc")
    with pytest.raises(InputError, match=r"row 1 .* gives nothing to learn"):
        ts.preview(ROWS, tokenizer=str(folder), template="alpaca", row=1)


def test_the_checks_can_fail(tmp_path):
    """A template that writes the beginning of sequence twice is seen."""
    folder = chats.tokenizer_folder(tmp_path, template="{{ bos_token }}" + chats.MISTRAL)
    made = ts.preview([chats.chat("Hi", "Hello")], tokenizer=str(folder))
    assert [check.holds for check in made.checks] == [False, True, True]


def test_unrolled_rows_show_every_sequence(tmp_path):
    folder = chats.tokenizer_folder(tmp_path, template=chats.THINKING, eos="<|im_end|>")
    made = ts.preview([chats.chat("a", "b", "c", "d")], tokenizer=str(folder))
    assert len(made.sequences) == 2
    assert made.input_ids == made.sequences[-1][0]
    assert all(check.holds for check in made.checks)


def test_json_is_one_object(source, folder):
    result = run(source, "--tokenizer", folder, "--template", "alpaca", "--row", 2, "--json")
    assert result.exit_code == 0
    data = json.loads(result.stdout)
    assert len(data["input_ids"]) == len(data["labels"]) == len(data["pieces"])
    assert {"position", "row_id", "checks", "added"} <= data.keys()


def test_supervised_tokens_are_marked_by_a_sign_and_data_is_never_markup(source, folder):
    result = run(source, "--tokenizer", folder, "--template", "alpaca")
    assert result.exit_code == 0
    assert "### Response:▶Hi [/b] [bold]there␛[31m</s>◀" in result.stdout
    assert "The template adds by itself" in result.stdout


def test_misuse_says_what_to_do(source, folder, tmp_path):
    result = run(source, "--tokenizer", folder)
    assert result.exit_code == 2
    assert "--template: one of alpaca" in result.stderr
    result = run(source, "--tokenizer", tmp_path / "nowhere", "--template", "alpaca")
    assert result.exit_code == 2
    assert "no such folder" in result.stderr
    assert run(tmp_path / "nowhere.json", "--tokenizer", folder, "--template", "alpaca").exit_code == 2


@pytest.mark.parametrize("command", ["preview", "pack"])
def test_the_help_names_the_templates(command):
    from tunesmith.templates import NAMES

    shown = " ".join(CliRunner().invoke(main, [command, "--help"]).stdout.split())
    assert f"{', '.join(NAMES)}, or a .jinja file" in shown
