"""`convert` and `split` as typed: exit codes, one JSON object, reuse, refusals."""

import json

import pytest
from click.testing import CliRunner

from tunesmith.cli import main


@pytest.fixture
def source(tmp_path):
    file = tmp_path / "rows.jsonl"
    records = [{"instruction": f"Write {k} words about topic {k}.", "output": "[bold]x[/b]", "topic": k % 7} for k in range(60)]
    file.write_text("\n".join(json.dumps(record) for record in [*records, {"instruction": 3}]))
    return file


def run(*arguments):
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_convert(tmp_path, source):
    done = run("convert", source, tmp_path / "m.json", "--to", "messages", "--rejects", tmp_path / "r.jsonl", "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == {"rows_in": 61, "rows_out": 60, "rejected": 1, "lost": {}}
    assert (tmp_path / "r.jsonl").exists()
    again = run("convert", source, tmp_path / "m.json", "--to", "messages", "--json")
    assert (again.exit_code, again.stdout) == (2, "")
    assert "--force" in again.stderr
    assert run("convert", source, tmp_path / "m.json", "--to", "messages", "--force").exit_code == 0


def test_check_takes_several_sources_as_a_shell_gives_them(tmp_path):
    for name, answer in (("a", "3"), ("b", "")):
        (tmp_path / f"{name}.jsonl").write_text(json.dumps({"instruction": f"Add to {name}.", "input": "", "output": answer}) + "\n")
    both = [str(tmp_path / "a.jsonl"), str(tmp_path / "b.jsonl")]
    answered = CliRunner().invoke(main, ["check", *both, "--json"])
    assert (answered.exit_code, json.loads(answered.stdout)["valid"]) == (0, 2)
    shown = CliRunner().invoke(main, ["check", *both])
    assert f"tunesmith curate {both[0]} {both[1]} -o clean" in shown.stdout
    assert CliRunner().invoke(main, ["check"]).exit_code == 2


def test_convert_shows_what_is_lost(tmp_path, source):
    shown = run("convert", source, tmp_path / "o.jsonl", "--to", "openai")
    assert shown.exit_code == 0
    assert "lost: topic" in shown.stdout


def test_split(tmp_path, source):
    done = run("split", source, "-o", tmp_path / "s", "--test", "0.1", "--validation", "4", "--json")
    assert done.exit_code == 0, done.output
    result = json.loads(done.stdout)
    assert (result["train"], result["validation"], result["test"], result["rejected"], result["leaks"]) == (50, 4, 6, 1, 0)
    again = json.loads(run("split", source, "-o", tmp_path / "s", "--test", "0.1", "--validation", "4", "--json").stdout)
    assert again == {**result, "reused": True}
    other = run("split", source, "-o", tmp_path / "s", "--test", "0.2")
    assert (other.exit_code, "--force" in other.stderr) == (2, True)
    assert run("split", source, "-o", tmp_path / "s", "--test", "0.2", "--force").exit_code == 0


@pytest.mark.parametrize(("arguments", "message"), [
    (("convert", "absent.json", "x.json", "--to", "alpaca"), "no such file or folder"),
    (("convert", "absent.json", "x.json", "--to", "nothing"), "Invalid value for '--to'"),
    (("split", "absent.json", "-o", "x"), "no such file or folder"),
    (("split", "absent.json"), "Missing option"),
])  # fmt: skip
def test_misuse_exits_with_2_and_says_what_is_wrong(arguments, message):
    done = run(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert message in done.stderr


@pytest.mark.parametrize("verb", ["convert", "split"])
def test_help_has_an_example(verb):
    done = run(verb, "--help")
    assert done.exit_code == 0
    assert f"Example:\n    tunesmith {verb}" in done.stdout
