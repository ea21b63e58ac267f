"""Values computed once and kept by content, in a folder that the caller names."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Iterable, Mapping
from contextlib import closing
from pathlib import Path

from tunesmith.errors import InputError


class Cache:
    """Bytes by key in one SQLite file: whole or not there after a crash, and safe between processes.

    A key is a hash of everything that decides the value (model, text, options), so an entry is never stale.

    >>> import tempfile
    >>> cache = Cache(tempfile.mkdtemp(), "embeddings")
    >>> cache.put({key("minilm", "hello"): b"vector"})
    >>> cache.get([key("minilm", "hello"), key("minilm", "unseen")]) == {key("minilm", "hello"): b"vector"}
    True
    """

    def __init__(self, folder: str | Path, name: str) -> None:
        self.path = Path(folder) / f"{name}.sqlite"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with closing(self._open()) as connection, connection:
            connection.execute("CREATE TABLE IF NOT EXISTS entries (key BLOB PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID")

    def _open(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(self.path, timeout=60)
            connection.execute("PRAGMA synchronous = NORMAL")
        except sqlite3.DatabaseError as error:
            raise InputError(f"{self.path}: expected a cache, found {error}; delete it and run again") from error
        return connection

    def get(self, keys: Iterable[bytes]) -> dict[bytes, bytes]:
        """Look up many keys; those that are not there are left out."""
        found: dict[bytes, bytes] = {}
        keys = list(keys)
        with closing(self._open()) as connection:
            for k in range(0, len(keys), 500):
                part = keys[k : k + 500]
                marks = ",".join("?" * len(part))
                found.update(connection.execute(f"SELECT key, value FROM entries WHERE key IN ({marks})", part))
        return found

    def put(self, entries: Mapping[bytes, bytes]) -> None:
        """Keep many values in one transaction."""
        with closing(self._open()) as connection, connection:
            connection.executemany("INSERT OR REPLACE INTO entries VALUES (?, ?)", entries.items())


def key(*parts: str) -> bytes:
    """Hash what decides a value; parts are length-prefixed, so that ("ab", "c") and ("a", "bc") differ.

    >>> key("ab", "c") == key("a", "bc")
    False
    """
    digest = hashlib.sha256()
    for part in parts:
        raw = part.encode("utf-8", "surrogatepass")
        digest.update(len(raw).to_bytes(8, "little"))
        digest.update(raw)
    return digest.digest()[:16]
