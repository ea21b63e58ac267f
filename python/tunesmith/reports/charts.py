"""Plots as static SVG: altair says what is drawn, vl-convert draws it. No JavaScript, prints well, a few kB each.

Text and axes take the page's colour (`currentColor`), so that one picture serves light and dark. Series differ by
shape or dashes as well as by colour, and never by red against green. Each plot is drawn in two widths and shown in its
own size, so that letters are never shrunk.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tunesmith.errors import MissingExtraError
from tunesmith.reports.blocks import Picture
from tunesmith.reports.texts import visible

if TYPE_CHECKING:
    import polars as pl

PALETTE = ("#6f86b0", "#d98324", "#3a86b8", "#8d6cab")
WIDE, NARROW = 760, 340
LETTER = 8.2
"""Width of a letter, generously: the browser's font is not the one that the drawing is measured with."""
ROW, PADDING = 17, 14
_LINK = re.compile('xlink:href="[^"#]*#')
"""A link as it is drawn: into this page, and with a place on the web before it."""


def require() -> Any:
    """Import altair.

    Raises:
        MissingExtraError: If it, or what draws, is not installed.
    """
    try:
        import altair
        import vl_convert  # noqa: F401  (what draws; missing it is better said here)
    except ImportError as error:
        raise MissingExtraError("altair with vl-convert-python", "report", "a report with plots") from error
    return altair


def _picture(chart: Callable[[int], Any]) -> Picture:
    """Draw a chart, made for a width, in both."""
    return Picture(wide=_svg(chart(WIDE), WIDE), narrow=_svg(chart(NARROW), NARROW))


def _svg(chart: Any, width: int) -> str:
    import vl_convert

    text = {
        "labelColor": "currentColor",
        "titleColor": "currentColor",
        "labelFontSize": 13,
        "titleFontSize": 13,
        "titleFontWeight": "normal",
    }
    axis = {**text, "domainColor": "currentColor", "tickColor": "currentColor", "gridColor": "currentColor", "gridOpacity": 0.15}
    legend = {**text, "orient": "top", "symbolSize": 90, "labelLimit": 0}
    config = {"background": "transparent", "view": {"stroke": None}, "axis": axis, "legend": legend, "font": "system-ui, sans-serif"}
    own = chart.to_dict()
    config["legend"] |= own.get("config", {}).get("legend", {})
    whole = {**own, "config": config, "width": width, "autosize": {"type": "fit-x", "contains": "padding"}}
    return _LINK.sub('href="#', str(vl_convert.vegalite_to_svg(whole, format_locale="en-US")))


def intervals(frame: pl.DataFrame, *, axis: str, percent: bool = False, whole: bool = True) -> Picture:
    """Draw values with intervals: one line a name, one mark a series.

    Args:
        frame: `name`, `series`, `value`, `low`, `high`; drawn in order of appearance.
        axis: What the numbers are.
        percent: Write the axis in per cent, 0 to 100.
        whole: Draw shares from 0 to 100%; else from 0 to a little above the highest.
    """
    alt = require()
    data = [{**row, "name": visible(row["name"]), "series": visible(row["series"])} for row in frame.to_dicts()]
    names, series = (list(dict.fromkeys(row[key] for row in data)) for key in ("name", "series"))
    shapes = ["circle", "square", "diamond", "triangle-up"]
    extent = LETTER * min(max(map(len, names)), 24)
    top = 1.0 if whole else min(max(*(row["high"] for row in data), 0.05) * 1.05, 1.0)
    scale = alt.Scale(domain=[0, top]) if percent else alt.Scale(nice=True)

    def chart(width: int) -> Any:
        labels = alt.Axis(labelLimit=extent, minExtent=extent, ticks=False, domain=False, labelPadding=8)
        base = alt.Chart(alt.Data(values=data)).encode(
            y=alt.Y("name:N", sort=names, title=None, axis=labels),
            yOffset=alt.YOffset("series:N", sort=series),
            color=_colours(alt, series, PALETTE),
        )
        ticks = alt.Axis(format="~%" if percent else "~g", tickCount=5 if width == NARROW else 10)
        marks = base.mark_point(filled=True, size=75, opacity=1).encode(
            x=alt.X("value:Q", title=axis, axis=ticks, scale=scale),
            shape=alt.Shape("series:N", title=None, scale=alt.Scale(domain=series, range=shapes[: len(series)])),
        )
        bars = base.mark_rule(strokeWidth=2).encode(x=alt.X("low:Q", title=axis, scale=scale), x2="high:Q")
        return (bars + marks).properties(height={"step": ROW})

    return _picture(chart)


def lines(frame: pl.DataFrame, *, x: str, y: str) -> Picture:
    """Draw curves.

    Args:
        frame: `series`, `x`, `y`; a few hundred points at most.
        x: What the horizontal axis is.
        y: What the vertical axis is.
    """
    alt = require()
    data = frame.to_dicts()
    series = list(dict.fromkeys(row["series"] for row in data))

    def chart(width: int) -> Any:
        encoded = alt.Chart(alt.Data(values=data)).encode(
            x=alt.X("x:Q", title=x, axis=alt.Axis(tickCount=5 if width == NARROW else 10, grid=False)),
            y=alt.Y("y:Q", title=y, scale=alt.Scale(zero=True), axis=alt.Axis(titlePadding=PADDING)),
            color=_colours(alt, series, PALETTE[2:0:-1]),
        )
        dashes = alt.StrokeDash("series:N", title=None, scale=alt.Scale(domain=series, range=[[1, 0], [6, 4]][: len(series)]))
        return encoded.mark_line(strokeWidth=2).encode(strokeDash=dashes).properties(height=220).configure_legend(symbolSize=400)

    return _picture(chart)


def binned(values: pl.Series, *, bins: int = 40) -> tuple[pl.Series, dict[str, tuple[int, int]]]:
    """Put whole numbers into equal bins from the minimum to the 99.5th percentile; the last takes the rest.

    Returns:
        The name of each value's bin (null for null), and where each bin that holds some begins and ends, in order.

    >>> import polars as pl
    >>> binned(pl.Series([1, 2, 9]), bins=3)[1]
    {'1-3': (1, 4), '7 or more': (7, 10)}
    """
    import polars as pl

    low, high = int(values.min() or 0), int(values.quantile(0.995, interpolation="higher") or 0)  # type: ignore[arg-type]
    width = max(-(-(high - low + 1) // bins), 1)  # whole: else neighbouring bins would hold differently many numbers
    last = (high - low) // width
    index = ((values.cast(int) - low) // width).clip(0, last)
    names, borders = {}, {}
    for k in sorted(index.drop_nulls().unique()):
        begin, end = low + k * width, low + (k + 1) * width
        names[k] = f"{begin} or more" if k == last and k else str(begin) if width == 1 else f"{begin}-{end - 1}"
        borders[names[k]] = (begin, end)
    return index.replace_strict(names, return_dtype=pl.String), borders


def histogram(values: pl.Series, *, axis: str, bins: int = 40, to: Callable[[str], str] | None = None) -> Picture:
    """Draw how whole numbers are spread (`binned`).

    Args:
        values: ``n`` whole numbers.
        axis: What they are.
        bins: Bars, at most.
        to: Where the bar of a bin of that name leads: a part of this page (`texts.address`).
    """
    alt = require()
    named, borders = binned(values, bins=bins)
    counts = dict(named.drop_nulls().value_counts().iter_rows())
    data = [
        {
            "from": begin,
            "to": end,
            "count": counts[name],
            "name": f"{name} {axis}: {counts[name]:,} rows",
            **({"link": to(name)} if to else {}),
        }
        for name, (begin, end) in borders.items()
    ]
    leads = {"href": alt.Href("link:N"), "tooltip": alt.Tooltip("name:N")} if to else {}

    def chart(size: int) -> Any:
        ticks = alt.Axis(format=",d", tickCount=5 if size == NARROW else 10, grid=False)
        return (
            alt.Chart(alt.Data(values=data))
            .mark_bar(color=PALETTE[2], binSpacing=1)
            .encode(
                x=alt.X("from:Q", title=axis, bin="binned", axis=ticks),
                x2="to:Q",
                y=alt.Y("count:Q", title="rows", axis=alt.Axis(format=",d", tickMinStep=1, titlePadding=PADDING)),
                **leads,
            )
            .properties(height=170)
        )

    return _picture(chart)


def _colours(alt: Any, series: Sequence[str], palette: Sequence[str]) -> Any:
    return alt.Color("series:N", title=None, scale=alt.Scale(domain=list(series), range=list(palette[: len(series)])))
