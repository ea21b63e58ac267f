"""The core with nothing installed beside it but Polars."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import polars as pl

import tunesmith

SCRIPT = """
import sys
sys.path[:0] = sys.argv[1:]
import polars
from tunesmith import core
assert core.rouge(["a b"], ["a c"]).height == 1
assert core.pack([1, 2], capacity=2).to_list() == [1, 0]
assert core.near_duplicates(["a b c", "a b c"])["root"].to_list() == [0, 0]
assert core.signals(["a b."])["words"].item() == 2
assert polars.select(polars.lit("a").tunesmith.rouge(polars.lit("a"))).height == 1
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""


def test_it_needs_polars_alone(tmp_path: Path) -> None:
    installed = Path(pl.__file__).parents[1]
    for package in installed.glob("*polars*"):
        if package.is_dir():
            (tmp_path / package.name).symlink_to(package)
    (tmp_path / "tunesmith").symlink_to(Path(tunesmith.__file__).parent)
    command = [sys.executable, "-I", "-S", "-c", SCRIPT, str(tmp_path)]
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(command, env=plain, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    loaded = {name for name in done.stdout.split() if not name.startswith("_")} - set(sys.stdlib_module_names)
    assert loaded == {"polars", "tunesmith"}
