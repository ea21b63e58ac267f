"""Ctrl-C ends every kernel in the middle of its work; of a text of many megabytes some finish it first."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable

import pytest

PRELUDE = """
import signal
import time
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell ignores it in what it runs in the background
import polars as pl
import kernels
from tunesmith import core

def begun(done):
    # The kernel runs by now: the thread that waits for it calls this every 50 ms.
    if not told:
        told.append(done)
        print("begun", flush=True)

told = []

def texts(rows, words):
    number = pl.int_range(rows, eager=True)
    word = pl.lit((number * 7919 % 10007).cast(pl.String).alias("word"))
    return pl.select(pl.concat_str([word + f" word{k} " for k in range(words)])).to_series() + number.cast(pl.String)

MANY = texts(400_000, 60)
LONG = "word 12 other " * 400_000
MILLIONS = pl.int_range(30_000_000, eager=True)
"""
CALLS = {
    "band_keys": "core.band_keys(pl.concat([MANY] * 6, rechunk=False), progress=begun)",
    "near_duplicates": "core.near_duplicates(MANY, progress=begun)",
    "near_duplicates, a long text": "core.near_duplicates([LONG * 10], progress=begun)",
    "near_duplicates, folded, a long text": "core.near_duplicates([LONG * 10], fold_numbers=True, fold_marks=True, progress=begun)",
    "near_pairs": "core.near_pairs(MANY, shingle=1, threshold=0.3, progress=begun)",
    "verify_pairs": "core.verify_pairs(MANY, MANY.reverse(), progress=begun)",
    "verify_pairs, long texts": "core.verify_pairs([LONG * 8], [LONG * 8], progress=begun)",
    "closest, long texts": "core.closest([LONG * 8], [LONG * 8], progress=begun)",
    "components": "core.components(pl.DataFrame({'a': MILLIONS, 'b': MILLIONS.reverse()}), progress=begun)",
    "exact_duplicates": "core.exact_duplicates([MANY] * 8, normalize='unicode', progress=begun)",
    "exact_duplicates, a long text": "core.exact_duplicates([LONG * 20], normalize='unicode', progress=begun)",
    "rouge": "core.rouge(MANY, MANY.reverse(), progress=begun)",
    "rouge, a long pair": "core.rouge([LONG], [LONG + 'x\\nz'], progress=begun)",
    "quality_rules": "core.quality_rules(MANY, progress=begun)",
    "overlap": "core.overlap(MANY, MANY[:100_000], progress=begun)",
    "overlap, a long text": "core.overlap([LONG * 30], MANY[:1000], mode='datatrove', progress=begun)",
    "overlap, a long item": "core.OverlapIndex([LONG * 10], mode='datatrove', progress=begun)",
    "signals, long texts": "core.signals([LONG] * 40, progress=begun)",
    "signals": "core.signals(MANY, progress=begun)",
    "signals, a long text": "core.signals([LONG * 4], progress=begun)",
    "quality_rules, a long text": "core.quality_rules([LONG * 4], progress=begun)",
    "substring_duplicates, long texts": "core.substring_duplicates([LONG * 3, LONG], min_length=50, progress=begun)",
    "word_diff": "core.word_diff(MANY, MANY.reverse(), progress=begun)",
    "word_diff, long texts": "core.word_diff([LONG * 8], [LONG * 8 + 'x'], progress=begun)",
    "Tokenizer.encode": "kernels.tokenizer().encode(MANY, progress=begun)",
    "Tokenizer.count": "kernels.tokenizer().count(MANY, progress=begun)",
    "row_ids": "core.row_ids([MANY] * 80, progress=begun)",
    "content_hash": "core.content_hash(pl.DataFrame({str(k): MANY for k in range(40)}), progress=begun)",
    "pack": "core.pack(MILLIONS * 7919 % 2000, capacity=2048, method='first-fit', progress=begun)",
}


def interrupt(call: str) -> tuple[str, float]:
    """How the kernel ended that was interrupted when it had begun, and after how many seconds."""
    script = (
        f"{PRELUDE}\ntry:\n    {call}\nexcept KeyboardInterrupt:\n    print('interrupted', time.time())\nelse:\n    print('finished')\n"
    )
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    child = subprocess.Popen([sys.executable, "-c", script], env=paths, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    guard = threading.Timer(300, child.kill)  # against a hang alone
    guard.start()
    assert child.stdout is not None
    first = child.stdout.readline().strip()
    child.send_signal(signal.SIGINT)
    sent = time.time()
    out, error = child.communicate()
    guard.cancel()
    assert first == "begun", error
    assert out, f"exit {child.returncode}: {error}"
    return out.split()[0], float(out.split()[-1]) - sent if out.startswith("interrupted") else 0.0


@pytest.mark.parametrize("name", CALLS)
def test_ctrl_c_ends_it(name: str, record_property: Callable[[str, object], None]) -> None:
    how, seconds = interrupt(CALLS[name])
    record_property("seconds", seconds)
    assert how == "interrupted"
