"""Named points and windows of time: yesterday, last Monday, ce matin, since noon, le 12 novembre."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from agent.models.embedded.clock import CLOCK, time_of_day
from agent.models.embedded.lengths import DAY, HOUR, MONTH, WEEK, YEAR
from agent.models.embedded.when import When

_WEEKDAYS = {
    name: day
    for day, names in enumerate(
        ("monday mon lundi", "tuesday tue tues mardi", "wednesday wed mercredi", "thursday thu thurs jeudi",
         "friday fri vendredi", "saturday sat samedi", "sunday sun dimanche")
    )
    for name in names.split()
}  # fmt: skip
_MONTHS = {
    name: month
    for month, names in enumerate(
        ("january jan janvier janv", "february feb fevrier fevr", "march mar mars", "april apr avril avr",
         "may mai", "june jun juin", "july jul juillet juil", "august aug aout", "september sept sep septembre",
         "october oct octobre", "november nov novembre", "december dec decembre"), start=1,
    )
    for name in names.split()
}  # fmt: skip
_DAY_NAMES = "|".join(sorted(_WEEKDAYS, key=len, reverse=True))
_LONG_DAYS = "|".join(sorted((name for name in _WEEKDAYS if len(name) > 4), key=len, reverse=True))
_MONTH_NAMES = "|".join(sorted(_MONTHS, key=len, reverse=True))


@dataclass(frozen=True, slots=True)
class Calendar:
    """Reads points and windows of time against one moment in one time zone."""

    now: datetime  # aware, in the zone of the person

    @property
    def today(self) -> datetime:
        return self.now.replace(hour=0, minute=0, second=0, microsecond=0)

    def windows(self, text: str) -> Iterator[When]:
        """Every named point or window of time in a folded text."""
        for pattern, method in _WINDOWS:
            for match in pattern.finditer(text):
                if found := method(self, match):
                    yield replace(found, span=match.span())

    def days_ago(self, match: re.Match[str]) -> When | None:
        word = match[1]
        if word.startswith(("today", "aujourd", "ce jour")):
            return When((0, 0), start=self.today, coarse=DAY)
        back = 2 if word.startswith(("day before", "avant")) else 1
        start = self.today - back * DAY
        return self._with_clock(match, start) or When((0, 0), start=start, end=start + DAY, coarse=DAY)

    def part_of_day(self, match: re.Match[str]) -> When | None:
        words = match[0]
        day = self.today - DAY if re.search(r"yesterday|hier|last|derniere", words) else self.today
        if re.search(r"morning|matin", words):
            start, end = day, day + 12 * HOUR
        elif re.search(r"afternoon|apres", words):
            start, end = day + 12 * HOUR, day + 18 * HOUR
        elif re.search(r"evening|soir", words):
            start, end = day + 18 * HOUR, day + DAY
        else:  # a night runs from the evening before to the morning
            start, end = self.today - 6 * HOUR, self.today + 6 * HOUR
            if not re.search(r"last|derniere|cette", words):
                start, end = start + DAY, end + DAY
        return When((0, 0), start=start, end=end, coarse=DAY, future=start > self.now)

    def weekday(self, match: re.Match[str]) -> When | None:
        back = (self.now.weekday() - _WEEKDAYS[match["day"]]) % 7
        before, after = match["before"] or "", match["after"] or ""
        if (
            (before.startswith(("next", "ce", "this")) and back)
            or after.startswith("prochain")
            or before.startswith("next")
        ):
            start = self.today + (7 - back) * DAY
        else:
            start = self.today - (back or (7 if before or after else 0)) * DAY
        if found := self._with_clock(match, start):
            return found
        return When((0, 0), start=start, end=start + DAY, coarse=DAY, future=start > self.now)

    def week(self, match: re.Match[str]) -> When | None:
        monday = self.today - self.now.weekday() * DAY
        if _is_past(match[0]):
            return When((0, 0), start=monday - WEEK, end=monday, coarse=WEEK)
        return When((0, 0), start=monday, coarse=WEEK)

    def weekend(self, match: re.Match[str]) -> When | None:
        monday = self.today - self.now.weekday() * DAY
        saturday = monday + 5 * DAY
        if saturday > self.now or (_is_past(match[0]) and self.now.weekday() >= 5):
            saturday -= WEEK
        return When((0, 0), start=saturday, end=saturday + 2 * DAY, coarse=2 * DAY)

    def month(self, match: re.Match[str]) -> When | None:
        first = self.today.replace(day=1)
        if _is_past(match[0]):
            return When((0, 0), start=(first - DAY).replace(day=1), end=first, coarse=MONTH)
        return When((0, 0), start=first, coarse=MONTH)

    def year(self, match: re.Match[str]) -> When | None:
        first = self.today.replace(month=1, day=1)
        if _is_past(match[0]):
            return When((0, 0), start=first.replace(year=first.year - 1), end=first, coarse=YEAR)
        return When((0, 0), start=first, coarse=YEAR)

    def month_by_name(self, match: re.Match[str]) -> When | None:
        start = self._last_date(_MONTHS[match["month"]], 1, match.groupdict().get("year"))
        if start is None:
            return None
        end = (start + 32 * DAY).replace(day=1)
        return When((0, 0), start=start, end=min(end, self.now), coarse=MONTH)

    def date(self, match: re.Match[str]) -> When | None:
        groups = match.groupdict()
        month = _MONTHS[groups["month"]] if groups.get("month") else int(groups.get("mm") or self.now.month)
        start = self._last_date(month, int(groups["dd"]), groups.get("year"))
        if start is None:
            return None
        return self._with_clock(match, start) or When((0, 0), start=start, end=start + DAY, coarse=DAY)

    def clock(self, match: re.Match[str]) -> When | None:
        moment = time_of_day(match.groupdict(), self.today)
        if moment is None:
            return None
        if moment > self.now:  # "since 22:00" asked in the morning is last night's
            moment -= DAY
        return When((0, 0), start=moment)

    def appointment(self, match: re.Match[str]) -> When | None:
        """A time of day that something is to happen at: ahead when it is later today."""
        moment = time_of_day(match.groupdict(), self.today)
        return None if moment is None else When((0, 0), start=moment, future=moment > self.now)

    def _last_date(self, month: int, day: int, year: str | None) -> datetime | None:
        """The latest such date that is not ahead."""
        for candidate in [int(year)] if year else [self.now.year, self.now.year - 1]:
            try:
                start = self.today.replace(year=candidate, month=month, day=day)
            except ValueError:
                return None
            if start <= self.now or year:
                return start
        return None

    def _with_clock(self, match: re.Match[str], day: datetime) -> When | None:
        moment = time_of_day(match.groupdict(), day)
        return None if moment is None else When((0, 0), start=moment)


def _is_past(words: str) -> bool:
    return re.search(r"last|past|previous|dernier|passe|precedent", words) is not None


_AT = rf"(?:,? (?:at|a|vers|around|from) {CLOCK})?"
_DATE_END = rf"\b(?:,? (?P<year>20\d\d))?{_AT}"
_SHORT_DAY = rf"(?:(?<=on )|(?<=since )|(?<=last ))(?:{_DAY_NAMES})"
_WINDOWS: list[tuple[re.Pattern[str], Callable[[Calendar, re.Match[str]], When | None]]] = [
    (re.compile("".join(pattern)), method)
    for pattern, method in (
        ((r"\b(?:yesterday|hier|this|ce|cet|cette|last|la) (?:morning|afternoon|evening|night|matin|apres midi|soir",
          r"|nuit)(?: derniere| passee)?\b|\btonight\b|\bovernight\b"), Calendar.part_of_day),
        ((r"\b(day before yesterday|avant hier|yesterday|hier|today|aujourd'hui|ce jour)\b", _AT), Calendar.days_ago),
        ((rf"\b(?:(?P<before>last|next|this|on|past|ce) )?(?P<day>{_LONG_DAYS}|{_SHORT_DAY})s?",
          rf"(?: (?P<after>dernier|prochain|passe))?\b{_AT}"), Calendar.weekday),
        ((r"\b(?:(?:this|last|past|previous) week ?end|(?:ce|le) week ?end(?: dernier| passe)?)\b",), Calendar.weekend),
        ((r"\b(?:(?:this|last|previous) week(?! ?end)|cette semaine|(?:la )?semaine (?:derniere|passee|precedente)",
          r"|(?:la )?(?:derniere|precedente) semaine)\b"), Calendar.week),
        ((r"\b(?:(?:this|last|previous) month|ce mois(?: ci)?|(?:le )?mois (?:dernier|passe|precedent)",
          r"|(?:le )?dernier mois)\b"), Calendar.month),
        ((r"\b(?:(?:this|last|previous) year|cette annee|l' ?an(?:nee)? (?:dernier|derniere|passee?))(?!\w)",),
         Calendar.year),
        ((rf"\b(?P<dd>\d{{1,2}})(?:st|nd|rd|th|er)? (?:of )?(?P<month>{_MONTH_NAMES})", _DATE_END), Calendar.date),
        ((rf"\b(?P<month>{_MONTH_NAMES}) (?P<dd>\d{{1,2}})(?:st|nd|rd|th)?(?![:\w])", _DATE_END), Calendar.date),
        ((r"\b(?P<year>20\d\d) ?- ?(?P<mm>\d\d) ?- ?(?P<dd>\d\d)\b", _AT), Calendar.date),
        ((r"\b(?:the|le) (?P<dd>\d{1,2})(?:st|nd|rd|th|er)\b",), Calendar.date),
        ((rf"\b(?:in |en |last |since |depuis )(?P<month>{_MONTH_NAMES})\b(?: (?P<year>20\d\d))?(?: dernier)?",),
         Calendar.month_by_name),
        ((r"\b(?:since|from|after|as of|starting(?: at)?|depuis|a partir de|des) (?:the |le |la )?", CLOCK),
         Calendar.clock),
        # "depuis 14h" is a time of day; "depuis 2h" and "depuis 12h" are lengths
        ((r"\b(?:depuis|a partir de|apres) (?P<hour>1[013-9]|2[0-3]|[789])h(?P<minute>\d\d)?\b",), Calendar.clock),
        ((r"\b(?:at|around|vers|until|till|before|jusqu' ?a|avant) ", CLOCK), Calendar.appointment),
        ((r"\b(?P<noon>noon|midday|midi)\b|\b(?P<midnight>midnight|minuit)\b",), Calendar.clock),
    )
]  # fmt: skip
