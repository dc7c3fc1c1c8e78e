"""Words: stems of two languages, names kept whole, and a ceiling no chunk passes."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from knowledge.analyzer import language_of, names_in, spread
from knowledge.lexical import LexicalIndex
from knowledge.port import Entry, Scope

EVERYWHERE = Scope(places=frozenset({"open"}), groups=frozenset({"*"}))


def entry(
    chunk: str, text: str, *, place: str = "open", date: int | None = None, people: tuple[str, ...] = ()
) -> Entry:
    return Entry(
        chunk=chunk,
        document=chunk,
        start=0,
        end=len(text),
        text=text,
        context="",
        meaning=text,
        language="en",
        place=place,
        group="*" if place == "open" else place,
        people=people,
        date=date,
    )


def index(folder: Path, *entries: Entry) -> LexicalIndex:
    made = LexicalIndex(folder / "words")
    made.write(entries, ())
    return made


def found(made: LexicalIndex, question: str, scope: Scope = EVERYWHERE) -> list[str]:
    return made.search(made.ask(question, scope.groups), scope, 10)


def test_a_plural_finds_a_singular_in_english_and_in_french(tmp_path: Path) -> None:
    made = index(
        tmp_path,
        entry("en", "the connection of the pool was exhausted and not returned"),
        entry("fr", "le paiement de la cliente est refusé par la banque"),
    )
    assert found(made, "what happens with exhausted connections") == ["en"]
    assert found(made, "pourquoi les paiements sont refusés") == ["fr"]


def test_an_alert_is_found_by_the_words_inside_its_name(tmp_path: Path) -> None:
    made = index(tmp_path, entry("a", "PaymentsPoolExhausted fires"), entry("b", "catalog cache is cold"))
    assert found(made, "pool exhausted") == ["a"]


def test_a_version_finds_that_version_and_not_its_digits(tmp_path: Path) -> None:
    made = index(
        tmp_path, entry("a", "payments 2.4.0 is bad"), entry("b", "version 2.3.9, 4 pools, 0 errors, 2 nodes")
    )
    assert found(made, "2.4.0") == ["a"]


def test_a_metric_comes_before_a_text_that_only_has_its_words(tmp_path: Path) -> None:
    made = index(
        tmp_path,
        entry("b", "db and pool in use"),
        entry("a", "watch the gauge db_pool_in_use closely please"),
    )
    assert found(made, "db_pool_in_use")[0] == "a"


def test_a_slip_of_the_finger_still_finds(tmp_path: Path) -> None:
    made = index(tmp_path, entry("a", "the connection pool is exhausted"), entry("b", "warm the cache"))
    assert found(made, "conection pol exausted")[0] == "a"


def test_places_outside_the_scope_are_never_found(tmp_path: Path) -> None:
    made = index(tmp_path, entry("a", "leaked key", place="secret"), entry("b", "key rotation"))
    assert found(made, "leaked key") == ["b"]
    assert found(made, "leaked key", Scope(frozenset({"secret"}), frozenset({"*", "secret"}))) == ["a"]


def test_what_others_keep_private_does_not_weigh_a_question(tmp_path: Path) -> None:
    public = [entry("b", "key rotation"), entry("c", "the pool")]
    private = [entry(f"s{i}", "key key key", place="secret") for i in range(20)]
    mine = index(tmp_path / "mine", *public).ask("leaked key", EVERYWHERE.groups)
    all_of_it = index(tmp_path / "all", *public, *private).ask("leaked key", EVERYWHERE.groups)
    assert all_of_it.wanted == mine.wanted


def test_a_person_and_a_time_narrow_a_search(tmp_path: Path) -> None:
    made = index(
        tmp_path,
        entry("a", "pool again", date=100, people=("Raj Iyer",)),
        entry("b", "pool again", date=200, people=("Tom Okafor",)),
    )
    assert found(made, "pool", Scope(frozenset({"open"}), person="raj iyer")) == ["a"]
    assert found(made, "pool", Scope(frozenset({"open"}), since=150, until=201)) == ["b"]


def test_a_chunk_taken_out_is_gone(tmp_path: Path) -> None:
    made = index(tmp_path, entry("a", "pool"), entry("b", "pool"))
    made.write((), ["a"])
    assert found(made, "pool") == ["b"]


def test_a_question_without_a_term_finds_nothing(tmp_path: Path) -> None:
    assert found(index(tmp_path, entry("a", "pool")), "?!") == []


@given(
    st.lists(
        st.sampled_from(["pool", "payments", "2.4.0", "cache", "http_requests_total"]),
        min_size=1,
        max_size=12,
    )
)
def test_no_score_passes_one(words: list[str]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        made = index(
            Path(folder),
            entry("a", "pool pool pool payments"),
            entry("b", "cache"),
            entry("c", "2.4.0 cache"),
        )
        question = made.ask(" ".join(words), EVERYWHERE.groups)
        scores = made.scores(question, ["a", "b", "c"])
        assert all(0 <= score <= 1 for score in scores.values())


@given(st.text(max_size=200))
def test_any_text_has_terms_or_none_but_no_error(text: str) -> None:
    assert all(name == name.lower() for name in names_in(text))
    assert language_of(spread(text)) in {"", "en", "fr"}
