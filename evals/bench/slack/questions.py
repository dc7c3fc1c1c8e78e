"""What people say in a storm, and the sayso they say it to: its settings, its people, its documents."""

import json
import random
from collections.abc import Callable, Mapping
from pathlib import Path

SERVICES = (
    *("checkout", "payments", "catalog", "search", "basket", "identity"),
    *("shipping", "invoices", "reviews", "loyalty", "stock", "newsletter"),
)
ENVIRONMENTS = ("production", "staging")
TEAMS = ("Till", "Ledger", "Shelf", "Compass", "Keys", "Harbour")
PEOPLE = 60
SETTINGS = """\
terminal_person: p0
people:
{people}
services:
{services}
environments: {{production: {{}}, staging: {{}}}}
tools:
  enabled: [status, knowledge, restart]
  platform: {{backend: supervisor, file: supervisor.json}}
access: {{status: [viewer], knowledge: [viewer], restart: [viewer]}}
policies:
  - {{name: restarts, tools: [restart], approvers: [keeper], expires_after: 2h}}
knowledge:
  sources: [{{kind: markdown, path: handbook, name: handbook}}]
serve: {{listen: "127.0.0.1:{port}", log_level: warning}}
slack: {{api: "{api}", bot_token: xoxb-1, app_token: xapp-1}}
"""
REPEATED = (
    "how do I roll back payments?",
    "why did checkout go down in spring?",
    "what is our policy on friday deploys?",
    "is it safe to restart search during the day?",
    "what's the escalation path at night?",
)
SMALL = ("hello", "good morning", "thanks", "thank you", "hi there", "great, thanks", "what can you do?")
OPENINGS = ("", "hey, ", "please: ", "quick one: ", "sorry to ask, ", "hi, ")
CLOSINGS = ("", " please", ", thanks", " - it is for the review", " right now")


def user(number: int) -> str:
    """Slack's id of a person."""
    return f"U{number:04}"


def owner(service: str) -> str:
    return TEAMS[SERVICES.index(service) % len(TEAMS)]


class Mix:
    """One question after the other. Of a hundred: 30 small talk, 30 status, 15 owners, 20 repeated ones, 5 writes."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self._kinds: Mapping[Callable[[], str], int] = {
            self._small: 30, self._status: 30, self._owner: 15, self._repeated: 20, self._write: 5,
        }  # fmt: skip

    def next(self) -> str:
        """What somebody says."""
        kind = self._chance.choices([*self._kinds], weights=[*self._kinds.values()])[0]
        return kind()

    def _small(self) -> str:
        return self._chance.choice(SMALL)

    def _status(self) -> str:
        service, environment = self._chance.choice(SERVICES), self._chance.choice(ENVIRONMENTS)
        asked = self._chance.choice(
            ("status of {0} in {1}", "is {0} healthy in {1}", "how is {0} doing in {1}")
        )
        return self._dressed(asked.format(service, environment))

    def _owner(self) -> str:
        asked = self._chance.choice(
            ("who owns {0}", "which team maintains {0}", "who should I ask about {0}")
        )
        return self._dressed(asked.format(self._chance.choice(SERVICES)))

    def _repeated(self) -> str:
        return self._chance.choice(REPEATED)

    def _write(self) -> str:
        return f"restart {self._chance.choice(SERVICES)} in {self._chance.choice(ENVIRONMENTS)}"

    def _dressed(self, asked: str) -> str:
        return f"{self._chance.choice(OPENINGS)}{asked}{self._chance.choice(CLOSINGS)}"


def furnish(home: Path, *, api: str, supervisor: int, port: int) -> None:
    """Writes the home of a sayso that hears this Slack: settings, documents, and where the supervisor is."""
    people = "\n".join(
        f"  p{number}: {{name: Person {number}, roles: [viewer], slack: {user(number)}}}"
        for number in range(PEOPLE)
    )
    people += "\n  keeper: {name: Keeper, roles: [viewer, keeper]}"
    services = "\n".join(f"  {service}: {{owner: team {owner(service)}}}" for service in SERVICES)
    home.mkdir(parents=True)
    text = SETTINGS.format(people=people, services=services, port=port, api=api)
    (home / "sayso.yaml").write_text(text, encoding="utf-8")
    (home / "supervisor.json").write_text(json.dumps({"port": supervisor, "token": "t"}), encoding="utf-8")
    handbook = home / "handbook"
    handbook.mkdir()
    for service in SERVICES:
        (handbook / f"{service}.md").write_text(_page(service), encoding="utf-8")
    (handbook / "rules.md").write_text(RULES, encoding="utf-8")


def _page(service: str) -> str:
    return f"""# {service.title()}

## Who owns {service}
Team {owner(service)} owns and maintains {service}. Ask in its channel; at night the person on call answers.

## Rolling back {service}
Ask for the version before this one, wait until all replicas are healthy, then tell team {owner(service)}.

## Restarting {service}
{service.title()} may be restarted during the day: two replicas stay up while the third one starts.

## Outages
In spring {service} went down because its pool of connections was exhausted after a cache had been emptied.
"""


RULES = """# House rules

## Friday deploys
Nothing is deployed to production after three on a Friday, but for repairs that two people agreed on.

## Escalation at night
The person on call first, after fifteen minutes the platform lead, after half an hour the director of engineering.
"""
