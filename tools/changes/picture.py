"""A metric as a line with the changes on it, as a PNG."""

import asyncio
import io
from collections.abc import Sequence
from datetime import datetime, tzinfo

from tools.changes.port import Occurrence
from tools.contract import File, ToolFailed
from tools.metrics.reading import Reading
from tools.report.chart import BAR, DPI, GREY, INK, SIZE

MOST = 8  # changes that are drawn
_RED = "#c53030"


async def drawn(
    reading: Reading | None, occurrences: Sequence[Occurrence], zone: tzinfo
) -> tuple[tuple[File, ...], str]:
    """The chart, where there is one, and what it does not show."""
    if reading is None or not reading.points:
        return (), "no chart: nothing was measured in this time"
    try:
        made = await asyncio.to_thread(picture, reading, occurrences, zone)
    except ToolFailed as error:
        return (), f"no chart: {error}"
    hidden = len(occurrences) - MOST
    return (made,), f"the chart shows the first {MOST} of {len(occurrences)} changes" if hidden > 0 else ""


def picture(reading: Reading, occurrences: Sequence[Occurrence], zone: tzinfo) -> File:
    """The chart. Blocks; raises `ToolFailed` where charts are not installed."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
        from matplotlib.ticker import FuncFormatter
    except ImportError as error:
        raise ToolFailed("charts need matplotlib: install sayso[charts]") from error
    figure = Figure(figsize=SIZE, dpi=DPI, facecolor="white")
    figure.set_layout_engine("constrained")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    points = (*reading.earlier, *reading.points)
    axes.plot([at.timestamp() for at, _ in points], [value for _, value in points], color=BAR, linewidth=2)
    axes.set_title(
        f"{reading.metric.words}, {reading.scope.service or 'all services'}", loc="left", color=INK
    )
    axes.set_ylabel(reading.metric.unit, color=GREY)
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda seconds, _: f"{datetime.fromtimestamp(seconds, zone):%H:%M}")
    )
    for one in occurrences[:MOST]:
        axes.axvline(one.at.timestamp(), color=GREY, linewidth=1, linestyle="--")
        axes.annotate(
            one.title[:32], (one.at.timestamp(), 1), xycoords=("data", "axes fraction"), rotation=90, va="top",
            ha="right", fontsize=8, color=GREY,
        )  # fmt: skip
    if reading.since_change is not None:
        axes.axvline(reading.since_change.timestamp(), color=_RED, linewidth=2)
    content = io.BytesIO()
    figure.savefig(content, format="png")
    return File("changes.png", "image/png", content.getvalue())
