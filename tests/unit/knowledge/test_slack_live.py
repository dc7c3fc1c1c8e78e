"""Slack as it is now: one document and one link for a message however it came, and the rights that Slack said last."""

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from knowledge.acl import may_read
from knowledge.port import Document, Reader, Trouble
from knowledge.sources.slack_export import SlackExport
from knowledge.sources.slack_live import CONFIRMED, Beside, Followed, Kept, SlackLive, over
from tests.fakes.documents import Notes

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
URL = "https://harbourlane.slack.com"
RAJ, MAYA = Reader("raj", frozenset({"slack:URAJ"})), Reader("maya", frozenset({"email:maya@x.example"}))
USERS = [
    {"id": "UMAYA", "real_name": "Maya Lindqvist", "profile": {"email": "Maya@x.example"}},
    {"id": "URAJ", "real_name": "Raj Iyer"},
]
SAID = [
    {"type": "message", "user": "UMAYA", "text": "the pool is dry", "ts": "1700000100.000100"},
    {"type": "message", "user": "URAJ", "text": "on it", "ts": "1700000160.000100"},
    {"type": "message", "user": "UMAYA", "text": "lunch?", "ts": "1700009000.000100"},
]


class Shelf:
    """An archive with one channel in it."""

    def __init__(self, *messages: object, **channel: object) -> None:
        self.channel = Followed("C1", "payments", False, True, frozenset(), NOW, URL)
        self.channel = replace(self.channel, **channel)  # type: ignore[arg-type]  # fields of it
        self.kept = [Kept(str(one["ts"]), json.dumps(one)) for one in messages if isinstance(one, dict)]
        self.people = [json.dumps(user) for user in USERS]
        self.out: frozenset[str] = frozenset()

    async def channels(self) -> Sequence[Followed]:
        return [self.channel]

    async def messages(self, channel: str) -> Sequence[Kept]:
        return self.kept if channel == "C1" else []

    async def users(self) -> Sequence[str]:
        return self.people

    async def outsiders(self) -> frozenset[str]:
        return self.out

    async def gone(self, channel: str, messages: Collection[str]) -> frozenset[str]:
        return frozenset(one.ts for one in self.kept if one.ts in messages and not one.body)


def export(folder: Path, *messages: object, private: bool = False, name: str = "slack") -> SlackExport:
    listed = [{"id": "C1", "name": "payments", "members": ["UMAYA", "URAJ"]}]
    other = [{"id": "C2", "name": "random", "members": []}]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "users.json").write_text(json.dumps(USERS))
    (folder / "channels.json").write_text(json.dumps(other if private else [*listed, *other]))
    (folder / "groups.json").write_text(json.dumps(listed if private else []))
    (folder / "payments").mkdir(exist_ok=True)
    (folder / "payments" / "2023-11-14.json").write_text(json.dumps(messages))
    return SlackExport(folder, workspace_url=URL, name=name)


async def read(source: SlackLive | SlackExport) -> list[Document | Trouble]:
    return [found for unit in await source.units() async for found in source.read(unit)]


async def texts(source: SlackLive) -> list[str]:
    return [found.text for found in await read(source) if isinstance(found, Document)]


async def test_what_was_heard_is_the_same_document_as_what_was_exported(tmp_path: Path) -> None:
    exported = await read(export(tmp_path, *SAID))
    assert len(exported) == 2
    assert await read(SlackLive(Shelf(*SAID), lambda: NOW)) == exported
    assert await read(SlackLive(Shelf(*SAID), lambda: NOW, export(tmp_path, *SAID))) == exported
    assert await read(SlackLive(Shelf(SAID[1]), lambda: NOW, export(tmp_path, SAID[0], SAID[2]))) == exported


async def test_what_was_heard_counts_more_than_what_was_exported(tmp_path: Path) -> None:
    edited = SAID[0] | {"text": "the pool is full", "edited": {"ts": "1700000200.0"}}
    shelf = Shelf(edited)
    shelf.kept.append(Kept("1700000160.000100", ""))  # deleted since
    live = SlackLive(shelf, lambda: NOW, export(tmp_path, *SAID))
    assert await texts(live) == ["Maya Lindqvist: the pool is full\n", "Maya Lindqvist: lunch?\n"]


async def test_what_would_have_been_read_back_and_was_not_there_is_gone(tmp_path: Path) -> None:
    shelf = Shelf(SAID[1], covered="1700000160.000100")
    live = SlackLive(shelf, lambda: NOW, export(tmp_path, *SAID))
    assert await texts(live) == ["Maya Lindqvist: the pool is dry\nRaj Iyer: on it\n"]


async def test_replies_to_what_is_older_than_what_was_read_back_stay(tmp_path: Path) -> None:
    reply = SAID[2] | {"thread_ts": "1600000000.000100"}
    live = SlackLive(Shelf(covered="1700000100.000100"), lambda: NOW, export(tmp_path, SAID[0], reply))
    assert await texts(live) == ["Maya Lindqvist: lunch?\n"]


async def test_a_channel_that_is_not_followed_any_more_is_what_the_export_has(tmp_path: Path) -> None:
    shelf = Shelf(heard=False)
    live = SlackLive(shelf, lambda: NOW, export(tmp_path, *SAID))
    assert await read(live) == await read(export(tmp_path, *SAID))
    assert await texts(SlackLive(shelf, lambda: NOW)) == []


async def test_an_unreadable_day_of_an_export_keeps_nothing_that_was_deleted(tmp_path: Path) -> None:
    exported = export(tmp_path, SAID[0])
    (tmp_path / "payments" / "2023-11-15.json").write_text("{oops")
    assert [type(found) for found in await read(SlackLive(Shelf(), lambda: NOW, exported))] == [Document]


async def test_only_who_is_in_a_private_channel_now_may_read_it_whatever_an_export_says(
    tmp_path: Path,
) -> None:
    shelf = Shelf(private=True, members=frozenset({"UMAYA"}))
    for live in (
        SlackLive(shelf, lambda: NOW, export(tmp_path, private=True)),
        SlackLive(shelf, lambda: NOW),
    ):
        (place,) = [place for place in await live.places() if place.id == "slack:C1"]
        assert not may_read(place, RAJ)
    (place,) = [
        place
        for place in await SlackLive(shelf, lambda: NOW, export(tmp_path, private=True)).places()
        if place.id == "slack:C1"
    ]
    assert may_read(place, MAYA)  # by the address that the export knows


async def test_rights_that_slack_did_not_confirm_for_long_are_nobodys() -> None:
    for private in (True, False):
        shelf = Shelf(private=private, members=frozenset({"URAJ"}))
        for age, allowed in ((CONFIRMED, True), (CONFIRMED + timedelta(seconds=1), False)):
            shelf.channel = replace(shelf.channel, confirmed_at=NOW - age)
            (place,) = await SlackLive(shelf, lambda: NOW).places()
            assert may_read(place, RAJ) is allowed
        shelf.channel = replace(shelf.channel, confirmed_at=None)
        (place,) = await SlackLive(shelf, lambda: NOW).places()
        assert not may_read(place, RAJ)


async def test_a_guest_finds_nothing_in_public_channels_and_what_they_are_in_of_the_private_ones(
    tmp_path: Path,
) -> None:
    for private in (False, True):
        shelf = Shelf(private=private, members=frozenset({"URAJ", "UMAYA"}))
        shelf.out = frozenset({"URAJ", "UMAYA"})
        live = SlackLive(shelf, lambda: NOW, export(tmp_path))
        places = {place.id: place for place in await live.places()}
        for reader in (RAJ, MAYA):
            assert may_read(places["slack:C1"], reader) is private
            assert not may_read(places["slack:C2"], reader)
        assert may_read(places["slack:C2"], Reader("tom"))


async def test_the_rights_of_what_was_followed_once_stay_those_of_slack(tmp_path: Path) -> None:
    shelf = Shelf(heard=False, private=True, confirmed_at=None)
    live = SlackLive(shelf, lambda: NOW, export(tmp_path, *SAID, private=True))
    (place,) = [place for place in await live.places() if place.id == "slack:C1"]
    assert not may_read(place, RAJ)
    assert not may_read(place, MAYA)


async def test_rights_hold_when_the_export_cannot_be_read_any_more(tmp_path: Path) -> None:
    shelf = Shelf(private=True, members=frozenset({"UMAYA"}))
    live = SlackLive(shelf, lambda: NOW, export(tmp_path, private=True))
    await live.places()
    (tmp_path / "users.json").unlink()
    shelf.channel = replace(shelf.channel, members=frozenset())
    places = {place.id: place for place in await live.places()}
    assert not may_read(places["slack:C1"], MAYA)
    assert "slack:C2" in places


async def test_a_deleted_message_is_known_by_its_link_also_in_a_thread() -> None:
    reply = SAID[1] | {"thread_ts": SAID[0]["ts"]}
    shelf = Shelf(SAID[0], reply, SAID[2])
    live = SlackLive(shelf, lambda: NOW)
    links = {part.link: part for one in await read(live) if isinstance(one, Document) for part in one.parts}
    deleted = next(link for link in links if link and "thread_ts=" in link)
    shelf.kept[1] = Kept(shelf.kept[1].ts, "")
    named = [*(link for link in links if link), "https://elsewhere.example/p1"]
    assert await live.withdrawn(named) == {deleted}


async def test_a_unit_is_read_again_when_something_was_said_and_not_before() -> None:
    shelf = Shelf(*SAID)
    live = SlackLive(shelf, lambda: NOW)
    (before,) = await live.units()
    assert await live.units() == (before,)
    for changed in ({"revision": 1}, {"pins": frozenset({"1.1"})}, {"name": "money"}):
        shelf.channel = replace(shelf.channel, **changed)
        (after,) = await live.units()
        assert after.stamp != before.stamp
        before = after


async def test_pins_and_names_are_those_of_now() -> None:
    live = SlackLive(Shelf(SAID[0], pins=frozenset({"1700000100.000100"})), lambda: NOW)
    (found,) = await read(live)
    assert isinstance(found, Document)
    assert (found.pinned, found.author, found.link) == (
        True,
        "Maya Lindqvist",
        f"{URL}/archives/C1/p1700000100000100",
    )


async def test_it_goes_over_the_first_export_and_the_others_leave_its_channels_to_it(tmp_path: Path) -> None:
    first, second = export(tmp_path / "a", *SAID), export(tmp_path / "b", *SAID, name="old")
    live, beside = over([first, second], Shelf(), lambda: NOW)
    assert isinstance(live, SlackLive)
    assert isinstance(beside, Beside)
    assert live.name == "slack"
    assert {place.id for place in await live.places()} == {"slack:C1", "slack:C2"}
    assert {place.id for place in await beside.places()} == {"old:C2"}
    assert {unit.key for unit in await beside.units()} == {"old:C2/"}


def test_without_an_export_it_is_a_source_of_its_own() -> None:
    notes = Notes()
    assert [source.name for source in over([notes], Shelf(), lambda: NOW)] == [notes.name, "slack"]
