"""Who is on call in which week, the Monday handovers, and people entering channels."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from demo.knowledge.cast import CHANNELS, FIRST_DAY, LAST_DAY, MEMBERS
from demo.knowledge.conversation import Conversation, Line

# One week each, from Monday 07:00 UTC; 2026-05-18 was Elin's.
ROTA = ("elin", "kofi", "jonas", "maya", "hana", "priya", "raj", "sam")

_ENTERED = (
    ("catalog", "aisha", datetime(2026, 6, 22, 8, 12, tzinfo=UTC)),
    ("checkout", "aisha", datetime(2026, 6, 29, 9, 2, tzinfo=UTC)),
    ("incidents", "ben", datetime(2026, 9, 15, 9, 41, tzinfo=UTC)),
    ("support", "nora", datetime(2026, 9, 30, 12, 44, tzinfo=UTC)),
)

_CALM = (
    "quiet week",
    "an average week",
    "more mail than pages",
    "one short night",
    "nothing that lasted",
    "all green",
)
_LEFT = (
    "nothing is left open",
    "one ticket about a slow dashboard is left open",
    "the disk of the build runner wants a look",
    "please watch the backup report on Tuesday",
    "one flaky alert is muted until Wednesday",
    "the phone's battery is tired, bring a charger",
)


def on_call(day: date) -> str:
    """The handle of the person on call on this day."""
    return ROTA[((day - FIRST_DAY).days // 7) % len(ROTA)]


def handovers(chance: Random) -> Iterator[Conversation]:
    """One short exchange in #oncall each Monday morning."""
    monday = FIRST_DAY + timedelta(days=7)
    while monday <= LAST_DAY:
        before, now = on_call(monday - timedelta(days=1)), on_call(monday)
        at = datetime.combine(monday, time(7, chance.randrange(1, 25)), UTC)
        text = (
            f"Handover of week {monday.isocalendar().week}: @{before} → @{now}. {chance.choice(_CALM).capitalize()}, "
            f"{chance.randint(1, 9)} pages. As to the rest: {chance.choice(_LEFT)}."
        )
        taken = chance.choice(
            ("Taken.", "I have the phone.", "Thanks, I am on.", "Mine from now.", "On it, thank you.")
        )
        lines = Line(before, at, text), Line(now, at + timedelta(minutes=chance.randint(1, 9)), taken)
        yield Conversation("oncall", lines)
        monday += timedelta(days=7)


def entries() -> Iterator[Conversation]:
    """The notices Slack writes when somebody enters a channel: new colleagues, and four who came later."""
    for channel, handle, at in _ENTERED:
        yield Conversation(channel, (Line(handle, at, "", joins=True),))
    for member in MEMBERS:
        if member.joined > FIRST_DAY:
            at = datetime.combine(member.joined, time(7, 30), UTC)
            for channel_joined in CHANNELS:
                if member.handle in channel_joined.members:
                    yield Conversation(channel_joined.name, (Line(member.handle, at, "", joins=True),))
