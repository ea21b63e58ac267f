"""The eight categories judge outputs, references and training targets alike, with limits fitted once on clean references."""

import json
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

import polars as pl
import pytest

from tunesmith import rows
from tunesmith.detection import DETECTORS, Limits, find, fit, view

CATEGORIES = ("misspelled", "too_long", "repetitive", "no_stop", "truncated", "refusal", "wrong_format", "prompt_echo")
PLANTED = tuple(name for name in CATEGORIES if name != "no_stop")  # that one comes of generating
WORKSHOP = Path(__file__).parents[2] / "datasets" / "workshop"
SLIGHT = 0.01


@pytest.fixture(scope="module")
def items() -> pl.DataFrame:
    return rows.read(WORKSHOP / "items.json").frame


@pytest.fixture(scope="module")
def limits(items: pl.DataFrame) -> Limits:
    return fit(items["output"], prompts=items)


@pytest.fixture(scope="module")
def targets() -> pl.DataFrame:
    """The workshop's rows, by their place in the file."""
    return pl.DataFrame(json.loads((WORKSHOP / "rows.json").read_text()), infer_schema_length=None)


@pytest.fixture(scope="module")
def truth() -> Mapping[str, set[int]]:
    """What was planted where; tests may look."""
    planted: dict[str, set[int]] = defaultdict(set)
    for each in json.loads((WORKSHOP / "truth.json").read_text()):
        planted[each["defect"]].add(each["record"])
    return planted


@pytest.fixture(scope="module")
def found(targets: pl.DataFrame, limits: Limits) -> Mapping[str, set[int]]:
    findings = find(targets, only=CATEGORIES, limits=limits)
    return {name: set(findings.filter(pl.col("detector") == name)["position"]) for name in CATEGORIES}


def judged(
    texts: list[str], *, instruction: str = "Tell me.", given: str = "", limits: Limits | None = None, finish: str | None = None
) -> list[str]:
    """Name the categories found in each text: "a+b", or "" for none."""
    frame = pl.DataFrame({"instruction": [instruction] * len(texts), "input": [given] * len(texts)}, schema_overrides={"input": pl.String})
    made = view(frame, response=pl.Series(texts), finish=pl.Series([finish] * len(texts), dtype=pl.String))
    names = find(made, only=CATEGORIES, limits=limits).group_by("position").agg("detector")
    by_text = {position: "+".join(detectors) for position, detectors in names.iter_rows()}
    return [by_text.get(k, "") for k in range(len(texts))]


def test_they_are_all_detectors_that_judge_responses() -> None:
    assert all(DETECTORS[name].fields == ("response",) and DETECTORS[name].severity == "review" for name in CATEGORIES)


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_planted_in_training_rows_is_found(name: str, found: Mapping[str, set[int]], truth: Mapping[str, set[int]]) -> None:
    assert len(truth[name]) >= 50
    assert len(found[name] & truth[name]) / len(truth[name]) >= 0.95


@pytest.mark.parametrize("name", [name for name in PLANTED if name != "too_long"])
def test_and_nothing_else(name: str, found: Mapping[str, set[int]], truth: Mapping[str, set[int]]) -> None:
    assert len(found[name] & truth[name]) / len(found[name]) >= 0.95


@pytest.mark.parametrize("name", CATEGORIES)
def test_clean_rows_are_left_alone(name: str, targets: pl.DataFrame, found: Mapping[str, set[int]], truth: Mapping[str, set[int]]) -> None:
    # What is said twice, or after the question, is longer than any reference, too.
    clean = set(range(targets.height)).difference(*truth.values())
    assert len(clean) > 1000
    assert len(found[name] & clean) / len(clean) <= SLIGHT


def test_references_are_nearly_free_of_all(items: pl.DataFrame, limits: Limits) -> None:
    counts = dict(find(items, only=CATEGORIES, limits=limits).group_by("detector").len().iter_rows())
    assert all(count / items.height <= SLIGHT for count in counts.values()), counts


def test_an_output_is_judged_as_the_same_target_is(targets: pl.DataFrame, limits: Limits) -> None:
    as_targets = find(targets, only=CATEGORIES, limits=limits)
    outputs = view(targets, response=targets["output"], finish=pl.Series(["stop"] * targets.height))
    assert find(outputs, only=CATEGORIES, limits=limits).equals(as_targets)
    references = view(targets, response=targets["output"], reference=targets["output"])
    assert find(references, only=CATEGORIES, limits=limits).equals(as_targets)


def test_an_answer_that_stops_by_itself_in_mid_sentence_is_truncated() -> None:
    text = "The smith needs a trough because it cools blades in the"
    assert judged([text], finish="stop") == judged([text]) == ["truncated"]
    assert judged([text + " forge."], finish="stop") == [""]


def test_an_echo_may_miscopy_a_word() -> None:
    asked, given = "Answer what Felix asks.", "In which place is a blue trowel at hand?"
    echoes = [
        "Answer what Felix asks. In which place is a blue trowel at hand? The blue trowel is in the garden.",
        "Answer what Greta asks. In which place is a green trowel at hand? The green trowel is in the garden.",
        "Answer Felix asks. In which place is a blue trowel at hand? The blue trowel is in the garden.",
    ]
    others = ["The blue trowel is in the garden.", "A blue trowel is at hand in the garden.", "Answer: what Felix asks for is elsewhere."]
    assert judged(echoes + others, instruction=asked, given=given) == ["prompt_echo"] * 3 + [""] * 3
    assert judged(echoes, instruction="Answer Felix, and repeat what he asks.", given=given) == [""] * 3


@pytest.mark.parametrize("words", [5, 6, 9, 20])
def test_a_short_answer_said_twice_is_repetitive(words: int) -> None:
    once = [f"word{k}" for k in range(words)]
    assert judged([" ".join(once + once)]) == ["repetitive"]
    assert judged([" ".join(once)]) == [""]


def evidence(text: str, *, instruction: str = "Tell me about the pony.", limits: Limits | None = None) -> str:
    made = find(pl.DataFrame({"instruction": [instruction], "output": [text]}), only=["misspelled"], limits=limits)
    return "" if made.is_empty() else made["evidence"].item()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("She needs it, beacuse it cuts the grass.", "beacuse → because"),
        ("They recieved the letters that he had sent.", "recieved → received"),
        ("It occured on a day in the spring.", "occured → occurred"),
        ("This is truely the begining of all.", "truely → truly, begining → beginning"),
        ("The goverment of the city is old.", "goverment → government"),
        ("It is a well-known and beatuiful-looking town.", "beatuiful → beautiful"),
        ("1. the siezd ship\n2. the frineds of the captain", "frineds → friends, siezd"),
    ],
)
def test_misspellings_are_named_with_what_was_meant(text: str, said: str) -> None:
    assert sorted(evidence(text).split(", ")) == sorted(said.split(", "))


@pytest.mark.parametrize(
    "text",
    [
        "The pony's colour and behaviour were labelled in the theatre, and the centre was grey.",  # British
        "He hasn't been there, they'd have said; o'clock and y'all aside, it's the ponies' own.",  # contractions, possessives
        "A blockchain chatbot for smartphones, a repurposed dataset, an unfriended influencer.",  # younger words, compounds, prefixes
        "Mr Szczepanski met Ngugi at the Zywiec brewery near Wroclaw.",  # names
        "Der Zug nach Hamburg fährt heute nicht, weil die Strecke gesperrt ist.",
        "Le cheval est dans le jardin avec les enfants et la petite fille.",
        "马在花园里 and the pony is in 花园.",
        "| naem | vlaue |\n|---|---|\n| `hte` | x1 |",
        "Use `pritn(vlaue)` and then call the method.",
        "```\nretrun vlaue\n```",
        "See https://exmaple.org/hte and write to infrom@exmaple.org about file_naem.txt.",
        "def pritn(vlaue):\n    retrun vlaue",
        "the a of in to is",
        "",
    ],
)
def test_what_is_no_misspelling_is_left_alone(text: str) -> None:
    assert evidence(text) == ""


def test_words_of_the_prompt_and_tasks_about_letters_are_left_alone() -> None:
    assert evidence("The word recieved has a mistake in it.", instruction="What is wrong with recieved?") == ""
    assert evidence("The letters make beacuse and taht.", instruction="Scramble the letters of the words.") == ""
    assert evidence("The dwarves fear the sklomir and its frnugle.", instruction="Translate the tale for the king.") == ""


def test_limits_know_the_words_of_the_field_and_how_many_are_usual() -> None:
    clean = [f"The grumpfel number {k} is on the shelf by the old zwirn." for k in range(30)]
    fitted = fit(pl.Series(clean))
    assert fitted.vocabulary == ("grumpfel", "zwirn")
    assert fitted.unknown_max == 0.0
    assert evidence("The grumpfel is by the zwirn of the house.", limits=fitted) == ""
    garbled = "The grebolx is by the snoorfle of the hosp."
    assert evidence(garbled) == ""  # nothing says what was meant
    assert evidence(garbled, limits=fitted).split(", ")[:2] == ["grebolx", "snoorfle"]
    usual = fit(pl.Series([*clean, *(f"The {chr(97 + k % 26)}{chr(97 + k // 26)}grebolx is here." for k in range(40))]))
    assert usual.unknown_max is not None
    assert usual.unknown_max > 0


RIGHT_AND_WRONG = [
    ("Summarize it as bullet points.", "- it is old\n- it is far", "It is old and far."),
    ("Give me a numbered list of rivers.", "1. Rhine\n2. Elbe", "The rivers are the Rhine and the Elbe."),
    ("Convert it to JSON.", '{"name": "Anna"}', "The name is Anna."),
    ("Create a table of the two rivers.", "| river | km |\n|---|---|\n| Elbe | 1094 |", "The Elbe is 1094 km long."),
    ("Write a Python function that adds two numbers.", "def add(a, b):\n    return a + b", "Take both numbers and add them."),
    ("Describe the sky in one word.", "Blue.", "The sky is blue today."),
    ("Is it raining? Answer with yes or no.", "No, it is not.", "The sun has been out all day."),
]


@pytest.mark.parametrize(("instruction", "right", "wrong"), RIGHT_AND_WRONG)
def test_the_form_asked_for(instruction: str, right: str, wrong: str) -> None:
    refused = "I am sorry, but as an AI language model I cannot help with that."
    assert judged([right, wrong, refused], instruction=instruction) == ["", "wrong_format", "refusal"]


@pytest.mark.parametrize(
    ("instruction", "answer"),
    [
        ("List three adjectives.", "big, red, old"),
        ("Compare the JSON and XML formats.", "One is shorter."),
        ("Convert this JSON into plain text.", "The name is Anna."),
        ("Write a SQL query that reads a table.", "SELECT * FROM t;"),
        ("How do I build a wooden table?", "With four legs and a board."),
        ("Write a yes or no question.", "Is it blue?"),
        ("Write a story from these bullet points.", "Once there was a mill."),
        ("Explain what a Python function is.", "A named piece of work."),
    ],
)
def test_a_form_that_is_only_spoken_of(instruction: str, answer: str) -> None:
    assert judged([answer], instruction=instruction) == [""]


def test_which_prompts_are_answered_by_lists_is_fitted() -> None:
    def prompts(count: int, lists: int) -> Limits:
        frame = pl.DataFrame(
            {
                "instruction": [f"Please list things of shelf {k}." for k in range(count)] + [f"Tell me of {k}." for k in range(30)],
                "input": [""] * (count + 30),
                "output": ["1. pot\n2. pan\n3. jug"] * lists + ["pot, pan"] * (count - lists) + ["It is a pot."] * 30,
            }
        )
        return fit(frame["output"], prompts=frame)

    assert prompts(30, 27).list_openings == ("list",)
    assert prompts(30, 26).list_openings == ()  # under nine in ten
    assert prompts(19, 19).list_openings == ()  # too few to say
    sentence, lines = "a pot, a pan", "- pot\n- pan"
    assert judged([sentence, lines], instruction="List the things.", limits=prompts(30, 30)) == ["wrong_format", ""]
    assert judged([sentence], instruction="Tell me the things.", limits=prompts(30, 30)) == [""]
    assert judged([sentence], instruction="List the things.") == [""]


def test_limits_go_through_json(limits: Limits) -> None:
    from dataclasses import asdict

    read = json.loads(json.dumps(asdict(limits)))
    again = Limits(**{name: tuple(value) if isinstance(value, list) else value for name, value in read.items()})
    assert again == limits


def test_the_word_list_is_read_when_first_asked_for() -> None:
    import subprocess
    import sys

    code = "import sys, tunesmith, tunesmith.detection.registry; assert 'spellchecker' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
