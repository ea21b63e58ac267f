from __future__ import annotations

import itertools
from collections import Counter

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import tiny
from tunesmith.errors import ArtefactError
from tunesmith.packing.reader import read_pack
from tunesmith.training.collate import Course, CourseDataset, Segments
from tunesmith.training.jobs import count_supervised


def test_a_batch_by_hand(tmp_path):
    rows = [([5, 6, 7], [-100, 6, 7]), ([8, 9], [-100, 9])]
    segments = Segments(read_pack(tiny.pack_folder(tmp_path / "p", rows, capacity=8, weights=[1.0, 3.0])))
    batch = segments.collate(segments.bins)
    assert batch.input_ids.tolist() == [[5, 6, 7, 8, 9]]
    assert batch.labels.tolist() == [[6, 7, -100, 9, -100]]
    assert batch.position_ids.tolist() == [[0, 1, 2, 0, 1]]
    assert (batch.cu_seqlens.tolist(), batch.cu_seqlens.dtype) == ([0, 3, 5], torch.int32)
    assert (batch.max_len, batch.lengths, batch.segments) == (3, (3, 2), (0, 1))
    assert batch.owner().tolist() == [0, 0, 0, 1, 1]
    assert float(batch.weighted_tokens()) == 2 * 1.0 + 1 * 3.0


def test_the_first_token_of_a_segment_has_no_loss(tmp_path):
    # As text rows are: everything supervised. Nothing predicts a first token, least of all the segment before it.
    rows = [([5, 6, 7], [5, 6, 7]), ([8, 9], [8, 9]), ([4], [4])]
    pack = read_pack(tiny.pack_folder(tmp_path / "p", rows, capacity=8))
    segments = Segments(pack)
    assert count_supervised(pack) == [2, 1, 0]
    assert segments.collate(segments.bins).labels.tolist() == [[6, 7, -100, 9, -100, -100]]


def test_an_empty_pack_says_so(tmp_path):
    with pytest.raises(ArtefactError, match="expected a pack with rows, found none"):
        Segments(read_pack(tiny.pack_folder(tmp_path / "p", [])))


@given(bins=st.integers(1, 12), total=st.integers(1, 60), step_bins=st.integers(1, 7), micro_bins=st.integers(1, 7), seed=st.integers(0, 5))
def test_a_course_covers_epoch_after_epoch(bins, total, step_bins, micro_bins, seed):
    course = Course(bins=[[k] for k in range(bins)], total=total, step_bins=step_bins, micro_bins=min(micro_bins, step_bins), seed=seed)
    places = list(itertools.chain.from_iterable(course.passes()))
    assert places == list(range(total))
    seen = [one[0] for one in course.bins_at(range(total))]
    # Each whole epoch holds every bin once; the last, in part, none twice.
    for epoch in range(0, total, bins):
        counts = Counter(seen[epoch : epoch + bins])
        assert max(counts.values()) == 1
        assert len(counts) == min(bins, total - epoch)
    # Cutting a step into passes changes neither the steps nor their bins.
    whole = Course(bins=course.bins, total=total, step_bins=step_bins, micro_bins=step_bins, seed=seed)
    assert course.steps == whole.steps == len(whole.passes())
    assert len(course.passes()) == (course.steps - 1) * course.accumulation + -(
        -(total - (course.steps - 1) * step_bins) // course.micro_bins
    )
    ends = [step for step in range(1, course.steps + 1) if course.epoch_ends(step=step)]
    assert len(ends) <= total // bins
    assert course.epoch_of(step=course.steps) == -(-total // bins)


def test_epochs_have_different_orders_by_seed():
    def seen(seed):
        return Course(bins=[[k] for k in range(20)], total=40, step_bins=1, micro_bins=1, seed=seed).bins_at(range(40))

    assert seen(0) == seen(0) != seen(1)
    assert seen(0)[:20] != seen(0)[20:]


def test_a_pass_names_the_epoch_of_each_segment(tmp_path):
    rows = [([5, 6], [-100, 6])] * 3
    segments = Segments(read_pack(tiny.pack_folder(tmp_path / "p", rows, capacity=4)))
    assert [len(one) for one in segments.bins] == [2, 1]
    dataset = CourseDataset(segments, Course(bins=segments.bins, total=3, step_bins=3, micro_bins=3, seed=0))
    batch, epochs = dataset[0]
    assert len(batch.segments) == len(epochs)
    assert Counter(epochs)[1] == 3
    assert set(epochs) == {1, 2}
