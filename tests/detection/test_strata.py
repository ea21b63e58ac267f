"""Which stratum a line belongs to, and that fatal detectors drop only where their precision is shown."""

import polars as pl
import pytest

from detection.chats import chat, message
from tunesmith.detection import DETECTORS, find, view
from tunesmith.detection.measured import FIGURES, interval, shown
from tunesmith.detection.strata import STRATA, strata

ENTITY = "<noinput>\nThe mill is old, and it stands by the river as it did in the days of the king."


def of(instruction: str, output: str) -> str:
    return strata(view(pl.DataFrame({"instruction": [instruction], "output": [output]})))[0]


@pytest.mark.parametrize(
    ("instruction", "output", "stratum"),
    [
        ("Tell me of the mill.", "It is old.", "instruct"),
        ("Tell.", "Hm.", "instruct"),
        ("说说磨坊", "磨坊很老。", "chinese"),
        ("Erzähle mir von der Mühle und dem Fluss.", "Die Mühle ist alt und der Fluss ist nicht weit.", "other"),
        ("Расскажи о мельнице", "Мельница старая.", "other"),
        ("Write code.", "```python\nx = 1\n```", "code"),
        ("How many?", "First 3 + 4 = <<3+4=7>>7.\n#### 7", "reasoning"),
    ],
)
def test_lines_of_rows(instruction: str, output: str, stratum: str) -> None:
    assert of(instruction, output) == stratum


def test_turns_of_conversations() -> None:
    rows = chat(
        [message("user", "Tell me."), message("assistant", "It is old."), message("user", "And?"), message("assistant", "It is far.")],
        [message("user", "Order it."), message("assistant", None, tool_calls="[{}]"), message("tool", "ok"), message("assistant", "Done.")],
    )
    made = view(rows)
    assert list(zip(made["turn"], strata(made), strict=True)) == [(1, "instruct"), (3, "chat"), (3, "tools")]


def test_a_stratum_is_that_of_the_line_alone() -> None:
    rows = chat([message("user", "a"), message("assistant", "The first."), message("user", "b"), message("assistant", "The second.")])
    made = view(rows)
    assert strata(made[1:]).to_list() == strata(made)[1:].to_list()
    assert strata(made.clear()).len() == 0


def test_fatal_findings_are_for_review_where_nothing_is_shown() -> None:
    assert "instruct" in DETECTORS["output_stub"].drops
    assert "chat" not in DETECTORS["output_stub"].drops
    stub = "[Image of the old mill by the river]"
    assert find(pl.DataFrame({"instruction": ["Draw it."], "output": [stub]}), only=["output_stub"])["severity"].to_list() == ["fatal"]
    rows = chat([message("user", "Hello?"), message("assistant", "Hello."), message("user", "Draw it."), message("assistant", stub)])
    assert find(rows, only=["output_stub"])["severity"].to_list() == ["review"]


def test_an_empty_answer_is_fatal_everywhere() -> None:
    assert DETECTORS["output_empty"].drops == STRATA
    rows = chat([message("user", "Hello?"), message("assistant", "Hello."), message("user", "Well?"), message("assistant", " ")])
    assert find(rows, only=["output_empty"])["severity"].to_list() == ["fatal"]


def test_only_fatal_detectors_drop() -> None:
    for name, detector in DETECTORS.items():
        assert detector.drops == (shown(name) if detector.severity == "fatal" else ())


def test_every_detector_was_measured() -> None:
    assert set(FIGURES) == set(DETECTORS)
    assert all(set(figures["strata"]) == set(STRATA) for figures in FIGURES.values())


def test_intervals_are_wilsons() -> None:
    from statsmodels.stats.proportion import proportion_confint

    for right, read in [(0, 5), (3, 10), (50, 50), (47, 50)]:
        assert interval(right, read) == pytest.approx(proportion_confint(right, read, method="wilson"))
    assert interval(0, 0) == (0.0, 1.0)
