"""Addresses over real protocols: an S3 server, a stand-in for the hub, a web server; all of this machine."""

import functools
import gzip
import http.server
import json
import os
import subprocess
import sys
import threading

import polars as pl
import pytest
from click.testing import CliRunner

from rows.hub_stand_in import hub
from rows.object_store import as_someone, azure, google, s3
from tunesmith.cli import main
from tunesmith.errors import InputError
from tunesmith.rows import read, write_version

LINES = "".join(json.dumps({"instruction": f"a{k}", "output": "b"}) + "\n" for k in range(3)).encode()


def checked(address, **environment):
    """Check an address as a user does, where endpoints and credentials are said in the environment."""
    inherited = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
    command = [sys.executable, "-m", "tunesmith", "check", address, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=inherited | environment)
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr


@pytest.mark.slow
def test_s3():
    s3fs = pytest.importorskip("s3fs")
    pytest.importorskip("moto.server")
    with s3():
        store = s3fs.S3FileSystem(skip_instance_cache=True)
        store.mkdir("bucket")
        store.pipe_file("bucket/data/a.jsonl.gz", gzip.compress(LINES))
        with store.open("bucket/data/b.parquet", "wb") as file:
            pl.DataFrame({"instruction": ["c"], "output": ["d"]}).write_parquet(file)
        data = read("s3://bucket/data")
        assert data.frame["instruction"].to_list() == ["a0", "a1", "a2", "c"]
        assert list(data.inputs) == ["a.jsonl.gz", "b.parquet"]
        assert read("s3://bucket/*/*.parquet").frame.height == 1
        with pytest.raises(InputError, match="s3://bucket/none: no such file or folder"):
            read("s3://bucket/none")
        with pytest.raises(InputError, match=r"s3://nowhere/x\.json: cannot be read: .*bucket does not exist"):
            read("s3://nowhere/x.json")


def asked(*arguments, code=0):
    done = CliRunner().invoke(main, [*map(str, arguments), "--json"])
    assert done.exit_code == code, done.output
    return json.loads(done.stdout) if code == 0 else done.stderr


@pytest.mark.slow
def test_versions_on_s3(tmp_path, monkeypatch):
    s3fs = pytest.importorskip("s3fs")
    pytest.importorskip("moto.server")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "rows.jsonl").write_bytes(b"".join(LINES.replace(b"a", bytes([letter])) for letter in b"bcdefg"))
    with s3() as endpoint:
        store = s3fs.S3FileSystem(skip_instance_cache=True)
        store.mkdir("bucket")
        made = asked("curate", "rows.jsonl", "-o", "s3://bucket/v/v1", "--rows-per-file", 4)
        assert (made["kept"], made["reused"], made["out"]) == (18, False, "s3://bucket/v/v1")
        assert len(store.find("bucket/v/v1/rows.parquet")) == 5
        assert asked("curate", "rows.jsonl", "-o", "s3://bucket/v/v1")["reused"] is True
        assert asked("check", "s3://bucket/v/v1")["valid"] == 18
        options = {"storage_options": {"endpoint_url": endpoint, "aws_allow_http": "true"}}
        assert pl.scan_parquet("s3://bucket/v/v1/rows.parquet/*.parquet", **options).collect().height == 18
        parts = asked("split", "s3://bucket/v/v1", "-o", "s3://bucket/parts", "--test", 3, "--validation", 2)
        assert (parts["train"], parts["leaks"]) == (13, 0)
        assert asked("export", "s3://bucket/parts", "-o", "s3://bucket/trl", "--for", "trl")["rows"] == 18
        assert asked("convert", "s3://bucket/parts/train", "s3://bucket/x/rows.jsonl.gz", "--to", "messages")["rows_out"] == 13
        assert asked("check", "s3://bucket/x/rows.jsonl.gz")["valid"] == 13
        (tmp_path / "r.yaml").write_text("steps: [exact_duplicates]")
        assert "--force" in asked("curate", "rows.jsonl", "-o", "s3://bucket/v/v1", "--recipe", "r.yaml", code=2)
        with store.open("bucket/v/v1/ledger.parquet", "wb") as file:
            pl.DataFrame({"a": [1]}).write_parquet(file)
        assert "s3://bucket/v/v1: the content of ledger is not what its manifest states" in asked("check", "s3://bucket/v/v1", code=2)


@pytest.mark.slow
@pytest.mark.parametrize("serve", [google, azure])
def test_versions_on_google_and_azure(tmp_path, monkeypatch, serve):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "rows.jsonl").write_bytes(b"".join(LINES.replace(b"a", bytes([letter])) for letter in b"bcdefg"))
    with serve() as at:
        assert asked("curate", "rows.jsonl", "-o", f"{at}/v1", "--rows-per-file", 4)["kept"] == 18
        assert asked("curate", "rows.jsonl", "-o", f"{at}/v1")["reused"] is True
        assert asked("curate", "rows.jsonl", "-o", f"{at}/v1", "--force")["reused"] is False
        assert asked("check", f"{at}/v1")["valid"] == 18
        assert asked("split", f"{at}/v1", "-o", f"{at}/parts", "--test", 3, "--validation", 2)["leaks"] == 0
        assert asked("export", f"{at}/parts", "-o", f"{at}/trl", "--for", "trl")["rows"] == 18
        assert asked("convert", f"{at}/parts/train", f"{at}/x/rows.jsonl.gz", "--to", "messages")["rows_out"] == 13
        assert asked("check", f"{at}/x/*.gz")["valid"] == 13
        assert "its bucket must be there (make it first)" in asked("curate", "rows.jsonl", "-o", f"{at}-none/v1", code=2)


@pytest.mark.slow
def test_what_s3_refuses(tmp_path, monkeypatch):
    s3fs = pytest.importorskip("s3fs")
    pytest.importorskip("moto.server")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "rows.jsonl").write_bytes(LINES)
    with s3() as endpoint:
        s3fs.S3FileSystem(skip_instance_cache=True).mkdir("bucket")
        said = asked("curate", "rows.jsonl", "-o", "s3://nowhere/v1", code=2)
        assert "s3://nowhere/v1: cannot be written: FileNotFoundError: The specified bucket does not exist" in said
        assert "its bucket must be there (make it first)" in said
        asked("curate", "rows.jsonl", "-o", "s3://bucket/v1")
        with as_someone(endpoint, "s3:ListBucket", "s3:GetObject"):
            assert asked("check", "s3://bucket/v1")["valid"] == 3
            said = asked("curate", "rows.jsonl", "-o", "s3://bucket/v2", code=2)
            assert "PermissionError: Access Denied; check the address, and that its credentials are set up and have the right" in said
            said = asked("convert", "rows.jsonl", "s3://bucket/rows.json", "--to", "alpaca", code=2)
            assert "s3://bucket/rows.json.part: cannot be written: PermissionError" in said
        with as_someone(endpoint):
            assert "s3://bucket/v1: cannot be read: PermissionError" in asked("check", "s3://bucket/v1", code=2)
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.delenv(name)
        monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        s3fs.S3FileSystem.clear_instance_cache()
        said = asked("curate", "rows.jsonl", "-o", "s3://bucket/v3", code=2)
        assert (
            "Unable to locate credentials; set up credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile of ~/.aws" in said
        )


@pytest.mark.slow
def test_the_hub(tmp_path):
    pytest.importorskip("huggingface_hub")
    card = b"---\nconfigs:\n- config_name: default\n  data_files:\n  - {split: train, path: data/train-*}\n---\n"
    pl.DataFrame({"instruction": ["c"], "output": ["d"]}).write_parquet(tmp_path / "x.parquet")
    files = {
        ".gitattributes": b"", "README.md": card, "data/train-0.jsonl": LINES,
        "data/train-1.parquet": (tmp_path / "x.parquet").read_bytes(), "old/train-0.jsonl": LINES,
    }  # fmt: skip
    with hub("org/name", files) as endpoint:
        environment = {"HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path / "home")}
        code, result, said = checked("hf://datasets/org/name", **environment)
        assert (code, result.get("format"), result.get("valid")) == (0, "alpaca", 4), said
        assert checked("hf://datasets/org/name/data/train-0.jsonl", **environment)[1].get("valid") == 3
        code, _, said = checked("hf://datasets/org/other", **environment)
        assert code == 2
        assert "hf://datasets/org/other" in said


@pytest.mark.slow
def test_a_version_on_the_hub(tmp_path):
    pytest.importorskip("huggingface_hub")
    rows = [{"instruction": f"a{k}", "output": "b"} for k in range(9)]
    write_version(tmp_path / "v", frame=read(rows).frame, inputs={}, options={}, rows_per_file=4)
    files = {path.relative_to(tmp_path / "v").as_posix(): path.read_bytes() for path in (tmp_path / "v").rglob("*") if path.is_file()}
    environment = {"HF_HOME": str(tmp_path / "home"), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    with hub("org/name", files) as endpoint:
        code, result, said = checked("hf://datasets/org/name", HF_ENDPOINT=endpoint, **environment)
        assert (code, result.get("format"), result.get("valid")) == (0, "tunesmith", 9), said
    files["rows.parquet/part-00001.parquet"] = files["rows.parquet/part-00000.parquet"]
    with hub("org/name", files) as endpoint:
        code, _, said = checked("hf://datasets/org/name", HF_ENDPOINT=endpoint, **environment)
        assert code == 2
        assert "hf://datasets/org/name: the content of rows (part-00001.parquet) is not what its manifest states" in said


@pytest.mark.slow
def test_a_web_server(tmp_path):
    pytest.importorskip("aiohttp")
    (tmp_path / "rows.jsonl.gz").write_bytes(gzip.compress(LINES))
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=tmp_path)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        address = f"http://127.0.0.1:{server.server_port}/rows.jsonl.gz"
        data = read(address)
        assert (data.frame.height, list(data.inputs)) == (3, ["rows.jsonl.gz"])
        with pytest.raises(InputError, match=r"gone\.json: "):
            read(address.replace("rows.jsonl.gz", "gone.json"))
    finally:
        server.shutdown()
        server.server_close()
