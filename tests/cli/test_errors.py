"""Wrong input at every command: exit code 2, nothing on standard output, one line that says place, found, expected, what to do."""

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import polars as pl
import pytest
from click.testing import CliRunner, Result

import tiny
from tunesmith.cli import COMMANDS, main

ROWS = [{"instruction": f"Write {k} words about subject {k * 7}.", "output": f"Word {k} and then some more."} for k in range(20)]
LINES = [json.dumps(row) for row in ROWS]
BROKEN = '{"instruction": "x", "output": '

FILES: dict[str, bytes] = {
    "good.jsonl": "\n".join(LINES).encode(),
    "empty.json": b"",
    "blank.jsonl": b"\n \n",
    "no_rows.json": b"[]",
    "prose.json": b"This is no JSON at all.\n",
    "prose.md": b"# A heading\n",
    "wrong.jsonl": b'{"foo": 1, "bar": "x"}\n',
    "numbers.json": b"[1, 2, 3]",
    "wrapped.json": json.dumps({"data": ROWS}).encode(),
    "latin.jsonl": '{"instruction": "café", "output": "thé"}\n'.encode("latin-1"),
    "utf16.json": json.dumps(ROWS).encode("utf-16"),
    "binary.jsonl": bytes(range(256)) * 4,
    "binary.parquet": bytes(range(256)) * 4,
    "cut.json.gz": gzip.compress(json.dumps(ROWS).encode(), mtime=0)[:100],
    "ragged.csv": b"instruction,output\na,b,c\n",
    "picture.pdf": b"%PDF-1.4\0\0",
    "prompts.jsonl": b'{"instruction": "x"}\n{"instruction": "y"}\n',
    "half_predicted.jsonl": BROKEN.encode(),
    "unnamed.jsonl": b'{"foo": 1}\n',
    "no_section.yaml": b"currate: {}\n",
    "no_option.yaml": b"curate: {reciep: x}\n",
    "no_mapping.yaml": b"curate: 3\n",
    "no_yaml.yaml": b"curate: [\n",
    "no_text.yaml": b"\xff\xfe\x00",
    "no_such_step.yaml": b"steps:\n  - fixx: {}\n",
    "no_such_key.yaml": b"stepz: []\n",
    "no_such_option.yaml": b"steps:\n  - near_duplicates: {threshhold: 0.8}\n",
    "no_value.yaml": b"steps:\n  - near_duplicates: {threshold: high}\n",
    "no_detector.yaml": b"steps:\n  - fix: {only: [html_entityy]}\n",
    "no_column.yaml": b"steps:\n  - filter: {where: \"topic = 'x'\"}\n",
    "no_source.yaml": b"sources:\n  - {path: absent-*.jsonl}\nsteps: []\n",
    "twice.yaml": b"steps:\n  - filter: {name: a, words: {min: 1}}\n  - filter: {name: a, words: {min: 1}}\n",
    "program.yaml": b"steps: !!python/object/apply:os.system ['true']\n",
}

ABSENT = "no such file or folder"
NOTHING_READ = {  # what is wrong with a source, and what is said of it
    "absent.json": ABSENT,
    "no/where.json": "there is no folder no",
    "*.nothing": ABSENT,
    "nowhere://bucket/rows.json": "expected an address that begins with s3://, gs://, az://, hf://",
    "": "found an empty name",
    "folder": "expected data files (.json, .jsonl",
    "empty.json": "expected records, found an empty file",
    "blank.jsonl": "expected records, found an empty file",
    "no_rows.json": "expected records, found JSON without a record",
    "prose.md": "expected JSON, found no record (",
    "wrong.jsonl": "no known format fits the fields found (foo, bar). Known: ",
    "binary.jsonl": "expected JSON, found binary data; name a file that ends in",
    "binary.parquet": "expected parquet, found something else",
    "picture.pdf": "expected JSON, found binary data",
    "cut.json.gz": "cannot be read: Compressed file ended",
    "packed": "expected rows (a file, a folder of files, a version or a split), found an artefact of kind pack",
    "x" * 300: "File name too long; choose a shorter name",
}  # fmt: skip
NO_ROW = {  # readable as records, none of which is a row: `check` lists them, all others have nothing to work on
    "prose.json": "line 1: expected a JSON value, found This at byte 0; no record of the source is a row (1 rejected)",
    "numbers.json": "record 0, line 1: expected an object, found number",
    "latin.jsonl": 'field "instruction": expected UTF-8 text, found byte 0xE9',
    "ragged.csv": "line 2: expected 2 fields, as the first line names, found 3 fields",
}
READERS = {
    "check": ["check", "SOURCE"],
    "profile": ["profile", "SOURCE"],
    "detect": ["detect", "SOURCE"],
    "convert": ["convert", "SOURCE", "out.jsonl", "--to", "messages"],
    "curate": ["curate", "SOURCE", "-o", "out"],
    "split": ["split", "SOURCE", "-o", "out"],
    "preview": ["preview", "SOURCE", "--tokenizer", "tokenizer"],
    "pack": ["pack", "SOURCE", "-o", "out", "--tokenizer", "tokenizer"],
    "evaluate": ["evaluate", "SOURCE", "-o", "out", "--predictions", "good.jsonl"],
}
OPENERS = {
    "explain": (["explain", "FOLDER", "0"], "a version"),
    "what-if": (["what-if", "FOLDER", "near_duplicates.threshold=0.8"], "a version"),
    "diff": (["diff", "FOLDER", "version"], "a version"),
    "train": (["train", "FOLDER", "-o", "out", "--model", "weights"], "a pack"),
    "compare": (["compare", "FOLDER", "FOLDER"], "an evaluation"),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with everything that is wrong, and a few things that are right."""
    folder: Path = tmp_path_factory.mktemp("errors")
    for name, content in FILES.items():
        (folder / name).write_bytes(content)
    (folder / "folder").mkdir()
    for name in ("tokenizer", "no_template", "damaged"):
        (folder / name).mkdir()
        (folder / name / "tokenizer.json").write_text(tiny._tokenizer_json(320))
        (folder / name / "tokenizer_config.json").write_text(json.dumps({"eos_token": tiny.END, "bos_token": tiny.BOS}))
    (folder / "tokenizer" / "chat_template.jinja").write_text(tiny.CHAT_TEMPLATE)
    (folder / "damaged" / "tokenizer.json").write_text('{"broken": ')
    (folder / "weights").mkdir()
    (folder / "weights" / "config.json").write_text("{}")
    (folder / "weights" / "model.safetensors").write_bytes(b"xx" * 50)
    before = Path.cwd()
    os.chdir(folder)
    try:
        for made in (["curate", "good.jsonl", "-o", "version"], ["pack", "good.jsonl", "-o", "packed", "--tokenizer", "tokenizer"]):
            assert run(*made).exit_code == 0
        assert run("evaluate", "good.jsonl", "-o", "evaluation", "--predictions", "good.jsonl").exit_code == 0
    finally:
        os.chdir(before)
    return folder


@pytest.fixture(autouse=True)
def here(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(place)
    return place


def run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def refused(*arguments: str) -> str:
    """The line with which a command ends that cannot do what it is told."""
    before = sorted(Path().iterdir())
    done = run(*arguments, "--json")
    assert done.exit_code == 2, (done.exit_code, done.output)
    assert done.stdout == ""
    last = done.stderr.strip().splitlines()[-1]
    assert re.match("error: |Error: ", last), done.stderr
    assert "defect of tunesmith" not in last
    assert sorted(Path().iterdir()) == before  # nothing was begun
    return last


@pytest.mark.parametrize("source", NOTHING_READ, ids=lambda source: source[:20] or "empty name")
@pytest.mark.parametrize("verb", ["check", "curate"])
def test_sources_that_cannot_be_read(verb: str, source: str) -> None:
    assert NOTHING_READ[source] in refused(*(source if word == "SOURCE" else word for word in READERS[verb]))


@pytest.mark.parametrize("verb", READERS)
def test_every_reader_says_that_a_source_is_not_there(verb: str) -> None:
    assert f"absent.json: {ABSENT} (its folder holds " in refused(*("absent.json" if word == "SOURCE" else word for word in READERS[verb]))


@pytest.mark.parametrize("source", NO_ROW)
@pytest.mark.parametrize("verb", [verb for verb in READERS if verb != "check"])
def test_sources_without_a_row(verb: str, source: str) -> None:
    told = refused(*(source if word == "SOURCE" else word for word in READERS[verb]))
    assert NO_ROW[source] in told
    assert told.endswith("`tunesmith check SOURCE --rejects FILE` lists them")


@pytest.mark.parametrize("source", NO_ROW)
def test_check_lists_what_no_row_is(source: str) -> None:
    done = run("check", source, "--json")
    assert done.exit_code == 1
    assert json.loads(done.stdout)["format"] == ("alpaca" if source == "ragged.csv" else "unknown")
    assert json.loads(done.stdout)["valid"] == 0


@pytest.mark.parametrize("source", ["wrapped.json", "utf16.json"])
def test_what_can_be_understood_is_read(source: str) -> None:
    assert json.loads(run("check", source, "--json").stdout)["valid"] == len(LINES)


@pytest.mark.parametrize("broken", [BROKEN, '{"instruction": "x"', '{"instruction": "x", "output": "abc', "{", "oops"])
def test_a_broken_line_costs_itself_alone(place: Path, broken: str) -> None:
    (place / "one.jsonl").write_text("\n".join([*LINES[:5], broken, *LINES[5:]]))
    result = json.loads(run("check", "one.jsonl", "--json").stdout)
    assert (result["rows"], result["valid"], result["rejected"]) == (21, 20, 1)
    shown = run("check", "one.jsonl").stdout
    assert "line 6" in shown


@pytest.mark.parametrize(("folder", "found"), [
    ("absent", "no such folder; check the name"), ("folder", "a folder without manifest.json"), ("good.jsonl", "a file; name the folder"),
])  # fmt: skip
@pytest.mark.parametrize("verb", OPENERS)
def test_what_is_no_artefact(verb: str, folder: str, found: str) -> None:
    arguments, expected = OPENERS[verb]
    assert f"{folder}: expected {expected}, found {found}" in refused(*(folder if word == "FOLDER" else word for word in arguments))


@pytest.mark.parametrize(("arguments", "expected"), [
    (["explain", "packed", "0"], "packed: expected a version, found a pack"),
    (["compare", "evaluation", "version"], "version: expected an evaluation, found a version"),
    (["train", "version", "-o", "out", "--model", "weights"], "version: expected a pack, found a version"),
    (["report", "folder"], "folder: expected a "),
    (["report", "absent"], "absent: expected a folder with an artefact, found nothing"),
    # rows that are not there
    (["explain", "version", "20"], "version: no row has the position 20; positions go up to 19"),
    (["explain", "version", "99999999999999999999"], "no row has the position 99999999999999999999"),
    (["explain", "version", "deadbeef"], "no row's id begins with deadbeef"),
    (["explain", "version", "dead"], "expected a position (digits) or a row id's first 8 hex digits or more"),
    (["preview", "good.jsonl", "--tokenizer", "tokenizer", "--row", "20"], 'row "20": no such row; positions go from 0 to 19'),
    (["preview", "good.jsonl", "--tokenizer", "tokenizer", "--row", "²"], "expected a position, or at least 8 digits of a row id"),
    # what-if
    (["what-if", "version", "near_duplicates.threshold"], "expected STEP.OPTION=VALUE, for example near_duplicates.threshold=0.8"),
    (["what-if", "version", "near_duplicate.threshold=0.8"], 'no step "near_duplicate"; did you mean "near_duplicates"?'),
    (["what-if", "version", "near_duplicates.treshold=0.8"], 'unknown option "treshold"; did you mean "threshold"?'),
    (["what-if", "version", "near_duplicates.threshold=x"], 'expected a number, found "x"'),
    (["what-if", "version", "near_duplicates.threshold=0.1"], "needs a run: near_duplicates: pairs below the floor"),
    # recipes
    (["curate", "good.jsonl", "-o", "out", "--recipe", "absent.yaml"], "no such file; `tunesmith recipe new absent.yaml` writes"),
    (["curate", "good.jsonl", "-o", "out", "--recipe", "no_yaml.yaml"], "no_yaml.yaml, line 2: expected YAML, found: "),
    (["curate", "good.jsonl", "-o", "out", "--recipe", "no_text.yaml"], "recipe no_text.yaml: expected a text file, found: "),
    (["curate", "good.jsonl", "-o", "out", "--recipe", "no_such_key.yaml"], 'unknown section "stepz"; did you mean "steps"?'),
    (["curate", "good.jsonl", "-o", "out", "--recipe", "no_such_step.yaml"], 'step 1: unknown step "fixx"; did you mean "fix"?'),
    (["curate", "good.jsonl", "-o", "out", "--recipe", "no_such_option.yaml"], 'unknown option "threshhold"; did you mean "threshold"?'),
    (["curate", "good.jsonl", "-o", "out", "--recipe", "no_value.yaml"], 'threshold: expected a number, found "high"'),
    (["curate", "good.jsonl", "-o", "out", "--recipe", "no_detector.yaml"], '"html_entityy" is no detector; did you mean "html_entity"?'),
    (["curate", "good.jsonl", "-o", "out", "--recipe", "no_column.yaml"], "expected a Polars SQL expression over position, "),
    (["curate", "good.jsonl", "-o", "out", "--recipe", "twice.yaml"], 'two steps are called "a"; give each its own name'),
    (["curate", "good.jsonl", "-o", "out", "--recipe", "program.yaml"], "expected YAML, found: could not determine a constructor"),
    (["curate", "--recipe", "no_source.yaml", "-o", "out"], f"absent-*.jsonl: {ABSENT}"),
    (["curate", "-o", "out"], "expected a SOURCE, or a recipe that has `sources`; found neither"),
    (["curate", "good.jsonl"], "expected -o VERSION (what to write), or --dry-run"),
    (["recipe", "show", "strickt"], 'no preset "strickt"; did you mean "strict"?'),
    (["recipe", "new", "good.jsonl"], "good.jsonl exists; choose another name, or --force"),
    (["recipe", "nothing"], "'nothing' is not one of 'show', 'new', 'schema'"),
    # detectors, formats, targets
    (["detect", "good.jsonl", "--only", "html_entityy"], 'unknown detector "html_entityy"; did you mean "html_entity"?'),
    (["detect", "good.jsonl", "-o", "findings.xyz"], "expected a file that ends in .parquet, .jsonl, .csv, found .xyz"),
    (["detect", "good.jsonl", "-o", "no/where.csv"], "the folder no is not there; make it first"),
    (["detectors", "refusals"], 'unknown detector "refusals"; did you mean "refusal"?'),
    (["check", "good.jsonl", "--format", "alpacca"], 'unknown format "alpacca"; did you mean "alpaca"?'),
    (["convert", "good.jsonl", "out.xyz", "--to", "messages"], "out.xyz: expected a name that ends in .json, .jsonl,"),
    (["convert", "good.jsonl", "no/where.jsonl", "--to", "messages"], "there is no folder no to write into; make it first"),
    (["convert", "good.jsonl", "out.jsonl", "--to", "everything"], "'everything' is not one of 'alpaca', "),
    (["convert", "good.jsonl", "out.jsonl", "--to", "messages", "--rejects", "good.jsonl"], "good.jsonl exists; choose another name"),
    # splits
    (["split", "good.jsonl", "-o", "out", "--test", "1000"], "test (1,000) and validation (2) leave none of 20 rows to train on"),
    (["split", "good.jsonl", "-o", "out", "--test", "10", "--validation", "10"], "leave none of 20 rows to train on"),
    (["split", "good.jsonl", "-o", "out", "--test", "-1"], "test: found -1, expected a share below 1 or a whole count of rows"),
    (["split", "good.jsonl", "-o", "out", "--test", "1.5"], "test: found 1.5, expected a share below 1"),
    (["split", "good.jsonl", "-o", "out", "--test", "nan"], "test: found nan, expected a share below 1"),
    (["split", "good.jsonl", "-o", "out", "--test", "many"], "'many' is not a valid float"),
    (["split", "good.jsonl", "-o", "out", "--group", "topic"], '--group: there is no column "topic"; known: '),
    (["split", "good.jsonl", "-o", "out", "--previous", "packed"], "packed: expected a split, found a pack"),
    (["split", "good.jsonl", "-o", "out", "--seed", "-3"], "-3 is not in the range"),
    # tokenizers, templates
    (["pack", "good.jsonl", "-o", "out", "--tokenizer", "no/thing"], "no/thing: no such folder, and not in the local hub cache; fetch it"),
    (["pack", "good.jsonl", "-o", "out", "--tokenizer", "folder"], "folder: expected a model's folder with tokenizer.json, found nothing"),
    (["pack", "good.jsonl", "-o", "out", "--tokenizer", "good.jsonl"], "expected a model's folder, found a file; name its folder"),
    (["pack", "good.jsonl", "-o", "out", "--tokenizer", "damaged"], "tokenizer.json: expected JSON, found "),
    (["pack", "good.jsonl", "-o", "out", "--tokenizer", "no_template"], "no chat template of its own; expected --template: one of "),
    (["pack", "good.jsonl", "-o", "out", "--tokenizer", "tokenizer", "--template", "alpacca"], 'did you mean "alpaca"?'),
    (["pack", "good.jsonl", "-o", "out", "--tokenizer", "tokenizer", "--context", "10"], "raise --context, or choose --overflow left"),
    (["pack", "good.jsonl", "-o", "out", "--tokenizer", "tokenizer", "--context", "10", "--overflow", "error"], "raise --context"),
    (["pack", "good.jsonl", "-o", "out", "--tokenizer", "tokenizer", "--context", "1"], "1 is not in the range x>=2"),
    (["pack", "prompts.jsonl", "-o", "out", "--tokenizer", "tokenizer"], "none of 2 rows gives a sequence to learn"),
    # models
    (["train", "packed", "-o", "out", "--model", "no/thing"], "expected a model folder, or the name of a model in the local hub cache"),
    (["train", "packed", "-o", "out", "--model", "folder"], "folder: expected a model folder, found no config.json"),
    (["train", "packed", "-o", "out", "--model", "good.jsonl"], "expected a model folder, found a file; name its folder"),
    (["train", "packed", "-o", "out", "--model", "weights", "--steps", "0"], "steps: expected at least 1, found 0"),
    (["train", "packed", "-o", "out", "--model", "weights", "--validation", "absent"], "absent: expected a pack, found no such folder"),
    (["train", "packed", "--model", "weights"], "-o RUN is needed"),
    (["evaluate", "good.jsonl", "-o", "out", "--model", "no/thing"], "hf download no/thing"),
    (["evaluate", "good.jsonl", "-o", "out", "--model", "weights"], "model.safetensors: expected a safetensors file, found a header of "),
    (["evaluate", "good.jsonl", "-o", "out", "--model", "weights", "--base-output", "base"], "it needs --adapter"),
    (["evaluate", "good.jsonl", "-o", "out", "--model", "weights", "--adapter", "run", "--base-output", "./out"], "are both out"),
    (["evaluate", "good.jsonl", "-o", "out"], "expected either a model or predictions, found neither"),
    (["evaluate", "good.jsonl"], "expected -o EVALUATION: where to write"),
    # predictions, metrics
    (["evaluate", "good.jsonl", "-o", "out", "--predictions", "absent.jsonl"], "absent.jsonl: No such file or directory; expected a JSON,"),
    (["evaluate", "good.jsonl", "-o", "out", "--predictions", "latin.jsonl"], "expected UTF-8, found byte 0xe9 at 20; save it as UTF-8"),
    (["evaluate", "good.jsonl", "-o", "out", "--predictions", "half_predicted.jsonl"], "line 1: expected a JSON object, found: "),
    (["evaluate", "good.jsonl", "-o", "out", "--predictions", "unnamed.jsonl"], 'record 0: expected the field "output"'),
    (["evaluate", "good.jsonl", "-o", "out", "--predictions", "cut.json.gz"], "expected a whole gzip file, found: "),
    (["evaluate", "good.jsonl", "-o", "out", "--predictions", "ragged.csv"], "ragged.csv: expected a table, found: "),
    (["evaluate", "good.jsonl", "-o", "out", "--predictions", "prompts.jsonl"], 'record 0: expected the field "output"'),
    (["evaluate", "good.jsonl", "-o", "out", "--predictions", "good.jsonl", "--metric", "rougeX"], 'unknown metric "rougeX"; did you mean'),
    (["evaluate", "good.jsonl", "-o", "out", "--predictions", "good.jsonl", "--metric", "similarity"], "needs --embedder MODEL"),
    (["evaluate", "good.jsonl", "-o", "out", "--predictions", "good.jsonl", "--slice", "topic"], "--slice topic: there is no such column"),
    (["evaluate", "good.jsonl", "-o", "out", "--predictions", "good.jsonl", "--limit", "0"], "0 is not in the range x>=1"),
    # places that cannot be written
    (["check", "good.jsonl", "--rejects", "good.jsonl"], "good.jsonl exists; choose another file, or --force"),
    (["compare", "evaluation", "evaluation", "--summary", "good.jsonl"], "good.jsonl exists; choose another file, or --force"),
    (["compare", "evaluation", "evaluation", "--summary", "no/where.md"], "no/where.md: No such file or directory; check the name"),
    (["pack", "good.jsonl", "-o", "good.jsonl/out", "--tokenizer", "tokenizer"], "nothing can be written there"),
    (["pack", "good.jsonl", "-o", "", "--tokenizer", "tokenizer"], "expected the name of a folder to make"),
    (["pack", "good.jsonl", "-o", ".", "--tokenizer", "tokenizer", "--force"], "expected the name of a folder to make"),
    (["curate", "good.jsonl", "-o", "good.jsonl/out"], "nothing can be written there"),
    (["split", "good.jsonl", "-o", "good.jsonl/out"], "nothing can be written there"),
    (["demo", "-o", "good.jsonl"], "good.jsonl: expected a folder for the demo, found a file; choose another with -o"),
    (["demo", "-o", "packed"], "packed: expected a new or empty folder, or one that the demo made, found other things"),
    (["demo", "-o", ""], "expected a new or empty folder"),
    (["report", "version", "-o", "folder"], "folder: expected the name of an HTML file, found a folder"),
    (["report", "version", "-o", "good.jsonl"], "good.jsonl exists and is no report; choose another name, or --force"),
    # settings
    (["curate", "good.jsonl", "-o", "out", "--config", "absent.yaml"], "--config absent.yaml: No such file or directory"),
    (["curate", "good.jsonl", "-o", "out", "--config", "no_section.yaml"], 'unknown section "currate"; did you mean "curate"?'),
    (["curate", "good.jsonl", "-o", "out", "--config", "no_option.yaml"], 'unknown option "reciep"; did you mean "recipe"?'),
    (["curate", "good.jsonl", "-o", "out", "--config", "no_mapping.yaml"], "section curate: expected options (`name: value`), found int"),
    (["curate", "good.jsonl", "-o", "out", "--config", "no_yaml.yaml"], "--config no_yaml.yaml, line 2: expected YAML, found: "),
    (["curate", "good.jsonl", "-o", "out", "--config", "no_text.yaml"], "save it as UTF-8"),
    (["curate", "good.jsonl", "-o", "out", "--set", "reciep=x"], '--set: unknown option "reciep"; did you mean "recipe"?'),
    (["curate", "good.jsonl", "-o", "out", "--set", "recipe"], "--set recipe: expected KEY=VALUE"),
    (["curate", "good.jsonl", "-o", "out", "--set", "force=maybe"], "'maybe' is not a valid boolean"),
    (["detect", "good.jsonl", "--set", "only=[refusal"], "--set, only: expected a list ([a, b]), found [refusal"),
    (["curate", "good.jsonl", "-o", "out", "--threads", "0"], "0 is not in the range x>=1"),
    (["curat", "good.jsonl"], 'unknown command "curat"; did you mean "curate"?'),
])  # fmt: skip
def test_misuse(arguments: list[str], expected: str) -> None:
    if arguments[0] == "report":
        pytest.importorskip("altair")
    if arguments[0] not in COMMANDS:
        done = run(*arguments)
        assert (done.exit_code, done.stdout) == (2, "")
        assert expected in done.stderr
    else:
        assert expected in refused(*arguments)


def test_a_defect_of_ours_is_one_line_and_its_traceback_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("tunesmith.detection.check", lambda *_, **__: 1 / 0)
    told = run("check", "good.jsonl", "--json")
    assert (told.exit_code, told.stdout) == (2, "")
    assert "defect of tunesmith, not of your input: ZeroDivisionError" in told.stderr
    assert "Traceback" not in told.stderr
    log = Path(told.stderr.strip().rsplit(" ", 1)[1])
    assert "ZeroDivisionError: division by zero" in log.read_text()


@pytest.mark.parametrize("verb", ["curate", "split", "convert"])
def test_a_disk_that_is_full(verb: str, place: Path) -> None:
    """A limit on the size of files stands in for it: the system refuses to write on, as it does when there is no room."""
    limited = "import resource as r; r.setrlimit(r.RLIMIT_FSIZE, (256, 256)); from tunesmith.cli import main; main({!r})"
    arguments = ["good.jsonl" if word == "SOURCE" else word for word in READERS[verb]]
    done = subprocess.run([sys.executable, "-c", limited.format(arguments)], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"error: (.*: )?File too large; allow larger files .*", done.stderr.splitlines()[-1])
    assert not (place / "out").exists()
    assert not list(place.glob(".*.work"))
    shutil.rmtree(place / "out.work", ignore_errors=True)


def test_hostile_rows_and_names_never_steer_the_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    evil = "say \x1b[31mred\x1b]0;title\x07 \u202eback [/b] [red]"
    name = "evil\x1b[2J[b].jsonl"
    rows = [{"instruction": evil, "output": evil}, {"instruction": evil, "output": evil}, {"instruction": 3, "output": evil}]
    Path(name).write_text("\n".join(map(json.dumps, rows)))
    for arguments in (
        ["check", name], ["profile", name], ["detect", name, "--show", "3"], ["curate", name, "-o", "out"], ["explain", "out", "0"],
        ["explain", "out", "1"], ["diff", "out", "out"], ["check", name + ".gone"],
    ):  # fmt: skip
        done = run(*arguments)
        assert done.exit_code in (0, 1, 2)
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e]", done.output), arguments
    assert pl.read_parquet("out/rows.parquet").height == 1
