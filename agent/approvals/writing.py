"""What an action wrote while it ran: its progress as it was told, and the outputs it came back with."""

from dataclasses import dataclass, field

from agent.approvals.ports import Outputs
from tools.contract import Json, Outcome, Progress

MOST = 10_000  # lines of progress that are kept


@dataclass(slots=True)
class Transcript:
    """Passes progress on and remembers it."""

    onward: Progress
    lines: list[str] = field(default_factory=list)
    more: int = 0

    async def __call__(self, line: str) -> None:
        if len(self.lines) < MOST:
            self.lines.append(line)
        else:
            self.more += 1
        await self.onward(line)

    async def kept(self, outcome: Outcome, outputs: Outputs | None) -> list[Json]:
        """What is kept of it, for the trail: whole outputs, else the progress as it was told."""
        if outputs is None:
            return []
        texts = [(each.title, each.raw, each.cut or "") for each in outcome.findings if each.raw]
        if not texts and self.lines:
            cut = f"{self.more:,} more lines were not kept" if self.more else ""
            texts = [("progress", "\n".join(self.lines), cut)]
        rows: list[Json] = []
        for title, text, cut in texts:
            handle = await outputs.keep(text)
            row: dict[str, Json] = {"title": title, "lines": len(text.splitlines()), "handle": handle}
            rows.append({**row, "cut": cut} if cut else row)
        return rows
