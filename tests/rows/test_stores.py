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

from rows.hub_stand_in import hub
from tunesmith.errors import InputError
from tunesmith.rows import read

LINES = "".join(json.dumps({"instruction": f"a{k}", "output": "b"}) + "\n" for k in range(3)).encode()


def checked(address, **environment):
    """Check an address as a user does, where endpoints and credentials are said in the environment."""
    inherited = {name: value for name, value in os.environ.items() if name != "HF_HUB_OFFLINE"}
    command = [sys.executable, "-m", "tunesmith", "check", address, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=inherited | environment)
    return done.returncode, json.loads(done.stdout) if done.stdout else {}, done.stderr


@pytest.mark.slow
def test_s3(monkeypatch):
    s3fs = pytest.importorskip("s3fs")
    moto = pytest.importorskip("moto.server")
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    for name, value in {"ACCESS_KEY_ID": "k", "SECRET_ACCESS_KEY": "s", "DEFAULT_REGION": "us-east-1"}.items():
        monkeypatch.setenv(f"AWS_{name}", value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://{host}:{port}")
    try:
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
    finally:
        server.stop()


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
