"""Near duplicates in little memory: keys on disk, candidates in parts, large groups tile by tile; the same answer."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from core.test_near_duplicates import edited, texts_of_anything
from tunesmith import core
from tunesmith.errors import OptionError


@given(texts=texts_of_anything, threshold=st.sampled_from([0.2, 0.7, 1.0]))
@settings(max_examples=60, deadline=None)
def test_spilled_equals_in_memory(texts: list[str | None], threshold: float) -> None:
    options = {"threshold": threshold, "shingle": 2}
    assert_frame_equal(core.near_duplicates(texts, memory=0, **options), core.near_duplicates(texts, **options))
    assert_frame_equal(core.near_pairs(texts, memory=0, every=True, **options), core.near_pairs(texts, every=True, **options))
    rows = [pl.Series(texts, dtype=pl.String), pl.Series(texts[::-1], dtype=pl.String)]
    assert_frame_equal(core.near_duplicates(rows, memory=0, **options), core.near_duplicates(rows, **options))
    assert_frame_equal(core.near_duplicates(texts, against=texts[::2], memory=0), core.near_duplicates(texts, against=texts[::2]))


def test_large_groups_and_many_candidates() -> None:
    # 700 variants of one text: every band has groups too large to gather, and a thousand candidates do not fit.
    texts = [*variants(700), *edited(8, 300)]
    options = {"threshold": 0.6, "shingle": 2, "every": True}
    pairs = core.near_pairs(texts, memory=0, **options)
    assert pairs.height > 50_000
    assert_frame_equal(pairs, core.near_pairs(texts, **options))
    a, b = pairs["a"], pairs["b"]
    column = pl.Series(texts)
    assert core.verify_pairs(column.gather(a), column.gather(b), shingle=2).to_list() == pairs["similarity"].to_list()
    assert_frame_equal(core.near_duplicates(texts, memory=0, threshold=0.6), core.near_duplicates(texts, threshold=0.6))


def variants(count: int) -> list[str]:
    """Copies of one text with one or two words replaced."""
    draw = random.Random(0)
    text = [f"word{i}" for i in range(40)]
    made = []
    for at in range(count):
        copy = list(text)
        copy[draw.randrange(40)] = f"other{at}"
        copy[draw.randrange(40)] = f"more{at % 7}"
        made.append(" ".join(copy))
    return made


def test_temporary_files_are_gone_whatever_happens(tmp_path: Path) -> None:
    seen: list[Path] = []

    def look(_done: int) -> None:
        seen.extend(tmp_path.iterdir())

    texts = edited(1, 400)
    core.near_duplicates(texts, memory=0, spill=tmp_path, progress=look)

    def stop(_done: int) -> None:
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        core.near_duplicates(texts, memory=0, spill=tmp_path, progress=stop)
    assert [*seen, *tmp_path.iterdir()] == []


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="a folder that takes no files, whoever asks")
def test_a_folder_that_takes_no_files_says_so() -> None:
    with pytest.raises(OptionError, match="spill: the band keys do not fit into `memory`, and /proc did not take them"):
        core.near_duplicates(["a", "b"], memory=0, spill="/proc")
    assert core.near_duplicates(["a", "b"], spill="/proc").height == 2


def test_one_two_and_sixteen_threads_find_the_same(tmp_path: Path) -> None:
    script = (
        "import sys, polars as pl; from core.test_near_duplicates import edited; from core.test_near_room import variants\n"
        "from tunesmith import core\n"
        "texts = pl.Series([*variants(300), *edited(5, 300)])\n"
        "core.near_duplicates(texts, threshold=0.6, memory=int(sys.argv[2])).write_ipc(sys.argv[1] + '.groups')\n"
        "core.near_pairs([texts, texts.reverse()], threshold=0.3, every=True).write_ipc(sys.argv[1] + '.pairs')\n"
    )
    made = []
    for threads, memory in ((1, 512), (2, 0), (16, 0)):
        file = tmp_path / str(threads)
        path = os.pathsep.join([str(Path(__file__).parents[1]), *sys.path])
        settings = {**os.environ, "RAYON_NUM_THREADS": str(threads), "PYTHONPATH": path}
        subprocess.run([sys.executable, "-c", script, str(file), str(memory)], env=settings, check=True)
        made.append([pl.read_ipc(f"{file}.{kind}") for kind in ("groups", "pairs")])
    assert made[0][0]["twin"].null_count() < 500
    for other in made[1:]:
        assert_frame_equal(other[0], made[0][0])
        assert_frame_equal(other[1], made[0][1])


@pytest.mark.parametrize("memory", [512, 0])
def test_ctrl_c_is_heard_during_verification(memory: int) -> None:
    # 4,000 long variants of one text: 8 million pairs, half a minute of verification and more.
    draw = random.Random(1)
    text = [f"word{i}" for i in range(600)]
    texts = pl.Series([" ".join(f"o{at}" if draw.random() < 0.02 else word for word in text) for at in range(4_000)])
    pressed: list[float] = []

    def press() -> None:
        pressed.append(time.monotonic())
        os.kill(os.getpid(), signal.SIGINT)

    read = threading.Event()

    def watch(done: int) -> None:
        if done >= len(texts) and not read.is_set():
            read.set()
            threading.Timer(0.3, press).start()

    with pytest.raises(KeyboardInterrupt):
        core.near_duplicates(texts, threshold=0.5, memory=memory, progress=watch)
    waited = time.monotonic() - pressed[0]
    assert waited < 10, f"{waited:.1f} s after Ctrl-C"  # half a second on a machine of its own
