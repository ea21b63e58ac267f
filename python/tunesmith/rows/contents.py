"""A file's bytes wherever they lie: unpacked, as UTF-8, in chunks, as often as they are asked for."""

from __future__ import annotations

import codecs
import gzip
import io
import shutil
import tempfile
from collections.abc import Callable, Generator
from dataclasses import dataclass
from pathlib import Path, PurePath, PurePosixPath
from typing import BinaryIO, cast

from tunesmith import core
from tunesmith.errors import InputError

CHUNK = 1 << 24
"""Bytes that are held at a time where a file is read block by block."""
PACKED = (".gz", ".zst")
_GZIP, _ZSTD = b"\x1f\x8b", b"\x28\xb5\x2f\xfd"
_HEAD = 4096
_IN_MEMORY = 1 << 26
"""Bytes of a pipe that are kept in memory; more go to a temporary file."""
_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
"""Byte order marks, those first that begin like another."""


@dataclass(frozen=True, kw_only=True)
class Content:
    """One file.

    Attributes:
        place: What messages call it.
        name: Its name, whose endings tell what it is.
        open: Opens its bytes as they lie.
        path: Where it lies, if it is a plain file of this machine.
    """

    place: str
    name: str
    open: Callable[[], BinaryIO]
    path: Path | None = None

    @property
    def ending(self) -> str:
        """The ending that tells the format, a compression's left out."""
        return ending(self.name)

    @property
    def packed(self) -> bool:
        """Tell whether its bytes as they lie are packed."""
        with self.open() as stream:
            head = stream.read(4) or b""
        return head.startswith((_GZIP, _ZSTD)) or PurePosixPath(self.name).suffix.lower() in PACKED

    def unpacked(self) -> BinaryIO:
        """Open its bytes, unpacked where they begin as gzip and zstd do (or its name says that they must)."""
        stream = cast(BinaryIO, io.BufferedReader(cast(io.RawIOBase, self.open()), buffer_size=1 << 17))
        head = _peek(stream, 4)
        suffix = PurePosixPath(self.name).suffix.lower()
        if head.startswith(_GZIP) or suffix == ".gz":
            return cast(BinaryIO, io.BufferedReader(_Gzip(stream), buffer_size=1 << 17))
        return core.unzstd(stream) if head.startswith(_ZSTD) or suffix == ".zst" else stream

    def head(self) -> bytes:
        """Give its first bytes, unpacked."""
        with self.unpacked() as stream:
            return stream.read(_HEAD)

    def whole(self) -> bytes:
        """Give all its bytes, unpacked."""
        with self.unpacked() as stream:
            return stream.read()

    def text(self) -> Generator[bytes]:
        """Give its text in chunks of UTF-8; UTF-16 and UTF-32 are told by their byte order marks.

        Bytes that are not UTF-8 are passed on: who reads them says which row they cost.

        Raises:
            InputError: If UTF-16 or UTF-32 is damaged; names the byte.
        """
        with self.unpacked() as stream:
            mark, encoding = encoding_of(_peek(stream, 4))
            if encoding == "utf-8":
                while chunk := stream.read(CHUNK):
                    yield chunk
                return
            stream.read(len(mark))
            decoder, at = codecs.getincrementaldecoder(encoding)(), len(mark)
            while True:
                chunk = stream.read(CHUNK)
                waiting = len(decoder.getstate()[0])
                try:
                    text = decoder.decode(chunk, not chunk)
                except UnicodeDecodeError as error:
                    byte = at - waiting + error.start
                    found = error.object[error.start : error.end].hex(" ")
                    raise InputError(
                        f"{self.place}: expected {encoding.upper()}, as its byte order mark says, found bytes {found} at byte {byte}; "
                        "save it as UTF-8"
                    ) from error
                at += len(chunk)
                if text:
                    yield text.encode("utf-8", "surrogatepass")
                if not chunk:
                    return

    @property
    def transcoded(self) -> bool:
        """Tell whether its text is not UTF-8 as it lies."""
        return encoding_of(self.head()[:4])[1] != "utf-8"


class _Gzip(gzip.GzipFile):
    """Gzip over a stream that is closed with it."""

    def __init__(self, stream: BinaryIO) -> None:
        super().__init__(fileobj=stream, mode="rb")
        self._stream = stream

    def close(self) -> None:
        super().close()
        self._stream.close()


def _peek(stream: BinaryIO, size: int) -> bytes:
    return cast(io.BufferedReader, stream).peek(size)[:size]


def encoding_of(head: bytes) -> tuple[bytes, str]:
    r"""Tell a text's byte order mark and encoding by its first four bytes.

    Without a mark, two ASCII characters with zeros between are UTF-16 (RFC 4627, section 3).

    >>> encoding_of(b"\xff\xfe[\x00"), encoding_of(b"[\x00{\x00"), encoding_of(b'[{"a')
    ((b'\xff\xfe', 'utf-16-le'), (b'', 'utf-16-le'), (b'', 'utf-8'))
    """
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return mark, encoding
    if len(head) == 4:
        zeros = tuple(byte == 0 for byte in head)
        if zeros == (False, True, False, True):
            return b"", "utf-16-le"
        if zeros == (True, False, True, False):
            return b"", "utf-16-be"
    return b"", "utf-8"


def ending(name: str | PurePath) -> str:
    """Give the ending that tells the format, a compression's left out.

    >>> ending("rows.jsonl.gz"), ending("rows.CSV"), ending("rows")
    ('.jsonl', '.csv', '')
    """
    path = PurePosixPath(name)
    inner = path.with_suffix("") if path.suffix.lower() in PACKED else path
    return inner.suffix.lower()


def on_disk(path: Path) -> Content:
    """Name a file of this machine; a pipe (``<(zcat rows.gz)``) can be read once, and is kept."""
    if path.is_file():
        return Content(place=str(path), name=path.name, open=lambda: path.open("rb", buffering=0), path=path)
    return Content(place=str(path), name=path.name, open=_Kept(lambda: path.open("rb")).open)


def piped(stream: BinaryIO) -> Content:
    """Name standard input."""
    return Content(place="standard input", name="-", open=_Kept(lambda: stream).open)


class _Kept:
    """A stream that can be read once, kept so that it can be read again."""

    def __init__(self, source: Callable[[], BinaryIO]) -> None:
        self._source = source
        self._file: tempfile.SpooledTemporaryFile[bytes] | None = None

    def open(self) -> BinaryIO:
        if self._file is None:
            self._file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115  (lives as long as this)
            shutil.copyfileobj(self._source(), self._file, 1 << 20)
        return cast(BinaryIO, _View(self._file))


class _View(io.RawIOBase):
    """One reading of a kept stream, from its start; the next one begins where the last has ended."""

    def __init__(self, file: tempfile.SpooledTemporaryFile[bytes]) -> None:
        self._file, self._at = file, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        self._file.seek(self._at)
        data = self._file.read(len(view))
        view[: len(data)] = data
        self._at += len(data)
        return len(data)
