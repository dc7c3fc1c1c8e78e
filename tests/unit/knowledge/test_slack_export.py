"""The Slack export: threads whole, names for ids, private channels with their members, bad files named."""

import json
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from knowledge.port import Document, SourceFailed, Trouble
from knowledge.sources.slack_export import SlackExport
from knowledge.sources.slack_files import ExportFiles, Unreadable
from knowledge.sources.slack_wire import Message, conversations, day, standing

USERS: list[dict[str, object]] = [
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
        Message(ts=f"{at}.0", thread_ts=None if thread is None else f"{thread}.0", text="x")
        for at, thread in made
    ]
    groups = conversations(messages)
    assert sorted(m.ts for group in groups for m in group) == sorted(m.ts for m in messages)
    for thread in {m.thread_ts for m in messages if m.thread_ts}:
        assert sum(any(m.thread_ts == thread for m in group) for group in groups) == 1


def said(ts: str, text: str = "words", user: str = "U0RAJ", **more: object) -> dict[str, object]:
    return {"type": "message", "user": user, "text": text, "ts": ts, **more}


def zipped(path: Path, files: Mapping[str, str | bytes]) -> SlackExport:
    held: dict[str, str | bytes] = {"users.json": json.dumps(USERS), "channels.json": json.dumps([PAYMENTS])}
    held |= files
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in held.items():
            archive.writestr(name, content)
    return SlackExport(path, workspace_url="https://harbourlane.slack.com")


async def troubles(source: SlackExport) -> list[Trouble]:
    return [found async for found in source.documents() if isinstance(found, Trouble)]


DIRECT = {
    "dms": [{"id": "D5", "members": ["U0MAYA", "U0RAJ"]}],
    "mpims": [{"id": "G6", "name": "mpdm-maya--raj-1", "members": ["U0MAYA", "U0RAJ"]}],
}
DIRECT_DAYS = {
    "D5/1970-01-01.json": [said("300.1", "between us")],
    "mpdm-maya--raj-1/1970-01-01.json": [said("301.1", "among us")],
}


async def test_direct_messages_are_neither_read_nor_listed(tmp_path: Path) -> None:
    source = export(tmp_path, DIRECT_DAYS, **DIRECT)
    assert [place.id for place in await source.places()] == ["slack:C1"]
    assert [unit.key for unit in await source.units()] == ["slack:C1/"]
    assert [found async for found in source.documents()] == []


async def test_a_direct_message_in_the_list_of_channels_is_still_one(tmp_path: Path) -> None:
    listed = [
        PAYMENTS,
        {"id": "D5", "is_im": True},
        {"id": "G6", "name": "mpdm-maya--raj-1"},
        {"id": "C7", "name": "three", "is_mpim": True},
    ]
    source = export(tmp_path, DIRECT_DAYS | {"three/1970-01-01.json": [said("302.1")]}, channels=listed)
    assert [place.id for place in await source.places()] == ["slack:C1"]
    assert await read(source) == []


async def test_direct_messages_that_are_asked_for_belong_to_those_in_them(tmp_path: Path) -> None:
    export(tmp_path, DIRECT_DAYS, **DIRECT)
    source = SlackExport(tmp_path, workspace_url="https://x.slack.com", direct_messages=True)
    _, *direct = await source.places()
    assert {(place.name, place.public) for place in direct} == {("direct message", False)}
    assert all({"slack:U0RAJ", "slack:U0MAYA"} <= place.members for place in direct)
    assert sorted(found.text for found in await read(source)) == [
        "Raj Iyer: among us\n",
        "Raj Iyer: between us\n",
    ]


async def test_a_private_channel_in_the_list_of_public_ones_stays_private(tmp_path: Path) -> None:
    (place,) = await export(tmp_path, {}, channels=[PAYMENTS | {"is_private": True}]).places()
    assert not place.public


async def test_a_private_channel_without_members_is_read_by_nobody(tmp_path: Path) -> None:
    _, place = await export(tmp_path, {}, groups=[{"id": "G9", "name": "board", "members": None}]).places()
    assert (place.public, place.members) == (False, frozenset())


async def test_two_channels_with_one_folder_are_read_by_nobody(tmp_path: Path) -> None:
    twin = {"id": "G9", "name": "payments", "members": ["U0RAJ"]}
    source = export(tmp_path, {"payments/1970-01-01.json": [OPENING]}, groups=[twin])
    assert await read(source) == []
    assert [one.file for one in await troubles(source)] == ["channels.json", "groups.json"]


async def test_an_edited_message_reads_as_it_was_left(tmp_path: Path) -> None:
    days = [
        said("100.1", "pool is dry"),
        {
            "type": "message",
            "subtype": "message_changed",
            "ts": "120.9",
            "message": {"ts": "100.1", "text": "pool is full", "user": "U0RAJ"},
        },
    ]
    (found,) = await read(export(tmp_path, {"payments/1970-01-01.json": days}))
    assert found.text == "Raj Iyer: pool is full\n"


async def test_the_last_of_several_edits_counts_in_whatever_order_they_stand(tmp_path: Path) -> None:
    edits = [
        {
            "type": "message",
            "subtype": "message_changed",
            "ts": f"12{n}.0",
            "message": {"ts": "100.1", "text": f"edit {n}"},
        }
        for n in (2, 3, 1)
    ]
    (found,) = await read(export(tmp_path, {"payments/1970-01-01.json": [*edits, said("100.1")]}))
    assert found.text == "Raj Iyer: edit 3\n"


async def test_a_deleted_message_is_gone(tmp_path: Path) -> None:
    deletion = {"type": "message", "subtype": "message_deleted", "ts": "90000.2", "deleted_ts": "100.1"}
    days = {
        "payments/1970-01-01.json": [said("100.1", "oops"), said("101.1")],
        "payments/1970-01-02.json": [deletion],
    }
    assert [found.text for found in await read(export(tmp_path, days))] == ["Raj Iyer: words\n"]


async def test_replies_to_a_deleted_opening_are_kept_as_one_thread(tmp_path: Path) -> None:
    gravestone = said(
        "100.1", "This message was deleted.", "USLACKBOT", subtype="tombstone", thread_ts="100.1"
    )
    replies = [said("101.1", "restart it", thread_ts="100.1"), said("102.1", "did", thread_ts="100.1")]
    (found,) = await read(export(tmp_path, {"payments/1970-01-01.json": [gravestone, *replies]}))
    assert (found.id, found.text) == ("slack:C1/100.1", "Raj Iyer: restart it\nRaj Iyer: did\n")


async def test_a_file_is_named_in_the_line_it_came_with(tmp_path: Path) -> None:
    same, other = {"name": "graph.png", "title": "graph.png"}, {"name": "a.csv", "title": "Orders of June"}
    (found,) = await read(
        export(tmp_path, {"payments/1970-01-01.json": [said("100.1", "see", files=[same, other])]})
    )
    assert found.text == "Raj Iyer: see [file: graph.png] [file: Orders of June (a.csv)]\n"


async def test_a_file_says_something_without_words(tmp_path: Path) -> None:
    days = [
        said("100.1", "", files=[{"title": "pool graph"}]),
        said("101.1", "", files=[{"mode": "tombstone"}]),
    ]
    (found,) = await read(export(tmp_path, {"payments/1970-01-01.json": days}))
    assert (found.text, found.title) == (
        "Raj Iyer: [file: pool graph]\n",
        "#payments: [file: pool graph]",
    )


@pytest.mark.parametrize(
    ("reactions", "solves"),
    [
        (["white_check_mark"], 2),
        (["eyes", "tada"], 2),
        (["+1::skin-tone-3"], 1),
        (["pray"], 1),
        (["eyes"], 0),
        ([], 0),
    ],
)
async def test_a_reaction_may_mark_what_helped(tmp_path: Path, reactions: list[str], solves: int) -> None:
    given = [{"name": name, "count": 1, "users": ["U0MAYA"]} for name in reactions]
    (found,) = await read(export(tmp_path, {"payments/1970-01-01.json": [said("100.1", reactions=given)]}))
    assert found.parts[0].solves == solves


async def test_people_who_left_and_people_from_elsewhere_keep_their_names(tmp_path: Path) -> None:
    left = {
        "id": "U0OLD",
        "name": "odo",
        "real_name": "Odo Brandt",
        "deleted": True,
        "profile": {"email": None},
    }
    days = [
        said("100.1", "<@U0OLD> knows", "U0STRANGER", user_profile={"real_name": "Ida Falk"}),
        said("101.1", "I do", "U0OLD"),
    ]
    (found,) = await read(export(tmp_path, {"payments/1970-01-01.json": days}, users=[*USERS, left]))
    assert found.text == "Ida Falk: @Odo Brandt knows\nOdo Brandt: I do\n"


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("<!here> <!subteam^S1|@ledger>", "@here @ledger"),
        ("<#C1>", "#payments"),
        ("<#G9>", "#G9"),
        ("<!date^1392734382^{date_num}|18 February>", "18 February"),
        ("<tel:+33123|call>", "call (tel:+33123)"),
        ("a &lt; b", "a < b"),
    ],
)
async def test_markup_reads_as_people_see_it(tmp_path: Path, markup: str, text: str) -> None:
    (found,) = await read(
        export(tmp_path, {"payments/1970-01-01.json": [said("100.1", markup)]}, groups=[SECRET])
    )
    assert found.text == f"Raj Iyer: {text}\n"


async def test_one_malformed_message_does_not_take_the_day_with_it(tmp_path: Path) -> None:
    day = [said("100.1"), {"type": "message", "ts": "yesterday"}, said("102.1", "more")]
    source = export(tmp_path, {"payments/1970-01-01.json": day})
    (trouble,) = await troubles(source)
    assert (trouble.file, trouble.keeps) == ("payments/1970-01-01.json", "slack:C1/")
    assert trouble.reason.startswith("message 2: ts:")
    assert [found.text for found in await read(source)] == ["Raj Iyer: words\nRaj Iyer: more\n"]


async def test_what_lies_beside_the_days_is_not_chat(tmp_path: Path) -> None:
    source = export(tmp_path, {"payments/canvas_in_the_conversation.json": [{"id": "F1"}]})
    assert [found async for found in source.documents()] == []


async def test_only_the_channels_that_are_named_are_read(tmp_path: Path) -> None:
    days = {"payments/1970-01-01.json": [OPENING], "security-response/1970-01-01.json": [said("100.1")]}
    export(tmp_path, days, groups=[SECRET])
    url = "https://x.slack.com"
    for source in (
        SlackExport(tmp_path, workspace_url=url, channels=["#payments"]),
        SlackExport(tmp_path, workspace_url=url, exclude={"G9"}),
        SlackExport(tmp_path, workspace_url=url, channels={"C1", "G9"}, exclude=["security-response"]),
    ):
        assert [place.name for place in await source.places()] == ["#payments"]
        assert [found.place for found in await read(source)] == ["slack:C1"]


async def test_a_channel_that_is_named_and_not_there_is_told(tmp_path: Path) -> None:
    export(tmp_path, {})
    source = SlackExport(tmp_path, workspace_url="https://x.slack.com", exclude=["paymnts"])
    assert [one.reason for one in await troubles(source)] == ["no channel 'paymnts' in it"]


@pytest.mark.parametrize(
    "name", ["../evil.json", "/etc/evil.json", "payments/../../evil.json", "C:/evil.json"]
)
async def test_a_path_that_leads_out_of_the_archive_is_refused(tmp_path: Path, name: str) -> None:
    source = zipped(tmp_path / "export.zip", {name: "[]", "payments/1970-01-01.json": json.dumps([OPENING])})
    assert [(one.file, one.reason) for one in await troubles(source)] == [
        (name, "its path leads out of the export")
    ]
    assert len(await read(source)) == 1


async def test_a_link_in_a_folder_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere.json").write_text(json.dumps([OPENING]), encoding="utf-8")
    source = export(tmp_path / "export", {"payments/1970-01-02.json": [said("100.1")]})
    (tmp_path / "export/payments/1970-01-01.json").symlink_to(tmp_path / "elsewhere.json")
    assert [one.file for one in await troubles(source)] == ["payments/1970-01-01.json"]
    assert len(await read(source)) == 1


async def test_a_bomb_in_an_archive_is_refused(tmp_path: Path) -> None:
    days: dict[str, str | bytes] = {
        "payments/1970-01-01.json": b"[" + b" " * 20_000_000 + b"]",
        "payments/1970-01-02.json": json.dumps([OPENING]),
    }
    source = zipped(tmp_path / "export.zip", days)
    (trouble,) = await troubles(source)
    assert "not what chat packs to" in trouble.reason
    assert len(await read(source)) == 1


def test_a_file_beyond_the_limit_is_refused(tmp_path: Path) -> None:
    export(tmp_path, {"payments/1970-01-01.json": [OPENING]})
    with ExportFiles(tmp_path, largest=20) as files, pytest.raises(Unreadable, match="more than 20"):
        files.read("payments/1970-01-01.json")


async def test_a_damaged_file_in_an_archive_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    path = tmp_path / "export.zip"
    zipped(path, {"payments/1970-01-01.json": json.dumps([OPENING])})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_STORED) as archive:
        archive.writestr("payments/1970-01-02.json", json.dumps([said("90000.1", "XYZZY")]))
    path.write_bytes(path.read_bytes().replace(b"XYZZY", b"xyzzy"))
    source = SlackExport(path, workspace_url="https://x.slack.com")
    assert [one.file for one in await troubles(source)] == ["payments/1970-01-02.json"]
    assert len(await read(source)) == 1


async def test_the_stamp_of_a_channel_changes_with_its_days_and_with_peoples_names(tmp_path: Path) -> None:
    days = {"payments/1970-01-01.json": [OPENING], "security-response/1970-01-01.json": [said("100.1")]}
    source = export(tmp_path, days, groups=[SECRET])
    first, secret = await source.units()
    assert await source.units() == [first, secret]
    (tmp_path / "payments/1970-01-02.json").write_text("[]", encoding="utf-8")
    second, same = await source.units()
    assert (second.key, same) == (first.key, secret)
    assert second.stamp != first.stamp
    export(tmp_path, {}, groups=[SECRET], users=[USERS[0] | {"real_name": "Maya L."}, *USERS[1:]])
    assert {unit.stamp for unit in await source.units()}.isdisjoint({second.stamp, secret.stamp})


async def test_the_signature_changes_with_the_export_its_readers_and_the_settings(tmp_path: Path) -> None:
    source = export(tmp_path, {"payments/1970-01-01.json": [OPENING]}, groups=[SECRET])
    seen = [await source.signature()]
    assert await source.signature() == seen[0]
    seen.append(
        await SlackExport(tmp_path, workspace_url="https://x.slack.com", exclude=["payments"]).signature()
    )
    export(tmp_path, {}, groups=[SECRET | {"members": ["U0RAJ"]}])
    seen.append(await source.signature())
    (tmp_path / "payments/1970-01-02.json").write_text("[]", encoding="utf-8")
    seen.append(await source.signature())
    assert len(set(seen)) == 4


async def test_an_archive_that_was_replaced_is_read_anew(tmp_path: Path) -> None:
    source = zipped(tmp_path / "export.zip", {"payments/1970-01-01.json": json.dumps([OPENING])})
    before = await source.units()
    zipped(tmp_path / "new.zip", {"payments/1970-01-01.json": json.dumps([said("100.1", "another")])})
    (tmp_path / "new.zip").replace(tmp_path / "export.zip")
    assert await source.units() != before
    assert [found.text for found in await read(source)] == ["Raj Iyer: another\n"]


EVENT = st.one_of(
    st.builds(lambda at, text: Message(ts=f"{at}.0", text=text), MOMENT, st.text(max_size=5)),
    st.builds(
        lambda at, of: Message(
            ts=f"{at}.5", subtype="message_changed", message=Message(ts=f"{of}.0", text="new")
        ),
        MOMENT,
        MOMENT,
    ),
    st.builds(
        lambda at, of: Message(ts=f"{at}.7", subtype="message_deleted", deleted_ts=f"{of}.0"), MOMENT, MOMENT
    ),
)


@given(st.lists(EVENT, max_size=30))
def test_what_was_deleted_never_stands_and_what_stands_was_said(events: list[Message]) -> None:
    left = standing(events)
    assert len({one.ts for one in left}) == len(left)
    assert {one.ts for one in left} <= {one.ts for one in events if one.subtype is None}
    assert {one.ts for one in left}.isdisjoint({one.deleted_ts for one in events})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["ts", "text", "user", "files", "reactions", "message"]), inner)
    ),
    max_leaves=12,
)


@given(st.binary(max_size=200) | JSON.map(lambda value: json.dumps(value).encode()))
def test_a_day_file_is_read_or_refused_whatever_is_in_it(content: bytes) -> None:
    try:
        found = day(content)
    except ValidationError:
        return
    assert len(found.messages) + len(found.unreadable) == len(json.loads(content))
