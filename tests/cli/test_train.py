from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

import tiny
from tunesmith.cli import main
from tunesmith.training.options import TrainOptions


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("train")
    tiny.model_folder(folder / "model")
    tiny.pack_folder(folder / "pack", [tiny.chat_segment(*row) for row in tiny.exchanges(6)])
    return folder


def ask(place, *arguments):
    return CliRunner().invoke(main, ["train", str(place / "pack"), "--model", str(place / "model"), *map(str, arguments)])


def test_json_is_one_object_and_a_second_call_reuses_it(place):
    first = ask(place, "-o", place / "run", "--steps", 2, "--json")
    assert first.exit_code == 0, first.stderr
    result = json.loads(first.stdout)
    assert {"steps": 2}.items() <= result.items()
    assert {"tokens", "loss", "tokens_per_second"} <= result.keys()
    assert json.loads(ask(place, "-o", place / "run", "--steps", 2, "--json").stdout) == {**result, "reused": True}
    refused = ask(place, "-o", place / "run", "--steps", 3, "--json")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "--force" in refused.stderr
    assert json.loads(ask(place, "-o", place / "run", "--steps", 3, "--force", "--json").stdout)["steps"] == 3


def test_preflight_writes_nothing_and_an_output_is_needed_otherwise(place):
    found = ask(place, "--preflight", "--steps", 7, "--json")
    assert json.loads(found.stdout)["steps"] == 7
    missing = ask(place)
    assert missing.exit_code == 2
    assert "-o RUN is needed" in missing.stderr


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (["-o", "x", "--method", "qlora"], "'qlora' is not one of"),
        (["-o", "x", "--lr", "-1"], "lr: expected at least 0"),
        (["-o", "x", "--model", "nobody/nothing"], "expected a model folder, or the name of a model in the local hub cache"),
    ],
)
def test_misuse_exits_2_with_what_to_do(place, wrong, message):
    result = ask(place, *wrong)
    assert result.exit_code == 2
    assert message in result.stderr


def test_every_option_of_training_is_on_the_help_page():
    page = CliRunner().invoke(main, ["train", "--help"]).stdout
    for name in TrainOptions.__dataclass_fields__:
        assert "--" + name.replace("_", "-") in page
    assert "Example:" in page
