"""What the planner makes of "why?": one investigation, told in the asker's language, with evidence and limits."""

import json
import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.conversation.evidence import Evidence
from agent.conversation.messages import Message, Offer, Request, ResultKind, Role, ToolCall
from agent.models.embedded.investigating import investigated
from agent.models.embedded.planner import EmbeddedPlanner
from agent.models.embedded.writing import Writer
from agent.words.catalogue import phrases
from tests.fakes.shop import NOW, WORDS, now
from tests.fakes.trouble import (
    EXHAUSTED,
    FAILING,
    PASSED_ON,
    Curves,
    Written,
    asked,
    configured,
    deployed,
    investigation,
    jump,
    lines,
)
from tools.contract import Outcome
from tools.investigate import investigate
from tools.investigate.port import Backends
from tools.logs.logs import Logs
from tools.metrics.metrics import Metrics

SPECS = (Logs(Written(), WORDS, now).spec, Metrics(Curves({}), WORDS, now).spec, investigation().spec)
POOL = [*lines("payments", EXHAUSTED), *lines("checkout", PASSED_ON, version="1.8.2")]
RELEASE = deployed("payments", "2.4.0", 0.2)


async def quiet(_text: str) -> None:
    """Nobody reads along."""


async def calls(text: str, *, without: str = "") -> list[tuple[str, Any]]:
    planner = EmbeddedPlanner(SPECS)
    offers = tuple(
        Offer(spec.name, spec.description, {}, spec.effect) for spec in SPECS if spec.name != without
    )
    reply = await planner.complete(
        Request((Message(Role.PERSON, text),), offers, "en", NOW, may_call=True), quiet
    )
    return [(call.name, json.loads(call.arguments)) for call in reply.calls]


def told(outcome: Outcome, locale: str = "en", first: int = 1) -> str:
    writer = Writer(locale, NOW, WORDS.zone)
    return investigated(Evidence(first, outcome.findings[0], "investigate", "1"), writer)


@pytest.mark.parametrize(
    ("question", "service"),
    [
        ("why is checkout slow?", "checkout"),
        ("why are payments failing?", "payments"),
        ("pourquoi le paiement échoue ?", "payments"),
        ("what is wrong with catalog?", "catalog"),
        ("is something wrong with catalog?", "catalog"),
        ("why does payments log warnings?", "payments"),
    ],
)
async def test_why_is_one_investigation(question: str, service: str) -> None:
    ((tool, arguments),) = await calls(question)
    assert (tool, arguments["service"]) == ("investigate", service)


async def test_why_is_everything_slow_looks_at_everything() -> None:
    ((tool, arguments),) = await calls("why is everything slow?")
    assert tool == "investigate"
    assert "service" not in arguments


async def test_a_time_that_is_named_is_looked_at() -> None:
    ((_, arguments),) = await calls("why is checkout slow for the last 6 hours?")
    assert arguments["since"] == "6h"


async def test_who_may_not_investigate_gets_the_single_reads() -> None:
    asked_for = [tool for tool, _ in await calls("why is checkout failing?", without="investigate")]
    assert asked_for == ["metrics", "logs"]


async def test_what_is_not_asked_why_is_none() -> None:
    assert [tool for tool, _ in await calls("p95 latency of checkout over the last hour")] == ["metrics"]


async def test_the_cause_is_told_with_its_evidence_and_the_way_back() -> None:
    outcome = await asked(investigation(FAILING, POOL, [RELEASE]), "checkout")
    answer = told(outcome, first=5)
    assert answer.startswith(
        "The trouble with checkout (production) comes from payments. The likeliest cause is the release"
    )
    assert f"“{EXHAUSTED}” began with it" in answer
    assert answer.endswith("ask me to “roll payments back to 1.0.0”.")
    cited = {int(number) for number in re.findall(r"\[(\d+)\]", answer)}
    assert cited <= set(range(6, 5 + len(outcome.findings)))
    assert cited


async def test_it_is_told_in_french() -> None:
    answer = told(await asked(investigation(FAILING, POOL, [RELEASE])), "fr")
    assert answer.startswith(
        "La cause la plus probable des ennuis de payments (production) : la version payments 2.4.0"
    )
    assert "Taux d'erreur de payments" in answer


async def test_two_causes_are_told_one_by_one() -> None:
    curves = {
        **FAILING,
        ("catalog", "latency_p95"): jump(5.0, 500.0),
        ("checkout", "latency_p95"): jump(60.0, 900.0),
        ("checkout>catalog", "call_duration"): jump(3.0, 400.0),
    }
    changes = [RELEASE, configured("catalog", "page_cache: on -> off", 0.1)]
    answer = told(await asked(investigation(curves, POOL, changes), "checkout"))
    assert "has 2 causes at once" in answer
    assert "1. The release payments 2.4.0" in answer
    assert "2. The change of configuration “page_cache: on -> off” of catalog" in answer
    assert "have catalog page_cache set back to “on”" in answer


async def test_nothing_broken_is_said_plainly_with_what_is_worth_knowing() -> None:
    outcome = await asked(investigation({("checkout", "request_rate"): jump(4.0, 16.0)}), "checkout")
    answer = told(outcome)
    assert answer.startswith("Nothing is broken with checkout (production)")
    assert "Requests to checkout: 4 requests/s before, 16 requests/s since" in answer


async def test_what_failed_and_does_so_no_more_is_told_in_both_languages() -> None:
    begun, ended = NOW - timedelta(minutes=12), NOW - timedelta(minutes=2)

    def curve(at: datetime) -> float:
        return 60.0 if begun < at <= ended else 0.2

    outcome = await asked(investigation({("payments", "error_rate"): curve}))
    assert "- Error rate of payments was 60% on average from" in told(outcome)
    assert "and is no more [" in told(outcome)
    assert "et ne l'est plus [" in told(outcome, "fr")


async def test_what_was_not_measured_is_not_called_well() -> None:
    answer = told(await asked(investigation(backends=Backends())))
    assert answer.startswith("I cannot tell what is wrong with payments (production): nothing was measured.")
    assert "Not checked: " in answer
    assert "Nothing is broken" not in answer


async def test_what_is_ruled_out_is_named_with_the_reason() -> None:
    late = deployed("catalog", "3.2.3", -1)
    answer = told(await asked(investigation(FAILING, POOL, [RELEASE, late]), "checkout"))
    assert "- Ruled out: catalog 3.2.3: it came" in answer


async def test_an_answer_of_the_planner_is_that_of_the_investigation() -> None:
    outcome = await asked(investigation(FAILING, POOL, [RELEASE]))
    call = ToolCall("1", "investigate", '{"service": "payments"}')
    found = tuple(Evidence(at, finding, "investigate", "1") for at, finding in enumerate(outcome.findings, 1))
    messages = (
        Message(Role.PERSON, "why are payments failing?"),
        Message(Role.AGENT, "", calls=(call,)),
        Message(Role.TOOL, outcome.summary, call_id="1", result=ResultKind.FOUND, evidence=found),
    )
    request = Request(messages, (), "en", NOW, may_call=True)
    reply = await EmbeddedPlanner(SPECS, zone=WORDS.zone).complete(request, quiet)
    assert (reply.text, reply.calls) == (told(outcome), ())


def test_there_are_words_for_every_point_cause_and_reason_of_the_tool() -> None:
    """Codes are written as `"pool.full"` in the tool; a new one needs words in both languages."""
    folder = Path(investigate.__file__).parent
    source = "\n".join(file.read_text(encoding="utf-8") for file in folder.glob("*.py"))
    known = phrases("en")
    points = set(re.findall(r'(?:Point|_measured|_logged)\(\s*"([a-z_.]+)"', source))
    points |= set(re.findall(r'_says\(\w+, \d, "([a-z_.]+)"', source))
    reasons = set(re.findall(r'(?:return \(?|else \(|RuledOut\([^"]*"noise", )"([a-z_.]+)", \{', source))
    assert len(points) > 20
    assert {"nothing_broke", "after", "elsewhere", "as_usual", "noise.before", "noise.harmless"} <= reasons
    assert [each for each in points if f"planner.why.point.{each}" not in known] == []
    assert [each for each in reasons if f"planner.why.reason.{each}" not in known] == []
