"""Signed checkpoints: what chain and hashes alone cannot show."""

import asyncio
import json
import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent.audit.checkpoint import Checkpoint, NoCheckpoint
from agent.audit.notary import Notary, Rhythm, TrailBroken
from agent.store.keys import CheckpointFile, KeyMissing, PrivateKey, PublicKeys, Seal
from agent.store.memory import MemoryStore
from agent.store.scribe import Scribe
from agent.store.sql.store import SqlStore
from tests.fakes.trails import NOW, MemoryBook, Signed, lived, put_into_memory, recomputed, rows


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
async def signed(store: MemoryStore) -> Signed:
    return await lived(store)


def said(report: object) -> str:
    return str(report)


# --- what is found ---------------------------------------------------------------------------------------------------


async def test_an_untouched_trail_is_signed_to_its_end(signed: Signed) -> None:
    report = await signed.verified()
    assert (report.whole, report.rows, report.signed, report.checkpoints) == (True, 31, 31, 5)


async def test_a_tail_rewritten_with_new_hashes_is_found(signed: Signed, store: MemoryStore) -> None:
    events = await rows(store)
    events[27] = replace(events[27], fact=replace(events[27].fact, actor="mallory"))
    put_into_memory(store)(recomputed(events))
    report = await signed.verified()
    assert report.broken == 26
    assert "rows 26 to 31 changed and all hashes computed anew" in report.problem


async def test_a_tail_that_was_cut_off_is_found_even_with_its_checkpoints_in_the_store(
    signed: Signed, store: MemoryStore
) -> None:
    put_into_memory(store)((await rows(store))[:20])
    for seq in (25, 31):
        del store._checkpoints[seq]
    report = await signed.verified()
    assert report.broken == 21
    assert "the trail was cut off: rows 21 to 31 are missing" in report.problem


async def test_a_trail_that_was_emptied_is_found(signed: Signed, store: MemoryStore) -> None:
    put_into_memory(store)([])
    assert "rows 1 to 31 are missing" in (await signed.verified()).problem


async def test_rows_after_the_last_checkpoint_are_counted_as_unsigned(signed: Signed) -> None:
    await signed.happen(3)
    report = await signed.verified()
    assert (report.whole, report.rows, report.signed) == (True, 34, 31)


@pytest.mark.parametrize("where", ["store", "file"])
@pytest.mark.parametrize("field", ["seq", "hash", "at", "key", "signature", "store"])
async def test_a_checkpoint_with_one_field_changed_is_named(
    signed: Signed, store: MemoryStore, where: str, field: str
) -> None:
    line = json.loads(store._checkpoints[12])
    other = json.loads(store._checkpoints[18])
    changed = "0" * 32 if field == "store" else other[field] if field != "key" else "0" * 16
    text = json.dumps({**line, field: changed})
    if where == "store":
        store._checkpoints[12] = text
    else:
        signed.book.kept[1] = text
    report = await signed.verified()
    assert not report.whole
    assert f"checkpoint 2 of the {where}" in report.problem


@pytest.mark.parametrize("other", [6, 18])
async def test_a_checkpoint_exchanged_for_another_of_this_store_is_named(
    signed: Signed, store: MemoryStore, other: int
) -> None:
    store._checkpoints[12] = store._checkpoints[other]
    report = await signed.verified()
    assert "of the store was exchanged" in report.problem


async def test_checkpoints_of_another_store_are_named(signed: Signed) -> None:
    twin = await lived(MemoryStore())
    report = await signed.verified(signed.key, twin.key, book=twin.book)
    assert "checkpoint 1 of the file is of another store" in said(report)


async def test_a_trail_signed_anew_with_another_key_is_named(signed: Signed, store: MemoryStore) -> None:
    forger = Signed(store, MemoryBook(), now=signed.now)
    put_into_memory(store)(recomputed((await rows(store))[19:24]))
    store._checkpoints.clear()
    await forger.notary().sign()
    report = await signed.verified()
    assert "is signed by a key that is not at hand" in said(report)


async def test_a_line_that_is_no_checkpoint_is_named(signed: Signed) -> None:
    signed.book.kept[2] = "nonsense"
    assert "checkpoint 3 of the file was exchanged: it cannot be read" in said(await signed.verified())


async def test_a_copy_of_the_checkpoints_from_last_week_is_enough_for_last_week(
    signed: Signed, store: MemoryStore
) -> None:
    old = MemoryBook(signed.book.kept[:2])
    assert (await signed.verified(book=old)).whole
    events = await rows(store)
    events[8] = replace(events[8], fact=replace(events[8].fact, actor="mallory"))
    put_into_memory(store)(recomputed(events))
    store._checkpoints.clear()
    assert (await signed.verified(book=old)).broken == 7


async def test_a_checkpoint_that_is_missing_in_one_place_is_no_fault(
    signed: Signed, store: MemoryStore
) -> None:
    del store._checkpoints[12]
    del signed.book.kept[3]
    assert (await signed.verified()).whole


@pytest.mark.parametrize(
    "line", ["", "[]", "{}", '{"seq": "x"}', "null", "[" * 10_000, '{"seq": 1, "signature": "%"}']
)
def test_what_is_no_checkpoint_is_refused_in_words(line: str) -> None:
    with pytest.raises(NoCheckpoint):
        Checkpoint.of(line)


# --- the notary ------------------------------------------------------------------------------------------------------


async def test_the_notary_signs_after_so_many_facts_without_being_asked() -> None:
    scribe = Scribe()
    store = MemoryStore(scribe)
    signed = Signed(store)
    notary = signed.notary(Rhythm(rows=5, every=timedelta(hours=1)))
    scribe.on_fact = notary.noted
    await signed.happen(4)
    await asyncio.sleep(0)
    assert signed.book.kept == []
    await signed.happen(1)
    async with asyncio.timeout(10):
        while not signed.book.kept:
            await asyncio.sleep(0)
    await notary.close()
    assert [Checkpoint.of(line).seq for line in signed.book.kept] == [5]


async def test_the_notary_signs_so_long_after_a_fact() -> None:
    scribe = Scribe()
    signed = Signed(MemoryStore(scribe))
    notary = signed.notary(Rhythm(rows=100, every=timedelta(milliseconds=1)))
    scribe.on_fact = notary.noted
    await signed.happen(1)
    async with asyncio.timeout(10):
        while not signed.book.kept:
            await asyncio.sleep(0.001)
    await notary.close()
    assert (await signed.verified()).signed == 1


async def test_the_notary_signs_what_is_left_when_it_closes() -> None:
    scribe = Scribe()
    signed = Signed(MemoryStore(scribe))
    notary = signed.notary()
    scribe.on_fact = notary.noted
    await signed.happen(3)
    await notary.close()
    assert (await signed.verified()).signed == 3


async def test_what_is_signed_already_is_not_signed_again(signed: Signed) -> None:
    assert await signed.notary().sign() is None
    assert len(signed.book.kept) == 5


@pytest.mark.parametrize("kept", [0, 10, 30])
async def test_a_trail_that_was_cut_off_is_not_signed_again(
    signed: Signed, store: MemoryStore, kept: int
) -> None:
    put_into_memory(store)((await rows(store))[:kept])
    await signed.happen(2)
    with pytest.raises(TrailBroken):
        await signed.notary().sign()


async def test_a_trail_that_was_rewritten_is_not_signed_again(signed: Signed, store: MemoryStore) -> None:
    events = await rows(store)
    events[29] = replace(events[29], fact=replace(events[29].fact, actor="mallory"))
    put_into_memory(store)(recomputed(events))
    await signed.happen(2)
    with pytest.raises(TrailBroken, match="row 31, which was signed"):
        await signed.notary().sign()


async def test_rows_that_do_not_fit_are_not_signed(signed: Signed, store: MemoryStore) -> None:
    await signed.happen(3)
    events = await rows(store)
    events[32] = replace(events[32], fact=replace(events[32].fact, actor="mallory"))
    put_into_memory(store)(events)
    with pytest.raises(TrailBroken, match="row 33"):
        await signed.notary().sign()


async def test_a_notary_without_its_key_stops_nobody_and_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    scribe = Scribe()
    signed = await lived(MemoryStore(scribe))
    notary = signed.notary()
    notary._signer = Seal(tmp_path / "gone.pem", tmp_path / "file").signer
    scribe.on_fact = notary.noted
    await signed.happen(1)
    with caplog.at_level(logging.CRITICAL, "sayso.audit"):
        await notary.close()
    assert "is not there, and the trail was signed with it" in notary.trouble
    assert not (tmp_path / "gone.pem").exists()


async def test_old_bodies_go_by_themselves_once_a_day() -> None:
    scribe = Scribe()
    signed = Signed(MemoryStore(scribe))
    notary = signed.notary(Rhythm(keep=timedelta(days=400)))
    scribe.on_fact = notary.noted
    await signed.happen(5)
    signed.now += timedelta(days=401)
    await signed.happen(1)
    await notary.close()
    report = await signed.verified()
    assert (report.whole, report.pruned, report.signed) == (True, 5, 7)
    await signed.happen(1)
    await notary.close()
    assert (await signed.verified()).pruned == 5


async def test_a_body_that_was_changed_does_not_go_by_itself(
    store: MemoryStore,
) -> None:
    signed = Signed(store)
    await signed.happen(5)
    events = await rows(store)
    events[2] = replace(events[2], fact=replace(events[2].fact, data={"reason": "another"}))
    put_into_memory(store)(events)
    with pytest.raises(TrailBroken, match="row 3 was changed"):
        await signed.notary(Rhythm(keep=timedelta(days=1))).prune(signed.now + timedelta(days=2))
    assert not any(event.pruned for event in await rows(store))


# --- keys and the file -----------------------------------------------------------------------------------------------


def test_a_key_is_made_private_and_found_again(tmp_path: Path) -> None:
    file = tmp_path / "keys" / "audit.pem"
    made = PrivateKey.load(file, make=True)
    assert file.stat().st_mode & 0o777 == 0o600
    assert file.parent.stat().st_mode & 0o777 == 0o700
    assert PrivateKey.load(file, make=True).fingerprint == made.fingerprint
    assert [one.name for one in file.parent.iterdir()] == ["audit.pem"]


def test_a_key_that_should_be_there_is_not_made_again(tmp_path: Path) -> None:
    with pytest.raises(KeyMissing, match="bring it"):
        PrivateKey.load(tmp_path / "audit.pem")


@pytest.mark.parametrize(
    "text", ["", "nonsense", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"]
)
def test_a_file_that_holds_no_key_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "audit.pem"
    file.write_text(text)
    with pytest.raises(KeyMissing, match="audit.pem"):
        PrivateKey.load(file)
    with pytest.raises(KeyMissing):
        PublicKeys(text or "x")


def test_one_text_may_hold_all_public_keys_that_were_ever_used() -> None:
    old, new = (PrivateKey(Ed25519PrivateKey.generate()) for _ in range(2))
    keys = PublicKeys(old.public() + new.public())
    assert keys.signed(old.fingerprint, b"m", old.sign(b"m")) is True
    assert keys.signed(new.fingerprint, b"m", new.sign(b"m")) is True
    assert keys.signed(new.fingerprint, b"m", old.sign(b"m")) is False
    assert PublicKeys(old.public()).signed(new.fingerprint, b"m", new.sign(b"m")) is None


def test_the_file_of_checkpoints_is_private_and_stays_in_order(tmp_path: Path) -> None:
    book = CheckpointFile(tmp_path / "deep" / "checkpoints.jsonl")
    assert (book.last(), list(book.lines())) == (None, [])
    rest = {"signature": "", "at": "2026-11-23", "store": "s", "hash": "h", "key": "k"}
    lines = {seq: json.dumps({"seq": seq, **rest}) for seq in (5, 9, 7)}
    for line in lines.values():
        book.append(line)
    assert [line.strip() for line in book.lines()] == [lines[5], lines[9]]
    assert Path(book.name).stat().st_mode & 0o777 == 0o600


def test_a_line_that_was_torn_by_a_power_cut_is_written_over(tmp_path: Path) -> None:
    book = CheckpointFile(tmp_path / "checkpoints.jsonl")
    book.append("one")
    with Path(book.name).open("a") as file:
        file.write('{"seq": 2, "sto')
    assert (book.last(), list(book.lines())) == ("one", ["one\n"])
    book.append("two")
    assert list(book.lines()) == ["one\n", "two\n"]


def test_a_store_that_was_started_over_is_signed_behind_the_one_before(tmp_path: Path) -> None:
    book = CheckpointFile(tmp_path / "checkpoints.jsonl")
    rest = {"signature": "", "at": "2026-11-23", "hash": "h", "key": "k"}
    for seq, store in ((100, "old"), (3, "new")):
        book.append(json.dumps({"seq": seq, "store": store, **rest}))
    assert [Checkpoint.of(line).seq for line in book.lines()] == [100, 3]


async def test_processes_that_sign_one_trail_at_once_leave_one_good_file(tmp_path: Path) -> None:
    stores = [await SqlStore.open(tmp_path / "sayso.db") for _ in range(3)]
    key, book = PrivateKey(Ed25519PrivateKey.generate()), CheckpointFile(tmp_path / "checkpoints.jsonl")
    offices = [Signed(store, MemoryBook(), key) for store in stores]
    notaries = [Notary(office.store, lambda _fresh: key, book, lambda: NOW) for office in offices]
    for _ in range(5):
        await asyncio.gather(*(office.happen(4) for office in offices))
        await asyncio.gather(*(notary.sign() for notary in notaries))
    report = await offices[0].verified(book=MemoryBook(list(book.lines())))
    for store in stores:
        await store.close()
    assert (report.whole, report.rows, report.signed) == (True, 60, 60)
