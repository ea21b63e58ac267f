"""Detectors of one's own: functions, modules, installed packages, and what goes wrong with them."""

import importlib.metadata
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from tunesmith.cli import main
from tunesmith.detection import DETECTORS, Detector, detect
from tunesmith.detection.own import installed, made, named
from tunesmith.detection.registry import BUILT_IN, register
from tunesmith.errors import InputError, OptionError

ROWS = [{"instruction": "Tell me.", "output": "IT IS OLD"}, {"instruction": "Tell me.", "output": "It is old, I say."}]


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    yield
    for name in set(DETECTORS) - BUILT_IN:
        del DETECTORS[name]


def shouting(instruction: str, given: str, response: str) -> bool:
    """Find answers in capitals."""
    return response.isupper()


def first_person(instruction: str, given: str, response: str) -> tuple[int, int] | None:
    place = response.find("I say")
    return None if place < 0 else (place, place + 5)


def failing(instruction: str, given: str, response: str) -> str:
    return response[99]


def test_a_function_runs_beside_the_others() -> None:
    found = detect(ROWS, only=["output_empty"], detectors=[shouting, first_person])
    assert {name: each["count"] for name, each in found.result.items()} == {"output_empty": 0, "shouting": 1, "first_person": 1}
    example = found.result["first_person"]["examples"][0]
    assert (example["position"], example["span"]) == (1, "I say")
    assert DETECTORS["shouting"].page.finds == "Find answers in capitals."


def test_named_on_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_checks.py").write_text(
        "def loud(instruction, input, response):\n    return response.isupper() and 'all in capitals'\nloud.severity = 'fatal'\n"
    )
    (tmp_path / "rows.json").write_text(json.dumps(ROWS))
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["detect", "rows.json", "--only", "output_empty", "--detector", "own_checks:loud", "--json"])
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["loud"]["examples"][0]["evidence"] == "all in capitals"
    assert str(tmp_path) not in sys.path
    shown = CliRunner().invoke(main, ["detect", "rows.json", "--detector", "own_checks:loud"])
    assert "fatal" in shown.stdout
    assert "loud" in shown.stdout


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("own_checks", "expected module:function"),
        ("no_such_module:loud", "cannot be imported"),
        ("json:no_such_function", "has no no_such_function"),
        ("json:load_s", "has no load_s; did you mean"),
        ("json.py:loads", 'leave the ending out: "json:loads"'),
        ("json:__doc__", "expected a function"),
        ("json:JSONDecoder", "small letters"),
    ],
)
def test_what_cannot_be_loaded_is_said(place: str, says: str) -> None:
    with pytest.raises(OptionError, match=says):
        named(place)


def test_the_page_of_ones_own_promises_nothing() -> None:
    register(made(shouting, origin="checks:shouting"))
    page = CliRunner().invoke(main, ["detectors", "shouting"]).stdout
    assert "class own (checks:shouting; whoever wrote it makes the promise)" in " ".join(page.split())
    assert "Find answers in capitals." in page
    assert "left alone" not in page
    assert "review: the default recipe flags rows with it." in " ".join(page.split())
    assert "75" not in page


def test_a_failure_names_the_row() -> None:
    with pytest.raises(InputError, match=r"failing failed at position 0: IndexError"):
        detect(ROWS, detectors=[failing])


def test_an_answer_that_is_none_is_refused() -> None:
    def odd(instruction: str, given: str, response: str) -> object:
        return {"a": 1}

    with pytest.raises(InputError, match="expected None, a truth value"):
        detect(ROWS, detectors=[odd])


def test_a_name_that_is_taken_is_refused() -> None:
    def refusal(instruction: str, given: str, response: str) -> bool:
        return True

    with pytest.raises(OptionError, match='"refusal" is taken'):
        register(made(refusal, origin="mine"))


def test_a_detector_can_be_given_whole() -> None:
    mine = Detector(**{**vars(DETECTORS["output_empty"]), "name": "mine"})
    assert detect([{"instruction": "Tell me.", "output": ""}], only=[], detectors=[mine]).result["mine"]["count"] == 1


def test_installed_packages_offer_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    def offered(value: str) -> None:
        point = importlib.metadata.EntryPoint(name="theirs", value=value, group="tunesmith.detectors")
        monkeypatch.setattr("tunesmith.detection.own.entry_points", lambda group: [point] if group == point.group else [])

    offered("tunesmith.detection.rules.placeholders:OUTPUT_EMPTY")
    assert [detector.name for detector in installed()] == ["output_empty"]
    offered("no_such_module:theirs")
    with pytest.raises(InputError, match=r"theirs .* cannot be loaded"):
        list(installed())
