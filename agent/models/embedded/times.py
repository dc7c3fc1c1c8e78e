"""Times as people say them, in English and French: lengths, points, windows; and how an argument wants them."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo

from agent.models.embedded.numerals import NUMERAL, number

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
WEEK, MONTH, YEAR = timedelta(days=7), timedelta(days=30), timedelta(days=365)

_UNITS = {
    r"seconds?|secondes?|secs?|s": SECOND,
    r"minutes?|mins?|mn|m": MINUTE,
    r"hours?|heures?|hrs?|hr|h": HOUR,
    r"days?|jours?|journees?|d|j": DAY,
    r"weeks?|semaines?|wks?|w": WEEK,
    r"fortnights?": 2 * WEEK,
    r"months?|mois|mo": MONTH,
    r"years?|ans?|annees?": YEAR,
}
_UNIT = "|".join(_UNITS)
_RECENT = r"last|past|previous|dernier(?:e?s?)|derniere?s?|precedent(?:e?s?)|passe(?:e?s?)"


@dataclass(frozen=True, slots=True)
class When:
    """A time that was said: a `length` back from now, or a `start` with perhaps an `end`.

    `coarse` is the length of the calendar period it names (a day for "yesterday"); `future` times lie ahead;
    `span` is where the words stand in the text.
    """

    span: tuple[int, int]
    length: timedelta | None = None
    start: datetime | None = None
    end: datetime | None = None
    coarse: timedelta | None = None
    future: bool = False


def unit(word: str) -> timedelta | None:
    """The length of one second, minute, ... by any of its names."""
    return next((length for names, length in _UNITS.items() if re.fullmatch(names, word)), None)


def short(length: timedelta) -> str:
    """The normal form of a length: `90s`, `15m`, `2h`, `7d`, in the largest unit that leaves no rest."""
    seconds = max(1, round(length.total_seconds()))
    for letter, size in (("d", 86_400), ("h", 3_600), ("m", 60)):
        if seconds % size == 0:
            return f"{seconds // size}{letter}"
    return f"{seconds}s"


def instant(moment: datetime, zone: tzinfo) -> str:
    """ISO 8601 with the offset of `zone`, to the second."""
    return moment.astimezone(zone).isoformat(timespec="seconds")


def as_length(when: When, now: datetime) -> timedelta | None:
    """How long a window must be to hold what was said: the calendar period if one was named."""
    if when.length is not None:
        return when.length
    if when.coarse is not None:
        return when.coarse
    if when.start is None or when.start >= now:
        return None
    minutes = -(-(now - when.start) // MINUTE)
    return max(minutes, 1) * MINUTE


# --- lengths ---------------------------------------------------------------------------------------------------

_LENGTHS: list[tuple[re.Pattern[str], Callable[[re.Match[str]], timedelta | None]]] = []


def _length_rule(
    pattern: str,
) -> Callable[[Callable[[re.Match[str]], timedelta | None]], Callable[[re.Match[str]], timedelta | None]]:
    def keep(
        rule: Callable[[re.Match[str]], timedelta | None],
    ) -> Callable[[re.Match[str]], timedelta | None]:
        _LENGTHS.append((re.compile(pattern), rule))
        return rule

    return keep


@_length_rule(rf"(?:({NUMERAL}) )?(?:an? |le |la )?quarts?(?:ers?)?(?: of an? | d' ?)(hour|heure)\b")
def _quarters(match: re.Match[str]) -> timedelta | None:
    return (number(match[1]) or 1) * timedelta(minutes=15) if match[1] else timedelta(minutes=15)


@_length_rule(rf"({NUMERAL}) quarters of an hour\b")
def _more_quarters(match: re.Match[str]) -> timedelta | None:
    return (number(match[1]) or 1) * timedelta(minutes=15)


@_length_rule(r"(?:an? |une |la derniere |l' ?)?(?:half|demie?)[ -](?:an? )?(hour|heure|day|journee)\b")
def _half(match: re.Match[str]) -> timedelta | None:
    return timedelta(minutes=30) if match[1] in {"hour", "heure"} else timedelta(hours=12)


@_length_rule(rf"(?:an? |une? )?(?:({NUMERAL}) )?(hour|heure|day|jour|minute)s? (?:and a half|et demie?)\b")
@_length_rule(rf"({NUMERAL}) and a half (hour|day|minute)s?\b")
def _and_a_half(match: re.Match[str]) -> timedelta | None:
    size = unit(match[2])
    return None if size is None else ((number(match[1]) or 1) + 0.5 if match[1] else 1.5) * size


@_length_rule(
    r"\b(\d+) ?(?:h|hours?|heures?)(?: (?:and |et )?)?(\d{1,2}) ?(?:m|mins?|mn|minutes?)?\b(?!\.\d)"
)
def _hours_and_minutes(match: re.Match[str]) -> timedelta | None:
    return int(match[1]) * HOUR + int(match[2]) * MINUTE if int(match[2]) < 60 else None


@_length_rule(
    rf"({NUMERAL})[ -]?(?:or so |full |good )?(?:(?:{_RECENT}) )?({_UNIT})(?![\w'])(?: (?:{_RECENT})\b)?"
)
def _counted(match: re.Match[str]) -> timedelta | None:
    size, count = unit(match[2]), number(match[1])
    if size is None or count is None or not 0 < count * size.total_seconds() < 10 * 365 * 86_400:
        return None
    return count * size


@_length_rule(rf"(?:an|une|one) ({_UNIT})(?!\w)")
def _one(match: re.Match[str]) -> timedelta | None:
    return unit(match[1]) if len(match[1]) > 2 else None


@_length_rule(rf"(?:\bthe |\bla |\bl' ?)?(?:{_RECENT}) (second|minute|hour|seconde|heure|day|jour|24)\b")
@_length_rule(r"(?:\bthe )?\bpast (week|fortnight|month|year)\b")
@_length_rule(r"(?:over|within|during) the last (week|fortnight|month|year)\b")
@_length_rule(r"\b(hour|minute|heure) (?:passee|ecoulee)\b")
def _bare(match: re.Match[str]) -> timedelta | None:
    return unit(match[1])


def lengths(text: str) -> Iterator[When]:
    """Every length of time in a folded text, the longest reading of each place first."""
    for pattern, rule in _LENGTHS:
        for match in pattern.finditer(text):
            if (match.start() == 0 or not text[match.start() - 1].isalnum()) and (found := rule(match)):
                yield When(match.span(), length=found)


# --- points and windows ----------------------------------------------------------------------------------------

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
_CLOCK = (
    r"(?:(?P<noon>noon|midday|midi)|(?P<midnight>midnight|minuit)"
    r"|(?P<hour>\d{1,2})(?: ?(?:[:h]|heures?) ?(?P<minute>\d{2})?)?(?: ?(?P<half>[ap]\.?m\b\.?))?)"
)
_CLOCK_STRICT = (
    r"(?:(?P<noon>noon|midday|midi)|(?P<midnight>midnight|minuit)"
    r"|(?P<hour>\d{1,2})(?:(?::|h)(?P<minute>\d{2}) ?(?P<half>[ap]\.?m\b)?| ?(?P<half2>[ap]\.?m\b)))"
)


def _clock(match: re.Match[str], day: datetime) -> datetime | None:
    """The moment of `day` (a midnight) that a clock time names."""
    groups = match.groupdict()
    if groups.get("noon"):
        return day.replace(hour=12)
    if groups.get("midnight"):
        return day
    if groups.get("hour") is None:
        return None
    hour, minute = int(groups["hour"]), int(groups.get("minute") or 0)
    half = groups.get("half") or groups.get("half2") or ""
    if half.startswith("p") and hour < 12:
        hour += 12
    if half.startswith("a") and hour == 12:
        hour = 0
    return day.replace(hour=hour, minute=minute) if hour < 24 and minute < 60 else None


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
        if before.startswith(("next", "ce", "this")) and back:
            start = self.today + (7 - back) * DAY
        elif after.startswith("prochain") or before.startswith("next"):
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
        moment = _clock(match, self.today)
        if moment is None:
            return None
        if moment > self.now:  # "since 22:00" asked in the morning is last night's
            moment -= DAY
        return When((0, 0), start=moment)

    def ago(self, match: re.Match[str]) -> When | None:
        found = next(lengths(match["length"]), None)
        return None if found is None or found.length is None else When((0, 0), length=found.length)

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
        moment = _clock(match, day)
        return None if moment is None else When((0, 0), start=moment)


def _is_past(words: str) -> bool:
    return re.search(r"last|past|previous|dernier|passe|precedent", words) is not None


_AT = rf"(?:,? (?:at|a|vers|around|from) {_CLOCK_STRICT})?"
_WINDOWS: list[tuple[re.Pattern[str], Callable[[Calendar, re.Match[str]], When | None]]] = [
    (re.compile(pattern), method)
    for pattern, method in (
        (r"\b(?:yesterday|hier|this|ce|cet|cette|last|la)[ -](?:morning|afternoon|evening|night|matin|apres[ -]midi|soir"
         r"|nuit)(?: derniere| passee)?\b|\btonight\b|\bovernight\b", Calendar.part_of_day),
        (rf"\b(day before yesterday|avant[ -]hier|yesterday|hier|today|aujourd' ?hui|aujourd hui|ce jour)\b{_AT}",
         Calendar.days_ago),
        (rf"\b(?:(?P<before>last|next|this|on|past|ce)[ ])?(?P<day>{_LONG_DAYS}|(?<=on )(?:{_DAY_NAMES})|(?<=since )(?:{_DAY_NAMES})|(?<=last )(?:{_DAY_NAMES}))s?"
         rf"(?:[ ](?P<after>dernier|prochain|passe))?\b{_AT}", Calendar.weekday),
        (r"\b(?:(?:this|last|past|previous) weekend|(?:ce|le)[ ]week[ -]?end(?: dernier| passe)?|last week-end)\b",
         Calendar.weekend),
        (r"\b(?:(?:this|last|previous) week(?![ -]?end)|cette semaine|(?:la )?semaine (?:derniere|passee|precedente)"
         r"|(?:la )?(?:derniere|precedente) semaine)\b", Calendar.week),
        (r"\b(?:(?:this|last|previous) month|ce mois(?:[ -]ci)?|(?:le )?mois (?:dernier|passe|precedent)"
         r"|(?:le )?dernier mois)\b", Calendar.month),
        (r"\b(?:(?:this|last|previous) year|cette annee|l' ?an(?:nee)? (?:dernier|derniere|passee?))(?!\w)", Calendar.year),
        (rf"\b(?P<dd>\d{{1,2}})(?:st|nd|rd|th|er)? (?:of )?(?P<month>{_MONTH_NAMES})\b(?:,? (?P<year>20\d\d))?{_AT}",
         Calendar.date),
        (rf"\b(?P<month>{_MONTH_NAMES}) (?P<dd>\d{{1,2}})(?:st|nd|rd|th)?\b(?!:)(?:,? (?P<year>20\d\d))?{_AT}",
         Calendar.date),
        (rf"\b(?P<year>20\d\d)-(?P<mm>\d\d)-(?P<dd>\d\d)\b{_AT}", Calendar.date),
        (r"\b(?:the|le) (?P<dd>\d{1,2})(?:st|nd|rd|th|er)\b", Calendar.date),
        (rf"\b(?:in |en |last |since |depuis )(?P<month>{_MONTH_NAMES})\b(?: (?P<year>20\d\d))?(?: dernier)?",
         Calendar.month_by_name),
        (rf"(?P<length>\b(?:an? |une |the )?(?:{NUMERAL})?[^,.;]{{1,24}}?) (?:ago\b)", Calendar.ago),
        (r"\bil y a (?P<length>[^,.;]{2,24})", Calendar.ago),
        (rf"\b(?:since|from|after|as of|starting(?: at)?|depuis|a partir de|des) (?:the |le |la )?{_CLOCK_STRICT}", Calendar.clock),
        (r"\b(?:depuis|a partir de|apres) (?P<hour>(?:1[013-9]|2[0-3]|[789]))h(?P<minute>\d\d)?\b", Calendar.clock),
        (rf"\b(?:at|around|vers|until|till|before|jusqu' ?a|avant) {_CLOCK_STRICT}", Calendar.clock),
        (r"\b(?:noon|midday|midnight|midi|minuit)\b", Calendar.clock),
    )
]  # fmt: skip

_RANGE = re.compile(
    rf"\b(?:between|from|entre|de) {_CLOCK} (?:and|to|et|a|until|till|-) "
    rf"{_CLOCK.replace('P<', 'P<to_')}(?!\w)"
)
_FUTURE = re.compile(
    r"\b(?:tomorrow|demain|tonight|ce soir|later|plus tard|next (?:week|month|monday|tuesday|wednesday|thursday"
    r"|friday)|(?:la )?semaine prochaine|(?:le )?mois prochain"
    rf"|(?:in|dans|d' ?ici) (?:an? |une |about |)?(?:{NUMERAL} ?|half an? |une demi[ -])?(?:{_UNIT})(?!\w))"
)


def times(text: str, now: datetime, zone: tzinfo) -> tuple[When, ...]:
    """The times said in a folded text, in order, without overlaps: ranges before windows before lengths."""
    calendar = Calendar(now.astimezone(zone))
    found = [When(match.span(), future=True) for match in _FUTURE.finditer(text)]
    found += _ranges(text, calendar)
    found += sorted(calendar.windows(text), key=lambda when: when.span[0] - when.span[1])
    found += sorted(lengths(text), key=lambda when: when.span[0] - when.span[1])
    kept: list[When] = []
    for when in found:
        if all(when.span[1] <= other.span[0] or other.span[1] <= when.span[0] for other in kept):
            kept.append(when)
    return tuple(sorted(kept, key=lambda when: when.span))


def _ranges(text: str, calendar: Calendar) -> Iterator[When]:
    for match in _RANGE.finditer(text):
        groups = match.groupdict()
        if (
            not any(
                groups[name]
                for name in (
                    "noon",
                    "midnight",
                    "minute",
                    "half",
                    "to_noon",
                    "to_midnight",
                    "to_minute",
                    "to_half",
                )
            )
            and "h" not in match[0].split(maxsplit=1)[1]
        ):
            continue  # "from 3 to 6" counts something else
        end = re.match(
            rf"{_CLOCK}",
            match[0][match.start("to_hour") - match.start() :]
            if groups["to_hour"]
            else groups["to_noon"] or groups["to_midnight"],
        )
        start_at = _clock(match, calendar.today)
        end_at = _clock(end, calendar.today) if end else None
        if start_at and end_at:
            shift = DAY if start_at > calendar.now else timedelta()
            end_at = end_at if end_at > start_at else end_at + DAY
            yield When(match.span(), start=start_at - shift, end=end_at - shift)
