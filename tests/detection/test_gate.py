"""The gate of a data set: every bound, what it cannot decide, and what CI gets to read."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.cli import main
from tunesmith.curation import curate
from tunesmith.detection import check, markdown
from tunesmith.detection.gate import DataGate, amount, conclude, judge, judge_increase, read_gate
from tunesmith.detection.gate_keys import keys
from tunesmith.errors import InputError, OptionError

WORDS = ("red", "green", "blue", "seven", "eight", "cats", "dogs", "owls", "run", "sleep")


def rows(count=200, empty=0):
    """Rows with prompts that share no five words, the first ones without an answer."""
    made = []
    for k in range(count):
        digits = [WORDS[int(d)] for d in f"{k * 7919 % 100_000:05d}"]
        made.append(
            {"instruction": f"Say why {' '.join(digits)} matter to {k}.", "output": "" if k < empty else f"They matter, number {k}."}
        )
    return made


def gate(tmp_path, text):
    file = tmp_path / "gate.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def bounds(checked):
    return {verdict.bound: verdict.answer for verdict in checked.gate.verdicts}


def test_the_gate_of_the_surface(tmp_path):
    (tmp_path / "test.jsonl").write_text(json.dumps({"instruction": "Name the three longest rivers of Europe in order."}) + "\n")
    file = gate(tmp_path, """
data:  {rejected: {max: 0.1%}, findings: {output_empty: 0, fatal: 0.5%}, near_duplicates: {max: 2%}, overlap: {with: test.jsonl, max: 0}}
model: {rougeL: {margin: 0.01}, inconclusive: warn}
""")  # fmt: skip
    fine = check(rows(1000), gate=file)
    assert bounds(fine) == dict.fromkeys(("rejected", "findings.output_empty", "findings.fatal", "near_duplicates", "overlap"), "pass")
    assert (fine.fine, fine.gate.answer) == (True, "pass")
    leaked = {"instruction": "Please name the three longest rivers of Europe in order!", "output": "Volga, Danube, Ural."}
    bad = check([*rows(997, empty=6), leaked, {"instruction": 3}, {"instruction": 4}], gate=file)
    assert bounds(bad) == {
        "rejected": "fail",
        "findings.output_empty": "fail",
        "findings.fatal": "fail",
        "near_duplicates": "pass",
        "overlap": "fail",
    }
    assert not bad.fine
    found = {verdict.bound: (verdict.found, verdict.of) for verdict in bad.gate.verdicts}
    assert found["rejected"] == (2, 1000)
    assert found["findings.output_empty"] == (6, 998)
    assert found["overlap"] == (1, 998)


def test_the_gate_alone_decides(tmp_path):
    source = [*rows(50, empty=1), {"instruction": 3}]
    assert not check(source).fine
    assert check(source, gate=gate(tmp_path, "data: {rejected: 5%}")).fine
    assert not check(source, gate=gate(tmp_path, "data: {findings: {output_empty: 0}}")).fine


def test_near_duplicates_are_the_rows_that_would_be_dropped(tmp_path):
    twins = [{"instruction": row["instruction"].upper(), "output": "again"} for row in rows(3)]
    (verdict,) = check(rows(97) + twins, gate=gate(tmp_path, "data: {near_duplicates: {max: 3}}")).gate.verdicts
    assert (verdict.found, verdict.of, verdict.answer) == (3, 100, "pass")
    assert bounds(check(rows(97) + twins, gate=gate(tmp_path, "data: {near_duplicates: {max: 2%}}"))) == {"near_duplicates": "fail"}


@pytest.mark.parametrize(
    ("mode", "passes"), [("", True), ("inconclusive: warn", True), ("inconclusive: pass", True), ("inconclusive: fail", False)]
)
def test_what_the_rows_cannot_decide_says_how_many_it_takes(tmp_path, mode, passes):
    checked = check(rows(100), gate=gate(tmp_path, f"data:\n  rejected: {{max: 0.1%}}\n  {mode}\n"))
    (verdict,) = checked.gate.verdicts
    assert (verdict.answer, verdict.needs, verdict.as_json["share"]) == ("inconclusive", 1000, 0)
    assert (checked.gate.answer, checked.fine) == ("inconclusive", passes)
    assert check([*rows(100), {"instruction": 3}], gate=gate(tmp_path, "data: {rejected: 0.1%}")).gate.answer == "fail"


@given(st.integers(0, 50), st.integers(0, 200), st.sampled_from(["0.1%", "2%", 0, 3, 0.25, "100%"]))
def test_a_bound_is_never_passed_above_it_and_never_failed_below(found, more, given_bound):
    of, limit = found + more, amount(given_bound)
    verdict = judge("b", found, of, limit)
    over = found > limit.value * of + 1e-9 if limit.share else found > limit.value
    assert (verdict.answer == "fail") == over
    assert (verdict.answer == "inconclusive") == (not over and verdict.needs is not None and of < verdict.needs)
    if verdict.needs:
        assert judge("b", 0, verdict.needs, limit).answer == "pass"


def test_increases_are_held_against_an_earlier_version(tmp_path):
    curate(rows(200, empty=2), out=tmp_path / "old", recipe={"steps": []})
    file = gate(tmp_path, "data: {findings: {output_empty: {max_increase: 1%}}}")
    grown = check([*rows(150, empty=6), *rows(260)[210:]], gate=file, against=tmp_path / "old")
    (verdict,) = grown.gate.verdicts
    assert (verdict.answer, verdict.before, verdict.found) == ("fail", 0.01, 6)
    assert grown.against["findings"]["output_empty"] == {"before": 0.01, "now": 0.03, "difference": pytest.approx(0.02)}
    assert (grown.against["rows"], grown.against["added"], grown.against["removed"]) == (200, 54, 54)
    assert check(rows(200, empty=3), gate=file, against=tmp_path / "old").gate.answer == "pass"
    with pytest.raises(OptionError, match="--against VERSION"):
        check(rows(10), gate=file)
    assert judge_increase("b", 0, 10, (0, 10), amount("1%")).needs == 100
    with pytest.raises(OptionError, match="max_increase is a share"):
        judge_increase("b", 0, 10, (0, 10), amount(3))


def test_amounts():
    assert [(amount(given).value, amount(given).share) for given in ("0.1%", 0.02, 0, 5, "100%")] == [
        (0.001, True), (0.02, True), (0.0, False), (5.0, False), (1.0, True),
    ]  # fmt: skip
    for wrong in ("5", "x%", -1, 1.5, True, None, "150%", [1]):
        with pytest.raises(ValueError, match="expected a share"):
            amount(wrong)


@pytest.mark.parametrize(("text", "error", "message"), [
    ("data: {rejected: {max: many}}", OptionError, r"data.rejected.max: expected a share \(0.5%, or a number below 1\) or a whole count"),
    ("data: {rejects: 0}", OptionError, r'unknown key "data.rejects"; did you mean "rejected"'),
    ("dataa: {rejected: 0}", OptionError, r'unknown key "dataa"; did you mean "data"'),
    ("data: {findings: {output_emty: 0}}", OptionError, r'no detector or severity "output_emty"; did you mean "output_empty"'),
    ("data: {overlap: {max: 0}}", OptionError, r"data.overlap.with: required, and not there"),
    ("data: {overlap: {with: a, max: 0, m: 8}}", OptionError, r'unknown key "data.overlap.m"; known: max, n, share, with'),
    ("model: {rougeL: {margin: 0.01}}", InputError, "`model` is for `tunesmith compare`"),
    ("[1]", InputError, "expected sections"),
    ("data: {", InputError, "expected YAML"),
])  # fmt: skip
def test_a_wrong_gate_is_told_with_its_place(tmp_path, text, error, message):
    with pytest.raises(error, match=message):
        read_gate(gate(tmp_path, text))


def test_missing_files(tmp_path):
    with pytest.raises(InputError, match="cannot be read as a gate file"):
        check(rows(3), gate=tmp_path / "absent.yaml")
    with pytest.raises(InputError, match=r"the gate.s overlap: .*no such file"):
        check(rows(3), gate=gate(tmp_path, "data: {overlap: {with: absent.jsonl, max: 0}}"))


def test_conclusions():
    passed, failed, open_ = judge("a", 0, 10, amount(0)), judge("b", 1, 10, amount(0)), judge("c", 0, 10, amount("1%"))
    assert conclude([passed], "fail") == ("pass", True)
    assert conclude([passed, open_], "warn") == ("inconclusive", True)
    assert conclude([passed, open_, failed], "pass") == ("fail", False)
    assert conclude([], "fail") == ("pass", True)
    assert DataGate(findings={"fatal": 0}).findings["fatal"].max == amount(0)


def test_as_typed_with_a_summary_for_ci(tmp_path):
    source = tmp_path / "rows.jsonl"
    source.write_text("".join(json.dumps(row) + "\n" for row in rows(60, empty=2)))
    curate(rows(50), out=tmp_path / "old", recipe={"steps": []})
    file = gate(tmp_path, "data: {rejected: 0.1%, findings: {output_empty: 1}}")
    run = ["check", str(source), "--gate", str(file), "--against", str(tmp_path / "old"), "--summary", str(tmp_path / "s.md")]
    done = CliRunner().invoke(main, [*run, "--json"])
    assert done.exit_code == 1, done.output
    result = json.loads(done.stdout)
    assert (result["gate"]["verdict"], result["gate"]["passed"], result["against"]["added"]) == ("fail", False, 12)
    assert [bound["answer"] for bound in result["gate"]["bounds"]] == ["inconclusive", "fail"]
    text = (tmp_path / "s.md").read_text()
    assert "**Gate: ✗ fail**" in text
    assert "| rejected | 0 of 60 (0.00%) | at most 0.1% | ? inconclusive: it takes 1,000 rows |" in text
    assert "| findings.output\\_empty | 2 of 60 (3.33%) | at most 1 | ✗ fail |" in text
    assert "12 added, 2 removed" in text
    again = CliRunner().invoke(main, run)
    assert (again.exit_code, "--force" in again.stderr) == (2, True)
    shown = CliRunner().invoke(main, [*run, "--force"], env={"COLUMNS": "200"})
    assert (shown.exit_code, "it takes 1,000 rows" in shown.stdout) == (1, True)
    passing = gate(tmp_path, "data: {findings: {output_empty: 2}}")
    assert CliRunner().invoke(main, ["check", str(source), "--gate", str(passing), "--json"]).exit_code == 0


def test_a_summary_without_a_gate_and_with_hostile_names():
    text = markdown(check([{"instruction": "a", "output": ""}, {"instruction": 3}]), "a|b<script>.json")
    assert "a\\|b\\<script\\>.json" in text
    assert "| wrong\\_type | 1 |" in text


@pytest.mark.parametrize(
    "key", [key for _, _, found in keys() for key in found if key.name != "model"], ids=lambda key: f"{key.place}.{key.name}"
)
def test_every_key_is_documented_and_its_example_is_read(tmp_path, key):
    assert key.meaning.endswith(".")
    assert key.kind
    assert isinstance(read_gate(gate(tmp_path, key.file().replace("NAME", "truncated"))), DataGate)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "data: {rejectd: 0}",
            'unknown key "data.rejectd"; did you mean "rejected"? (known: findings, inconclusive, near_duplicates, overlap, ',
        ),
        ("data: {spam: 0}", 'unknown key "data.spam"; known: findings, inconclusive, near_duplicates, overlap, rejected'),
        ("dat: {}", 'unknown key "dat"; did you mean "data"? (known: data, model)'),
        ("data: {overlap: {wth: exam.jsonl, max: 0}}", 'unknown key "data.overlap.wth"; did you mean "with"? (known: max, n, share, with)'),
        ("data: {overlap: {max: 0}}", "data.overlap.with: required, and not there"),
        ("data: {near_duplicates: {max: 0, n: 3}}", 'unknown key "data.near_duplicates.n"; known: max, max_increase, threshold'),
        ("data: {findings: {fatal: {least: 3}}}", 'unknown key "data.findings.fatal.least"; known: max, max_increase'),
        ("data: {findings: {fatl: 3}}", "The severities are fatal, review, information; `tunesmith detectors` lists the detectors"),
        ("data: 3", "data: expected keys (rejected, findings, near_duplicates, overlap, inconclusive), found 3"),
        ("data:", "expected a section `data` that holds bounds (rejected, findings, near_duplicates, overlap, inconclusive), found data"),
    ],
)
def test_an_unknown_key_is_told_with_those_that_are_known(tmp_path, text, told):
    with pytest.raises((InputError, OptionError)) as caught:
        read_gate(gate(tmp_path, text))
    assert told in str(caught.value)
