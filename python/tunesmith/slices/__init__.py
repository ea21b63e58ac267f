"""Slices of a data set (verb, topic, length, language, turns), and the profile that counts them.

`columns` makes the slice columns, `profile` is the verb.
Imports detection and the rooms to its left; every room to the right may import it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith._lazy import lazy

if TYPE_CHECKING:
    from .profiling import Profile as Profile
    from .profiling import profile as profile
    from .slicing import columns as columns

__getattr__, __dir__ = lazy(__name__, {"columns": ".slicing", "profile": ".profiling", "Profile": ".profiling"})
