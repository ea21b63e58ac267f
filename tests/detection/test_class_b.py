"""The promises of classes B and C, on made tasks: what is wrong is found, what is right is left alone, what is unsure is not judged."""

import polars as pl
import pytest

from detection.corrupting import CORRUPTED
from detection.planting_tasks import MADE, rows
from tunesmith.detection import DETECTORS, find, fix
from tunesmith.detection.findings import examine

RECALL = {"B": 0.95, "C": 0.95, "D": 0.9}


@pytest.mark.parametrize("name", MADE)
def test_wrong_answers_are_found_and_right_ones_left_alone(name: str) -> None:
    right, wrong = rows(name, 120)
    found = set(find(pl.DataFrame(wrong), only=[name])["position"])
    missed = [wrong[k] for k in range(len(wrong)) if k not in found][:3]
    assert len(found) / len(wrong) >= RECALL[DETECTORS[name].grade], missed
    alarms = find(pl.DataFrame(right), only=[name])["position"].to_list()
    assert [right[k] for k in alarms] == []


def test_every_verifier_has_a_planted_set_and_says_what_it_read() -> None:
    verifiers = {name for name, detector in DETECTORS.items() if detector.grade == "B"}
    assert verifiers == {name for name, detector in DETECTORS.items() if detector.judge is not None}
    assert verifiers <= set(MADE)
    assert set(CORRUPTED) <= verifiers


@pytest.mark.parametrize("name", sorted(name for name, detector in DETECTORS.items() if detector.judge is not None))
def test_what_is_wrong_was_read(name: str) -> None:
    right, wrong = rows(name, 40)
    made = examine(pl.DataFrame(right + wrong), only=[name]).coverage.row(0, named=True)
    assert made["wrong"] <= made["parsed"] <= made["asked"] <= 80
    assert made["parsed"] >= 76


UNREAD = [
    ("arith_wrong", "Calculate 8/2(2+2).", "", "1", True),
    ("arith_wrong", "Calculate -3^2.", "", "5", True),
    ("arith_wrong", "What is 3 + 4?", "", r"\(3 + 4 = 8\)", True),
    ("arith_wrong", "What is 3 + 4?", "", "Seven.", False),
    ("arith_wrong", "What is twelve times 1?", "", "It is twelve.", None),
    ("arith_wrong", "What is 12 times 1?", "", "It is twelve.", False),
    ("arith_wrong", "What is 12 times 1?", "", "It is 12.", False),
    ("arith_wrong", "Calculate 1/2 * 1.", "", "It is 0.5.", False),
    ("arith_wrong", "Calculate 100 / 7.", "", "14 remainder 2", False),
    ("arith_wrong", "What was the score of the 3-4 defeat in 1998?", "", "They lost.", None),
    ("stat_wrong", "Find the mean of the even numbers.", "1, 2, 3, 4", "2", None),
    ("stat_wrong", "Find the mean and the median.", "1, 2, 6", "The mean is 3, the median 2.", False),
    ("sort_wrong", "Sort the animals from smallest to largest: cat, horse, ant", "", "horse, cat, ant", None),
    ("sort_wrong", "Sort alphabetically: the cat, An ant, bear", "", "An ant, bear, the cat", False),
    ("sort_wrong", "Sort in ascending order.", "3, 1, 2", "1, 2", True),
    ("count_wrong", "How many words start with a?", "an old mill", "5", None),
    ("count_wrong", 'How many words are in "the well-known mill"?', "", "There are 4.", False),
    ("linear_solve", "Solve for x: x^2 = 9", "", "x = 4", None),
    ("linear_solve", "Solve x + y = 4", "", "x = 9", None),
    ("linear_solve", "What is x if 5 - x = 2?", "", "If 5 - x = 2, then x = 3.", False),
    ("unit", "Convert 2 cups of flour to grams.", "", "9 grams", True),
    ("unit", "Convert 66 inches to feet.", "", "5 feet 6 inches", False),
    ("unit", "Convert 2 gallons to liters.", "", "9.09 liters", False),
    ("unit", "Convert -40 F to C.", "", "-40", False),
    ("geometry", "Find the area of a circle with radius 3.", "", "9π", False),
    ("geometry", "Find the side of a square given the area 16.", "", "4", None),
    ("case_wrong", "Capitalize the first letter of the word 'mill'.", "", "mill", None),
    ("reverse_wrong", "Reverse the sentence: the cat saw the mill", "", "The mill saw the cat", None),
    ("json_invalid", "Give it as JSON.", "", '{"a": 1, ...}', True),
    ("json_invalid", "Give it as JSON.", "", "[" * 3000 + "]" * 3000, False),  # more than Python's parser holds
    ("json_invalid", "Give it as JSON.", "", '{"a": ' + "9" * 5000 + "}", False),
    ("json_invalid", "Give it as JSON lines.", "", '{"a": 1}\n{"a": 2}', False),
    ("python_syntax", "Write Python code.", "", "import os\nprint 'hello'", True),
    ("python_syntax", "Write Python code.", "", 'def f():\n    """Give The old mill here."""\n    return 1', False),
    ("equation_false", "How old?", "", "Grades: 90-100 = 4 and 1998-2004 = 7.", True),
    ("equation_false", "How old?", "", "y = 2(3+4)=14 and 5 thousand * 3 = 15,000", True),
    ("equation_false", "How long?", "", "It takes 1 + 3 + 1/2 + 1 1/2 + 2 = 8 hours, half of which is (1/2) 60 + 11 = 41.", True),
    ("equation_false", "How much?", "", "That is 20% * 50 = 10; the rest is 40.", False),
]


@pytest.mark.parametrize(("name", "instruction", "given", "output", "unread"), UNREAD)
def test_what_is_unsure_is_not_judged(name: str, instruction: str, given: str, output: str, *, unread: bool | None) -> None:
    frame = pl.DataFrame({"instruction": [instruction], "input": [given], "output": [output]})
    made = examine(frame, only=[name])
    assert made.findings.is_empty()
    asked, parsed = made.coverage.select("asked", "parsed").row(0)
    assert (asked - parsed if asked else None) == (None if unread is None else int(unread))


def test_an_equation_in_brackets_after_a_number_is_one() -> None:
    frame = pl.DataFrame({"instruction": ["How much?"], "output": ["The sum is 15 (3 + 6 + 10 = 15)."]})
    assert find(frame, only=["equation_false"]).height == 1


def test_what_is_said_again_proves_nothing() -> None:
    rows = [("Calculate 19 / 4.", "19 / 4 is 10.97."), ("Convert 1 mile to kilometers.", "1 mile is 4.38 kilometers.")]
    frame = pl.DataFrame(rows, schema=["instruction", "output"], orient="row")
    assert find(frame, only=["arith_wrong", "unit"])["detector"].to_list() == ["arith_wrong", "unit"]


def test_a_verifier_offers_no_fix() -> None:
    assert fix(pl.DataFrame({"instruction": ["What is 3 + 4?"], "output": ["8"]})).is_empty()
