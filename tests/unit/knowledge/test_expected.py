"""What a question asks for by its form, and which texts have such a thing."""

import pytest

from knowledge.expected import Expected, asked_after, expected


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("what is the phone number of the plumber", Expected.PHONE),
        ("quel est le numéro de téléphone du plombier ?", Expected.PHONE),
        ("what is the e-mail address of the landlord?", Expected.ADDRESS),
        ("is there a link to the form", Expected.LINK),
        ("which version of nginx do we run", Expected.VERSION),
        ("quelle version de nginx utilise-t-on ?", Expected.VERSION),
        ("what percentage of visitors come back", Expected.SHARE),
        ("quelle part des visiteurs revient ?", Expected.SHARE),
        ("what does a new tyre cost?", Expected.MONEY),
        ("quel est le prix du billet ?", Expected.MONEY),
        ("how many chairs are in the hall", Expected.NUMBER),
        ("combien de chaises dans la salle ?", Expected.NUMBER),
        ("When does the bus leave?", Expected.TIME),
        ("le bus part quand ?", Expected.TIME),
        ("who waters the plants", Expected.PERSON),
        ("qui arrose les plantes ?", Expected.PERSON),
    ],
)
def test_the_form_of_a_question_tells_what_is_asked_for(question: str, kind: Expected) -> None:
    assert expected(question) is kind


@pytest.mark.parametrize(
    "question",
    ["how do I water the plants?", "why is the hall cold", "que faire quand le bus est plein", "the plants"],
)
def test_other_questions_ask_for_nothing_in_particular(question: str) -> None:
    assert expected(question) is None


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Expected.PHONE, "call +33 1 23 45 67 89"),
        (Expected.ADDRESS, "write to office@example.com"),
        (Expected.LINK, "see https://example.com"),
        (Expected.VERSION, "nginx 1.27 since May"),
        (Expected.SHARE, "38 % of them"),
        (Expected.MONEY, "120 € a piece"),
        (Expected.NUMBER, "about forty chairs"),
        (Expected.TIME, "every morning"),
        (Expected.PERSON, "ask Joan about it"),
    ],
)
def test_a_text_has_what_looks_like_it(kind: Expected, text: str) -> None:
    assert kind.in_(text)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Expected.PHONE, "order 40417 of 2026-11-23 10:00"),
        (Expected.MONEY, "it costs a lot"),
        (Expected.VERSION, "nginx is up to date"),
        (Expected.NUMBER, "a few chairs"),
        (Expected.TIME, "it leaves when it is full"),
    ],
)
def test_a_text_that_is_only_about_it_has_none(kind: Expected, text: str) -> None:
    assert not kind.in_(text)


def test_what_is_asked_for_follows_the_asking_word() -> None:
    assert asked_after("so which tool cuts tiles?") == " tool cuts tiles?"
    assert asked_after("how do we cut tiles?") == ""
