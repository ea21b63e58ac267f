"""Rows at addresses: the files behind one, and their bytes."""

from __future__ import annotations

from typing import BinaryIO, cast

from tunesmith.rows.contents import Content
from tunesmith.stores import file_system, told


class Remote:
    """A place behind an address."""

    def __init__(self, address: str) -> None:
        """Find who speaks the scheme.

        Raises:
            MissingExtraError: If the package that does is not installed.
            InputError: If no one does.
        """
        self._fs, self._path = file_system(address)
        self.address = address

    def files(self) -> dict[str, str]:
        """List every file below it: relative name to path; of a file, itself; of a pattern, what matches."""
        with told(self.address):
            self._fs.invalidate_cache()
            if any(character in self._path for character in "*?["):
                found = sorted(str(path) for path in self._fs.glob(self._path))
                return {path.rpartition("/")[2]: path for path in found} if _distinct(found) else {path: path for path in found}
            if self._fs.isfile(self._path):
                return {self._path.rpartition("/")[2]: self._path}
            below = self._path.rstrip("/") + "/"
            return {str(path).removeprefix(below): str(path) for path in sorted(self._fs.find(self._path))}

    @property
    def folder(self) -> bool:
        """Tell whether it is neither a file nor a pattern."""
        return not any(character in self._path for character in "*?[") and not self._isfile()

    def _isfile(self) -> bool:
        with told(self.address):
            return bool(self._fs.isfile(self._path))

    def text(self, path: str) -> str:
        """Read a small file."""
        with told(self.address):
            return cast(bytes, self._fs.cat_file(path)).decode("utf-8", "replace")

    def content(self, path: str) -> Content:
        """Name one of its files."""
        place = str(self._fs.unstrip_protocol(path))

        def opened() -> BinaryIO:
            with told(place):
                return cast(BinaryIO, self._fs.open(path, "rb"))

        return Content(place=place, name=path.rpartition("/")[2].partition("?")[0], open=opened)


def _distinct(paths: list[str]) -> bool:
    return len({path.rpartition("/")[2] for path in paths}) == len(paths)
