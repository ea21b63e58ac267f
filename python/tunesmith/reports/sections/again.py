"""How to make a turn again: its settings as a file, and each of its steps as a command."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from tunesmith.artefact import read_manifest
from tunesmith.reports.blocks import Block, Code
from tunesmith.reports.sections.verdict import EXPERIMENT, read

PATHS = ("data", "items", "model", "out", "validation")
ARMS = "arms"


def section(settings: Mapping[str, Any], name: str = "loop") -> Mapping[str, Any]:
    """Take a section of the settings that a turn's manifest holds."""
    found = settings.get(name)
    return found if isinstance(found, Mapping) else {}


def origin(folder: Path) -> list[Block]:
    """Draw the settings and the commands of a turn."""
    settings = read_manifest(folder, "turn").details.get("loop", {})
    blocks: list[Block] = [Code(title="The whole turn", text="tunesmith loop tunesmith.yaml")]
    if settings:
        title = "The settings, in tunesmith.yaml beside the folder of the turns, with all defaults filled in"
        blocks.append(Code(title=title, text=_yaml(settings, folder.resolve().parent.parent), folded=True))
    blocks.append(Code(title="Or step by step, in this folder", text="\n".join(_commands(folder, settings)), folded=True))
    return blocks


def _commands(folder: Path, settings: Mapping[str, Any]) -> list[str]:
    """Write the steps of a turn; paths are those from its folder."""
    loop = section(settings)
    data, items, model = (_place(loop.get(name), folder.resolve()) or name.upper() for name in ("data", "items", "model"))
    pack, train, evaluate = (_flags(section(settings, name), _defaults(name)) for name in ("pack", "train", "evaluate"))
    experiment = read(folder / ARMS / EXPERIMENT)
    same = "".join(f" --{name} {experiment[name]}" for name in ("steps", "bins") if experiment.get(name))
    tokenizer = "" if " --tokenizer" in pack else f" --tokenizer {model}"
    validation = " --validation packs/validation" if (folder / "packs" / "validation").is_dir() else ""
    full = section(settings, "train").get("method") == "full"
    runs, arms = (_names(folder / name) for name in ("runs", "packs"))

    def trained(arm: str) -> Iterable[str]:
        for run in (run for run in runs if run.rpartition("-")[0] == arm):
            seed = run.rpartition("-")[2]
            subject = f"--model runs/{run}" if full else f"--model {model} --adapter runs/{run}"
            parts = "" if arm == "current" else " --part gate --part confirm"
            yield f"tunesmith train packs/{arm} -o runs/{run} --model {model}{validation}{train}{same} --seed {seed}"
            yield f"tunesmith evaluate {items} -o evaluations/{run} {subject}{evaluate}{parts}"

    held = (folder / "base").is_dir()
    lines = [f"tunesmith pack {data} -o packs/current{tokenizer}{pack}", *trained("current")]
    if validation:
        lines.insert(1, f"tunesmith pack {_place(loop.get('validation'), folder.resolve())} -o packs/validation{tokenizer}{pack}")
    lines += [f"tunesmith evaluate {items} -o base --model {model}{evaluate}"] if held else []
    first = next((run for run in runs if run.startswith("current-")), "current-0")
    base = " --base base" if held else ""
    lines.append(f"tunesmith diagnose evaluations/{first} --data {data} -o diagnosis{base} --losses runs/{first}/losses.parquet")
    if (folder / ARMS).is_dir():
        every = " --all" if loop.get("accept") == "proposed" else ""
        lines.append(f"tunesmith arms diagnosis {data} -o {ARMS}{every}{same}")
        for arm in (arm for arm in arms if arm in {"patch", "placebo"}):
            lines += [f"tunesmith pack {ARMS}/{arm} -o packs/{arm}{tokenizer}{pack}", *trained(arm)]
        given = " ".join(f"--evaluation {run.replace('-', ':')}=evaluations/{run}" for run in runs)
        lines.append(f"tunesmith verdict {ARMS} {given}")
    return [*lines, "tunesmith report ."]


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_dir()) if folder.is_dir() else []


def _defaults(name: str) -> Mapping[str, Any]:
    from tunesmith.training import TrainOptions
    from tunesmith.turns.settings import EvaluateSection, PackSection

    if name == "train":
        return asdict(TrainOptions())
    return (PackSection() if name == "pack" else EvaluateSection()).model_dump(mode="json")


def _flags(given: Mapping[str, Any], defaults: Mapping[str, Any]) -> str:
    """Write the options that are not what they are by default; how long is the experiment's to say.

    >>> _flags({"method": "full", "lr": 0.001, "patience": None, "target": ["a b", "c"], "bins": 1}, {"patience": 3})
    " --method full --lr 0.001 --target 'a b' --target c"
    """
    said = []
    for name, value in given.items():
        if value is None or value is False or value == defaults.get(name, ()) or name in {"steps", "bins", "epochs"}:
            continue
        flag = f"--{name.replace('_', '-')}"
        values = value if isinstance(value, list | tuple) else [value]
        said += [flag] if value is True else [f"{flag} {shlex.quote(str(each))}" for each in values]
    return "".join(f" {each}" for each in said)


def _place(value: Any, start: Path) -> str:
    """Write a path as it is seen from a folder, so that a report names no more of a machine than it must."""
    if not value:
        return ""
    return shlex.quote(os.path.relpath(value, start) if Path(str(value)).is_absolute() else str(value))


def _yaml(settings: Mapping[str, Any], start: Path) -> str:
    import yaml

    loop = {name: _relative(value, start) if name in PATHS else value for name, value in section(settings).items()}
    whole = {"loop": loop, **{name: value for name, value in settings.items() if name != "loop" and value}}
    return str(yaml.safe_dump(_plain(whole), sort_keys=False, allow_unicode=True, width=120)).strip()


def _relative(value: Any, start: Path) -> Any:
    return os.path.relpath(value, start) if isinstance(value, str) and Path(value).is_absolute() else value


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items() if each not in (None, [], ())}
    return [_plain(each) for each in value] if isinstance(value, list | tuple) else value
