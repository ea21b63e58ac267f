"""Which files of a folder are its data: as the hub and `datasets` lay folders out, else every data file in it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

import yaml

from tunesmith.rows.contents import ending
from tunesmith.rows.readers import ENDINGS

CARD = "README.md"
_STATE, _DICT = "state.json", "dataset_dict.json"
_NO_DATA = frozenset({"dataset_info.json", "dataset_infos.json", _DICT, _STATE, "manifest.json"})
"""What `datasets` and tunesmith write beside data."""
_SPLITS = ("train", "validation", "valid", "val", "dev", "test", "eval")
_HEAD = re.compile(r"\A---\s*\n(.*?\n)---\s*\n", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """The files to read, and what is to be told of the choice."""

    names: tuple[str, ...]
    notes: tuple[str, ...] = ()


def choose(folder: str, names: Iterable[str], text: Callable[[str], str]) -> Chosen:
    """Choose the data files of a folder.

    A folder that `save_to_disk` wrote says what its data is (never its caches); a hub data set's card says it in `configs`;
    of any other folder it is every file with a data ending that is not hidden.

    Args:
        folder: What notes call it.
        names: Every file below it, as relative POSIX paths.
        text: Reads one of them.
    Returns:
        Their names in the order to read them in: sorted, splits in the order that says it.
    """
    names = sorted(name for name in names if not any(part.startswith((".", "_")) for part in name.split("/")))
    if _DICT in names:
        splits = _json(text(_DICT)).get("splits")
        if isinstance(splits, list):
            found = [(str(split), saved) for split in splits if (saved := _saved(names, f"{split}/", text))]
            return Chosen(names=tuple(name for _, saved in found for name in saved), notes=_told(folder, [split for split, _ in found]))
    if _STATE in names and (saved := _saved(names, "", text)):
        return Chosen(names=tuple(saved))
    data = [name for name in names if ending(name) in ENDINGS and name.rpartition("/")[2] not in _NO_DATA]
    if CARD in names and (chosen := _configured(folder, data, text(CARD))):
        return chosen
    return Chosen(names=tuple(data), notes=_told(folder, _splits_in(data)))


def _saved(names: Sequence[str], below: str, text: Callable[[str], str]) -> list[str]:
    """Give the data files that `save_to_disk` names in its state."""
    if below + _STATE not in names:
        return []
    files = _json(text(below + _STATE)).get("_data_files")
    listed = [below + str(file.get("filename")) for file in files or () if isinstance(file, dict)]
    return [name for name in listed if name in names]


def _configured(folder: str, data: Sequence[str], card: str) -> Chosen | None:
    """Follow a card's `configs`: the default one, or the first."""
    head = _HEAD.match(card.replace("\r\n", "\n"))
    try:
        configs = (yaml.safe_load(head.group(1)) or {}).get("configs") if head else None
    except (yaml.YAMLError, AttributeError):
        configs = None
    listed = configs if isinstance(configs, list) else []
    configs = [config for config in listed if isinstance(config, dict) and config.get("data_files")]
    if not configs:
        return None
    default = [config for config in configs if config.get("default") is True or config.get("config_name") == "default"]
    taken = (default or configs)[0]
    found = [(split, [name for name in data if any(_matches(name, each) for each in patterns)]) for split, patterns in _patterns(taken)]
    found = [(split, files) for split, files in found if files]
    others = [str(config.get("config_name")) for config in configs if config is not taken]
    if not found:
        return None
    read = f"{folder}: read as its card's {taken.get('config_name')}; its others are {', '.join(others)} (name their files)"
    names = tuple(dict.fromkeys(name for _, files in found for name in files))
    return Chosen(names=names, notes=(*([read] if others else []), *_told(folder, [split for split, _ in found])))


def _patterns(config: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    files = config["data_files"]
    if isinstance(files, str):
        return [("train", [files])]
    if isinstance(files, dict):
        files = [{"split": split, "path": path} for split, path in files.items()]
    if all(isinstance(file, str) for file in files):
        return [("train", files)]
    return [
        (str(file.get("split")), [file["path"]] if isinstance(file["path"], str) else [str(path) for path in file["path"]])
        for file in files
        if isinstance(file, dict) and file.get("path")
    ]


def _matches(name: str, pattern: str) -> bool:
    """Match as the hub does: `*` within a folder, `**` across."""
    pattern = pattern.removeprefix("./")
    if "**" in pattern:
        return fnmatchcase(name, pattern.replace("**/", "*")) or fnmatchcase(name, pattern.replace("**", "*"))
    return name.count("/") == pattern.count("/") and fnmatchcase(name, pattern)


def _splits_in(data: Sequence[str]) -> list[str]:
    """Find splits by the names of files and folders, as the hub does."""
    words = [set(re.split(r"[^a-z]+", name.lower())) for name in data]
    return [split for split in _SPLITS if any(split in found for found in words)]


def _told(folder: str, splits: Sequence[str]) -> tuple[str, ...]:
    if len(splits) < 2:
        return ()
    return (f"{folder}: all its splits are read, one after the other: {', '.join(splits)} (name one to read it alone)",)


def _json(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
