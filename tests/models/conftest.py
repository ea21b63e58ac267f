from __future__ import annotations

import pytest


@pytest.fixture(autouse=True, scope="package")
def one_thread():
    """Tiny matrices gain nothing from threads, and wait for each other on a busy machine."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)
