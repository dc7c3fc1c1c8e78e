"""The retrieval benchmark's own arithmetic, and what it takes for a set."""

import json
from pathlib import Path

import pytest

from evals.bench.retrieval import JsonlCorpus, measure, ndcg, questions, recall, sets_in
from knowledge.port import Unit
from tests.fakes.embedder import HashedWords


def a_set(folder: Path) -> Path:
    folder.mkdir()
    corpus = [
        {"_id": "pool", "title": "Pool", "text": "connections run out"},
        {"_id": "cache", "text": "warm it"},
    ]
    asked = [
        {"_id": "q1", "text": "warm"},
        {"_id": "q2", "text": "connections"},
        {"_id": "q3", "text": "nobody knows"},
    ]
    (folder / "corpus.jsonl").write_text("\n".join(map(json.dumps, corpus)), encoding="utf-8")
    (folder / "queries.jsonl").write_text("\n".join(map(json.dumps, asked)), encoding="utf-8")
    (folder / "qrels.tsv").write_text(
        "query-id\tcorpus-id\tscore\nq1\tcache\t1\nq2\tpool\t1\n", encoding="utf-8"
    )
    return folder


def test_a_right_answer_in_second_place_gains_less() -> None:
    assert ndcg(["a", "b"], {"a": 1}) == 1
    assert ndcg(["b", "a"], {"a": 1}) == pytest.approx(0.6309, abs=1e-4)
    assert ndcg(["b"], {"a": 1}) == 0


def test_recall_is_the_share_of_right_answers_among_the_first() -> None:
    assert recall(["a", "b", "c"], {"a": 1, "z": 1}) == 0.5
    assert recall(["b", "a"], {"a": 1}, cut=1) == 0


def test_questions_nobody_judged_are_left_out(tmp_path: Path) -> None:
    assert [question.text for question in questions(a_set(tmp_path / "set"))] == ["warm", "connections"]


def test_a_folder_of_sets_stands_for_all_of_them(tmp_path: Path) -> None:
    made = [a_set(tmp_path / "one"), a_set(tmp_path / "two")]
    assert sets_in([tmp_path]) == made
    assert sets_in(made) == made


def test_a_folder_without_a_set_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="holds no set"):
        sets_in([tmp_path])


async def test_titles_and_texts_become_documents(tmp_path: Path) -> None:
    corpus = JsonlCorpus(a_set(tmp_path / "set") / "corpus.jsonl")
    assert [found.text async for found in corpus.read(Unit("")) if hasattr(found, "text")] == [
        "connections run out",
        "warm it",
    ]


async def test_each_half_and_both_are_measured(tmp_path: Path) -> None:
    figures = await measure(a_set(tmp_path / "set"), HashedWords(), None, tmp_path / "home")
    for half in ("lexical", "dense", "hybrid"):
        measured = figures[half]
        assert isinstance(measured, dict)
        assert measured["ndcg@10"] == measured["recall@10"] == 1
