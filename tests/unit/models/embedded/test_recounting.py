"""What an answer says of what people have written, and of what nobody has."""

from dataclasses import replace

from agent.models.embedded.facts import Nothing, Passage, Past
from agent.models.embedded.recounting import told

OWNER = Passage(
    "catalog", "Team", "docs", "Priya Nair", "2026-11-05", "Team Shelf owns catalog: Priya Nair.", 0.9, "", "doc",
    "catalog > Team", 1,
)  # fmt: skip
POOL = Passage(
    "INC-112: pool", "Cause", "docs", "", "2026-06-22", "The retry path kept its connection.", 0.8, "", "incident",
    "INC-112: pool > Cause", 2, shared=("pool", "exhausted"),
    past=Past("INC-112", "INC-112: pool", "612 payments failed.", "The retry path kept it.", "", ("payments",),
              "2026-06-18T09:00:00Z", "1"),
)  # fmt: skip
NOWHERE = Nothing(1280, ("docs", "slack"), ("Priya Nair", "#catalog"), 3)


def said(*passages: Passage, nothing: tuple[Nothing, ...] = (), question: str = "who owns catalog?") -> str:
    return "\n\n".join(told("en", passages, nothing, question))


def test_an_answer_quotes_with_title_heading_date_and_number() -> None:
    assert said(OWNER) == (
        "This is what is written about it:\n"
        "- catalog, Team (2026-11-05): “Team Shelf owns catalog: Priya Nair.” [1]"
    )


def test_what_no_longer_holds_says_so_and_names_what_does() -> None:
    old = replace(OWNER, status="superseded", superseded_by="services/catalog.md")
    assert said(old).endswith("[1] (no longer current; see services/catalog.md)")


def test_copies_are_named_with_the_one_that_is_shown() -> None:
    assert "(the same in Old wiki: catalog)" in said(replace(OWNER, copies=("Old wiki: catalog",)))


def test_sources_with_other_figures_are_both_shown_and_said_to_differ() -> None:
    four = replace(OWNER, document="Decision", answer="The payment timeout is 4 seconds.")
    five = replace(
        OWNER, document="Runbook", date="2026-01-05", answer="The payment timeout is 5 seconds.", number=2
    )
    answer = said(four, five, question="what is the payment timeout?")
    assert "(2026-11-05): “The payment timeout is 4 seconds.” [1]" in answer
    assert "(2026-01-05): “The payment timeout is 5 seconds.” [2]" in answer
    assert answer.endswith("These sources give different figures: mind their dates.")


def test_a_past_incident_is_a_card_that_says_what_is_not_written() -> None:
    assert said(POOL, question="have we seen this?") == (
        "Yes, this was seen before.\n"
        "- INC-112: pool (2026-06-18, payments, severity 1) [2]\n"
        "  - What it looked like: “612 payments failed.”\n"
        "  - What it was: “The retry path kept it.”\n"
        "  - What fixed it is not written there.\n"
        "  - Why it is shown: both speak of pool, exhausted (80 % sure)."
    )


def test_without_a_clear_answer_it_says_what_was_searched_the_nearest_and_who_may_know() -> None:
    near = replace(OWNER, sure=False, confidence=0.4)
    assert said(near, nothing=(NOWHERE,)) == (
        "Nothing that is written clearly answers this; 1,280 documents were searched in docs, slack [3].\n\n"
        "The nearest that was found:\n"
        "- catalog, Team (2026-11-05): “Team Shelf owns catalog: Priya Nair.” [1]\n\n"
        "Who may know: Priya Nair, #catalog."
    )
