"""Addresses: s3://, gs://, az://, hf:// and http(s)://, through fsspec and the package that speaks each."""

from __future__ import annotations

from typing import Any, BinaryIO, cast

from tunesmith.errors import InputError, MissingExtraError
from tunesmith.rows.contents import Content

_EXTRAS = {
    "s3": ("s3fs", "s3"), "s3a": ("s3fs", "s3"),
    "gs": ("gcsfs", "gcs"), "gcs": ("gcsfs", "gcs"),
    "az": ("adlfs", "azure"), "abfs": ("adlfs", "azure"), "abfss": ("adlfs", "azure"),
    "hf": ("huggingface_hub", "hub"),
    "http": ("aiohttp", "http"), "https": ("aiohttp", "http"),
}  # fmt: skip
"""Scheme to the package that speaks it, and the extra that installs it."""


class Remote:
    """A place behind an address.

    Credentials, endpoints and proxies are those that the package in charge finds: its files and variables, never ours.
    """

    def __init__(self, address: str) -> None:
        """Find who speaks the scheme.

        Raises:
            MissingExtraError: If the package that does is not installed.
            InputError: If no one does.
        """
        scheme = address.partition("://")[0].lower()
        package, extra = _EXTRAS.get(scheme, ("fsspec", "s3"))
        try:
            import fsspec

            self._fs, self._path = fsspec.core.url_to_fs(address)
        except ImportError as error:
            raise MissingExtraError(package, extra, f"{address}: reading it") from error
        except ValueError as error:
            known = ", ".join(f"{name}://" for name in ("s3", "gs", "az", "hf", "http", "https"))
            raise InputError(f"{address}: expected an address that begins with {known}, found {scheme}://: {error}") from error
        except Exception as error:
            raise _failed(address, error) from error
        self.address = address

    def files(self) -> dict[str, str]:
        """List every file below it: relative name to path; of a file, itself; of a pattern, what matches."""
        try:
            if any(character in self._path for character in "*?["):
                found = sorted(str(path) for path in self._fs.glob(self._path))
                return {path.rpartition("/")[2]: path for path in found} if _distinct(found) else {path: path for path in found}
            if self._fs.isfile(self._path):
                return {self._path.rpartition("/")[2]: self._path}
            below = self._path.rstrip("/") + "/"
            return {str(path).removeprefix(below): str(path) for path in sorted(self._fs.find(self._path))}
        except Exception as error:
            raise _failed(self.address, error) from error

    @property
    def folder(self) -> bool:
        """Tell whether it is neither a file nor a pattern."""
        return not any(character in self._path for character in "*?[") and not self._isfile()

    def _isfile(self) -> bool:
        try:
            return bool(self._fs.isfile(self._path))
        except Exception as error:
            raise _failed(self.address, error) from error

    def text(self, path: str) -> str:
        """Read a small file."""
        try:
            return cast(bytes, self._fs.cat_file(path)).decode("utf-8", "replace")
        except Exception as error:
            raise _failed(self.address, error) from error

    def content(self, path: str) -> Content:
        """Name one of its files."""
        place = str(self._fs.unstrip_protocol(path))

        def opened() -> BinaryIO:
            try:
                return cast(BinaryIO, self._fs.open(path, "rb"))
            except Exception as error:
                raise _failed(place, error) from error

        return Content(place=place, name=path.rpartition("/")[2].partition("?")[0], open=opened)


def _distinct(paths: list[str]) -> bool:
    return len({path.rpartition("/")[2] for path in paths}) == len(paths)


def _failed(address: str, error: Any) -> InputError:
    """Say what a file system's own error says: each package has its own classes."""
    said = str(error).strip().splitlines()
    what = f"{type(error).__name__}{': ' + said[0] if said else ''}"
    return InputError(f"{address}: cannot be read: {what}; check the address, and that its credentials are set up")
