"""A bar for long work, beside the answer and gone when it is done."""

from types import TracebackType
from typing import Self

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from agent.surfaces.terminal.screen import margin
from knowledge.port import Progress as Step


class Bar:
    """Shows how far an ingestion is, with its rate and the time left."""

    def __init__(self, title: str) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=30),
            TaskProgressColumn(),
            TextColumn("{task.fields[documents]:,} documents, {task.fields[rate]:.0f} chunks/s"),
            TimeRemainingColumn(),
            console=margin(),
            transient=True,
        )
        self._title = title
        self._task = self._progress.add_task(title, total=1.0, documents=0, rate=0.0)

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def step(self, step: Step) -> None:
        self._progress.update(
            self._task,
            description=f"{self._title} {step.source}",
            completed=step.share,
            documents=step.documents,
            rate=step.rate,
        )
