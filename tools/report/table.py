"""The table of a report: as text, as CSV, as facts."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import tzinfo

from tools.contract import Json, Window
from tools.report.chart import short
from tools.report.period import By

_DAYS = {
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
    "fr": ("lun.", "mar.", "mer.", "jeu.", "ven.", "sam.", "dim."),
}
_MOST_LINES = 62


@dataclass(frozen=True, slots=True)
class Table:
    """A value for each row; `None` where nothing was measured, which is not zero."""

    heading: str
    unit: str
    rows: tuple[tuple[str, float | None], ...]
    total: float | None
    total_word: str
    no_data: str

    @property
    def facts(self) -> dict[str, Json]:
        rows: list[Json] = [[label, _plain(value)] for label, value in self.rows]
        return {"columns": [self.heading, self.unit], "rows": rows, "total": _plain(self.total)}

    @property
    def text(self) -> str:
        """The rows, aligned; of a long table its beginning and its end."""
        width = max((len(label) for label, _ in (*self.rows, (self.total_word, None))), default=0)
        lines = [f"{label:<{width}}  {self._shown(value)}" for label, value in self.rows]
        if len(lines) > _MOST_LINES:
            left = len(lines) - _MOST_LINES + 1
            lines[_MOST_LINES // 2 : -_MOST_LINES // 2 + 1] = [f"... {left} rows, all of them in the CSV ..."]
        if self.total is not None:
            lines.append(f"{self.total_word:<{width}}  {self._shown(self.total)} {self.unit}")
        return "\n".join([f"{self.heading:<{width}}  {self.unit}", *lines])

    @property
    def csv(self) -> bytes:
        """The rows as CSV in UTF-8; cells without data stay empty."""
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow([self.heading, self.unit])
        table.writerows((label, "" if value is None else _plain(value)) for label, value in self.rows)
        return text.getvalue().encode()

    def _shown(self, value: float | None) -> str:
        return self.no_data if value is None else f"{_plain(value):,}"


def _plain(value: float | None) -> int | float | None:
    """Counts as whole numbers, levels with the digits that matter."""
    if value is None:
        return None
    return round(value) if value == round(value) else round(value, 1 if abs(value) >= 10 else 3)


def row_label(cell: Window, by: By, zone: tzinfo) -> str:
    """A row's name in the table: sortable."""
    start = cell.start.astimezone(zone)
    return f"{start:%Y-%m-%d %H:%M}" if by is By.HOUR else f"{start:%Y-%m-%d}"


def bar_labels(cells: Sequence[Window], by: By, zone: tzinfo, language: str) -> tuple[str, ...]:
    """The rows' names in the chart: short."""
    labels = []
    for cell in cells:
        start = cell.start.astimezone(zone)
        if by is By.HOUR:
            labels.append(
                f"{start:%H:%M}" if start.hour or len(cells) <= 2 else f"{start:%H:%M}\n{start:%d/%m}"
            )
        elif by is By.DAY:
            labels.append(f"{_DAYS[language][start.weekday()]}\n{start:%d/%m}")
        else:
            labels.append(f"{start:%d/%m}")
    return tuple(labels)


def total_text(value: float | None, unit: str) -> str:
    """The total in a sentence."""
    return f"{short(value)} {unit}" if value is not None else "unknown"
