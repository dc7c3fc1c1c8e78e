"""Ordinary talk, drawn from the stock in `smalltalk.yaml`: lunches, stand-ups, reviews, alerts that pass, thanks."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from demo.knowledge.cast import CHANNEL, MEMBER
from demo.knowledge.conversation import Conversation, Line
from demo.knowledge.stories import read_yaml

STOCK = Path(__file__).parent / "smalltalk.yaml"

_PLACE = re.compile(r"\{(?P<word>[a-z_]+)(?P<other>\d*)(?::(?P<low>\d+)-(?P<high>\d+))?\}")
_MEMORABLE = 30  # characters; shorter lines ("thanks, looking") may come again, as they do in life
_TRIES = 20
_ANSWERS = 0.85  # the chance that a line of an unthreaded exchange gets said


class _Closed(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Exchange(_Closed):
    """One kind of small conversation; the fields are explained at the top of the stock."""

    days: Annotated[float, Field(gt=0, le=1)]
    open: Annotated[tuple[str, ...], Field(min_length=1)]
    then: tuple[tuple[str, ...], ...] = ()
    who: tuple[str, ...] = ()
    by: tuple[str, ...] = ()
    turns: tuple[Literal["a", "b"], ...] = ()
    react: tuple[str, ...] = ()
    weekday: int | None = None
    between: tuple[float, float] = (7.2, 16.2)


class Alert(_Closed):
    """One kind of alert that comes and goes; `minutes` is how long it lasts."""

    name: str
    service: str
    value: str
    minutes: tuple[int, int]


class Stock(_Closed):
    """All there is to draw from."""

    slots: dict[str, tuple[str, ...]]
    exchanges: dict[str, tuple[Exchange, ...]]
    alerts: tuple[Alert, ...]
    alert_remarks: tuple[str, ...]


def load_stock(path: Path = STOCK) -> Stock:
    """Read the stock. Raises pydantic's ValidationError when it is not as its first lines say."""
    return Stock.model_validate(read_yaml(path))


@dataclass(slots=True)
class Filling:
    """What the placeholders of one exchange stand for; the same placeholder is filled alike throughout."""

    slots: dict[str, tuple[str, ...]]
    chance: Random
    fixed: dict[str, str] = field(default_factory=dict)

    def fill(self, text: str) -> str:
        line = _PLACE.sub(self._value, text)
        return line[:1].upper() + line[1:] if text.startswith("{") else line

    def _value(self, match: re.Match[str]) -> str:
        key = match[0]
        if key not in self.fixed:
            self.fixed[key] = self._draw(match)
        return self.fixed[key]

    def _draw(self, match: re.Match[str]) -> str:
        if match["low"]:
            return str(self.chance.randint(int(match["low"]), int(match["high"])))
        taken = set(self.fixed.values())
        entries = self.slots[match["word"]]
        return self.chance.choice([entry for entry in entries if entry not in taken] or entries)


@dataclass(slots=True)
class Talk:
    """Draws conversations day by day; remembers what was said so that nothing memorable is said twice."""

    stock: Stock
    chance: Random
    said: set[str] = field(default_factory=set)

    def day(self, today: date) -> Iterator[Conversation]:
        """The ordinary talk of one working day."""
        for channel, exchanges in self.stock.exchanges.items():
            for exchange in exchanges:
                if exchange.weekday in {None, today.weekday()} and self.chance.random() < exchange.days:
                    yield self._conversation(channel, exchange, today)

    def alerts(self, today: date) -> Iterator[Conversation]:
        """Alerts of one day, working or not, that end by themselves; now and then somebody remarks on one."""
        for _ in range(self.chance.choice((0, 0, 1, 1, 2))):
            alert = self.chance.choice(self.stock.alerts)
            filling = Filling(self.stock.slots, self.chance)
            at = _moment(today, self.chance.uniform(0.5, 23.0))
            lasted = self.chance.randint(*alert.minutes)
            environment = self.chance.choice(("production", "production", "staging"))
            place = f"{alert.name} {alert.service} {environment}"
            firing = Line("alertbot", at, filling.fill(f":red_circle: FIRING {place}: {alert.value}"))
            end = at + timedelta(minutes=lasted)
            ended = Line("alertbot", end, f":large_green_circle: RESOLVED {place} after {lasted} min")
            yield Conversation("oncall", (firing,))
            yield Conversation("oncall", (ended,))
            if 6 <= end.hour < 20 and self.chance.random() < 0.5:
                who = self.chance.choice(_present(("elin", "marek", "sam", "maya", "raj", "priya"), today))
                remark = filling.fill(self.chance.choice(self.stock.alert_remarks))
                yield Conversation("oncall", (Line(who, end + timedelta(minutes=2), remark),))

    def _conversation(self, channel: str, exchange: Exchange, today: date) -> Conversation:
        members = _present(CHANNEL[channel].members, today)
        opener = self.chance.choice(_present(exchange.who or members, today))
        others = [handle for handle in _present(exchange.by or members, today) if handle != opener]
        self.chance.shuffle(others)
        absent = [handle for handle in members if handle not in {opener, *others[:3]}] or [opener]
        spoken = self._lines(exchange, opener, others, self.chance.choice(absent))
        at = _moment(today, self.chance.uniform(*exchange.between))
        lines: list[Line] = []
        for index, (speaker, text) in enumerate(spoken):
            reactions = self._reactions(exchange, others) if index == 0 else ()
            lines.append(Line(speaker, at, text, reactions))
            at += timedelta(seconds=self.chance.randint(25, 1500 if exchange.turns else 300))
        return Conversation(channel, tuple(lines), threaded=bool(exchange.turns))

    def _lines(
        self, exchange: Exchange, opener: str, others: Sequence[str], absent: str
    ) -> list[tuple[str, str]]:
        """Who says what; drawn again while anything memorable in it was said before."""
        lines: list[tuple[str, str]] = []
        for _ in range(_TRIES):
            names = {"{a}": opener, "{b}": others[0], "{x}": absent}
            filling = Filling(self.stock.slots, self.chance, names)
            speakers = self._speakers(exchange, opener, others)
            texts = (exchange.open, *exchange.then)
            lines = [
                (speaker, filling.fill(self.chance.choice(choices)))
                for speaker, choices in zip(speakers, texts, strict=False)
            ]
            memorable = {text for _, text in lines if len(text) >= _MEMORABLE}
            if memorable.isdisjoint(self.said):
                break
        self.said.update(text for _, text in lines)
        return lines

    def _speakers(self, exchange: Exchange, opener: str, others: Sequence[str]) -> list[str]:
        if exchange.turns:
            return [opener, *(opener if turn == "a" else others[0] for turn in exchange.turns)]
        return [opener, *(other for other in others if self.chance.random() < _ANSWERS)]

    def _reactions(
        self, exchange: Exchange, others: Sequence[str]
    ) -> tuple[tuple[str, tuple[str, ...]], ...]:
        if not exchange.react or self.chance.random() < 0.4:
            return ()
        return ((self.chance.choice(exchange.react), tuple(others[: self.chance.randint(1, 4)])),)


def _present(handles: Sequence[str], today: date) -> list[str]:
    return [handle for handle in handles if MEMBER[handle].joined <= today]


def _moment(today: date, hour: float) -> datetime:
    return datetime(today.year, today.month, today.day, tzinfo=UTC) + timedelta(seconds=int(hour * 3600))
