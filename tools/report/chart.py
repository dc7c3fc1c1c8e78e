"""A chart of one measure as a PNG: few words, large enough to read on a phone."""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

INK, GREY, FAINT, BAR = "#1f2933", "#627d98", "#e4e7eb", "#2b6cb0"
SIZE, DPI = (7.2, 4.3), 160  # 1152 x 688 pixels
MOST_LABELS = 10  # along the bottom
MOST_FIGURES = 16  # above bars


@dataclass(frozen=True, slots=True)
class Chart:
    """What is drawn: a value for each label, `None` where nothing was measured."""

    title: str
    subtitle: str
    labels: tuple[str, ...]
    values: tuple[float | None, ...]
    x_label: str
    y_label: str
    no_data: str
    line: bool = False


def png(chart: Chart) -> bytes:
    """The chart as a PNG. Blocks; raises `ImportError` where matplotlib is not installed."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    figure = Figure(figsize=SIZE, dpi=DPI, facecolor="white")
    figure.set_layout_engine("constrained", w_pad=0.12, h_pad=0.12)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    places = range(len(chart.values))
    known = [value if value is not None else float("nan") for value in chart.values]
    if chart.line:
        axes.plot(places, known, color=BAR, linewidth=2.5, marker="o", markersize=5)
    else:
        axes.bar(places, [value or 0.0 for value in chart.values], color=BAR, width=0.72)
        _figures(axes, chart.values)
    _gaps(axes, chart)
    _frame(axes, chart)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=not chart.line))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: short(value)))
    axes.set_title(chart.title, loc="left", fontsize=16, fontweight="bold", color=INK, pad=32)
    _note(axes, chart.subtitle)
    content = io.BytesIO()
    figure.savefig(content, format="png")
    return content.getvalue()


def _frame(axes: "Axes", chart: Chart) -> None:
    """Axes that stay in the background, labels that do not run into each other."""
    count = len(chart.labels)
    every = -(-count // MOST_LABELS)
    shown = range(0, count, every)
    axes.set_xticks(list(shown), [chart.labels[place] for place in shown])
    axes.set_xlim(-0.6, count - 0.4)
    top = max((value for value in chart.values if value is not None), default=0.0)
    axes.set_ylim(0, top * 1.15 if top > 0 else 1)
    axes.set_xlabel(chart.x_label, fontsize=12, color=GREY)
    axes.set_ylabel(chart.y_label, fontsize=12, color=GREY)
    axes.tick_params(labelsize=11, colors=INK, length=0)
    axes.grid(axis="y", color=FAINT, linewidth=1)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(GREY)


def _figures(axes: "Axes", values: Sequence[float | None]) -> None:
    if len(values) > MOST_FIGURES:
        return
    for place, value in enumerate(values):
        if value is not None:
            axes.annotate(
                short(value), (place, value), xytext=(0, 4), textcoords="offset points", ha="center",
                fontsize=11, color=INK,
            )  # fmt: skip


def _gaps(axes: "Axes", chart: Chart) -> None:
    """What was not measured is hatched and says so, that nobody takes it for zero."""
    missing = [place for place, value in enumerate(chart.values) if value is None]
    for place in missing:
        axes.axvspan(place - 0.36, place + 0.36, facecolor="none", edgecolor=FAINT, hatch="///", linewidth=0)
        if len(chart.values) <= MOST_FIGURES:
            axes.text(
                place, 0.5, chart.no_data, transform=axes.get_xaxis_transform(), rotation=90, ha="center", va="center",
                fontsize=11, color=GREY, bbox={"facecolor": "white", "edgecolor": "none", "pad": 4},
            )  # fmt: skip


def _note(axes: "Axes", text: str) -> None:
    """The line under the title, aligned with it."""
    axes.annotate(
        text, (0, 1), xycoords="axes fraction", xytext=(0, 14), textcoords="offset points", fontsize=11, color=GREY
    )  # fmt: skip


def short(value: float) -> str:
    """A figure in as few characters as say it: 0.25, 12.5, 1,204, 3.4M."""
    if abs(value) >= 1e6:
        return f"{value / 1e6:,.1f}M"
    return (
        f"{round(value, 2 if abs(value) < 10 else 1 if abs(value) < 100 else 0):,g}"
        if abs(value) < 1e5
        else f"{value:,.0f}"
    )
