"""Rule sets beside the systems they come from: python benchmarks/rule_sets.py --python ~/peers/bin/python

Two questions. Do the verdicts agree? With the systems' own words and sentences they must, for every text; with our own cut
of English the share that agrees is given with its 95% interval (Wilson), by kind of text. And what does a verdict cost, in
CPU seconds of one process?

The systems want older packages than ours, so they run in an interpreter of their own, which has `datatrove[processing]` with
spaCy, and `dolma`; see `rule_peers.py`. The sample is drawn from the public data beside the checkout.
"""

from __future__ import annotations

import argparse
import json
import math
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import polars as pl

from harness import DATA
from tunesmith import core


def sample(data: Path, each: int) -> dict[str, list[str]]:
    """Draw texts by kind."""

    def answers(*names: str) -> list[str]:
        texts = [
            row["output"] for name in names for path in sorted(data.glob(name)) for row in json.loads(path.read_text(encoding="utf-8"))
        ]
        texts = [text for text in texts if isinstance(text, str)]
        return random.Random(0).sample(texts, min(each, len(texts)))

    return {
        "Alpaca, answers": answers("alpaca/alpaca_data.json"),
        "alpaca_eval, long answers": answers("eval/alpaca_eval/*.json"),
        "LIMA and Dolly, answers": answers("formats/lima.json", "formats/dolly_alpagasus_3k.json"),
        "Alpaca in German": answers("multilingual/alpaca_de_12k.json"),
        "Alpaca in Chinese": answers("multilingual/alpaca_zh_mt_html_entities.json"),
    }


def wilson(part: int, whole: int) -> str:
    """A share and its 95% interval."""
    z, share = 1.96, part / whole
    middle, spread = share + z * z / (2 * whole), z * math.sqrt(share * (1 - share) / whole + z * z / (4 * whole * whole))
    low, high = ((middle + sign * spread) / (1 + z * z / whole) for sign in (-1, 1))
    return f"{100 * share:.2f}% ({100 * low:.2f} to {100 * high:.2f})"


def peers(python: str, texts: Sequence[str]) -> dict[str, Any]:
    """Ask the systems."""
    with tempfile.TemporaryDirectory() as folder:
        asked, told = Path(folder, "texts.json"), Path(folder, "told.json")
        asked.write_text(json.dumps(texts), encoding="utf-8")
        subprocess.run([python, str(Path(__file__).with_name("rule_peers.py")), str(asked), str(told)], check=True)
        made: dict[str, Any] = json.loads(told.read_text(encoding="utf-8"))
        return made


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--python", required=True, help="an interpreter that has datatrove and dolma")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the public data (default: ../shared/data)")
    parser.add_argument("--each", type=int, default=1000, help="texts of each kind")
    options = parser.parse_args()
    if not options.data.is_dir():
        parser.error(f"expected the public data in {options.data}, found no such folder; say where with --data")
    kinds = sample(options.data, options.each)
    texts = [text for some in kinds.values() for text in some]
    told = peers(options.python, texts)
    size = sum(len(text.encode()) for text in texts) / 1e6
    print(f"\n{len(texts):,} texts, {size:.1f} MB\n")
    print("| rules | given their words: other verdicts | other first rules | theirs, CPU s/MB | ours, CPU s/MB | times |")
    print("| --- | --- | --- | --- | --- | --- |")
    own: dict[str, list[bool]] = {}
    for name, theirs in told.items():
        lists = {key: pl.Series(theirs[key], dtype=pl.List(pl.String)) for key in ("words", "sentences") if key in theirs}
        given = core.quality_rules(texts, rules=name, **lists)["rule"].to_list()
        rules = sum(ours != other for ours, other in zip(given, theirs["reasons"], strict=True))
        verdicts = sum((ours is None) != (other is None) for ours, other in zip(given, theirs["reasons"], strict=True))
        column, start = pl.Series(texts), time.process_time()
        mine = core.quality_rules(column, rules=name)["rule"].to_list()
        seconds = time.process_time() - start
        own[name] = [(ours is None) == (other is None) for ours, other in zip(mine, theirs["reasons"], strict=True)]
        speed = f"{theirs['seconds'] / size:.2f} | {seconds / size:.4f} | {theirs['seconds'] / seconds:,.0f}"
        print(f"| `{name}` | {verdicts} | {rules} | {speed} |")
    print("\nVerdicts with our own cut that agree:\n")
    print("| texts | " + " | ".join(f"`{name}`" for name in own) + " | kept by each |")
    print("| --- |" + " --- |" * (len(own) + 1))
    start = 0
    for kind, some in kinds.items():
        rows = slice(start, start := start + len(some))
        kept = ", ".join(f"{100 * sum(reason is None for reason in theirs['reasons'][rows]) / len(some):.0f}%" for theirs in told.values())
        print(f"| {kind} | " + " | ".join(wilson(sum(agree[rows]), len(some)) for agree in own.values()) + f" | {kept} |")
    print("| all | " + " | ".join(wilson(sum(agree), len(texts)) for agree in own.values()) + " | |")


if __name__ == "__main__":
    sys.exit(main())
