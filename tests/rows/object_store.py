"""Object stores of this machine: an S3 server, with accounts and rights where a test asks for them; Google's and Azure's emulators.

The latter two are no development dependencies: ``make peers`` installs them (but for Azurite: ``npm install -g azurite``).
"""

import json
import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from unittest import mock

import pytest


@contextmanager
def s3() -> Iterator[str]:
    """Serve S3, and say so in the environment, as users do; gives the endpoint. Buckets are gone afterwards."""
    import s3fs
    from moto import server as moto

    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    said = {"ACCESS_KEY_ID": "k", "SECRET_ACCESS_KEY": "s", "DEFAULT_REGION": "us-east-1", "ENDPOINT_URL": f"http://{host}:{port}"}
    with mock.patch.dict(os.environ, {f"AWS_{name}": value for name, value in said.items()}):
        s3fs.S3FileSystem.clear_instance_cache()
        _post(said["ENDPOINT_URL"], "reset")
        try:
            yield said["ENDPOINT_URL"]
        finally:
            _post(said["ENDPOINT_URL"], "reset")
            server.stop()
            s3fs.S3FileSystem.clear_instance_cache()


@contextmanager
def as_someone(endpoint: str, *allowed: str) -> Iterator[None]:
    """Be a user who may do this and nothing else; no one else may do anything meanwhile."""
    import boto3
    import s3fs

    iam = boto3.client("iam", endpoint_url=endpoint)
    name = f"allowed-{len(allowed)}"
    iam.create_user(UserName=name)
    if allowed:
        policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": list(allowed), "Resource": "*"}]}
        iam.put_user_policy(UserName=name, PolicyName="p", PolicyDocument=json.dumps(policy))
    key = iam.create_access_key(UserName=name)["AccessKey"]
    said = {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}
    with mock.patch.dict(os.environ, said):
        s3fs.S3FileSystem.clear_instance_cache()
        _post(endpoint, "reset-auth", "0")
        try:
            yield
        finally:
            _post(endpoint, "reset-auth", "inf")
            s3fs.S3FileSystem.clear_instance_cache()


@contextmanager
def google() -> Iterator[str]:
    """Serve Google Cloud Storage, with a bucket; gives its address."""
    pytest.importorskip("gcsfs")
    emulator = pytest.importorskip("gcp_storage_emulator.server")
    port = _free_port()
    server = emulator.create_server("127.0.0.1", port, True, "bucket")
    server.start()
    try:
        with mock.patch.dict(os.environ, {"STORAGE_EMULATOR_HOST": f"http://127.0.0.1:{port}"}):
            yield "gs://bucket"
    finally:
        server.stop()


@contextmanager
def azure() -> Iterator[str]:
    """Serve Azure Blob Storage, with a container; gives its address."""
    adlfs = pytest.importorskip("adlfs")
    program = shutil.which("azurite-blob") or pytest.skip("azurite is not installed")
    port = _free_port()
    # The account that Azurite documents for everybody.
    key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
    said = f"AccountName=devstoreaccount1;AccountKey={key};BlobEndpoint=http://127.0.0.1:{port}/devstoreaccount1;"
    options = ["--inMemoryPersistence", "--silent", "--skipApiVersionCheck", "--disableTelemetry", "--blobPort", str(port)]
    server = subprocess.Popen([program, *options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        with mock.patch.dict(os.environ, {"AZURE_STORAGE_CONNECTION_STRING": f"DefaultEndpointsProtocol=http;{said}"}):
            adlfs.AzureBlobFileSystem(connection_string=os.environ["AZURE_STORAGE_CONNECTION_STRING"]).mkdir("bucket")
            yield "az://bucket"
    finally:
        server.terminate()
        server.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(port: int) -> None:
    for _ in range(200):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)


def _post(endpoint: str, name: str, body: str = "") -> None:
    request = urllib.request.Request(
        f"{endpoint}/moto-api/{name}", data=body.encode(), method="POST", headers={"Content-Type": "text/plain"}
    )
    with urllib.request.urlopen(request) as answer:
        answer.read()
