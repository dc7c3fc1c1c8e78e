"""Redaction: secrets go, what people need to read stays."""

import json
import re
import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from agent.conversation.redact import MASK, Redactor, Stream
from tools.contract import File, Finding, Json

REDACTOR = Redactor()
# Put together here, so that no scanner takes this file for a leak.
AWS, GITHUB, SLACK, STRIPE = (
    "AKIA" + "IOSFODNN7EXAMPLE",
    "ghp_" + "a1B2" * 9,
    "xoxb-" + "123-456-abc",
    "sk_live_" + "a" * 24,
)
JWT = "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"
PEM = "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEow\nIBAAK\n-----END RSA " + "PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("password=hunter22", "hunter22"),
        ('{"password": "correct horse", "user": "ann"}', "correct horse"),
        (r"{\"api_key\": \"abcdef\"}", "abcdef"),
        ("DB_PASSWORD: s3cr3t!", "s3cr3t!"),
        ("client_secret => abcdef", "abcdef"),
        ("postgres://app:s3cr3t@db:5432/shop", "s3cr3t"),
        ("postgres://app:s3/cr@3t@db:5432/shop", "s3/cr@3t"),
        ("redis://:s3cr3t@cache", "s3cr3t"),
        ("Authorization: Bearer abc.def", "abc.def"),
        ("authorization: Basic dXNlcjpwdw==", "dXNlcjpwdw=="),
        ("used bearer abcdefghijklmnopqrst now", "abcdefghijklmnopqrst"),
        ("Set-Cookie: sid=abcdef; Path=/", "abcdef"),
        ("mysql --password hunter22 -h db", "hunter22"),
        (f"key {AWS} was used", AWS),
        (f"pushed with {GITHUB}", GITHUB),
        (f"token {SLACK}", SLACK),
        (f"charged by {STRIPE}", STRIPE),
        (f"session {JWT} expired", JWT),
        ("model key sk-" + "proj-abcdefghijklmnopqrst", "abcdefghijklmnopqrst"),
        (f"found\n{PEM}\nin the file", "MIIEow"),
    ],
)
def test_a_secret_is_blacked_out_and_the_rest_stays(text: str, secret: str) -> None:
    clean = REDACTOR.text(text)

    assert secret not in clean
    assert MASK in clean
    assert clean.split(MASK)[0] == text[: len(clean.split(MASK)[0])]


@pytest.mark.parametrize(
    "text",
    [
        "connection pool exhausted: 8 of 8 connections in use, waited 750 ms",
        "payment failed: payments answered 503",
        "request 3f2a9c1e-77aa-4bcd-9e11-1234567890ab took 12 ms",
        "image sha256:4f5e6d7c8b9a0f1e2d3c4b5a69788796a5b4c3d2e1f00112233445566778899a pulled",
        "payments 2.4.0-rc1+build.77 is live in production-eu-west-1",
        "login failed: password: expired",
        "token <*> was rejected, password=<*>, secret: ${SECRET}",
        "the secret is out; the key to this is patience; api keys rotate monthly",
        "http://payments:8080/users/@me answered",
        "see https://harbourlane.slack.com/archives/C01/p1700000000000100",
        "/var/lib/tokenizer/passwords.md and asia-east1 aws",
    ],
)
def test_what_answers_need_stays(text: str) -> None:
    assert REDACTOR.text(text) == text


WORDS = st.lists(
    st.sampled_from(
        ["checkout", "payments", "2.4.0", "error", "pool", "8", "of", "waited", "750", "ms", "GET", "/pay"]
    )
    | st.uuids().map(str)
    | st.from_regex(r"[a-z]{1,9}-[0-9]{1,4}", fullmatch=True),
    max_size=12,
).map(" ".join)


@given(
    before=WORDS, after=WORDS, secret=st.text(string.ascii_letters + string.digits, min_size=8, max_size=30)
)
def test_a_secret_is_found_between_any_words(before: str, after: str, secret: str) -> None:
    assume(secret not in before and secret not in after)
    for text in (f"{before} password={secret} {after}", f"{before} postgres://u:{secret}@db {after}"):
        clean = REDACTOR.text(text)
        assert secret not in clean
        assert clean.startswith(before)
        assert clean.endswith(after)


@given(WORDS)
def test_ordinary_words_stay(text: str) -> None:
    assert REDACTOR.text(text) == text


@given(st.text(max_size=300) | st.sampled_from([PEM, f"a {JWT} b", "x password='a b' y", "u://a:b@c"]))
def test_redacting_twice_changes_nothing_more(text: str) -> None:
    once = REDACTOR.text(text)
    assert REDACTOR.text(once) == once


@pytest.mark.timeout(30)
@pytest.mark.parametrize(
    "piece",
    [
        "://a:",
        "://a:b@",
        "cookie:",
        "-eyJaaaaaaaa",
        "password ",
        "-----BEGIN PRIVATE KEY-----",
        "a.a@",
        "bearer ",
        "//_authtoken",
    ],
)
def test_a_hostile_text_is_done_with_in_time(piece: str) -> None:
    Redactor(emails=True).text(piece * 20_000 + "@")


def test_email_addresses_go_when_the_settings_say_so() -> None:
    text = "ask maya.lindqvist@harbourlane.example"

    assert REDACTOR.text(text) == text
    assert Redactor(emails=True).text(text) == f"ask {MASK}"


def test_every_text_of_a_finding_is_redacted() -> None:
    text = "password=hunter22"
    facts: dict[str, Json] = {"lines": [{"message": text, "n": 3}], "ok": True}
    finding = Finding("k", text, text, text, text, facts, link=f"http://x/?{text}", raw=text)

    clean = REDACTOR.finding(finding)

    assert "hunter22" not in repr(clean)
    assert clean.facts["ok"] is True


def test_a_json_line_is_still_json_afterwards() -> None:
    line = json.dumps({"level": "error", "password": "a b", "url": "postgres://u:pw@db/x", "n": 1})

    assert json.loads(REDACTOR.text(line)) == {
        "level": "error", "password": MASK, "url": f"postgres://u:{MASK}@db/x", "n": 1,
    }  # fmt: skip


def test_a_table_is_redacted_and_a_picture_is_not_touched() -> None:
    table = File("t.csv", "text/csv", b"who,password=hunter22\n")
    picture = File("c.png", "image/png", b"\x89PNG password=hunter22")

    assert b"hunter22" not in REDACTOR.file(table).content
    assert REDACTOR.file(picture) is picture


@given(st.lists(st.integers(1, 9), min_size=1, max_size=40), WORDS)
async def test_no_secret_slips_through_a_stream_in_pieces(cuts: list[int], words: str) -> None:
    text = f"{words}. The line was password=hunter22hunter and {JWT}.\n{words}. Done"
    heard: list[str] = []

    async def onward(piece: str) -> None:
        heard.append(piece)

    stream, at = Stream(REDACTOR, onward), 0
    for cut in cuts:
        await stream.take(text[at : at + cut])
        at += cut
    await stream.take(text[at:])
    await stream.rest()

    assert "".join(heard) == REDACTOR.text(text)
    assert not re.search("hunter22|eyJ", "".join(heard))
