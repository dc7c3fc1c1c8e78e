"""Tells what an investigation came to: the cause and its points, what is less likely, ruled out, or not known."""

from collections.abc import Iterator, Mapping, Sequence

from agent.conversation.evidence import Evidence
from agent.models.embedded.facts import amount, moment, rows, text, texts
from agent.models.embedded.undoing import undone
from agent.models.embedded.wording import figure, measured, name_of, quoted
from agent.models.embedded.writing import Writer, capital, listed
from agent.words.catalogue import say
from tools.contract import Json

KIND = "investigation"
_POINTS, _LESS, _RULED_OUT, _UNCHECKED = 5, 2, 6, 6
_SURE = frozenset({"high", "medium"})
_CONDITIONS = frozenset(
    {"dependency", "memory", "disk", "pool", "clock", "certificate", "traffic", "instances"}
)  # no changes

_Facts = Mapping[str, Json]


def investigated(piece: Evidence, writer: Writer) -> str:
    """The answer to "why is it slow?" from one investigation; its evidence is numbered from its own number on."""
    return _Report(piece, writer).answer()


class _Report:
    def __init__(self, piece: Evidence, writer: Writer) -> None:
        self._facts: _Facts = piece.finding.facts
        self._first, self._writer, self._locale = piece.number, writer, writer.locale
        self._service = text(self._facts, "service") or self._say("everything")
        self._place = {"service": self._service, "environment": text(self._facts, "environment")}
        self._ranked = list(rows(self._facts, "hypotheses"))
        self._troubles = texts(self._facts, "troubles")

    def answer(self) -> str:
        if self._facts.get("measured") is not True and not self._troubles:
            return listed(self._say("unmeasured", **self._place), self._closing())
        if self._facts.get("broken") is not True:
            return listed(
                self._say(self._fine(), **self._place),
                [*self._symptoms(), *self._over(), *self._worth(), *self._closing()],
            )
        main, others = self._main(), self._ranked[len(self._main()) :]
        less = [
            self._say("less", cause=self._cause(one), confidence=self._confidence(one))
            for one in others[:_LESS]
        ]
        if len(main) > 1:
            head = self._say("several", count=len(main), **self._place)
            parts = [listed(head, self._symptoms())]
            parts += [
                listed(
                    f"{at}. {self._one_of(one)}",
                    [*undone(one, self._writer, self._cites), *self._points(one)],
                )
                for at, one in enumerate(main, 1)
            ]
            parts.append("\n".join(f"- {line}" for line in [*less, *self._closing()]))
        else:
            parts = [
                listed(
                    self._likely(main[0]),
                    [
                        *undone(main[0], self._writer, self._cites),
                        *self._points(main[0]),
                        *self._symptoms(),
                        *less,
                        *self._closing(),
                    ],
                )
            ]
        parts += [line for one in main if (line := self._next(one))]
        return "\n".join(part for part in parts if part)

    def _fine(self) -> str:
        return "fine_short" if self._facts.get("short") is True else "fine"

    def _main(self) -> list[_Facts]:
        """The best cause of each trouble; more than one only where they are more than a guess."""
        first: dict[str, _Facts] = {}
        for one in self._ranked:
            first.setdefault(text(one, "service"), one)
        sure = [one for one in first.values() if text(one, "confidence") in _SURE]
        return sure or self._ranked[:1]

    def _likely(self, one: _Facts) -> str:
        fields = {**self._place, "cause": self._cause(one), "confidence": self._confidence(one)}
        place = text(one, "service")
        if place and place != self._service:
            return self._say("likely_place", place=place, **fields)
        return self._say("likely", **fields)

    def _one_of(self, one: _Facts) -> str:
        return capital(self._say("one_of", cause=self._cause(one), confidence=self._confidence(one)))

    def _cause(self, one: _Facts) -> str:
        known = _mapping(one, "change")
        return self._say(
            f"cause.{text(one, 'kind')}",
            subject=text(one, "subject"),
            service=text(one, "subject" if text(one, "kind") == "clock" else "service"),
            title=text(known, "title"),
            at=self._writer.at(moment(known, "at")),
            by=text(known, "by") or "?",
        )

    def _confidence(self, one: _Facts) -> str:
        """How surely, and what the rule counted."""
        level = self._say(f"confidence.{text(one, 'confidence') or 'low'}")
        sources = dict.fromkeys(text(point, "source") for point in rows(one, "for"))
        names = ", ".join(self._say(f"source.{name}") for name in sources)
        return self._say(
            "counted", level=level, score=figure(amount(one, "score") or 0, self._locale), sources=names
        )

    # --- points ------------------------------------------------------------------------------------------------------

    def _points(self, one: _Facts) -> list[str]:
        points = [*rows(one, "for")][:_POINTS] + [*rows(one, "against")][:1]
        return [self._point(each) for each in points if text(each, "code") != "change.last"]

    def _point(self, one: _Facts) -> str:
        code = text(one, "code")
        if code.startswith("felt.") and amount(_mapping(one, "fields"), "before") is None:
            code += "_only"  # nothing was measured before
        told = self._say(f"point.{code}", cites=self._cites(one), **self._fields(one))
        return capital(told) if code.startswith("felt.") else told

    def _fields(self, one: _Facts) -> dict[str, str]:
        """The values of a point as people write them."""
        values = _mapping(one, "fields")
        unit = text(values, "unit")
        told = {name: self._value(name, value, unit) for name, value in values.items()}
        told["metric"] = name_of(text(values, "metric"), self._locale)
        told["since"] = self._writer.at(moment(values, "since"))
        if text(values, "kind") in _CONDITIONS:
            told["other"] = self._say(
                f"cause.{text(values, 'kind')}",
                subject=told.get("other", ""),
                service=told.get("service", ""),
            )
        return told

    def _value(self, name: str, value: Json, unit: str) -> str:
        if isinstance(value, bool) or value is None:
            return "?"
        if isinstance(value, str):
            return " ".join(value.split())
        if not isinstance(value, int | float):
            return "?"
        if name == "gap":
            return self._gap(float(value))
        return (
            measured(value, unit, self._locale)
            if name in {"before", "after", "now"}
            else figure(value, self._locale)
        )

    def _gap(self, seconds: float) -> str:
        """A length of time as exact as it matters."""
        if seconds < 90:
            return f"{figure(round(seconds), self._locale)} s"
        if seconds < 5400:
            return f"{figure(round(seconds / 60), self._locale)} min"
        return f"{figure(round(seconds / 3600), self._locale)} h"

    # --- around it ---------------------------------------------------------------------------------------------------

    def _symptoms(self) -> list[str]:
        told, said = [], self._said_already()
        for one in list(rows(self._facts, "symptoms"))[:4]:
            if (text(one, "metric"), text(one, "service")) in said:
                continue
            fields = {**self._fields({"fields": dict(one)}), "cites": self._cites(one)}
            if one.get("worse") is True:
                form = "here" if amount(one, "before") is not None else "here_only"
                told.append(capital(self._say(f"point.felt.{form}", **fields)))
            elif amount(one, "now") is not None:
                where = f"{text(one, 'service')} ({self._place['environment']})"
                told.append(
                    capital(
                        say(
                            "planner.series.now",
                            self._locale,
                            where=where,
                            metric=fields["metric"],
                            now=fields["now"],
                            cites=fields["cites"],
                        )
                    )
                )
        return told

    def _over(self) -> Iterator[str]:
        """What failed and does so no more."""
        for one in rows(self._facts, "over"):
            until = self._writer.at(moment(one, "until"))
            fields = {**self._fields({"fields": dict(one)}), "until": until, "cites": self._cites(one)}
            yield capital(self._say("over", **fields))

    def _said_already(self) -> set[tuple[str, str]]:
        """The measures that are told as points of a cause."""
        fields = (
            point.get("fields")
            for one in self._main()
            for point in rows(one, "for")
            if text(point, "code") == "felt.with"
        )
        return {(text(each, "metric"), text(each, "service")) for each in fields if isinstance(each, Mapping)}

    def _worth(self) -> list[str]:
        """What is not as usual although nothing is broken: the points of each, told as such."""
        return [
            self._say("worth", what=self._point(point))
            for one in self._ranked[:2]
            for point in list(rows(one, "for"))[:2]
        ]

    def _closing(self) -> list[str]:
        return [*self._known(), *self._ruled_out(), *self._unchecked()]

    def _known(self) -> Iterator[str]:
        for one in rows(self._facts, "incidents"):
            key, fix = text(one, "key"), text(one, "fix")
            title = (
                text(one, "title") if not key or key in text(one, "title") else f"{key}: {text(one, 'title')}"
            )
            form = "incident_fix" if fix else "incident"
            yield self._say(form, title=title, fix=quoted(fix, self._locale), cites=self._cites(one))
        for one in rows(self._facts, "runbooks"):
            yield self._say("runbook", title=text(one, "title"), cites=self._cites(one))
        if alerts := list(rows(self._facts, "alerts")):
            names = ", ".join(dict.fromkeys(text(one, "name") for one in alerts))
            yield self._say("alerts", names=names, cites=self._cites(alerts[0]))

    def _ruled_out(self) -> Iterator[str]:
        for one in list(rows(self._facts, "ruled_out"))[:_RULED_OUT]:
            reason = self._say(f"reason.{text(one, 'code')}", **self._fields(one))
            what = text(one, "what")
            shown = quoted(what, self._locale) if text(one, "kind") == "noise" else what
            yield self._say("ruled_out", what=shown, reason=reason, cites=self._cites(one))

    def _unchecked(self) -> Iterator[str]:
        missing = texts(self._facts, "not_checked")
        if missing:
            yield self._say("not_checked", what="; ".join(missing[:_UNCHECKED]))

    def _next(self, one: _Facts) -> str:
        """The obvious next step: back to what was there before."""
        fields = _mapping(one, "fields")
        before, kind = text(fields, "before"), text(one, "kind")
        if not before or text(one, "confidence") not in _SURE or _taken_away(_mapping(one, "undone")):
            return ""
        if kind == "release":
            return self._writer.say("next_rollback", service=text(one, "service"), version=before)
        if kind == "config":
            return self._say(
                "next_config", what=text(one, "subject"), before=before, by=text(fields, "by") or "?"
            )
        return ""

    def _cites(self, one: _Facts, key: str = "cites") -> str:
        """Places among the findings of the investigation, whose own is 1, as numbers of evidence."""
        value = one.get(key)
        places: Sequence[Json] = value if isinstance(value, Sequence) and not isinstance(value, str) else ()
        numbers = (self._first - 1 + place for place in places if isinstance(place, int))
        return "".join(f"[{number}]" for number in dict.fromkeys(numbers))

    def _say(self, key: str, /, **fields: object) -> str:
        return say(f"planner.why.{key}", self._locale, **fields)


def _taken_away(undone: _Facts) -> bool:
    """Whether there is no use in going back: that was done, or what came instead shows no errors."""
    return bool(undone) and (undone.get("back") is True or not undone.get("errors"))


def _mapping(facts: _Facts, key: str) -> _Facts:
    """A mapping inside facts; an empty one where there is none."""
    value = facts.get(key)
    return value if isinstance(value, Mapping) else {}
