"""Who works at Harbour Lane, in which channels they talk, and how both look in a Slack export."""

from dataclasses import dataclass
from datetime import UTC, date, datetime

TEAM_ID = "T0HLANE01"
WORKSPACE = "https://harbourlane.slack.com"
FIRST_DAY = date(2026, 5, 18)
LAST_DAY = date(2026, 11, 20)

JsonObject = dict[str, object]


@dataclass(frozen=True, slots=True)
class Member:
    """One person of the workspace. `handle` is the id used everywhere else in the demo."""

    handle: str
    user_id: str
    name: str
    title: str
    timezone: str = "Europe/London"
    joined: date = FIRST_DAY

    @property
    def email(self) -> str:
        return f"{self.handle}@harbourlane.example"


@dataclass(frozen=True, slots=True)
class Channel:
    """One conversation of the workspace; `members` are handles."""

    name: str
    channel_id: str
    purpose: str
    members: tuple[str, ...]
    private: bool = False


@dataclass(frozen=True, slots=True)
class Bot:
    """An integration that posts: no user, no e-mail address."""

    handle: str
    bot_id: str
    username: str


MEMBERS: tuple[Member, ...] = (
    Member("maya", "U0HLMAYA1", "Maya Lindqvist", "Engineer, team Till", "Europe/Stockholm"),
    Member("tom", "U0HLTOM02", "Tom Okafor", "Release manager"),
    Member("sam", "U0HLSAM03", "Sam Patel", "Platform lead"),
    Member("raj", "U0HLRAJ04", "Raj Iyer", "Payments engineer, team Ledger"),
    Member("ines", "U0HLINES5", "Inès Moreau", "Product manager", "Europe/Paris"),
    Member("lea", "U0HLLEA06", "Léa Fontaine", "Support", "Europe/Paris"),
    Member("nora", "U0HLNORA7", "Nora Weiss", "Operations and audit", "Europe/Berlin"),
    Member("priya", "U0HLPRIY8", "Priya Nair", "Catalog engineer, team Shelf"),
    Member("jonas", "U0HLJONA9", "Jonas Lindgren", "Engineer, team Shelf", "Europe/Stockholm"),
    Member("hana", "U0HLHANAA", "Hana Sato", "Engineer, team Till"),
    Member("diego", "U0HLDIEGB", "Diego Alvarez", "Engineer, team Till", "Europe/Madrid", date(2026, 7, 6)),
    Member("kofi", "U0HLKOFIC", "Kofi Mensah", "Engineer, team Ledger"),
    Member("elin", "U0HLELIND", "Elin Berg", "Site reliability engineer", "Europe/Stockholm"),
    Member("marek", "U0HLMARKE", "Marek Novak", "Platform engineer", "Europe/Prague"),
    Member("olga", "U0HLOLGAF", "Olga Petrova", "Quality engineer", "Europe/Berlin"),
    Member("aisha", "U0HLAISHG", "Aisha Khan", "Support lead"),
    Member("paul", "U0HLPAULH", "Paul Renard", "Support", "Europe/Paris"),
    Member("chloe", "U0HLCHLOJ", "Chloe Baker", "Designer"),
    Member("victor", "U0HLVICTK", "Victor Osei", "Finance"),
    Member("grace", "U0HLGRACL", "Grace Liu", "Data analyst", "Europe/London", date(2026, 9, 1)),
    Member("ben", "U0HLBENCM", "Ben Carter", "Marketing"),
)

BOTS: tuple[Bot, ...] = (
    Bot("deploybot", "B0HLDEPL1", "deploybot"),
    Bot("alertbot", "B0HLALRT2", "alertbot"),
)

_EVERYBODY = tuple(member.handle for member in MEMBERS)
_ENGINEERS = ("maya", "tom", "sam", "raj", "priya", "jonas", "hana", "diego", "kofi", "elin", "marek", "olga")

CHANNELS: tuple[Channel, ...] = (
    Channel("general", "C0HLGENRL", "News for everybody", _EVERYBODY),
    Channel("random", "C0HLRANDM", "Lunch, music, dogs", _EVERYBODY),
    Channel(
        "incidents",
        "C0HLINCID",
        "One thread per incident; the incident lead posts every 20 minutes",
        (*_ENGINEERS, "ines", "lea", "nora", "aisha", "victor", "ben"),
    ),
    Channel(
        "payments",
        "C0HLPAYMT",
        "Team Ledger: payments, refunds, Corvid Pay",
        (
            "raj",
            "kofi",
            "maya",
            "hana",
            "diego",
            "sam",
            "tom",
            "elin",
            "olga",
            "ines",
            "victor",
            "lea",
            "aisha",
        ),
    ),
    Channel(
        "checkout",
        "C0HLCHECK",
        "Team Till: basket and checkout",
        (
            "maya",
            "hana",
            "diego",
            "raj",
            "kofi",
            "priya",
            "tom",
            "elin",
            "olga",
            "ines",
            "chloe",
            "lea",
            "aisha",
            "ben",
        ),
    ),
    Channel(
        "catalog",
        "C0HLCATLG",
        "Team Shelf: products, prices, search",
        (
            "priya",
            "jonas",
            "maya",
            "hana",
            "diego",
            "tom",
            "elin",
            "olga",
            "ines",
            "chloe",
            "ben",
            "grace",
            "aisha",
        ),
    ),
    Channel("deploys", "C0HLDEPLO", "What goes out, when, and who said yes", (*_ENGINEERS, "ines", "nora")),
    Channel(
        "support",
        "C0HLSUPPT",
        "Customers' questions that need an engineer",
        (
            "lea",
            "aisha",
            "paul",
            "maya",
            "hana",
            "diego",
            "raj",
            "kofi",
            "priya",
            "jonas",
            "ines",
            "victor",
            "nora",
        ),
    ),
    Channel(
        "product",
        "C0HLPRODT",
        "What we build next, and why",
        ("ines", "chloe", "ben", "grace", "victor", "maya", "raj", "priya", "tom", "lea", "aisha", "olga"),
    ),
    Channel(
        "oncall",
        "C0HLONCAL",
        "Alerts and handovers",
        ("maya", "sam", "raj", "priya", "jonas", "hana", "kofi", "elin", "marek", "tom", "nora"),
    ),
    Channel("security-response", "G0HLSECRS", "Need to know", ("raj", "sam", "nora"), private=True),
)

MEMBER = {member.handle: member for member in MEMBERS}
CHANNEL = {channel.name: channel for channel in CHANNELS}
BOT = {bot.handle: bot for bot in BOTS}

_FOUNDED = datetime(2024, 3, 4, 9, tzinfo=UTC)


def users_json() -> list[JsonObject]:
    """The export's `users.json`: every member, with the e-mail address that maps to a person of the demo."""
    return [
        {
            "id": member.user_id,
            "team_id": TEAM_ID,
            "name": member.handle,
            "deleted": False,
            "real_name": member.name,
            "tz": member.timezone,
            "profile": {
                "title": member.title,
                "real_name": member.name,
                "display_name": member.handle,
                "email": member.email,
                "team": TEAM_ID,
            },
            "is_admin": member.handle == "nora",
            "is_bot": False,
            "updated": int(_FOUNDED.timestamp()),
        }
        for member in MEMBERS
    ]


def conversations_json(*, private: bool, pins: dict[str, list[JsonObject]]) -> list[JsonObject]:
    """The export's `channels.json` (or `groups.json` when `private`); `pins` by channel name."""
    created = int(_FOUNDED.timestamp())
    return [
        {
            "id": channel.channel_id,
            "name": channel.name,
            "created": created + index,
            "creator": MEMBER["sam"].user_id,
            "is_archived": False,
            "is_general": channel.name == "general",
            "members": [MEMBER[handle].user_id for handle in channel.members],
            "topic": {"value": "", "creator": "", "last_set": 0},
            "purpose": {
                "value": channel.purpose,
                "creator": MEMBER["sam"].user_id,
                "last_set": created + index,
            },
            "pins": pins.get(channel.name, []),
        }
        for index, channel in enumerate(CHANNELS)
        if channel.private == private
    ]
