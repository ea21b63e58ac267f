"""Names that are imported when they are first used, so that `import tunesmith` and `--help` stay light."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any


def lazy(package: str, names: Mapping[str, str]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Make a package's `__getattr__` and `__dir__` from {name: module}, modules relative to the package.

    >>> get, names = lazy("tunesmith", {"TunesmithError": ".errors"})
    >>> get("TunesmithError").__name__, names()
    ('TunesmithError', ['TunesmithError'])
    """

    def get(name: str) -> Any:
        if name not in names:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(names[name], package), name)

    return get, lambda: sorted(names)
