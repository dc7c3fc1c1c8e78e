"""Counting tokens offline: exactly with the shipped ranks, by a stated estimate without them."""

import gzip
import hashlib
import importlib.util
import re
from importlib import resources
from pathlib import Path

import pytest
import tiktoken
from hypothesis import given
from hypothesis import strategies as st

from agent.models.tokens import ENCODING, SHA256, EstimatingCounter, TiktokenCounter, unpack
from agent.models.tokens import counter as counter_in


@pytest.fixture(scope="module")
def exact(tmp_path_factory: pytest.TempPathFactory) -> TiktokenCounter:
    counter = counter_in(tmp_path_factory.mktemp("cache"))
    assert isinstance(counter, TiktokenCounter)
    return counter


def test_the_shipped_ranks_are_the_ones_tiktoken_expects() -> None:
    module = importlib.util.find_spec("tiktoken_ext.openai_public")
    assert module is not None
    assert module.origin is not None
    source = Path(module.origin).read_text(encoding="utf-8")
    found = re.search(rf'{ENCODING}\.tiktoken",\s*expected_hash="(\w+)"', source)
    packed = resources.files("agent.models.ranks").joinpath(f"{ENCODING}.tiktoken.gz").read_bytes()

    assert found is not None
    assert found[1] == SHA256 == hashlib.sha256(gzip.decompress(packed)).hexdigest()


# Counts that OpenAI's own documentation and cookbook give for this encoding.
@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("antidisestablishmentarianism", 6), ("2 + 2 = 4", 7), ("お誕生日おめでとう", 8)],
)
def test_known_texts_have_their_known_counts(exact: TiktokenCounter, text: str, tokens: int) -> None:
    assert exact.count(text) == tokens


@given(st.text(max_size=200))
def test_the_count_is_that_of_tiktoken_itself(exact: TiktokenCounter, text: str) -> None:
    assert exact.count(text) == len(tiktoken.get_encoding(ENCODING).encode(text, disallowed_special=()))


def test_text_that_looks_like_a_special_token_is_text(exact: TiktokenCounter) -> None:
    assert exact.count("<|endoftext|>") > 1


def test_ranks_that_were_tampered_with_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="damaged"):
        unpack(tmp_path, gzip.compress(b"aGk= 0\n"))
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_file_in_the_cache_is_put_right(tmp_path: Path) -> None:
    file = unpack(tmp_path)
    file.write_bytes(b"half")

    assert hashlib.sha256(unpack(tmp_path).read_bytes()).hexdigest() == SHA256


def test_a_persons_own_folder_of_ranks_is_used(tmp_path: Path) -> None:
    mine = tmp_path / "mine"

    counter_in(tmp_path / "cache", {"TIKTOKEN_CACHE_DIR": str(mine)})

    assert len(list(mine.iterdir())) == 1
    assert not (tmp_path / "cache").exists()


def test_where_the_ranks_cannot_be_kept_an_estimate_stands_in_and_says_so(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("no folder")

    counter = counter_in(blocked, {})

    assert not counter.exact
    assert counter.count("a sentence of some length") > 0


@pytest.mark.parametrize(
    "text",
    [
        "connection pool exhausted: 8 of 8 connections in use, waited 750 ms",
        "Pourquoi les paiements échouent-ils depuis hier soir ?",
        '{"service": "payments", "environment": "production", "level": "error"}',
        "2026-11-23T05:00:00.123Z error payments 2.4.0 " * 20,
    ],
)
def test_the_estimate_is_near_and_rather_too_high(exact: TiktokenCounter, text: str) -> None:
    assert 0.9 < EstimatingCounter().count(text) / exact.count(text) < 1.6


@given(st.text(max_size=100), st.text(max_size=100))
def test_a_longer_text_is_never_estimated_shorter(one: str, other: str) -> None:
    assert EstimatingCounter().count(one + other) >= EstimatingCounter().count(one)
