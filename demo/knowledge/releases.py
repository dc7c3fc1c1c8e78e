"""What was released to production in the six months, and the deploybot's messages about it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random


@dataclass(frozen=True, slots=True)
class Release:
    """One version on its way to production; staging had it the working day before."""

    service: str
    version: str
    at: datetime
    by: str
    note: str
    before: str
    schema: bool = False


@dataclass(frozen=True, slots=True)
class Notice:
    """One message of a bot."""

    at: datetime
    text: str


# service, version, production (UTC), person, what changes ("schema:" in front when the schema changes)
_TABLE = """
payments 2.1.6 | 05-19 09:05 | kofi | smaller receipts, dependency updates
checkout 1.5.0 | 05-20 10:20 | maya | new summary above the pay button
catalog 2.8.0 | 05-27 09:40 | priya | schema: product variants
checkout 1.5.1 | 06-03 09:15 | hana | gives up on payments after 5 s; a lost log line no longer fails an order
payments 2.1.7 | 06-09 13:10 | raj | settlement report for finance
catalog 2.8.1 | 06-10 09:05 | jonas | search forgives typing errors
payments 2.2.0 | 06-18 13:40 | raj | retries provider errors
payments 2.2.1 | 06-23 09:20 | raj | gives the connection back when a retry fails
checkout 1.6.0 | 06-25 09:30 | hana | checkout without an account
catalog 2.9.0 | 07-02 12:30 | priya | schema: price lists by country
checkout 1.6.1 | 07-09 09:45 | hana | one order per basket, double clicks refused
payments 2.2.2 | 07-14 13:45 | kofi | idempotency key on refunds
catalog 2.9.1 | 07-21 12:40 | priya | AVIF images
checkout 1.6.2 | 07-24 09:10 | maya | stricter checks on internal routes
payments 2.3.0 | 08-03 12:15 | raj | schema: attempts table
catalog 3.0.0 | 08-04 16:00 | priya | schema: prices get their own table
catalog 3.0.1 | 08-06 12:50 | priya | spread cache lifetimes, single flight per key
payments 2.3.1 | 08-11 13:05 | kofi | clearer refusal texts
checkout 1.7.0 | 08-12 09:20 | hana | delivery step behind the flag delivery_slots
catalog 3.0.2 | 08-20 09:50 | jonas | schema: drops the old price column
checkout 1.7.1 | 08-26 09:10 | diego | keyboard use of the address form
payments 2.3.2 | 08-27 12:30 | raj | metrics for the provider's answer time
catalog 3.0.3 | 09-01 13:20 | jonas | atomic reservation of the last item
payments 2.3.3 | 09-08 12:45 | kofi | exemption for low amounts
catalog 3.1.0 | 09-09 10:30 | priya | new image parameters
catalog 3.1.1 | 09-10 13:05 | priya | accepts the old image parameter as well
checkout 1.7.2 | 09-10 14:10 | diego | uses the new image parameter
payments 2.3.4 | 09-24 12:10 | kofi | fewer queries per authorisation
catalog 3.1.2 | 09-29 09:35 | jonas | faster sitemap
checkout 1.8.0 | 10-01 11:05 | hana | address check, VAT per line
payments 2.3.5 | 10-06 09:00 | raj | bank confirmation for gift cards above 100 euros
catalog 3.1.4 | 10-13 10:35 | jonas | schema: index on (category_id, position)
payments 2.3.6 | 10-15 13:30 | raj | provider timeout of 4 s in code
payments 2.3.7 | 10-20 12:20 | kofi | journal of refunds kept in the database
checkout 1.8.1 | 10-22 09:40 | hana | VAT rounded on the sum only
payments 2.3.8 | 11-03 12:35 | kofi | dependency updates
catalog 3.2.0 | 11-05 10:05 | priya | filters by colour and size
checkout 1.8.2 | 11-10 13:25 | diego | Swiss rounding, text on the spinner
payments 2.3.9 | 11-12 09:50 | raj | clearer logs of provider errors
"""

_EARLIER = {"payments": "2.1.5", "checkout": "1.4.9", "catalog": "2.7.4"}
_ROLLED_BACK = {("payments", "2.2.0"): ("2.1.7", datetime(2026, 6, 18, 14, 16, tzinfo=UTC))}


def releases() -> tuple[Release, ...]:
    """Every release of the six months, oldest first."""
    running = dict(_EARLIER)
    found: list[Release] = []
    for row in _TABLE.strip().splitlines():
        name, moment, by, note = (cell.strip() for cell in row.split("|"))
        service, version = name.split()
        schema = note.startswith("schema: ")
        at = datetime.strptime(f"2026-{moment} +0000", "%Y-%m-%d %H:%M %z")
        found.append(
            Release(service, version, at, by, note.removeprefix("schema: "), running[service], schema=schema)
        )
        running[service] = _ROLLED_BACK.get((service, version), (version, at))[0]
    return tuple(found)


def deploy_notices(chance: Random) -> Iterator[Notice]:
    """The deploybot's messages: staging first, then production, and the one rollback."""
    for release in releases():
        days = 3 if release.at.weekday() == 0 else 1
        staged = release.at - timedelta(days=days) + timedelta(minutes=chance.randrange(45, 200))
        yield from _deployed(release, "staging", staged, chance)
        yield from _deployed(release, "production", release.at, chance)
        if back := _ROLLED_BACK.get((release.service, release.version)):
            version, at = back
            yield Notice(
                at,
                f":rewind: {release.service} in production: rollback {release.version} → {version} started",
            )
            yield Notice(
                at + timedelta(minutes=5),
                f":white_check_mark: {release.service} {version} is live in production again, all instances healthy",
            )


def _deployed(release: Release, environment: str, at: datetime, chance: Random) -> Iterator[Notice]:
    schema = "yes" if release.schema else "no"
    yield Notice(
        at,
        f":rocket: {release.service} {release.before} → {release.version} to {environment}, asked by "
        f"@{release.by}. {release.note}. Schema: {schema}",
    )
    seconds = chance.randrange(38, 95)
    yield Notice(
        at + timedelta(seconds=seconds + 20),
        f":white_check_mark: {release.service} {release.version} is live in {environment}, "
        f"all instances healthy after {seconds} s",
    )
