"""What kind of answer a question wants, and texts that have none of it."""

import pytest

from knowledge.asking import lacks, wanted


@pytest.mark.parametrize(
    ("question", "with_it", "without"),
    [
        (
            "how many seats does the bus have?",
            "There are forty-two of them, so 42.",
            "It has comfortable seats.",
        ),
        ("combien de places dans le bus ?", "Il y en a 42.", "Les places sont confortables."),
        ("how much does the bus cost?", "It is 80 € a day.", "The bus has 42 seats."),
        ("quel est le prix du bus ?", "80 euros par jour.", "Le bus a 42 places."),
        ("when does the bus leave?", "It leaves at 18:00.", "It leaves from the gate."),
        ("quand part le bus ?", "Le vendredi soir.", "Il part de la porte nord."),
        ("what is the phone number of the driver?", "Call +49 30 1234567.", "Her name is Ada, room 12."),
        ("which version of the kernel is it?", "Linux 6.1.4 on every host.", "It is a long-term kernel."),
        ("what is the e-mail address of the driver?", "ada@example.com", "Ask Ada at the gate."),
    ],
)
def test_a_text_without_the_kind_of_thing_asked_for_lacks_it(
    question: str, with_it: str, without: str
) -> None:
    assert not lacks(question, with_it)
    assert lacks(question, without)


def test_what_the_question_says_itself_is_no_answer() -> None:
    assert lacks("how much do the first 100 seats cost in euros?", "The first 100 seats, in euros.")


@pytest.mark.parametrize("question", ["who drives the bus?", "is the bus late when it snows?", "why?"])
def test_most_questions_want_nothing_that_shows(question: str) -> None:
    assert wanted(question) is None
    assert not lacks(question, "")
