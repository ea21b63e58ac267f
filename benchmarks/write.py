"""Run the benchmark scripts and write docs/benchmarks.md: python benchmarks/write.py [--data FOLDER] [SCRIPT ...]

Every script is run twice, with one thread a side and with all cores. What they measured goes to `benchmarks/results.json`,
and the page is made of that file: naming scripts renews their tables alone. The words of a table are the script's own:
its docstring after the first paragraph. `--page` makes the page without measuring.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import platform
import re
import subprocess
import sys
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PAGE = HERE.parent / "docs" / "benchmarks.md"
RESULTS = HERE / "results.json"
TOOLS = ("harness.py", "write.py")
ORDER = (
    "exact", "duplicates", "long_duplicates", "many_duplicates", "components", "substring", "overlap", "tokenizing", "rouge", "diff",
    "packing", "signals", "json_records",
)  # fmt: skip
"""The order of the page; other scripts follow."""

INTRODUCTION = """\
# Benchmarks

<!-- Written by benchmarks/write.py (make bench): edit the scripts' docstrings, not this page. -->

Every table is what a script in `benchmarks/` printed: our kernel and its peers on the same input, each side in a process of
its own, in turns, the best run of each. Imports and the preparation of the data are not timed. *CPU s* are seconds of user and
system, all threads; *x* is how many of them a side takes for the same work, against the first side (or the one that its
name says), with one thread a side. *Peak MB* is the memory of the whole process, imports and data included, and in brackets
what the run added to it. The public data is not part of the repository; without it the scripts make data up.

Where other work shares the machine, as a load average above the number of cores says, wall seconds say little, and CPU
seconds are the figure to compare.
"""


def is_script(path: Path) -> bool:
    """Whether a file measures sides; others count verdicts, or help."""
    text = path.read_text(encoding="utf-8")
    return path.name not in TOOLS and "from harness import" in text and "__main__" in text


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    name, memory = platform.processor() or platform.machine(), 0.0
    if Path("/proc/cpuinfo").is_file():
        said = Path("/proc/cpuinfo").read_text(encoding="utf-8")
        found = {key: re.search(rf"^{key}\s*: (.+)$", said, re.MULTILINE) for key in ("model name", "cpu family", "model", "flags")}
        name = " ".join(match[1] for key, match in found.items() if match and key != "flags")
        flags = found["flags"][1].split() if found["flags"] else []
        name += f" ({', '.join(flag.upper() for flag in ('avx2', 'avx512f') if flag in flags) or 'no AVX2'})"
    if hasattr(os, "sysconf"):
        memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "cpu": name,
        "cores": os.cpu_count(),
        "memory": round(memory),
        "system": platform.system(),
        "python": platform.python_version(),
        "polars": metadata.version("polars"),
    }


def load_average() -> float | None:
    """How many processes want to run, of late."""
    return round(os.getloadavg()[1], 1) if hasattr(os, "getloadavg") else None


def measure(script: Path, data: Path | None, repeat: int) -> dict[str, Any]:
    """Run one script with one thread and with all cores."""
    runs = {}
    for name, threads in (("one", 1), ("all", os.cpu_count())):
        command = [sys.executable, str(script), "--json", "--repeat", str(repeat), "--threads", str(threads)]
        command += ["--data", str(data)] if data else []
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise SystemExit(f"{script.name}: exit {done.returncode}\n{done.stderr}")
        runs[name] = json.loads(done.stdout.splitlines()[-1])
    return {**runs, "machine": machine(), "load": load_average(), "date": datetime.now(UTC).date().isoformat()}


def words(script: Path) -> str:
    """The docstring after its first paragraph."""
    text = ast.get_docstring(ast.parse(script.read_text(encoding="utf-8"))) or ""
    return text.partition("\n\n")[2]


def section(script: Path, result: dict[str, Any]) -> str:
    """One script's part of the page."""
    one, many = result["one"], result["all"]
    both = {figure["side"]: figure for figure in many["sides"]}
    threads = f"{many['threads']} threads: wall s"
    head = ["side", "1 thread: wall s", "CPU s", "per CPU second", "x", threads, "CPU s", "peak MB", "result"]
    lines = [head, ["---"] * len(head)]
    for figure in one["sides"]:
        part = f" (1/{figure['part']} of the work)" if figure["part"] != 1 else ""
        name = " ".join(filter(None, (figure["side"], figure["version"]))) + part
        other = both[figure["side"]]
        if "failed" in figure:
            lines.append([name, *["-"] * 7, figure["failed"]])
            continue
        cells = [name, f"{figure['wall']:.3f}", f"{figure['cpu']:.3f}", f"{figure['rate']:,.2f} {one['unit']}"]
        cells += [f"{figure['ratio']:.3g}" if "ratio" in figure else "-"]
        cells += [f"{other[key]:.3f}" if key in other else "-" for key in ("wall", "cpu")]
        lines.append([*cells, f"{figure['peak']:.0f} (+{figure['added']:.0f})", figure["said"]])
    lines = [[cell.replace("|", "/") for cell in cells] for cells in lines]
    table = "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
    made_up = "" if one["real"] else " Made-up data."
    load = f"; load average {result['load']}" if result["load"] is not None else ""
    size = f"{one['size']:,.1f}".removesuffix(".0")
    caption = f"{one['title']}: {size} {one['unit']}; best of {one['repeat']}; {result['date']}{load}.{made_up}"
    return f"## `benchmarks/{script.name}`\n\n{words(script)}\n\n{caption}\n\n{table}\n"


def page(results: dict[str, Any]) -> str:
    """The whole page."""

    def place(name: str) -> tuple[int, str]:
        return (ORDER.index(name) if name in ORDER else len(ORDER), name)

    scripts = [HERE / f"{name}.py" for name in sorted(results, key=place)]
    machines = {json.dumps(results[script.stem]["machine"], sort_keys=True): results[script.stem]["machine"] for script in scripts}
    on = [
        f"Measured on {each['cpu']}, {each['cores']} cores, {each['memory']} GiB, {each['system']}, Python {each['python']}, "
        f"Polars {each['polars']}."
        for each in machines.values()
    ]
    parts = [INTRODUCTION, "\n".join(on) + "\n", *(section(script, results[script.stem]) for script in scripts)]
    kernels = "## Kernels alone\n\n`cargo bench --bench kernels` times the inner loops without Python (criterion, made-up texts).\n"
    return "\n".join([*parts, kernels])


def main() -> None:
    """Measure what is named, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scripts", nargs="*", help="names, like rouge (default: all)")
    parser.add_argument("--data", type=Path, help="folder of the public data (default: ../shared/data)")
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--page", action="store_true", help="write the page from the results that are there")
    options = parser.parse_args()
    known = {path.stem: path for path in sorted(HERE.glob("*.py")) if is_script(path)}
    unknown = [name for name in options.scripts if name not in known]
    if unknown:
        parser.error(f"no such script: {', '.join(unknown)}; known: {', '.join(known)}")
    results = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.is_file() else {}
    results = {name: result for name, result in results.items() if name in known}
    for name in [] if options.page else options.scripts or known:
        print(f"{name} ...", file=sys.stderr, flush=True)
        results[name] = measure(known[name], options.data, options.repeat)
        RESULTS.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    PAGE.write_text(page(results), encoding="utf-8")


if __name__ == "__main__":
    main()
