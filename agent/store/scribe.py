"""The scribe: finishes facts for the trail, in whatever store, and blacks out the secrets in them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache

from agent.approvals.action import Action
from agent.audit.event import Fact
from agent.audit.speaking import Through, through
from agent.conversation.redact import MASK, Redactor
from tools.contract import Json


class Scribe:
    """Every fact passes through it on its way into the trail.

    `on_fact` is called for each transaction of facts, `seen` with each fact.
    """

    def __init__(
        self,
        redactor: Redactor | None = None,
        on_fact: Callable[[], None] | None = None,
        seen: Callable[[Fact], None] = lambda _fact: None,
    ) -> None:
        self._redactor = redactor or Redactor()
        self.on_fact = on_fact
        self._seen = seen

    def pen(self) -> "Pen":
        """What finishes the facts of one transaction. Taken in the task that speaks, used wherever the store works."""
        if self.on_fact is not None:
            self.on_fact()
        return Pen(self._redactor, through(), self._seen)


@dataclass(frozen=True, slots=True)
class Pen:
    """Finishes facts."""

    redactor: Redactor
    through: Through | None
    seen: Callable[[Fact], None]  # hears of it before it is certain that it is kept

    def finished(self, fact: Fact, action: Action | None = None) -> Fact:
        """The fact with what it is about (as the action is afterwards), who spoke through what, and no secrets."""
        data: dict[str, Json] = dict(fact.data)
        if action is not None:
            for name, value in _about(action, fact.at).items():
                data.setdefault(name, value)
        if self.through is not None and fact.actor != "sayso":
            data.setdefault("through", {"platform": self.through.platform, "identity": self.through.identity})
        if not self._plain(data):
            data = {name: self.clean(value, name) for name, value in data.items()}
        done = replace(fact, data=data)
        self.seen(done)
        return done

    def _plain(self, data: Mapping[str, Json]) -> bool:
        """Whether no text in it, and no name, can be or mean a secret: most facts are plain, and told so in one look.

        What no database takes (half a surrogate pair) is looked at as well.
        """
        texts: list[str] = []
        if not _gathered(data, texts):
            return False
        text = "\n".join(texts)
        return self.redactor.has_nothing(text) and (text.isascii() or _whole(text))

    def clean(self, value: Json, name: str = "") -> Json:
        """A value with the secrets in its texts blacked out; `name` is what it is called, which may tell one."""
        if isinstance(value, str):
            if value and _tells(name):
                return MASK
            return self.redactor.text(value.encode(errors="replace").decode())
        if isinstance(value, Mapping):
            return {key: self.clean(inner, key) for key, inner in value.items()}
        if isinstance(value, Sequence):
            return [self.clean(inner, name) for inner in value]
        return value


def _gathered(value: Json, texts: list[str]) -> bool:
    """Adds every text in the value to `texts`; False as soon as a name tells a secret."""
    if isinstance(value, str):
        texts.append(value)
        return True
    if isinstance(value, Mapping):
        return all(not _tells(name) and _gathered(inner, texts) for name, inner in value.items())
    if isinstance(value, Sequence):
        return all(_gathered(inner, texts) for inner in value)
    return True


def _whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


@lru_cache(maxsize=1024)
def _tells(name: str) -> bool:
    """Whether what is called so is a secret: `password`, `access_token`."""
    named = f"{name}=mellon-1954"
    return bool(name) and Redactor().text(named) != named


def _about(action: Action, at: datetime) -> dict[str, Json]:
    """What every fact about an action says: for exactly what, by which rule, and how long it took until then."""
    took: dict[str, Json] = {"since_proposed": _seconds(action.created_at, at)}
    if action.started_at is not None:
        took["since_started"] = _seconds(action.started_at, at)
    return {
        "tool": action.tool,
        "state": action.state.value,
        "digest": action.digest,
        "rule": action.requirement.rule,
        "policy_version": action.requirement.policy_version,
        "timings": took,
    }


def _seconds(start: datetime, end: datetime) -> float:
    return round((end - start).total_seconds(), 3)
