"""Packed bytes: Zstandard, which Python's own library reads from 3.14 on."""

from __future__ import annotations

import io
from typing import BinaryIO, cast

from tunesmith.core import _native


class _Zstd(io.RawIOBase):
    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._reader = _native.ZstdReader(stream)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: object) -> int:
        view = memoryview(buffer)  # type: ignore[arg-type]
        data = self._reader.read(len(view))
        view[: len(data)] = data
        return len(data)

    def close(self) -> None:
        self._stream.close()
        super().close()


def unzstd(stream: BinaryIO) -> BinaryIO:
    """Open the unpacked bytes of a stream of zstd frames; closing it closes `stream`.

    Raises:
        InputError: On reading, if the bytes are damaged or end too early.

    >>> unzstd(io.BytesIO(bytes.fromhex("28b52ffd0458190000616263990977ad"))).read()
    b'abc'
    """
    return cast(BinaryIO, io.BufferedReader(_Zstd(stream), buffer_size=1 << 17))
