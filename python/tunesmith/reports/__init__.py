"""Reports: one self-contained HTML file for any artefact, a folder that holds several, or a profile.

`report` chooses the sections (`sections/`, one file a kind of artefact), which are made of `blocks`; `page` draws them.
Reports compute nothing new: they draw what the artefacts hold. May be imported by `cli` alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from tunesmith._lazy import lazy

if TYPE_CHECKING:
    from tunesmith.reports.reporting import profile_report as profile_report
    from tunesmith.reports.reporting import ready as ready
    from tunesmith.reports.reporting import report as report

__getattr__, __dir__ = lazy(__name__, {"profile_report": ".reporting", "ready": ".reporting", "report": ".reporting"})
