"""Prometheus metrics, counted from the same facts that the audit trail is made of, and from looks into the store."""

from collections import Counter as Tally
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Info, generate_latest

from agent.approvals.action import State
from agent.audit.event import Fact, FactKind
from agent.store.port import Store
from tools.contract import Json

SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)  # upper bounds of the histogram of turns
OPEN = (State.AWAITING_APPROVAL, State.APPROVED, State.RUNNING, State.UNKNOWN)
ENDED = {
    FactKind.PROPOSED: "proposed",
    FactKind.CLAIMED: "claimed",
    FactKind.WITHDRAWN: "withdrawn",
    FactKind.SUPERSEDED: "superseded",
    FactKind.EXPIRED: "expired",
    FactKind.STALE: "stale",
    FactKind.SUCCEEDED: "succeeded",
    FactKind.FAILED: "failed",
    FactKind.UNKNOWN: "unknown",
    FactKind.SETTLED: "settled",
}


class Metrics:
    """All of sayso's metrics. `seen` is called with every fact on its way into the trail."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        made = self.registry
        self._turns = Counter("sayso_turns", "Turns that ended", ["ended"], registry=made)
        self._seconds = Histogram("sayso_turn_seconds", "Time to an answer", buckets=SECONDS, registry=made)
        self._calls = Counter("sayso_tool_calls", "Calls of tools", ["tool", "result"], registry=made)
        self._tokens = Counter(
            "sayso_model_tokens", "Tokens of language models", ["model", "kind"], registry=made
        )
        self._actions = Counter("sayso_actions", "What happened to actions", ["tool", "event"], registry=made)
        self._votes = Counter("sayso_decisions", "Decisions that count", ["verdict"], registry=made)
        self._refused = Counter(
            "sayso_refused", "Attempts that were refused", ["what", "reason"], registry=made
        )
        self._now = Gauge("sayso_actions_open", "Actions by state, at this moment", ["state"], registry=made)
        self._waiting = Gauge("sayso_turns_waiting", "Messages without an answer", registry=made)
        self._oldest = Gauge("sayso_turns_waiting_oldest_seconds", "Age of the oldest of them", registry=made)
        self._untold = Gauge("sayso_untold", "What is still to be told on surfaces", registry=made)
        self._workers = Gauge("sayso_workers", "Processes that beat, by role", ["role"], registry=made)
        Info("sayso_build", "Which sayso this is", registry=made).info({"version": version("sayso")})

    def seen(self, fact: Fact) -> None:
        """Counts a fact."""
        tool = str(fact.data.get("tool", ""))
        match fact.kind:
            case FactKind.ANSWERED:
                self._answered(fact.data)
            case FactKind.DECIDED:
                self._votes.labels(str(fact.data.get("verdict", ""))).inc()
            case FactKind.DECISION_REFUSED | FactKind.RUN_REFUSED | FactKind.PROPOSAL_REFUSED:
                what = fact.kind.value.removesuffix("_refused")
                self._refused.labels(what, str(fact.data.get("reason", ""))).inc()
            case kind if kind in ENDED:
                self._actions.labels(tool, ENDED[kind]).inc()

    def _answered(self, data: Mapping[str, Json]) -> None:
        ended = "answered" if data.get("model") else "closed"
        self._turns.labels(ended).inc()
        timings, receipt = data.get("timings"), data.get("receipt")
        if isinstance(timings, Mapping) and isinstance(seconds := timings.get("seconds"), int | float):
            self._seconds.observe(seconds)
        calls = data.get("calls")
        if isinstance(calls, Sequence) and not isinstance(calls, str):
            for call in calls:
                if isinstance(call, Mapping):
                    self._calls.labels(str(call.get("tool")), str(call.get("result"))).inc()
        if isinstance(receipt, Mapping):
            for kind in ("input_tokens", "output_tokens"):
                if isinstance(count := receipt.get(kind), int) and count:
                    self._tokens.labels(str(data.get("model")), kind.removesuffix("_tokens")).inc(count)

    async def look(self, store: Store, now: datetime) -> None:
        """Reads what only the store knows. Raises `StoreError`."""
        for state in OPEN:
            self._now.labels(state.value).set(len(await store.actions(state=state, limit=10_000)))
        waiting = await store.unfinished()
        self._waiting.set(len(waiting))
        oldest = min((turn.asked_at for turn in waiting), default=now)
        self._oldest.set(max(0.0, (now - oldest).total_seconds()))
        self._untold.set(len(await store.due(now)))
        self._workers.clear()
        for role, count in Tally(beat.role for beat in (await store.beats()).values()).items():
            self._workers.labels(role).set(count)

    def text(self) -> bytes:
        """All of them in Prometheus' text format."""
        return generate_latest(self.registry)
