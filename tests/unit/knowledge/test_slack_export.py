"""The Slack export: threads whole, names for ids, private channels with their members, bad files named."""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.port import Document, SourceFailed, Trouble
from knowledge.sources.slack_export import SlackExport, _Message, conversations

USERS = [
    {
        "id": "U0MAYA",
        "name": "maya",
        "real_name": "Maya Lindqvist",
        "profile": {"email": "Maya@harbourlane.example"},
    },
    {"id": "U0RAJ", "name": "raj", "real_name": "Raj Iyer", "profile": {}},
    {"id": "U0BOT", "name": "deploybot", "is_bot": True, "profile": {}},
]
PAYMENTS = {
    "id": "C1",
    "name": "payments",
    "members": ["U0MAYA"],
    "pins": [{"id": "100.000100", "type": "C"}],
}
SECRET = {"id": "G9", "name": "security-response", "members": ["U0RAJ", "U0MAYA"]}
OPENING = {"type": "message", "user": "U0MAYA", "text": "pool is <https://x.example|dry>", "ts": "100.000100"}


def export(folder: Path, days: Mapping[str, object], **lists: object) -> SlackExport:
    held: dict[str, object] = {"users.json": USERS, "channels.json": [PAYMENTS], **days}
    held |= {f"{name}.json": value for name, value in lists.items()}
    for name, value in held.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(value if isinstance(value, str) else json.dumps(value), encoding="utf-8")
    return SlackExport(folder, workspace_url="https://harbourlane.slack.com/")


async def read(source: SlackExport) -> list[Document]:
    return [found async for found in source.documents() if isinstance(found, Document)]


async def test_a_thread_is_one_document_across_days(tmp_path: Path) -> None:
    reply = {
        "type": "message",
        "user": "U0RAJ",
        "text": "<@U0MAYA> look &amp; see",
        "ts": "90000.5",
        "thread_ts": "100.000100",
    }
    opening = OPENING | {"thread_ts": "100.000100"}
    (found,) = await read(
        export(tmp_path, {"payments/1970-01-01.json": [opening], "payments/1970-01-02.json": [reply]})
    )
    assert (
        found.text
        == "Maya Lindqvist: pool is dry (https://x.example)\nRaj Iyer: @Maya Lindqvist look & see\n"
    )
    assert found.title == "#payments: pool is dry (https://x.example)"


async def test_each_message_has_its_person_its_date_and_its_link(tmp_path: Path) -> None:
    reply = {
        "type": "message",
        "user": "U0RAJ",
        "text": "on it",
        "ts": "101.000200",
        "thread_ts": "100.000100",
    }
    (found,) = await read(
        export(tmp_path, {"payments/1970-01-01.json": [OPENING | {"thread_ts": "100.000100"}, reply]})
    )
    opened, answered = found.parts
    assert (opened.author, opened.link) == (
        "Maya Lindqvist",
        "https://harbourlane.slack.com/archives/C1/p100000100",
    )
    assert answered.author == "Raj Iyer"
    assert answered.link == "https://harbourlane.slack.com/archives/C1/p101000200?thread_ts=100.000100&cid=C1"
    assert "slack:U0RAJ" in found.people


async def test_bots_and_joins_are_left_out(tmp_path: Path) -> None:
    noise = [
        {"type": "message", "user": "U0BOT", "text": "deployed", "ts": "200.1"},
        {"type": "message", "subtype": "bot_message", "bot_id": "B1", "text": "alert", "ts": "200.2"},
        {"type": "message", "subtype": "channel_join", "user": "U0RAJ", "text": "joined", "ts": "200.3"},
        {"type": "message", "user": "U0RAJ", "text": "   ", "ts": "200.4"},
    ]
    assert await read(export(tmp_path, {"payments/1970-01-01.json": noise})) == []


async def test_pins_and_reactions_are_kept(tmp_path: Path) -> None:
    liked = OPENING | {"reactions": [{"name": "eyes", "count": 3, "users": []}]}
    (found,) = await read(export(tmp_path, {"payments/1970-01-01.json": [liked]}))
    assert (found.pinned, found.parts[0].pinned, found.reactions) == (True, True, 3)


async def test_a_private_channel_is_its_members_by_id_and_address(tmp_path: Path) -> None:
    public, private = await export(tmp_path, {}, groups=[SECRET]).places()
    assert (public.name, public.public) == ("#payments", True)
    assert (private.name, private.public) == ("#security-response", False)
    assert private.members == {"slack:U0RAJ", "slack:U0MAYA", "email:maya@harbourlane.example"}


async def test_a_broken_day_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    source = export(tmp_path, {"payments/1970-01-01.json": "{oops", "payments/1970-01-02.json": [OPENING]})
    found = [one async for one in source.documents()]
    assert [one.file for one in found if isinstance(one, Trouble)] == ["payments/1970-01-01.json"]
    assert [one.id for one in found if isinstance(one, Document)] == ["slack:C1/100.000100"]


async def test_a_zip_reads_like_the_folder_in_it(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    source = export(folder, {"payments/1970-01-01.json": [OPENING]})
    with zipfile.ZipFile(tmp_path / "export.zip", "w") as archive:
        for file in folder.rglob("*.json"):
            archive.write(file, f"Harbour Lane/{file.relative_to(folder).as_posix()}")
    zipped = SlackExport(tmp_path / "export.zip", workspace_url="https://harbourlane.slack.com")
    assert await read(zipped) == await read(source)


async def test_what_is_no_export_fails_the_source(tmp_path: Path) -> None:
    (tmp_path / "notes.zip").write_bytes(b"not a zip")
    for path in (tmp_path / "notes.zip", tmp_path / "nowhere", tmp_path):
        with pytest.raises(SourceFailed):
            await SlackExport(path, workspace_url="https://x.slack.com").places()


MOMENT = st.integers(0, 20_000)


@given(st.lists(st.tuples(MOMENT, st.one_of(st.none(), MOMENT)), unique_by=lambda pair: pair[0], max_size=40))
def test_every_message_is_in_one_conversation_and_threads_stay_whole(
    made: list[tuple[int, int | None]],
) -> None:
    messages = [
        _Message(ts=f"{at}.0", thread_ts=None if thread is None else f"{thread}.0", text="x")
        for at, thread in made
    ]
    groups = conversations(messages)
    assert sorted(m.ts for group in groups for m in group) == sorted(m.ts for m in messages)
    for thread in {m.thread_ts for m in messages if m.thread_ts}:
        assert sum(any(m.thread_ts == thread for m in group) for group in groups) == 1
