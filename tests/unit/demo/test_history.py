"""The demo's chat history: an honest Slack export, the same each time, that agrees with the world it is about."""

import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from demo.knowledge import DOCS
from demo.knowledge.cast import CHANNEL, CHANNELS, FIRST_DAY, LAST_DAY, MEMBER, MEMBERS
from demo.knowledge.export import permalink
from demo.knowledge.history import ExportSummary, history, write_export
from demo.knowledge.markup import MentionError, to_slack
from demo.knowledge.releases import releases
from demo.knowledge.rota import on_call
from demo.knowledge.smalltalk import load_stock
from demo.knowledge.stories import StoryError, load_stories, story

Message = dict[str, Any]

PRIVATE = "security-response"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ExportSummary]:
    folder = tmp_path_factory.mktemp("export") / "slack"
    return folder, write_export(folder)


@pytest.fixture(scope="module")
def export(written: tuple[Path, ExportSummary]) -> Path:
    return written[0]


def read(export: Path, name: str) -> list[Message]:
    rows: list[Message] = json.loads((export / name).read_text(encoding="utf-8"))
    return rows


def messages(export: Path, channel: str) -> Iterator[Message]:
    for path in sorted((export / channel).iterdir()):
        yield from read(export, f"{channel}/{path.name}")


def everything(export: Path) -> Iterator[tuple[str, Message]]:
    for channel in CHANNELS:
        for message in messages(export, channel.name):
            yield channel.name, message


# --- the same bytes every time -------------------------------------------------------------------------------


def test_two_exports_are_the_same_byte_for_byte(export: Path, tmp_path: Path) -> None:
    write_export(tmp_path / "again")
    first = {path.relative_to(export): path.read_bytes() for path in export.rglob("*.json")}
    second = {path.relative_to(tmp_path / "again"): path.read_bytes() for path in tmp_path.rglob("*.json")}
    assert first == second


def test_an_archive_is_the_same_byte_for_byte_and_holds_the_folders_files(
    export: Path, tmp_path: Path
) -> None:
    write_export(tmp_path / "one.zip")
    write_export(tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.zip") as archive:
        inside = {name: archive.read(name) for name in archive.namelist()}
    assert inside == {p.relative_to(export).as_posix(): p.read_bytes() for p in export.rglob("*.json")}


def test_every_story_stands_in_the_history_under_its_own_id() -> None:
    posts = {(post.channel, post.ts): post for post in history()}
    assert all((told.channel, told.ts) in posts for told in load_stories())


# --- the shape of an export ------------------------------------------------------------------------------------


def test_the_history_is_long_and_mostly_ordinary(written: tuple[Path, ExportSummary]) -> None:
    export, summary = written
    count = sum(1 for _ in everything(export))
    told = sum(len(each.talk) for each in load_stories())
    assert summary.messages == count >= 3000
    assert len(load_stories()) >= 60
    assert told < count / 5


def test_every_channel_has_a_folder_and_is_listed_once_on_its_side(export: Path) -> None:
    public = {row["name"] for row in read(export, "channels.json")}
    private = {row["name"] for row in read(export, "groups.json")}
    folders = {path.name for path in export.iterdir() if path.is_dir()}
    assert private == {PRIVATE}
    assert not public & private
    assert folders == public | private
    assert len(folders) == 11


def test_the_private_channel_is_read_by_raj_sam_and_nora_alone(export: Path) -> None:
    (group,) = read(export, "groups.json")
    assert group["members"] == [MEMBER[handle].user_id for handle in ("raj", "sam", "nora")]
    speakers = {message["user"] for message in messages(export, PRIVATE)}
    assert speakers <= set(group["members"])


def test_messages_lie_in_the_file_of_their_day_in_order_within_the_six_months(export: Path) -> None:
    for channel in CHANNELS:
        for path in sorted((export / channel.name).iterdir()):
            rows = read(export, f"{channel.name}/{path.name}")
            days = {datetime.fromtimestamp(float(row["ts"]), UTC).date() for row in rows}
            assert days == {date.fromisoformat(path.stem)}
            assert FIRST_DAY <= min(days) <= LAST_DAY
            assert [row["ts"] for row in rows] == sorted(row["ts"] for row in rows)


def test_ids_are_unique_within_a_channel(export: Path) -> None:
    counted = Counter((channel, message["ts"]) for channel, message in everything(export))
    assert max(counted.values()) == 1


def test_every_thread_has_its_parent_and_the_parent_counts_its_replies(export: Path) -> None:
    for channel in CHANNELS:
        rows = {row["ts"]: row for row in messages(export, channel.name)}
        replies = Counter(
            row["thread_ts"] for row in rows.values() if "thread_ts" in row and row["thread_ts"] != row["ts"]
        )
        parents = {ts for ts, row in rows.items() if row.get("thread_ts") == ts}
        assert set(replies) == parents
        for ts in parents:
            assert rows[ts]["reply_count"] == replies[ts] == len(rows[ts]["replies"])
            assert {reply["ts"] for reply in rows[ts]["replies"]} <= set(rows)
            assert all(reply["ts"] > ts for reply in rows[ts]["replies"])


def test_every_mention_channel_link_and_reaction_resolves(export: Path) -> None:
    users = {row["id"] for row in read(export, "users.json")}
    channels = {
        row["id"]: row["name"] for row in (*read(export, "channels.json"), *read(export, "groups.json"))
    }
    mentioned = 0
    for _, message in everything(export):
        text = message["text"]
        found = re.findall(r"<@([A-Z0-9]+)>", text)
        mentioned += len(found)
        assert set(found) <= users
        assert all(
            channels[number] == name for number, name in re.findall(r"<#([A-Z0-9]+)\|([a-z-]+)>", text)
        )
        assert not re.search(r"(?<![\w.])@[a-z]+", text), text
        assert not re.search(r"\{[a-z_]+", text), text
        for reaction in message.get("reactions", []):
            assert reaction["count"] == len(reaction["users"]) > 0
            assert set(reaction["users"]) <= users
    assert mentioned > 100


def test_nobody_speaks_or_reacts_in_a_channel_they_are_not_in_or_before_they_joined(export: Path) -> None:
    joined = {member.user_id: member.joined for member in MEMBERS}
    for channel, message in everything(export):
        members = {MEMBER[handle].user_id for handle in CHANNEL[channel].members}
        day = datetime.fromtimestamp(float(message["ts"]), UTC).date()
        active = [user for reaction in message.get("reactions", []) for user in reaction["users"]]
        active += [message["user"]] if "user" in message else []
        assert set(active) <= members, (channel, message)
        assert all(joined[user] <= day for user in active), (channel, message)


def test_pins_are_noted_on_the_channel_and_on_the_message(export: Path) -> None:
    for row in (*read(export, "channels.json"), *read(export, "groups.json")):
        marked = {m["ts"] for m in messages(export, row["name"]) if m.get("pinned_to") == [row["id"]]}
        assert {pin["id"] for pin in row["pins"]} == marked


def test_the_export_has_what_importers_stumble_over(export: Path) -> None:
    subtypes = Counter(message.get("subtype") for _, message in everything(export))
    assert subtypes["bot_message"] > 100
    assert subtypes["channel_join"] > 10
    assert any("edited" in message for _, message in everything(export))
    assert any("files" in message for _, message in everything(export))
    assert any("|" in message["text"] and "<https://" in message["text"] for _, message in everything(export))


def test_ordinary_talk_is_not_one_line_over_and_over() -> None:
    bots = {"deploybot", "alertbot"}
    said = Counter(post.text for post in history() if post.speaker not in bots and len(post.text) > 40)
    assert max(said.values()) <= 3
    assert sum(said.values()) / len(said) < 1.05


def test_some_of_it_is_french(export: Path) -> None:
    french = re.compile(r"[éèêàçù]|\b(merci|j'arrive|bonne|avec plaisir)\b", re.IGNORECASE)
    assert sum(bool(french.search(message["text"])) for _, message in everything(export)) > 150


# --- it agrees with the world ------------------------------------------------------------------------------------


def test_the_seven_people_of_the_demo_are_found_by_their_addresses(export: Path) -> None:
    names = {row["profile"]["email"]: row["real_name"] for row in read(export, "users.json")}
    assert names["maya@harbourlane.example"] == "Maya Lindqvist"
    assert names["ines@harbourlane.example"] == "Inès Moreau"
    wanted = {
        f"{handle}@harbourlane.example" for handle in ("maya", "tom", "sam", "raj", "ines", "lea", "nora")
    }
    assert wanted <= set(names)
    assert len(names) == len(MEMBERS) >= 19


@pytest.mark.parametrize(
    ("name", "channel", "day", "words"),
    [
        (
            "inc-112",
            "incidents",
            "2026-06-18",
            ("INC-112", "2.2.0", "2.1.7", "connection pool exhausted", "finally"),
        ),
        ("inc-118", "incidents", "2026-08-05", ("INC-118", "cache stampede", "checkout")),
        ("inc-123", "incidents", "2026-09-22", ("INC-123", "certificate", "staging")),
        ("inc-127", "incidents", "2026-10-14", ("INC-127", "Corvid Pay", "4")),
        ("payments-timeout", "payments", "2026-10-15", ("4 s", "PROVIDER_TIMEOUT_SECONDS")),
    ],
)
def test_the_past_is_told_as_it_was(name: str, channel: str, day: str, words: tuple[str, ...]) -> None:
    told = story(name)
    assert told.channel == channel
    assert datetime.fromtimestamp(float(told.ts), UTC).date().isoformat() == day
    text = "\n".join(said.text for said in told.talk)
    assert [word for word in words if word not in text] == []
    assert any(name == "white_check_mark" for said in told.talk for name, _ in said.reactions)


def test_the_fault_of_june_is_quoted_as_payments_logs_it() -> None:
    text = "\n".join(said.text for said in story("inc-112").talk)
    assert "connection pool exhausted: 8 of 8 connections in use, waited 750 ms" in text
    assert "payment failed: payments answered 503" in text


def test_releases_end_where_the_demo_begins() -> None:
    last = {release.service: (release.before, release.version) for release in releases()}
    assert last == {
        "payments": ("2.3.8", "2.3.9"),
        "checkout": ("1.8.1", "1.8.2"),
        "catalog": ("3.1.4", "3.2.0"),
    }


def test_every_version_talked_about_was_released_or_is_to_come() -> None:
    known = {(release.service, release.version) for release in releases()}
    known |= {("payments", "2.4.0"), ("checkout", "1.9.0"), ("catalog", "3.3.0")}
    named = re.compile(r"\b(checkout|payments|catalog) (\d+\.\d+\.\d+)\b")
    for told in load_stories():
        for said in told.talk:
            assert set(named.findall(said.text)) <= known, (told.id, said.text)


def test_nothing_is_released_on_a_friday_evening_or_at_a_weekend() -> None:
    late = [r for r in releases() if r.at.weekday() > 4 or (r.at.weekday() == 4 and r.at.hour >= 15)]
    assert late == []


def test_the_rota_puts_maya_on_call_when_the_demo_begins() -> None:
    assert on_call(date(2026, 11, 23)) == "maya"
    assert on_call(date(2026, 6, 18)) == "hana"


def test_the_lead_of_each_numbered_incident_was_on_call() -> None:
    for told in load_stories():
        if told.id.startswith("inc-"):
            day = datetime.fromtimestamp(float(told.ts), UTC).date()
            assert told.talk[0].handle == on_call(day), told.id


# --- what only the private channel knows ---------------------------------------------------------------------------


def test_each_private_story_names_words_that_occur_nowhere_public(export: Path) -> None:
    docs = DOCS.rglob("*.md")
    public = "\n".join(path.read_text(encoding="utf-8") for path in docs)
    public += "\n".join(message["text"] for channel, message in everything(export) if channel != PRIVATE)
    public += (export / "channels.json").read_text(encoding="utf-8")
    private = "\n".join(message["text"] for message in messages(export, PRIVATE))
    for told in load_stories():
        assert bool(told.only_here) == (told.channel == PRIVATE), told.id
        for word in told.only_here:
            assert word in private
            assert word.lower() not in public.lower(), word


# --- reading what people wrote --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("@maya look", "<@U0HLMAYA1> look"),
        ("see #payments", "see <#C0HLPAYMT|payments>"),
        ("@here now", "<!here> now"),
        ("[PR 3](https://git.example/3).", "<https://git.example/3|PR 3>."),
        ("at https://dash.example/d/shop.", "at <https://dash.example/d/shop>."),
        ("a < b & c", "a &lt; b &amp; c"),
        ("mail me@raj.example or order #12", "mail me@raj.example or order #12"),
    ],
)
def test_typed_text_becomes_slack_markup(written: str, stored: str) -> None:
    assert to_slack(written) == stored


@pytest.mark.parametrize("text", ["hello @nobody", "in #nowhere"])
def test_a_mention_of_nobody_is_refused(text: str) -> None:
    with pytest.raises(MentionError, match="there are"):
        to_slack(text)


@given(st.text(alphabet=st.characters(exclude_characters="@#[]:")))
def test_text_without_mentions_comes_back_when_unescaped(text: str) -> None:
    stored = to_slack(text)
    assert stored.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&") == text


@pytest.mark.parametrize(
    ("broken", "reason"),
    [
        ("- {id: a, channel: payments, at: 2026-06-01 09:00, talk: [{nobody: hi}]}", "one speaker a message"),
        ("- {id: a, channel: nowhere, at: 2026-06-01 09:00, talk: [{raj: hi}]}", "no channel 'nowhere'"),
        ("- {id: a, channel: payments, at: 2026-06-01 09:00, talk: []}", "story 'a'"),
        (
            "- {id: a, channel: payments, at: 2026-06-01 09:00, talk: [{raj: hi, sovled: [sam]}]}",
            "one speaker",
        ),
        ("just words", "a list of stories"),
    ],
)
def test_a_broken_story_names_its_file_and_what_is_wrong(tmp_path: Path, broken: str, reason: str) -> None:
    (tmp_path / "odd.yaml").write_text(broken, encoding="utf-8")
    with pytest.raises(StoryError, match=re.escape(reason)) as caught:
        load_stories(tmp_path)
    assert "odd.yaml" in str(caught.value)


def test_asking_for_a_story_nobody_told_says_so() -> None:
    with pytest.raises(StoryError, match="no story 'once-upon-a-time'"):
        story("once-upon-a-time")


def test_the_stock_of_ordinary_talk_is_about_channels_and_people_that_exist() -> None:
    stock = load_stock()
    assert set(stock.exchanges) <= set(CHANNEL)
    for channel, exchanges in stock.exchanges.items():
        for exchange in exchanges:
            assert {*exchange.who, *exchange.by} <= set(CHANNEL[channel].members)


def test_a_permalink_is_built_as_slack_builds_it() -> None:
    assert permalink("payments", "1782210000.000200") == (
        "https://harbourlane.slack.com/archives/C0HLPAYMT/p1782210000000200"
    )
