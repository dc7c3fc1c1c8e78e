"""The story of an action or a turn, told in plain words in both languages from its rows alone."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from agent.approvals.action import Origin, Verdict
from agent.approvals.rule import BreakGlass
from agent.approvals.windows import Freeze, span
from agent.audit.chain import ROOT, seal
from agent.audit.event import Event, Fact, FactKind
from agent.audit.speaking import speaks_through
from agent.audit.story import Paragraph, Teller, duration
from agent.conversation.messages import Reply
from agent.models.scripted import ScriptedModel
from agent.words.catalogue import LANGUAGES
from tests.fakes.office import Office, valve_rule
from tests.fakes.trails import first_format, rows
from tests.fakes.turns import FakeLogs, FakeRollback, World, call, calling, finding

NAMES = {"maya": "Maya Lindqvist", "tom": "Tom Okafor", "sam": "Sam Patel"}
NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def told(events: Sequence[Event], locale: str = "en") -> str:
    story = Teller(locale, lambda id_: NAMES.get(id_, id_), ZoneInfo("UTC")).story(events)
    return "\n".join(lines(story))


def lines(story: Sequence[Paragraph]) -> list[str]:
    return [text for paragraph in story for text in (paragraph.said, *paragraph.more)]


async def whole_life(office: Office) -> list[Event]:
    """Asked by Maya in a turn with a model, tried by Maya, approved by Tom after four minutes, and run."""
    action = await office.proposer.propose(
        "valve",
        {"position": 20},
        office.asker("maya"),
        thread="slack:C012:1700.1",
        key="T-1/0",
        why="open it, please",
        provenance={"position": "evidence 2"},
        origin=Origin("T-1", "gpt-5-mini", "system/v1@3f2a9c1e", ("T-1[1]", "T-1[2]")),
    )
    await office.decisions.decide(action, "maya", Verdict.APPROVE)
    office.clock.pass_(minutes=4)
    speaks_through("slack", "U0TOM")
    decided = await office.decisions.decide(action, "tom", Verdict.APPROVE, reason="the pressure is fine")
    await office.executor.run(decided.action, office.heard)
    return await rows(office.store)


async def test_an_emergency_is_told_with_its_signature() -> None:
    glass = BreakGlass(frozenset({"operator"}), timedelta(hours=1))
    office = Office(rules=(valve_rule(break_glass=glass),))
    broken = (await office.glasses.break_(await office.proposed(), "maya", "it floods")).action
    ran = (await office.executor.run(broken, office.heard)).action
    await office.glasses.countersign(ran, "tom", "")
    text = told(await rows(office.store))
    assert "Maya Lindqvist ran it at once, without approval: “it floods”" in text
    assert "A second signature was due until 2026-11-23 10:00 UTC." in text
    assert "Tom Okafor signed for it afterwards." in text


async def test_what_a_rule_allows_is_told_with_the_rule() -> None:
    office = Office(rules=(valve_rule(auto=True),))
    await office.executor.run(await office.proposed(), office.heard)
    text = told(await rows(office.store))
    assert "asks for nobody's yes" in text
    assert "Rule “valves” lets it run without approval." in text


@pytest.mark.parametrize(
    ("locale", "said"),
    [
        ("en", "rule “valves” was shut by “f” until 2026-11-23 19:00 UTC"),
        ("fr", "était fermée par « f » jusqu'au"),
    ],
)
async def test_a_freeze_is_told_as_the_reason_of_a_refusal(locale: str, said: str) -> None:
    office = Office(rules=(valve_rule(freezes=(Freeze("f", span("mon 09:10", "mon 19:00"), "UTC"),)),))
    approved = await office.decisions.decide(await office.proposed(), "tom", Verdict.APPROVE)
    office.clock.pass_(minutes=10)
    await office.executor.run(approved.action, office.heard)
    assert said in told(await rows(office.store), locale)


async def test_what_a_stricter_policy_lacks_is_told() -> None:
    office = Office()
    approved = await office.decisions.decide(await office.proposed(), "tom", Verdict.APPROVE)
    office.rules = (valve_rule(name="two", quorum=2),)
    await office.executor.run(approved.action, office.heard)
    assert "rule “two” asked for 2 approvals, and 1 counted" in told(await rows(office.store))


async def test_an_action_is_told_from_the_wish_to_the_outcome() -> None:
    text = told(await whole_life(Office()))
    for part in (
        "Maya Lindqvist asked in slack:C012:1700.1: “open it, please”",
        "gpt-5-mini made it a proposal (prompt system/v1@3f2a9c1e) in turn T-1.",
        "What had been found by then: T-1[1], T-1[2].",
        "The plan: Move the valve to 20. position: 10 → 20.",
        "Exactly: valve with position=20, site=north.",
        "position = 20 was not said by the person asking; it comes from: evidence 2",
        "The way back, as planned: move it back to 10.",
        "Rule “valves” of policy",
        "asks for one yes of: keeper. Open until 2026-11-23 09:30 UTC.",
        "Maya Lindqvist tried to approve it and was refused: the requester's own yes does not count.",
        "Tom Okafor said yes, 4 min after it was proposed: “the pressure is fine”",
        "Spoke through slack as U0TOM.",
        "With that it was approved.",
        "It started (worker worker-1), 4 min after it was proposed.",
        "Done after 0.0 s: moved to 20; it stands at 20",
        "Looking at the world afterwards said: it is as wanted.",
        "It waited 4 min for approval and ran 0.0 s.",
    ):
        assert part in text, part


async def test_the_same_story_is_told_in_french() -> None:
    text = told(await whole_life(Office()), "fr")
    for part in (
        "Maya Lindqvist a demandé dans slack:C012:1700.1 : « open it, please »",
        "Exactement : valve avec position=20, site=north.",
        "Maya Lindqvist a voulu l'approuver, refusé : le oui de qui demande ne compte pas.",
        "Tom Okafor a dit oui, 4 min après la proposition",
        "Elle a attendu 4 min l'approbation et duré 0.0 s.",
    ):
        assert part in text, part


async def test_every_row_about_an_action_names_its_digest_rule_and_policy() -> None:
    office = Office()
    events = await whole_life(office)
    about = [event for event in events if event.fact.kind is not FactKind.DECISION_REFUSED]
    assert {event.fact.data["policy_version"] for event in about} == {office.policy.version}
    assert {event.fact.data["rule"] for event in about} == {"valves"}
    assert len({event.fact.data["digest"] for event in events}) == 1


async def test_a_failure_a_rejection_a_withdrawal_and_an_expiry_are_told() -> None:
    office = Office()
    office.valve.broken = True
    failing = await office.proposed(key="a")
    failing = (await office.decisions.decide(failing, "sam", Verdict.APPROVE)).action
    await office.executor.run(failing, office.heard)
    rejected, withdrawn, _ = [await office.proposed(key=key) for key in "bcd"]
    await office.decisions.decide(rejected, "tom", Verdict.REJECT, reason="not on a Friday")
    await office.decisions.withdraw(withdrawn, "maya")
    office.clock.pass_(hours=1)
    await office.decisions.expire()
    text = told(await rows(office.store))
    for part in (
        "It failed after 0.0 s: the valve is stuck",
        "Tom Okafor said no, 0.0 s after it was proposed: “not on a Friday”",
        "Maya Lindqvist took it back.",
        "Nobody decided in time: it expired.",
    ):
        assert part in text, part


async def test_a_proposal_that_was_refused_says_for_what_and_why() -> None:
    office = Office()
    with pytest.raises(Exception, match="no_access"):
        await office.proposed(by="lea")
    text = told(await rows(office.store))
    assert "lea asked for valve, and nothing was proposed: this person may not use the tool." in text
    assert "Exactly: valve with position=20" in text


async def test_a_turn_is_told_with_its_model_prompt_calls_and_evidence() -> None:
    model = ScriptedModel(
        calling(call("logs", '{"service": "payments"}')),
        calling(call("rollback", '{"service": "payments", "version": "2.3.9"}')),
        Reply("done"),
    )
    world = World(model, (FakeLogs(finding(raw="all of it")), FakeRollback()))
    await world.ask("why do payments fail? the password=hunter2secret")
    events = await rows(world.store)
    answered = next(event for event in events if event.fact.kind is FactKind.ANSWERED)
    proposed = next(event for event in events if event.fact.kind is FactKind.PROPOSED)
    text = told([answered])
    for part in (
        "asked in a terminal: “why do payments fail? the password=[redacted]”",
        'logs({"service": "payments"}): found [1]',
        "T-1[1]: logs, logs/payments.log: payments error",
        "prompt system/v1, SHA-256 ",
        "Proposed: A-1.",
    ):
        assert part in text, part
    assert (proposed.fact.data["turn"], proposed.fact.data["evidence"]) == ("T-1", ["T-1[1]"])
    assert str(proposed.fact.data["prompt"]).startswith("system/v1@")
    assert proposed.fact.data["model"] == model.name


@pytest.mark.parametrize("locale", LANGUAGES)
@pytest.mark.parametrize("kind", FactKind)
def test_a_row_of_any_kind_is_told_even_when_it_says_nothing(locale: str, kind: FactKind) -> None:
    event = seal(1, Fact(kind, "tom", "A-1", NOW), ROOT)
    (paragraph,) = Teller(locale, str, ZoneInfo("UTC")).story([event])
    assert paragraph.said


def test_rows_of_the_first_version_are_told() -> None:
    assert "Done after ?: moved to 20; it stands at 20" in told(first_format())


def test_a_pruned_row_says_that_it_was_pruned() -> None:
    event = replace(seal(1, Fact(FactKind.DECIDED, "tom", "A-1", NOW), ROOT), pruned=True)
    assert told([event]) == "decided, by Tom Okafor. What the row said was pruned."


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.34, "0.3 s"),
        (12.4, "12 s"),
        (240, "4 min"),
        (250, "4 min 10 s"),
        (3900, "1 h 5 min"),
        (183_600, "2 d 3 h"),
    ],
)
def test_lengths_of_time_are_said_as_people_do(seconds: float, said: str) -> None:
    assert duration(seconds, "en") == said
    assert duration(seconds, "fr") == said.replace(" d ", " j ")


@pytest.mark.parametrize("locale", LANGUAGES)
def test_a_row_that_is_withheld_says_for_whom_it_is(locale: str) -> None:
    for kind, words in (
        (FactKind.DECIDED, ("happened", "passé")),
        (FactKind.ANSWERED, ("answered", "réponse")),
    ):
        event = seal(1, Fact(kind, "tom", "A-1", NOW, {"withheld": True}), ROOT)
        said = told([event], locale)
        assert "Tom Okafor" in said
        assert any(word in said for word in words)
