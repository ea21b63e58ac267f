"""`python -m tunesmith.training`: finetune on a machine with torch, transformers, peft and pyarrow alone."""

from __future__ import annotations

import argparse
import json
import sys
import typing
from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from tunesmith.errors import TunesmithError
from tunesmith.progress import SILENT, Lines
from tunesmith.training.calibration import preflight
from tunesmith.training.options import TrainOptions, describe
from tunesmith.training.runs import train


def parser() -> argparse.ArgumentParser:
    """Make the command line; every field of `TrainOptions` is an option."""
    made = argparse.ArgumentParser(prog="python -m tunesmith.training", description="Finetune a model on a pack.")
    made.add_argument("pack", help="a pack")
    made.add_argument("-o", "--out", help="the run folder to write; not needed with --preflight")
    made.add_argument("--model", required=True, help="the base: a folder, or a hub name in the local hub cache")
    made.add_argument("--validation", help="a pack to measure after every epoch; the weights of the best epoch are kept")
    made.add_argument("--preflight", action="store_true", help="measure a few passes, say what the whole will take, write nothing")
    made.add_argument("--force", action="store_true", help="replace what is at the output, start unfinished work over")
    made.add_argument("--json", action="store_true", help="one JSON object on standard output, no progress")
    hints = typing.get_type_hints(TrainOptions)
    for one in fields(TrainOptions):
        kind, choices, _ = describe(hints[one.name])
        name, text = "--" + one.name.replace("_", "-"), one.metadata["help"].replace("%", "%%")
        if kind is bool:
            made.add_argument(name, action="store_true", help=text)
        else:
            shown = "" if one.default is None else f" ({one.default})"
            made.add_argument(name, type=kind, choices=choices or None, default=one.default, help=text + shown)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    made = parser()
    given = made.parse_args(arguments)
    progress = SILENT if given.json else Lines()
    try:
        options = TrainOptions(**{one.name: getattr(given, one.name) for one in fields(TrainOptions)})
        result: dict[str, Any]
        if given.preflight:
            result = preflight(given.pack, model=given.model, options=options, progress=progress).result
        elif given.out is None:
            made.error("the following arguments are required: -o/--out")
        else:
            result = train(
                given.pack, given.out, model=given.model, validation=given.validation, options=options, force=given.force, progress=progress
            ).result
    except TunesmithError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; the same command goes on where it stopped", file=sys.stderr)
        return 130
    print(json.dumps(result) if given.json else "\n".join(f"{name}: {value}" for name, value in result.items()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
