"""Places behind addresses: s3://, gs://, az://, hf:// and http(s)://, through fsspec and the package that speaks each.

fsspec is asked for when an address is named; everything else here is the standard library.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Literal, cast

from tunesmith.errors import InputError, MissingExtraError, OptionError

EXTRAS = {
    "s3": ("s3fs", "s3"), "s3a": ("s3fs", "s3"),
    "gs": ("gcsfs", "gcs"), "gcs": ("gcsfs", "gcs"),
    "az": ("adlfs", "azure"), "abfs": ("adlfs", "azure"), "abfss": ("adlfs", "azure"),
    "hf": ("huggingface_hub", "hub"),
    "http": ("aiohttp", "http"), "https": ("aiohttp", "http"),
}  # fmt: skip
"""Scheme to the package that speaks it, and the extra that installs it."""
Doing = Literal["read", "written"]
_READ_ONLY = ("hf", "http", "https")
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+://")
_CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or a profile of ~/.aws",
    "gs": "`gcloud auth application-default login`, or GOOGLE_APPLICATION_CREDENTIALS",
    "az": "AZURE_STORAGE_CONNECTION_STRING, or AZURE_STORAGE_ACCOUNT_NAME with a key or `az login`",
}


def is_address(place: object) -> bool:
    """Tell an address from a path.

    >>> is_address("s3://bucket/v1"), is_address("data/v1"), is_address(Path("v1"))
    (True, False, False)
    """
    return isinstance(place, str) and _ADDRESS.match(place) is not None


def as_place(place: str | Path) -> str | Path:
    """Give a path as a path; an address stays as it is written, without a slash at its end."""
    return place.rstrip("/") if isinstance(place, str) and is_address(place) else Path(place)


def below(place: str | Path, name: str) -> str | Path:
    """Name what lies in a folder, or below an address."""
    return f"{place}/{name}" if isinstance(place, str) else place / name


def scheme_of(address: str) -> str:
    """Give the part before ``://``."""
    return address.partition("://")[0].lower()


def cache_folder() -> Path:
    """Find where copies and unfinished work of addresses lie: ``$XDG_CACHE_HOME/tunesmith``, else ``~/.cache/tunesmith``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tunesmith"


def file_system(address: str, doing: Doing = "read") -> tuple[Any, str]:
    """Find who speaks an address' scheme, and what the address is called there.

    Credentials, endpoints and proxies are those that the package in charge finds: its files and variables, never ours.

    Raises:
        MissingExtraError: If the package that does is not installed.
        InputError: If no one does.
    """
    scheme = scheme_of(address)
    package, extra = EXTRAS.get(scheme, ("fsspec", "s3"))
    try:
        import fsspec

        return cast(tuple[Any, str], fsspec.core.url_to_fs(address))
    except ImportError as error:
        raise MissingExtraError(package, extra, f"{address}: {'reading' if doing == 'read' else 'writing'} it") from error
    except Exception as error:
        if scheme in EXTRAS:
            raise failed(address, error, doing) from error
        known = ", ".join(f"{name}://" for name in ("s3", "gs", "az", "hf", "http", "https"))
        raise InputError(f"{address}: expected an address that begins with {known}, found {scheme}://: {error}") from error


def failed(address: str, error: Any, doing: Doing = "read") -> InputError:
    """Say what a file system's own error says, and what to do: each package has its own classes."""
    said = str(error).strip().splitlines()
    what = f"{type(error).__name__}{': ' + said[0] if said else ''}"
    return InputError(f"{address}: cannot be {doing}: {what}; {_advice(scheme_of(address), what, error, doing)}")


def _advice(scheme: str, what: str, error: Any, doing: Doing) -> str:
    store = {"s3a": "s3", "gcs": "gs", "abfs": "az", "abfss": "az"}.get(scheme, scheme)
    found = what.lower()
    if isinstance(error, FileNotFoundError) or any(word in found for word in ("nosuchbucket", "resourcenotfound", "does not exist")):
        return "check the address: its bucket must be there" + (" (make it first)" if doing == "written" else "")
    if any(word in found for word in ("credential", "connection_string", "account_name", "anonymous")):
        known = _CREDENTIALS.get(store)
        return f"set up credentials{f': {known}' if known else ''}"
    if isinstance(error, PermissionError):
        rights = "to list, write and delete" if doing == "written" else "to list and read"
        return f"check the address, and that its credentials are set up and have the right {rights} there"
    if "connect" in found or "timeout" in found:
        return "check the network, and the endpoint that is set for it"
    return "check the address, and that its credentials are set up"


@contextmanager
def told(address: str, doing: Doing = "read") -> Iterator[None]:
    """Say in our words what goes wrong with an address.

    Raises:
        InputError: For whatever the package in charge raises.
    """
    try:
        yield
    except InputError:
        raise
    except Exception as error:
        raise failed(address, error, doing) from error


class Store:
    """A folder at an address.

    Names are relative: ``rows.parquet``, ``train/rows.parquet``.
    """

    def __init__(self, address: str, doing: Doing = "read") -> None:
        """Open it.

        Raises:
            MissingExtraError: If the package that speaks the scheme is not installed.
            OptionError: If it is to be written and cannot be, as the hub and the web.
            InputError: If no one speaks the scheme.
        """
        if doing == "written" and scheme_of(address) in _READ_ONLY:
            to = "export it (`--for hub`), and upload the folder with `hf upload`" if scheme_of(address) == "hf" else "write a folder"
            raise OptionError(f"{address}: expected a place to write to (a folder, s3://, gs://, az://); {to}")
        self._fs, path = file_system(address, doing)
        self._path, self._doing = path.rstrip("/"), doing
        self.address = address

    def files(self) -> dict[str, Mapping[str, Any]]:
        """List every file below it, as it is now: name to what the store says of it.

        Raises:
            InputError: If it cannot be listed, or a name would lead out of the folder that it is copied to.
        """
        with told(self.address, self._doing):
            self._fs.invalidate_cache()
            found = self._fs.find(self._path, detail=True)
        below = f"{self._path}/"
        files = {path.removeprefix(below): info for path, info in found.items() if path.startswith(below) and not path.endswith("/")}
        for name in files:
            if any(part in ("", ".", "..") for part in name.split("/")):
                raise InputError(f"{self.address}: expected names of files below it, found {name!r}; it is not an artefact of tunesmith")
        return files

    def text(self, name: str) -> str | None:
        """Read a small file; None if there is none."""
        try:
            with told(self.address, self._doing):
                self._fs.invalidate_cache()
                return cast(bytes, self._fs.cat_file(f"{self._path}/{name}")).decode("utf-8", "replace")
        except InputError as error:
            if isinstance(error.__cause__, FileNotFoundError | NotADirectoryError):
                return None
            raise

    def has(self, name: str) -> bool:
        """Tell whether there is a file of this name."""
        with told(self.address, self._doing):
            self._fs.invalidate_cache()
            return bool(self._fs.exists(f"{self._path}/{name}"))

    def fetch(self, name: str, file: Path) -> None:
        """Copy a file from there, whole or not at all."""
        beside = file.with_name(f"{file.name}.fetching")
        file.parent.mkdir(parents=True, exist_ok=True)
        with told(f"{self.address}/{name}"):
            self._fs.get_file(f"{self._path}/{name}", str(beside))
        beside.replace(file)

    def send(self, file: Path, name: str, sent: Callable[[int], None] = lambda _bytes: None) -> Mapping[str, Any]:
        """Copy a file there, telling `sent` the bytes so far; give what the store says of it."""
        from fsspec.callbacks import Callback

        with told(f"{self.address}/{name}", "written"):
            callback = Callback(hooks={"sent": lambda _size, value, **_: sent(int(value))})
            self._fs.put_file(str(file), f"{self._path}/{name}", callback=callback)
            self._fs.invalidate_cache()
            return cast(Mapping[str, Any], self._fs.info(f"{self._path}/{name}"))

    def write(self, name: str, text: str) -> None:
        """Write a small file."""
        with told(f"{self.address}/{name}", "written"):
            self._fs.pipe_file(f"{self._path}/{name}", text.encode())

    def remove(self, names: Iterable[str]) -> None:
        """Delete files, in this order."""
        with told(self.address, "written"):
            for name in names:
                self._fs.rm_file(f"{self._path}/{name}")

    def remove_empty(self, folders: Iterable[str]) -> None:
        """Delete folders that are empty now, where the store has folders: a file may take the name."""
        for name in folders:
            with suppress(Exception):
                self._fs.rmdir(f"{self._path}/{name}")


_SUMS = ("etag", "ETag", "md5Hash", "content_md5", "blob_id")
_TIMES = ("created", "mtime", "last_modified", "LastModified")


def mark(info: Mapping[str, Any]) -> str:
    """Name the content of a file by what its store says of it, in a listing or alone: its size, with a checksum, else a time.

    >>> mark({"size": 3, "ETag": '"9a0364b9"'}), mark({"size": 3, "created": 12.5})
    ('3 9a0364b9', '3 12.500')
    """
    said = next((str(info[name]).strip('"') for name in _SUMS if info.get(name)), None)
    if said is None:
        when = next((info[name] for name in _TIMES if info.get(name)), "")
        when = when.timestamp() if hasattr(when, "timestamp") else when
        said = f"{when:.3f}" if isinstance(when, int | float) else str(when)
    return f"{info.get('size')} {said}"
