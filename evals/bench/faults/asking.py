"""Asking about a recording: the product's own turn, with the planner that needs no model, over what was kept."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from agent.app import App
from agent.approvals.policy import Policy
from agent.approvals.propose import Proposer
from agent.bootstrap import build
from agent.conversation.redact import Redactor
from agent.conversation.thread import Said, ThreadId
from agent.conversation.toolbox import Toolbox
from agent.conversation.turn import Answer, Turns
from agent.home import Home
from agent.models.embedded.planner import EmbeddedPlanner
from agent.models.tokens import EstimatingCounter
from agent.recall import Recall
from agent.settings import load
from agent.store.memory import MemoryStore
from agent.store.shelf import FolderShelf
from agent.whitelist import vocabulary_of
from evals.bench.faults.recording import Recording, drill
from evals.bench.faults.replay import backends
from evals.bench.turns_tools import Nobody
from prompts.loader import load as load_prompt
from tools.contract import Asker, Clock, ReadTool
from tools.deploy.status import Status
from tools.investigate.investigate import Investigate
from tools.investigate.port import Backends
from tools.knowledge.knowledge import Knowledge
from tools.logs.logs import Logs
from tools.metrics.metrics import Metrics
from tools.registry import Registry
from tools.vocabulary import Vocabulary

ROLES = frozenset({"viewer", "engineer"})


@dataclass
class Desk:
    """Somebody to ask: the demo's knowledge, and a planner that is trained once."""

    folder: Path
    app: App
    recall: Recall
    words: Vocabulary
    planner: EmbeddedPlanner | None = None

    async def ask(self, recording: Recording, without: Sequence[str] = ()) -> Answer:
        """What a person who asks the recording's question is told; `without` some of the backends."""

        def clock() -> datetime:
            return recording.asked_at

        whole = backends(recording, self.recall)
        investigate = Investigate(backends(recording, self.recall, without), self.words, clock)
        registry = Registry([*self._tools(whole, clock), investigate])
        if self.planner is None:
            self.planner = EmbeddedPlanner(registry.specs(), cache=self.folder / "cache")
        store, redactor = MemoryStore(), Redactor()
        names = frozenset(spec.name for spec in registry.specs())
        proposer = Proposer(store, registry, Policy([], dict.fromkeys(names, ROLES)), clock)
        turns = Turns(
            model=self.planner,
            threads=store,
            toolbox=Toolbox(registry, proposer, FolderShelf(self.folder / "evidence"), redactor),
            prompt=load_prompt("system"),
            counter=EstimatingCounter(),
            redactor=redactor,
            clock=clock,
        )
        said = Said("1", ThreadId("bench"), "maya", recording.question, recording.asked_at)
        turn = await store.hear(said)
        if turn is None:
            raise RuntimeError("a new store has heard this before")
        return await turns.answer(turn, said, Asker("maya", ROLES, ""), names, Nobody())

    def _tools(self, over: Backends, clock: Clock) -> list[ReadTool]:
        """The demo's reads, all over the recording."""
        if over.metrics is None or over.logs is None or over.platform is None:
            raise RuntimeError("a recording has metrics, logs and a platform")
        return [
            Status(over.platform, self.words, clock),
            Logs(over.logs, self.words, clock),
            Metrics(over.metrics, self.words, clock),
            Knowledge(self.recall, self.words, clock),
        ]


@asynccontextmanager
async def desk(folder: Path) -> AsyncIterator[Desk]:
    """Opens the demo's knowledge in a folder of its own; nothing of a shop runs there."""
    await drill("furnish", str(folder))
    home = Home(folder, folder / "sayso.yaml", "the bench")
    settings = load(home.config, {})
    app = await build(settings, home)
    try:
        await app.ingest(lambda _progress: None)
        recall = Recall(app.directory)
        recall.opens(app.knowledge.library)
        yield Desk(folder, app, recall, vocabulary_of(settings))
    finally:
        await app.close()
