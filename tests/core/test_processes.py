"""Kernels in other processes: forked ones, data-loader workers, and with any number of threads."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from typing import Any

import polars as pl
import pytest

import kernels
from tunesmith import core

TEXTS = pl.Series([f"row {k % 70} of the cat {k} and dog {k % 13}" for k in range(400)])
NUMBERS = pl.Series([k * 7919 % 90 for k in range(400)], dtype=pl.UInt32)


def everything() -> dict[str, str]:
    """A hash of what every kernel answers."""
    ids = kernels.tokenizer().encode(TEXTS)
    groups = ((kernels.OF_TEXTS, TEXTS), (kernels.OF_NUMBERS, NUMBERS), (kernels.OF_IDS, ids))
    each = ((name, call, values) for group, values in groups for name, call in group.items() if name not in kernels.QUERIES)
    return {name: core.content_hash(kernels.frame(call(values))) for name, call, values in each}


def _answer(queue: Any) -> None:
    queue.put(everything())


def test_every_kernel_works_in_a_forked_child() -> None:
    here = everything()  # the pool of this process is up now, and its threads are not there in a child
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    children = [context.Process(target=_answer, args=(queue,)) for _ in range(2)]
    for child in children:
        child.start()
    answers = [queue.get(timeout=120) for _ in children]
    for child in children:
        child.join(timeout=120)
        assert child.exitcode == 0
    assert answers == [here, here]
    assert everything() == here


def test_every_kernel_works_in_data_loader_workers() -> None:
    torch = pytest.importorskip("torch")

    class Rows(torch.utils.data.Dataset):  # type: ignore[misc]
        def __len__(self) -> int:
            return 4

        def __getitem__(self, at: int) -> dict[str, str]:
            return everything()

    here = everything()
    loader = torch.utils.data.DataLoader(Rows(), batch_size=None, num_workers=2, multiprocessing_context="fork", timeout=120)
    assert list(loader) == [here] * 4


SCRIPT = """
import random
import polars as pl
import kernels
from tunesmith import core
draw = random.Random(0)
texts = pl.Series([" ".join(draw.choice("abcd") * draw.randint(1, 2) for _ in range(draw.randint(0, 30))) for _ in range(3000)])
numbers = texts.str.len_bytes()
assert core.near_pairs(texts, threshold=0.3, shingle=2).height > 1000
answers = {
    "near_pairs, low": core.near_pairs(texts, threshold=0.3, shingle=2),
    "near_duplicates, low": core.near_duplicates(texts, threshold=0.3, shingle=2),
    "near_duplicates, two sides": core.near_duplicates(texts[:2000], threshold=0.3, shingle=2, against=texts[2000:]),
    "exact_duplicates, space": core.exact_duplicates(texts, normalize="space"),
    "closest, many": core.closest(texts[:500], texts[500:], shingle=2),
    "overlap, many": core.overlap(texts[:2000], texts[2000:], n=3),
    "verify_pairs, many": core.verify_pairs(texts, texts.reverse(), shingle=1),
    "substring_duplicates, longer": core.substring_duplicates(texts, min_length=12),
    **{name: call(texts) for name, call in kernels.OF_TEXTS.items()},
    **{name: call(numbers) for name, call in kernels.OF_NUMBERS.items()},
    **{name: call(kernels.tokenizer().encode(texts)) for name, call in kernels.OF_IDS.items()},
}
for name, answer in answers.items():
    print(name, core.content_hash(kernels.frame(answer)))
"""


def test_one_thread_equals_two_equals_many() -> None:
    def run(threads: int) -> list[str]:
        settings = {**os.environ, "RAYON_NUM_THREADS": str(threads), "PYTHONPATH": os.pathsep.join(sys.path)}
        return subprocess.run([sys.executable, "-c", SCRIPT], env=settings, capture_output=True, text=True, check=True).stdout.splitlines()

    one = run(1)
    assert len(one) > len(kernels.OF_TEXTS)
    assert run(2) == one
    assert run(16) == one
