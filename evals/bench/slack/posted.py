"""What a storm came to: the file of everything that was posted, read from where it was read last."""

import json
from collections import Counter, defaultdict
from collections.abc import Collection
from pathlib import Path


class Posted:
    """Messages of the log that `evals.bench.slack.standin` writes."""

    def __init__(self, log: Path) -> None:
        self._log, self._read = log, 0
        self._thread: dict[str, str] = {}  # of a message
        self._messages: dict[str, set[str]] = defaultdict(
            set
        )  # of a thread: what is an answer, or may become one
        self.answered: set[str] = set()  # threads
        self.cards = 0
        self.texts: Counter[str] = Counter()  # how answers begin

    def look(self) -> None:
        """Reads on."""
        if not self._log.exists():
            return
        with self._log.open(encoding="utf-8") as file:
            file.seek(self._read)
            for line in file:
                if line.endswith("\n"):
                    self._note(json.loads(line))
                    self._read += len(line.encode())

    def _note(self, line: dict[str, str]) -> None:
        ts, subject = line["ts"], line["subject"]
        if line["thread"]:
            self._thread[ts] = line["thread"]
            if not subject or subject.endswith("/0"):  # the message that shows the work, and the answer
                self._messages[line["thread"]].add(ts)
            self.cards += subject.startswith("A-")
        thread = self._thread.get(ts, "")
        if line["answers"] and thread:
            self.answered.add(thread)
            self.texts[line["text"][:24]] += 1

    def twice(self, among: Collection[str]) -> int:
        """How many of these have more than one message that answers."""
        return sum(len(self._messages[one]) > 1 for one in among)
