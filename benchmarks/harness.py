"""Side-by-side timing: every side in a process of its own, in turns, so that a busy machine slows all of them alike.

A script gives its sides and its data to `main`. Each side is run `--repeat` times (A B C, A B C, ...), and its best run
counts. Reported are wall seconds, CPU seconds (user and system, all threads), the rate, the ratio of CPU seconds to the
first side's for the same work, the peak resident memory of the process (the data and its own imports included) and how much
of it the run added, and what the side answers about its result. A side whose package is absent is listed as such. The table
is Markdown; with `--json`, one object for `write.py`, which makes the page of all scripts.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any

DATA = Path(__file__).resolve().parents[2] / "shared" / "data"


@dataclass(frozen=True, kw_only=True)
class Side:
    """One contender."""

    name: str
    run: Callable[[Any], Any]
    """Does the work on the loaded data."""
    say: Callable[[Any], str] = str
    """Says what came out, in a few words; not timed."""
    package: str | None = None
    """What must be installed for it."""
    prepare: Callable[[Any], Any] = lambda data: data
    """Brings the data into the form this side reads, and imports what it needs; not timed."""
    part: int = 1
    """It does only every so many-th of the work, being slow; rate and ratio allow for it."""
    against: str | None = None
    """Another side that its ratio is to, where a script has several contests; the first unless said."""


Sides = Sequence[Side] | Callable[[Path], Sequence[Side]]


def _peak() -> float:
    # Linux counts kilobytes, macOS bytes.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1024 if sys.platform == "linux" else 1024**2)


def _cpu() -> float:
    spent = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in spent)


def _measure(side: Side, load: Callable[[Path], Any], data: Path) -> dict[str, Any]:
    if side.package:
        import_module(side.package)
    ready = side.prepare(load(data))
    before, wall, cpu = _peak(), time.perf_counter(), _cpu()
    done = side.run(ready)
    wall, cpu, peak = time.perf_counter() - wall, _cpu() - cpu, _peak()
    return {"wall": wall, "cpu": cpu, "peak": peak, "added": peak - before, "said": side.say(done)}


def _spawn(side: Side, data: Path, threads: int | None) -> dict[str, Any]:
    settings = dict(os.environ)
    if threads:
        settings |= dict.fromkeys(("RAYON_NUM_THREADS", "POLARS_MAX_THREADS", "OMP_NUM_THREADS"), str(threads))
        settings["TOKENIZERS_PARALLELISM"] = "true" if threads > 1 else "false"
    command = [sys.executable, sys.argv[0], "--side", side.name, "--data", str(data)]
    done = subprocess.run(command, env=settings, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"failed": done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"exit {done.returncode}"}
    measured: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return measured


def _version(package: str | None) -> str | None:
    if package is None:
        return None
    distributions = metadata.packages_distributions().get(package, [package])
    try:
        return metadata.version(distributions[0])
    except metadata.PackageNotFoundError:
        return None


def _figures(sides: Sequence[Side], runs: dict[str, list[dict[str, Any]]], amount: float) -> list[dict[str, Any]]:
    """One object a side: what its best run took, its rate and its ratio."""
    best = {name: min(done, key=lambda run: run["cpu"]) for name, done in runs.items() if done and "failed" not in done[0]}
    figures = []
    for side in sides:
        figure: dict[str, Any] = {"side": side.name, "version": _version(side.package), "part": side.part}
        if side.name not in best:
            figure["failed"] = runs[side.name][0]["failed"] if runs.get(side.name) else f"{side.package} is not installed"
        else:
            run, wall = best[side.name], min(done["wall"] for done in runs[side.name])
            figure |= {**run, "wall": wall, "rate": amount / side.part / max(run["cpu"], 1e-9)}
            to = side.against or sides[0].name
            if first := best.get(to):
                part = next(each.part for each in sides if each.name == to)
                figure["ratio"] = run["cpu"] * side.part / max(first["cpu"] * part, 1e-9)
        figures.append(figure)
    return figures


def _cells(figure: dict[str, Any], unit: str) -> list[str]:
    part = figure["part"]
    name = " ".join(filter(None, (figure["side"], figure["version"]))) + ("" if part == 1 else f" (1/{part} of the work)")
    if "failed" in figure:
        return [name, *["-"] * 5, figure["failed"]]
    ratio = f"{figure['ratio']:.1f}" if "ratio" in figure else "-"
    memory = f"{figure['peak']:.0f} (+{figure['added']:.0f})"
    return [name, f"{figure['wall']:.3f}", f"{figure['cpu']:.3f}", f"{figure['rate']:,.2f} {unit}/s", ratio, memory, figure["said"]]


def main(title: str, *, load: Callable[[Path], Any], amount: Callable[[Any], tuple[float, str]], sides: Sides) -> None:
    """Run a benchmark script: measure every side and print the table.

    Args:
        title: What is measured, on what.
        load: Reads the data from a folder (with what is made up where that is absent); not timed.
        amount: The size of the work and its unit, for the rate.
        sides: The first is the one that ratios refer to. A function of the data's folder where they depend on it.
    """
    parser = argparse.ArgumentParser(description=title)
    parser.add_argument("--side", help="measure this one alone, in this process (used by the harness itself)")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the public data (default: ../shared/data)")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--threads", type=int, help="threads of every side that has them (default: all cores)")
    parser.add_argument("--json", action="store_true", help="print one JSON object in place of the table")
    options = parser.parse_args()
    if callable(sides):
        sides = sides(options.data)
    if options.side:
        side = next(side for side in sides if side.name == options.side)
        print(json.dumps(_measure(side, load, options.data)))
        return
    here = [side for side in sides if side.package is None or find_spec(side.package)]
    runs: dict[str, list[dict[str, Any]]] = {side.name: [] for side in here}
    for _ in range(options.repeat):
        for side in here:
            if not any("failed" in run for run in runs[side.name]):
                runs[side.name].append(_spawn(side, options.data, options.threads))
    for done in runs.values():
        done.sort(key=lambda run: "failed" not in run)
    size, unit = amount(load(options.data))
    figures = _figures(sides, runs, size)
    threads = options.threads or os.cpu_count()
    if options.json:
        run = {"threads": threads, "repeat": options.repeat, "real": options.data.is_dir()}
        print(json.dumps({"title": title, "size": size, "unit": unit, **run, "sides": figures}))
        return
    if not options.data.is_dir():
        print("(There is no folder ../shared/data, nor was --data given: made-up data instead.)")
    print(f"\n**{title}** ({size:,.1f} {unit}; {threads} threads; best of {options.repeat})\n")
    header = ["side", "wall s", "CPU s", "per CPU second", "x CPU", "peak MB", "result"]
    for cells in [header, ["---"] * len(header), *(_cells(figure, unit) for figure in figures)]:
        print("| " + " | ".join(cells) + " |")
