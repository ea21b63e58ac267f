"""What every command does alike: one JSON object, reuse, refusal, settings, threads, interruption, and nothing half-done in place."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import tiny
from tunesmith.cli import main
from tunesmith.cli.ending import GOES_ON, STARTS_OVER

ROWS = [
    {"instruction": f"Write {k} words about subject {k * 7}.", "output": f"Word {k} &quot;and&quot; then some more."} for k in range(60)
]
PROGRAM = [sys.executable, "-m", "tunesmith"]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with white space and letters beyond ASCII in its name, as real folders have."""
    folder = tmp_path / "Daten für Übung 数据"
    (folder / "tokenizer").mkdir(parents=True)
    (folder / "rows 1.jsonl").write_text("\n".join(map(json.dumps, [*ROWS, {"instruction": 3}])))
    (folder / "other.json").write_text(json.dumps(ROWS[:30]))
    (folder / "tokenizer" / "tokenizer.json").write_text(tiny._tokenizer_json(320))
    (folder / "tokenizer" / "tokenizer_config.json").write_text(json.dumps({"eos_token": tiny.END}))
    monkeypatch.chdir(folder)
    return folder


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def answer(*arguments: str, code: int = 0) -> dict[str, object]:
    """The one object that a command prints with --json."""
    done = run(*arguments, "--json")
    assert done.exit_code == code, done.output
    assert done.stderr == ""
    assert done.stdout.count("\n") == 1
    found: dict[str, object] = json.loads(done.stdout)
    return found


MAKERS = {
    "curate": ["curate", "SOURCE", "-o", "out"],
    "split": ["split", "SOURCE", "-o", "out"],
    "pack": ["pack", "SOURCE", "-o", "out", "--tokenizer", "tokenizer", "--template", "plain"],
    "evaluate": ["evaluate", "SOURCE", "-o", "out", "--predictions", "SOURCE", "--allow-partial"],
}


@pytest.mark.parametrize("verb", MAKERS)
def test_an_output_is_reused_refused_or_replaced(place: Path, verb: str) -> None:
    same = ["other.json" if word == "SOURCE" else word for word in MAKERS[verb]]
    other = ["rows 1.jsonl" if word == "SOURCE" else word for word in MAKERS[verb]]
    if verb == "evaluate":
        other[other.index("--predictions") + 1] = "other.json"
    first = answer(*same)
    made = (place / "out" / "manifest.json").read_bytes()
    again = answer(*same)
    assert again.pop("reused") is True
    assert again == {key: value for key, value in first.items() if key != "reused"}
    refused = run(*other, "--json")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "choose another output, or --force to replace it" in refused.stderr
    assert (place / "out" / "manifest.json").read_bytes() == made
    assert not answer(*other, "--force").get("reused")
    assert (place / "out" / "manifest.json").read_bytes() != made
    assert not list(place.glob("out.*"))
    assert "already" in (shown := run(*other).output) or "reused" in shown or "there" in shown


@pytest.mark.parametrize("arguments", [
    ["check", "rows 1.jsonl"], ["profile", "rows 1.jsonl"], ["detect", "rows 1.jsonl"], ["detectors"], ["recipe", "show"],
    ["recipe", "schema"], ["convert", "rows 1.jsonl", "out.json", "--to", "messages"], ["curate", "rows 1.jsonl", "--dry-run"],
    ["preview", "rows 1.jsonl", "--tokenizer", "tokenizer", "--template", "plain"],
], ids=" ".join)  # fmt: skip
def test_json_is_one_object_and_nothing_else(place: Path, arguments: list[str]) -> None:
    before = set(place.iterdir())
    answer(*arguments, code=1 if arguments[0] == "check" else 0)
    assert set(place.iterdir()) - before <= {place / "out.json"}


def test_without_json_tables_and_progress_go_their_own_ways(place: Path) -> None:
    done = run("curate", "rows 1.jsonl", "-o", "out")
    assert done.exit_code == 0
    assert "Reading" in done.stderr
    assert "Reading" not in done.stdout
    assert "61 in = 60 kept + 0 dropped + 1 rejected" in done.stdout
    assert "Next: tunesmith check 'rows 1.jsonl' --rejects" in run("check", "rows 1.jsonl").stdout  # as a shell takes it


def test_versions_and_standard_input_are_sources(place: Path) -> None:
    answer("curate", "rows 1.jsonl", "-o", "out")
    assert answer("check", "out")["rows"] == 60
    for source in (["-"], ["/dev/stdin"]):
        done = subprocess.run(
            [*PROGRAM, "check", *source, "--json"], input=(place / "other.json").read_bytes(), capture_output=True, check=True
        )
        assert json.loads(done.stdout)["rows"] == 30


def test_settings(place: Path) -> None:
    (place / "tunesmith.yaml").write_text("split: {test: 4, validation: 2}\npack: {context: 64}\ndetect: {only: [refusal, output_empty]}\n")
    config = ["--config", "tunesmith.yaml"]
    assert answer("split", "other.json", "-o", "a", *config)["test"] == 4
    assert answer("split", "other.json", "-o", "b", *config, "--test", "3")["test"] == 3  # what is typed wins
    assert answer("split", "other.json", "-o", "c", *config, "--set", "test=5")["test"] == 5  # --set wins over --config
    assert answer("split", "other.json", "-o", "d", "--set", "test=5", "--test", "6")["test"] == 6
    assert list(answer("detect", "other.json", *config)) == ["output_empty", "refusal"]  # in the registry's order
    assert list(answer("detect", "other.json", "--set", "only=refusal")) == ["refusal"]
    assert list(answer("detect", "other.json", "--set", "only=[refusal, output_empty]")) == ["output_empty", "refusal"]
    assert answer("curate", "other.json", "--set", "dry-run=true")["dry_run"] is True
    assert answer("curate", "--set", "sources=other.json", "--dry-run")["rows_in"] == 30
    assert answer("split", "other.json", "-o", "e")["test"] == 3  # nothing is picked up silently


def test_threads_and_seed(place: Path) -> None:
    hashes = []
    for threads in ("1", "2"):
        subprocess.run([*PROGRAM, "curate", "rows 1.jsonl", "-o", threads, "--threads", threads, "--json"], capture_output=True, check=True)
        hashes.append(json.loads((place / threads / "manifest.json").read_text())["hash"])
    assert hashes[0] == hashes[1]
    parts = {seed: answer("split", "rows 1.jsonl", "-o", f"s{seed}", "--seed", seed) for seed in ("0", "1")}
    read = {seed: json.loads((place / f"s{seed}" / "manifest.json").read_text())["hash"] for seed in parts}
    assert read["0"] != read["1"]


@pytest.mark.parametrize("arguments", [["detectors"], ["detectors", "--json"], ["--help"]], ids=" ".join)
def test_a_closed_pipe_is_no_error(arguments: list[str]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as output:
        done = subprocess.run([*PROGRAM, *arguments], stdout=output, stderr=subprocess.PIPE, text=True, check=False)
    assert done.stderr == ""
    assert done.returncode in (0, 1)  # 1: click's own, for help pages


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")
@pytest.mark.parametrize("arguments", [["detectors"], ["detectors", "--json"], ["--help"]], ids=" ".join)
def test_a_full_disk_is_told(arguments: list[str]) -> None:
    with Path("/dev/full").open("wb") as output:
        done = subprocess.run([*PROGRAM, *arguments], stdout=output, stderr=subprocess.PIPE, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.endswith("No space left on device; make room, or write elsewhere\n")
    assert done.stderr.count("\n") == 1


def test_closed_streams_and_other_encodings(place: Path) -> None:
    for closed in (">&-", "2>&-", "<&-"):
        assert subprocess.run(f"{sys.executable} -m tunesmith check other.json {closed}", shell=True, check=False).returncode == 0
    (place / "utf.jsonl").write_text(json.dumps({"instruction": "数", "output": ""}) + "\n")
    ascii_alone = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run([*PROGRAM, "detect", "utf.jsonl", "--json"], env=ascii_alone, capture_output=True, check=True)
    assert json.loads(done.stdout)["output_empty"]["count"] == 1
    shown = subprocess.run([*PROGRAM, "detect", "utf.jsonl"], env=ascii_alone, capture_output=True, check=True)
    assert b"output_empty" in shown.stdout


WAITING = """
import sys, time
import tunesmith.cli.commands.{module} as module
def wait(*_, **__):
    open("started", "w").close()
    time.sleep(60)
import {room} as room
room.{verb} = wait
from tunesmith.cli import main
main({arguments!r})
"""


@pytest.mark.parametrize(("room", "arguments", "told"), [
    ("tunesmith.curation", ["curate", "other.json", "-o", "out"], STARTS_OVER),
    ("tunesmith.curation", ["curate", "other.json", "-o", "out", "--json"], STARTS_OVER),
    ("tunesmith.evaluation", ["evaluate", "other.json", "-o", "out", "--predictions", "other.json"], GOES_ON),
])  # fmt: skip
def test_an_interruption_is_exit_code_130(place: Path, room: str, arguments: list[str], told: str) -> None:
    script = WAITING.format(module=arguments[0], room=room, verb=arguments[0], arguments=arguments)
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        _until(place / "started")
        process.send_signal(signal.SIGINT)
        output, errors = process.communicate(timeout=20)
    assert (process.returncode, output, errors) == (130, "", told + "\n")


def test_ctrl_c_while_real_work_is_done(place: Path) -> None:
    """Not a stand-in: rows enough for seconds of work, interrupted in the middle of it; then the same command does it all."""
    _many(place / "many.jsonl")
    command = [*PROGRAM, "curate", "many.jsonl", "-o", "out"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if line.startswith("fix, detect"):
                break
        process.send_signal(signal.SIGINT)
        rest = process.communicate(timeout=30)[1]
    assert process.returncode == 130, rest
    assert rest.endswith(STARTS_OVER + "\n")
    assert "Traceback" not in rest
    assert not (place / "out").exists()


def test_a_kill_leaves_the_old_and_the_next_run_is_whole(place: Path) -> None:
    _many(place / "many.jsonl")
    answer("curate", "other.json", "-o", "out")
    before = _state(place / "out")
    command = [*PROGRAM, "curate", "many.jsonl", "-o", "out", "--force"]
    for line in ("fix, detect", "Writing"):
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            for told in process.stderr:
                if told.startswith(line):
                    process.kill()
                    break
        assert process.returncode == -signal.SIGKILL
        assert _state(place / "out") == before
    assert answer("check", "out")["rows"] == 30  # the old is still a version
    assert answer(*command[3:])["kept"] == 40_000
    assert answer("curate", "many.jsonl", "-o", "fresh")["kept"] == 40_000
    assert not (place / "out.work").exists()
    hashes = [json.loads((place / name / "manifest.json").read_text())["hash"] for name in ("out", "fresh")]
    assert hashes[0] == hashes[1]


def _many(file: Path) -> None:
    answers = (" ".join(f"and {k * n} more" for n in range(2, 10)) for k in range(1, 40_001))
    rows = ({"instruction": f"Write {k} words about subject {k * 7}.", "output": answer} for k, answer in enumerate(answers, start=1))
    file.write_text("\n".join(map(json.dumps, rows)))


def _state(folder: Path) -> Sequence[tuple[str, bytes]]:
    return [(path.name, path.read_bytes()) for path in sorted(folder.iterdir())]


def _until(file: Path, seconds: float = 30.0) -> None:
    end = time.monotonic() + seconds
    while not file.exists():
        assert time.monotonic() < end
        time.sleep(0.02)


RENAMED = [{"ask": row["instruction"], "reply": row["output"]} for row in ROWS]


@pytest.mark.parametrize(
    "verb",
    [
        ["check"], ["detect"], ["profile"], ["convert", "{}", "rows.jsonl", "--to", "messages"], ["split", "{}", "-o", "parts"],
        ["export", "{}", "-o", "trl", "--for", "trl"], ["curate", "{}", "-o", "clean"],
        ["preview", "{}", "--tokenizer", "tokenizer", "--template", "alpaca"],
        ["pack", "{}", "-o", "pack", "--tokenizer", "tokenizer", "--template", "alpaca", "--context", "256"],
    ],
    ids=lambda verb: verb[0],
)  # fmt: skip
def test_map_renames_in_every_verb_that_reads(place: Path, verb: list[str]) -> None:
    (place / "renamed.json").write_text(json.dumps(RENAMED))
    words = [verb[0], *(verb[1:] or ["{}"])]
    typed = ["renamed.json" if word == "{}" else word for word in words]
    refused = run(*typed, "--json")
    assert refused.exit_code == 2
    assert "--map FIELD=NAME" in refused.stderr
    found = answer(*typed, "--map", "ask=instruction", "--map", "reply=output")
    assert not found.get("rejected")
    assert "rows" not in found or found["rows"] == len(RENAMED)
    (place / "own.yaml").write_text(f"{verb[0]}: {{map: {{ask: instruction, reply: output}}, force: true}}")
    if verb[0] in ("check", "detect", "profile", "convert"):
        assert answer(*typed, "--config", "own.yaml") == found


def test_mistakes_in_a_map_are_named(place: Path) -> None:
    (place / "renamed.json").write_text(json.dumps(RENAMED))
    for given, said in (
        (["--map", "ask"], "expected FIELD=NAME"),
        (["--map", "=instruction"], "expected FIELD=NAME"),
        (["--map", "ask=instruction", "--map", "ask=input"], '"ask" is read under one name, found "instruction" and "input"'),
        (["--map", "asks=instruction"], 'renamed.json: map names a field "asks" that is not there (ask, reply); did you mean "ask"?'),
        (["--map", "ask=reply"], 'map renames "ask" to "reply", but there is a field of that name'),
    ):
        refused = run("check", "renamed.json", *given)
        assert refused.exit_code == 2, given
        assert said in " ".join(refused.stderr.replace("│", " ").split()), given
