"""The planner as a chat model: it calls, follows up, and answers from evidence by templates."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Annotated

import pytest

from agent.conversation.evidence import Evidence
from agent.conversation.messages import Message, Offer, Reply, Request, ResultKind, Role
from agent.models.embedded.facts import Deployment, sort
from agent.models.embedded.planner import EmbeddedPlanner
from agent.models.embedded.writing import Writer
from evals.understand_tools import names, toolset
from tools.contract import Arguments, Effect, Finding, Json, Spec
from tools.slots import Kind, Slot

NOW = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
SERVICES = ("checkout", "payments", "catalog")


class StatusArguments(Arguments):
    service: Annotated[str | None, Slot(Kind.CHOICE, role="service", choices=SERVICES)] = None
    environment: Annotated[str | None, Slot(Kind.CHOICE, role="environment", choices=("production",))] = None


STATUS = Spec("status", "What runs where", StatusArguments, Effect.READ)
TOOLS = (*toolset(names({"service": name} for name in SERVICES)), STATUS)
OFFERS = tuple(Offer(spec.name, spec.description, {}, spec.effect) for spec in TOOLS)
POOL = "connection pool exhausted: 8 of 8 connections in use, waited 750 ms"
INCIDENT = "Cause: the retry path kept its connection.\nFix: rolled back to 2.1.7. `Released` since."


def ago(minutes: float) -> str:
    return (NOW - timedelta(minutes=minutes)).isoformat()


class Shop:
    """A shop whose tools answer with fixed facts: payments 2.4.0 exhausts its connections, checkout suffers from it.

    `more` are facts that every finding has beside its own.
    """

    def __init__(
        self, *, broken: frozenset[str] = frozenset(), more: Mapping[str, Json] | None = None
    ) -> None:
        self._broken, self._numbers, self._more = broken, 0, more or {}
        self.asked: list[tuple[str, dict[str, object]]] = []

    def answer(self, tool: str, call_id: str, text: str) -> Message:
        arguments = json.loads(text)
        self.asked.append((tool, arguments))
        if tool in {"deploy", "rollback", "restart", "scale"}:
            return Message(Role.TOOL, "waits", call_id=call_id, result=ResultKind.PROPOSED, action="A-7")
        if tool in self._broken:
            return Message(Role.TOOL, "no answer in 20 s", call_id=call_id, result=ResultKind.FAILED)
        found = [
            self._evidence(kind, facts, title, tool) for kind, facts, title in self._facts(tool, arguments)
        ]
        return Message(Role.TOOL, "found", call_id=call_id, result=ResultKind.FOUND, evidence=tuple(found))

    def _evidence(self, kind: str, facts: Mapping[str, Json], title: str, tool: str) -> Evidence:
        self._numbers += 1
        return Evidence(
            self._numbers, Finding(kind, title, "shop", "q", "", {**facts, **self._more}), tool, "c"
        )

    def _facts(
        self, tool: str, arguments: Mapping[str, object]
    ) -> Sequence[tuple[str, Mapping[str, Json], str]]:
        service = str(arguments.get("service", ""))
        match tool:
            case "status":
                return [
                    (
                        "status",
                        {"running": [_running(name) for name in SERVICES if service in {"", name}]},
                        "What runs",
                    )
                ]
            case "query_metrics":
                return [("series", _series(service, str(arguments["metric"])), "a metric")]
            case "query_logs":
                return [("log_patterns", _patterns(service), "log lines")]
            case "search_knowledge":
                return [("passage", PASSAGE, "INC-112: payments connection pool exhausted")]
            case _:
                return []


PASSAGE: Mapping[str, Json] = {
    "document": "incidents/INC-112-payments-pool.md", "heading": "Fix", "place": "docs", "author": "Hana Sato",
    "date": "2026-06-22", "text": INCIDENT, "confidence": 0.8, "status": "current", "pinned": False, "kind": "incident",
}  # fmt: skip


def _running(service: str) -> dict[str, Json]:
    version, previous = ("2.4.0", "2.3.9") if service == "payments" else ("1.8.2", None)
    return {
        "service": service, "environment": "production", "version": version, "previous_version": previous,
        "replicas": 2, "healthy_replicas": 2, "since": ago(12 if service == "payments" else 9_000), "error_rate": None,
    }  # fmt: skip


def _series(service: str, metric: str) -> dict[str, Json]:
    return {
        "metric": metric, "service": service, "environment": "production", "unit": "%", "now": 23.41, "mean": 20.0,
        "max": 31.0, "before_mean": 0.2, "change": 100.0, "points": [], "anomaly": "rose", "since_change": ago(11),
    }  # fmt: skip


def _patterns(service: str) -> dict[str, Json]:
    lines = {"payments": POOL, "checkout": "payment failed: payments answered 503"}
    version = "2.4.0" if service == "payments" else "1.8.2"
    pattern: dict[str, Json] = {
        "template": lines.get(service, ""), "count": 1_234, "first": ago(11), "last": ago(0.5), "level": "error",
        "service": service, "version": version, "sample": lines.get(service, ""), "versions": [version],
    }  # fmt: skip
    known = service in lines
    return {
        "service": service, "environment": "production", "level": "error", "contains": None,
        "total": 1_290 if known else 0, "scanned": 9_000, "patterns": [pattern] if known else [],
    }  # fmt: skip


@pytest.fixture(scope="module")
def planner() -> EmbeddedPlanner:
    return EmbeddedPlanner(TOOLS, zone=UTC)


async def converse(
    planner: EmbeddedPlanner,
    text: str,
    shop: Shop | None = None,
    locale: str = "en",
    offers: Sequence[Offer] = OFFERS,
) -> str:
    """One turn, to its answer."""
    shop = shop or Shop()
    messages = [Message(Role.SYSTEM, "..."), Message(Role.PERSON, text)]
    for _ in range(6):
        heard: list[str] = []

        async def hear(part: str, heard: list[str] = heard) -> None:
            heard.append(part)

        reply: Reply = await planner.complete(Request(tuple(messages), tuple(offers), locale, NOW), hear)
        if not reply.calls:
            assert "".join(heard) == reply.text
            assert reply.by_code
            return reply.text
        messages.append(Message(Role.AGENT, reply.text, calls=reply.calls))
        messages += [shop.answer(call.name, call.id, call.arguments) for call in reply.calls]
    raise AssertionError("the planner never answered")


async def test_a_failing_service_is_explained_by_version_error_metric_and_past_incident(
    planner: EmbeddedPlanner,
) -> None:
    answer = await converse(planner, "why are payments failing?")
    assert answer.splitlines() == [
        f"The likely cause is payments 2.4.0, live in production since 09:18: it keeps failing with “{POOL}” [4][1].",
        f"- 1,234 times “{POOL}”, first 09:19, last 09:29 [4]",
        "- Every one of these lines comes from payments 2.4.0 [4].",
        "- The first came 1 minute after 2.4.0 went live [4][1].",
        "- payments, error rate: 23.4% now, 0.2% before; it rose at 09:19 [2]",
        "- payments, p95 response time: 23.4% now, 0.2% before; it rose at 09:19 [3]",
        "- payments 2.4.0 replaced 2.3.9 in production [1].",
        (
            "- Seen before: INC-112: payments connection pool exhausted. "
            "“Fix: rolled back to 2.1.7. `Released` since.” [5]"
        ),
        "Next step, if you agree: ask me to “roll payments back to 2.3.9”.",
    ]


async def test_the_same_is_said_in_french(planner: EmbeddedPlanner) -> None:
    answer = await converse(planner, "pourquoi les paiements échouent ?", locale="fr")
    first, *points, last = answer.splitlines()
    assert first.startswith("La cause probable est payments 2.4.0, en production depuis 09:18")
    assert "- payments, taux d'erreur : 23,4 % maintenant, 0,2 % avant ; hausse à 09:19 [2]" in points
    assert last == "Prochaine étape, si vous êtes d'accord : demandez-moi « reviens à payments 2.3.9 »."


async def test_an_error_that_names_another_service_is_followed_to_it(planner: EmbeddedPlanner) -> None:
    shop = Shop()
    answer = await converse(planner, "why is checkout failing?", shop)
    assert answer.startswith("The likely cause is payments 2.4.0")
    assert ("search_knowledge", {"query": "payments connection pool exhausted"}) in shop.asked


async def test_nothing_is_asked_twice_in_a_turn(planner: EmbeddedPlanner) -> None:
    shop = Shop()
    await converse(planner, "why is checkout failing?", shop)
    assert len(shop.asked) == len({json.dumps(entry, sort_keys=True) for entry in shop.asked})


async def test_what_could_not_be_checked_is_named(planner: EmbeddedPlanner) -> None:
    answer = await converse(planner, "why are payments failing?", Shop(broken=frozenset({"query_metrics"})))
    assert "Not checked: query_metrics (error_rate, payments) (no answer in 20 s)" in answer


async def test_without_an_error_in_the_logs_no_cause_is_invented(planner: EmbeddedPlanner) -> None:
    answer = await converse(planner, "why is catalog failing?")
    assert (
        answer.startswith("Error rate of catalog rose to 23.4%")
        or "and no new error in the logs explains it" in answer
    )
    assert "Next step" not in answer


async def test_a_change_is_proposed_and_nothing_more_is_claimed(planner: EmbeddedPlanner) -> None:
    shop = Shop()
    answer = await converse(planner, "roll payments back to 2.3.9 in prod", shop)
    assert shop.asked == [("rollback", {"service": "payments", "version": "2.3.9", "environment": "prod"})]
    assert answer == "Proposed as A-7. Nothing changes before somebody with the right role approves it."


async def test_a_change_without_a_version_is_asked_back(planner: EmbeddedPlanner) -> None:
    shop = Shop()
    assert await converse(planner, "deploy payments to staging", shop) == "Which version of payments?"
    assert shop.asked == []


async def test_what_runs_is_listed(planner: EmbeddedPlanner) -> None:
    answer = await converse(planner, "what runs in production?")
    assert answer.splitlines()[:2] == [
        "3 services run, and all instances are healthy.",
        "- checkout 1.8.2 in production: 2 of 2 instances healthy, since 2026-11-17 03:30 [1]",
    ]


async def test_log_lines_are_counted_by_pattern(planner: EmbeddedPlanner) -> None:
    answer = await converse(planner, "errors in the payments logs")
    assert answer.splitlines()[0] == "1,290 error lines in the logs of payments (production) [1]."


async def test_no_lines_are_said_to_be_none(planner: EmbeddedPlanner) -> None:
    answer = await converse(planner, "errors in the catalog logs")
    assert answer == "No error lines in the logs of catalog (production) [1]."


async def test_a_metric_is_compared_with_the_time_before(planner: EmbeddedPlanner) -> None:
    answer = await converse(planner, "error rate of payments")
    assert answer.startswith(
        "The error rate of payments (production) is 23.4% now, 0.2% in the window before [1]."
    )


async def test_a_passage_is_quoted_with_its_place(planner: EmbeddedPlanner) -> None:
    answer = await converse(planner, "have we seen 'connection pool exhausted' before?")
    assert ", Fix (2026-06-22): “" in answer
    assert answer.endswith("[1]")


async def test_reasoning_needs_a_model_and_that_is_said(planner: EmbeddedPlanner) -> None:
    assert "no language model is configured" in await converse(planner, "write a poem about our servers")


async def test_help_names_what_may_be_used_only(planner: EmbeddedPlanner) -> None:
    answer = await converse(planner, "help", offers=OFFERS[:1])
    assert "Propose putting a version live" in answer
    assert "Propose a restart" not in answer


async def test_a_tool_that_is_not_offered_is_refused_in_words(planner: EmbeddedPlanner) -> None:
    reads = [offered for offered in OFFERS if offered.effect is Effect.READ]
    answer = await converse(planner, "restart catalog", offers=reads)
    assert answer == "You may not use restart, or it is not enabled here."


async def test_on_the_last_step_it_answers_with_what_is_there(planner: EmbeddedPlanner) -> None:
    async def hear(part: str) -> None:
        del part

    request = Request((Message(Role.PERSON, "why are payments failing?"),), OFFERS, "en", NOW)
    first = await planner.complete(request, hear)
    shop = Shop()
    results = tuple(shop.answer(call.name, call.id, call.arguments) for call in first.calls)
    spent = replace(
        request,
        messages=(*request.messages, Message(Role.AGENT, "", calls=first.calls), *results),
        may_call=False,
    )
    reply = await planner.complete(spent, hear)
    assert reply.calls == ()
    assert "payments 2.4.0" in reply.text


async def test_nothing_known_is_said_with_where_it_was_looked_for(planner: EmbeddedPlanner) -> None:
    class Empty(Shop):
        def _facts(
            self, tool: str, arguments: Mapping[str, object]
        ) -> Sequence[tuple[str, Mapping[str, Json], str]]:
            facts: Mapping[str, Json] = {"documents": 1_280, "sources": ["docs", "slack"], "nearest": None}
            return [("nothing_found", facts, "Nothing relevant found")]

    answer = await converse(planner, "who owns the fax machine?", Empty())
    assert (
        answer
        == "Nothing that is written clearly answers this; 1,280 documents were searched in docs, slack [1]."
    )


class Well(Shop):
    """A shop in which nothing fails: catalog was restarted in staging, payments rolled back with approval."""

    def _facts(
        self, tool: str, arguments: Mapping[str, object]
    ) -> Sequence[tuple[str, Mapping[str, Json], str]]:
        service = str(arguments.get("service", ""))
        match tool:
            case "status":
                running = [
                    {**_running(name), "environment": place}
                    for name in SERVICES
                    for place in ("production", "staging")
                    if service in {"", name}
                ]
                changes = [entry for entry in CHANGES if service in {"", str(entry["service"])}]
                return [
                    ("status", {"running": running}, "What runs"),
                    ("deployments", {"deployments": changes}, "What changed"),
                ]
            case "query_metrics":
                calm = {"now": 0.1, "mean": 0.1, "before_mean": 0.1, "anomaly": None, "since_change": None}
                return [("series", {**_series(service, str(arguments["metric"])), **calm}, "a metric")]
            case "query_logs":
                looked_for: dict[str, Json] = {
                    "contains": str(arguments.get("contains") or ""),
                    "total": 0,
                    "patterns": [],
                }
                return [("log_patterns", {**_patterns(service), **looked_for}, "log lines")]
            case _:
                return []


def _change(kind: str, service: str, place: str, before: str, after: str, by: str) -> dict[str, Json]:
    return {
        "id": "d", "kind": kind, "service": service, "environment": place, "from": before, "to": after,
        "at": ago(5), "by": by, "ok": True,
    }  # fmt: skip


CHANGES = (
    _change("restart", "catalog", "staging", "1.8.2", "1.8.2", "sam (A-2)"),
    _change("rollback", "payments", "production", "2.4.0", "2.3.9", "sam, tom (A-3)"),
    _change("deploy", "payments", "production", "2.3.9", "2.4.0", "raj"),
)


async def test_a_service_that_is_well_is_said_not_to_fail_before_anything_else(
    planner: EmbeddedPlanner,
) -> None:
    answer = await converse(planner, "why is catalog failing?", Well())
    assert answer.startswith("catalog is not failing in production: its error rate is 0.1% [")
    assert "replaced" not in answer
    assert "restarted" not in answer  # that was in staging


@pytest.mark.parametrize(
    ("kind", "before", "after", "written"),
    [
        ("deploy", "2.3.9", "2.4.0", "catalog 2.3.9 → 2.4.0"),
        ("rollback", "2.4.0", "2.3.9", "catalog rolled back 2.4.0 → 2.3.9"),
        ("restart", "3.2.0", "3.2.0", "restart of catalog 3.2.0"),
        ("scale", "2", "4", "catalog scaled from 2 to 4 instances"),
    ],
)
def test_a_change_is_worded_by_its_kind(kind: str, before: str, after: str, written: str) -> None:
    at = NOW - timedelta(minutes=5)
    change = Deployment(kind, "catalog", "staging", before, after, at, "sam (A-2)", True, 2)
    line = Writer("en", NOW, UTC).deployment(change)
    assert line == f"09:25: {written} in staging, by sam (A-2) [2]"


async def test_a_version_that_runs_nowhere_is_said_so_first(planner: EmbeddedPlanner) -> None:
    answer = await converse(planner, "why is payments 9.9.9 failing?")
    (
        first,
        *_,
    ) = answer.splitlines()
    assert first == "payments 9.9.9 is not running anywhere; what runs is 2.4.0 in production [1]."


async def test_a_version_that_runs_is_not_called_absent(planner: EmbeddedPlanner) -> None:
    answer = await converse(planner, "why is payments 2.4.0 failing?")
    assert answer.startswith("The likely cause is payments 2.4.0")


async def test_what_runs_is_listed_also_when_something_was_changed(planner: EmbeddedPlanner) -> None:
    for question in ("qu'est-ce qui tourne en production ?", "what is running in production?"):
        answer = await converse(planner, question, Well())
        assert "checkout 1.8.2 in production" in answer
        assert "→" not in answer


async def test_who_approved_is_answered_from_the_history_and_the_record_is_named(
    planner: EmbeddedPlanner,
) -> None:
    for question in ("who approved the rollback?", "who approved A-3?"):
        answer = await converse(planner, question, Well())
        assert answer.startswith(
            "A-3, payments rolled back 2.4.0 → 2.3.9 in production: approved by sam, tom, done at 09:25 [2]."
        )
        assert "sayso audit show" in answer
        assert "A-2" not in answer


async def test_an_approval_nobody_gave_is_said_to_be_none(planner: EmbeddedPlanner) -> None:
    answer = await converse(planner, "qui a approuvé A-9 ?", Well(), locale="fr")
    assert answer.startswith("L'historique des changements ne nomme personne qui l'ait approuvé.")
    assert "`sayso show A-9`" in answer


async def test_an_answer_about_logs_names_the_text_that_was_looked_for(planner: EmbeddedPlanner) -> None:
    answer = await converse(planner, 'errors with "foobar" in the payments logs', Well())
    assert answer == "No error lines with “foobar” in the logs of payments (production) [1]."


async def test_a_change_for_later_is_refused_with_how_to_have_it_now(planner: EmbeddedPlanner) -> None:
    shop = Shop()
    answer = await converse(planner, "restart catalog tomorrow", shop)
    assert answer.startswith("I can only propose a change for now; schedules come later.")
    assert shop.asked == []


async def test_one_instance_is_counted_in_the_singular_in_french(planner: EmbeddedPlanner) -> None:
    class Single(Shop):
        def _facts(
            self, tool: str, arguments: Mapping[str, object]
        ) -> Sequence[tuple[str, Mapping[str, Json], str]]:
            one = {**_running("catalog"), "replicas": 1, "healthy_replicas": 1}
            return [("status", {"running": [one]}, "What runs")]

    assert "1 instance saine sur 1" in await converse(planner, "état de catalog", Single(), locale="fr")


def test_a_finding_that_repeats_its_title_is_not_said_twice() -> None:
    finding = Finding("backlog", "Nothing waits", "queue", "q", "nothing waits in the queue", {})
    (line,) = Writer("en", NOW, UTC).everything(sort([Evidence(1, finding, "queue", "c")]), "the queue?")
    assert line == "nothing waits in the queue [1]"


@pytest.mark.parametrize(
    ("locale", "question", "since", "unknown"),
    [
        ("en", "are there errors in {}?", "Only lines since 09:20 were read", "there may be more"),
        (
            "fr",
            "y a-t-il des erreurs dans {} ?",
            "Seules les lignes depuis 09:20 ont été lues",
            "il peut y en avoir",
        ),
    ],
)
@pytest.mark.parametrize("service", ["payments", "catalog"])
async def test_a_search_that_was_stopped_is_never_told_as_a_whole_one(
    planner: EmbeddedPlanner, service: str, locale: str, question: str, since: str, unknown: str
) -> None:
    stopped: dict[str, Json] = {"stopped": "8 s were over", "read_from": ago(10)}
    assert since in await converse(planner, question.format(service), Shop(more=stopped), locale)
    stopped["read_from"] = None
    assert unknown in await converse(planner, question.format(service), Shop(more=stopped), locale)
    assert since not in await converse(planner, question.format(service), Shop(), locale)


@pytest.mark.parametrize(("locale", "told"), [("en", "Not checked: "), ("fr", "Non vérifié : ")])
async def test_what_a_tool_could_not_check_is_told_with_what_it_could(
    planner: EmbeddedPlanner, locale: str, told: str
) -> None:
    shop = Shop(more={"not_checked": ["error rates (Prometheus does not answer)"]})
    answer = await converse(planner, "what runs in production?", shop, locale)
    assert f"{told}error rates (Prometheus does not answer)" in answer
    assert answer.count(told) == 1
