"""`tunesmith report`: any artefact as one HTML file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from tunesmith.cli.manners import Outcome, Session, verb

if TYPE_CHECKING:
    from rich.console import Console


@verb("report", example="tunesmith report clean\ntunesmith report out/demo -o demo.html", remote=("folder",))
@click.argument("folder", metavar="DIR")
@click.option("-o", "--out", metavar="REPORT.html", help="Where to write it (default: report.html in the folder).")
@click.option("--title", help="Headline (default: the folder's name).")
@click.option("--force", is_flag=True, help="Replace a file that is no report.")
def command(session: Session, folder: str, out: str | None, title: str | None, force: bool) -> Outcome:
    """Write one self-contained HTML file for an artefact, or for a folder that holds several.

    It needs no network and loads nothing; it opens in any browser, light or dark, and prints. An earlier report is
    replaced.
    """
    from tunesmith.reports import report

    result = report(folder, out, title=title, force=force, progress=session.progress)

    def show(console: Console) -> None:
        console.print(result["verdict"], markup=False, soft_wrap=True)
        console.print(f"{result['report']} ({result['bytes'] / 1e6:.2f} MB)", markup=False, soft_wrap=True)

    return Outcome(data=result, show=show)
