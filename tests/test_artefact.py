"""Artefacts on disk: whole or not there, reused, refused, replaced; nothing of the user's is lost."""

import json
import os
import subprocess
import sys

import pytest

from tunesmith.artefact import MANIFEST, Manifest, finished, is_artefact, read_manifest, writing
from tunesmith.errors import ArtefactError


def make(out, text="x", **options):
    with writing(out) as work:
        (work.folder / "file").write_text(text)
        work.finish(Manifest(kind="pack", inputs={}, options=options, hash="0" * 32))


def test_an_output_is_not_replaced_by_what_is_made_from_it(tmp_path):
    make(tmp_path / "out")
    for source in (tmp_path / "out", str(tmp_path / "out" / "file"), tmp_path / "out" / ".." / "out"):
        with pytest.raises(ArtefactError, match="which it would be made from, lies in it"):
            finished(tmp_path / "out", kind="pack", inputs={}, options={"a": 1}, sources=(source,), force=True)
    apart = (tmp_path / "other", tmp_path, [{"instruction": "x"}], None)
    assert finished(tmp_path / "out", kind="pack", inputs={}, options={"a": 1}, sources=apart, force=True) is None


def test_an_artefact_appears_whole(tmp_path):
    out = tmp_path / "deep" / "er" / "out"
    with writing(out) as work:
        (work.folder / "file").write_text("x")
        assert not out.exists()
        work.finish(Manifest(kind="pack", inputs={}, options={}, hash="0" * 32))
        assert not out.exists()
    assert sorted(path.name for path in out.parent.iterdir()) == ["out"]
    assert sorted(path.name for path in out.iterdir()) == ["file", MANIFEST]
    assert json.loads((out / MANIFEST).read_text())["format"] == 1


@pytest.mark.parametrize("end", ["error", "unfinished"])
def test_what_is_not_finished_leaves_the_old(tmp_path, end):
    make(tmp_path / "out", "old")

    def again():
        with writing(tmp_path / "out") as work:
            (work.folder / "file").write_text("new")
            if end == "error":
                raise KeyError

    if end == "error":
        with pytest.raises(KeyError):
            again()
    else:
        again()
    assert (tmp_path / "out" / "file").read_text() == "old"
    assert (tmp_path / "out.work" / "file").read_text() == "new"  # for whoever can go on


def test_a_kill_leaves_the_old_and_the_lock_free(tmp_path):
    make(tmp_path / "out", "old")
    script = (
        "import os, signal, sys; from tunesmith.artefact import writing\n"
        "with writing(sys.argv[1]) as work: (work.folder / 'half').write_text('x'); os.kill(os.getpid(), signal.SIGKILL)"
    )
    assert subprocess.run([sys.executable, "-c", script, str(tmp_path / "out")], check=False).returncode == -9
    assert (tmp_path / "out" / "file").read_text() == "old"
    assert (tmp_path / "out.work" / "half").exists()
    make(tmp_path / "out", "new")
    assert (tmp_path / "out" / "file").read_text() == "new"
    assert not (tmp_path / "out.work").exists()


def test_two_runs_do_not_write_the_same(tmp_path):
    with writing(tmp_path / "out"), pytest.raises(ArtefactError, match="in use by another run"), writing(tmp_path / "out"):
        pass


def test_same_work_is_reused_and_other_work_is_refused(tmp_path):
    out = tmp_path / "out"
    make(out, size=(1, 2))
    made = finished(out, kind="pack", inputs={}, options={"size": [1, 2]})
    assert made is not None
    assert made.hash == "0" * 32
    for wrong in ({"options": {"size": 3}}, {"inputs": {"a": "b"}}, {"kind": "run"}):
        with pytest.raises(ArtefactError, match="--force"):
            finished(out, **{"kind": "pack", "inputs": {}, "options": {"size": [1, 2]}, **wrong})
    assert finished(out, kind="pack", inputs={}, options={"size": [1, 2]}, force=True) is None
    assert finished(tmp_path / "other", kind="pack", inputs={}, options={}) is None


def test_an_older_artefact_is_replaced(tmp_path):
    make(tmp_path / "out", "old")
    make(tmp_path / "out", "new")
    assert (tmp_path / "out" / "file").read_text() == "new"
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


@pytest.mark.parametrize("mine", ["file", "folder"])
def test_what_tunesmith_did_not_write_is_kept_beside(tmp_path, mine):
    out = tmp_path / "out"
    (tmp_path / "out.old").write_text("mine, too")
    if mine == "folder":
        out.mkdir()
    (out / "thesis.tex" if mine == "folder" else out).write_text("years of work")
    make(out)
    assert is_artefact(out, "pack")
    kept = tmp_path / "out.old2"
    assert (kept / "thesis.tex" if mine == "folder" else kept).read_text() == "years of work"
    assert (tmp_path / "out.old").read_text() == "mine, too"


def test_a_link_is_followed(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "out").symlink_to(tmp_path / "disk" / "real")
    make(tmp_path / "out", "old")
    make(tmp_path / "out", "new")
    assert (tmp_path / "out").is_symlink()
    assert (tmp_path / "disk" / "real" / "file").read_text() == "new"


@pytest.mark.parametrize("name", ["", ".", "..", "/", "a/.."])
def test_a_name_is_needed(name, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for attempt in (lambda: make(name), lambda: finished(name, kind="pack", inputs={}, options={}, force=True)):
        with pytest.raises(ArtefactError, match="expected the name of a folder"):
            attempt()


def test_where_nothing_can_be_written_is_said(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(ArtefactError, match=r"nothing can be written there .*; choose another output"):
        make(tmp_path / "file" / "out")
    if os.path.isdir("/proc/self"):  # noqa: PTH112
        with pytest.raises(ArtefactError, match="nothing can be written there"):
            make("/proc/nothing/out")


@pytest.mark.parametrize(
    ("there", "told"),
    [
        (None, "expected an evaluation, found no such folder"),
        ("file", "expected an evaluation, found a file"),
        ("folder", "expected an evaluation, found a folder without manifest.json"),
        ("unfinished", "found unfinished work in .*out.work; give the command that makes it again"),
        ("pack", "expected an evaluation, found a pack"),
        ("{", "expected JSON, found"),
        ("[]", "expected format 1, found list"),
        ('{"format": 2}', "expected format 1, found format 2"),
        ('{"format": 1, "kind": "evaluation", "hash": ""}', "found no inputs, options; make the artefact again"),
    ],
)
def test_what_is_no_artefact_is_told(tmp_path, there, told):
    out = tmp_path / "out"
    if there == "file":
        out.write_text("x")
    elif there == "unfinished":
        (tmp_path / "out.work").mkdir()
    elif there == "pack":
        make(out)
    elif there is not None:
        out.mkdir()
        if there != "folder":
            (out / MANIFEST).write_text(there)
    with pytest.raises(ArtefactError, match=told):
        read_manifest(out, "evaluation")
    assert not is_artefact(out, "evaluation")
