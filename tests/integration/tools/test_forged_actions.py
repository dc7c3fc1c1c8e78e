"""From words to the outcome, through actions alone: a deployment by GitHub, a ticket in Jira, a flag of Unleash."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest
import pytest_asyncio

from agent.app import App
from agent.approvals.action import Action, ActionId, State, Verdict
from agent.bootstrap import build, utc_now
from agent.conversation.thread import Said, ThreadId
from agent.home import Home
from agent.jobs.desk import Desk
from agent.jobs.fairness import Gate
from agent.jobs.worker import Worker
from agent.settings import load
from evals.bench.durability.stamps import SURFACE, WitnessVoice
from tests.fakes.engine import InlineEngine
from tests.fakes.forges import shop_by_deployments
from tests.fakes.github import GitHubStandIn
from tests.fakes.jira import JiraStandIn
from tests.fakes.logservers import served
from tests.fakes.unleash import UnleashStandIn

SETTINGS = """
people:
  maya: {name: Maya, roles: [operator]}
  tom: {name: Tom, roles: [keeper]}
services: {payments: {}, checkout: {}}
environments: {production: {aliases: [prod]}, staging: {}}
tools:
  enabled: [status, deploy, rollback, ticket_open, ticket_close, flag_set]
  platform:
    backend: github
    github:
      url: GITHUB
      services:
        payments: {repository: harbour/payments}
        checkout: {repository: harbour/checkout}
  tickets: {backend: jira, url: JIRA, services: {payments: {project: OPS, labels: [payments]}}}
  flags: {backend: unleash, url: UNLEASH, authorization_file: key, flags: {new-checkout: []}}
access: {status: [operator], deploy: [operator], rollback: [operator], ticket_open: [operator],
  ticket_close: [operator], flag_set: [operator]}
policies:
  - {name: all, tools: [deploy, rollback, ticket_open, ticket_close, flag_set], approvers: [keeper]}
knowledge: {embedder: none, sources: []}
"""


pytestmark = pytest.mark.asyncio(loop_scope="module")  # one sayso for all: learning the phrases takes seconds


@dataclass
class World:
    """sayso, and what it reaches."""

    app: App
    desk: Desk
    engine: InlineEngine
    github: GitHubStandIn
    jira: JiraStandIn
    unleash: UnleashStandIn

    async def asked(self, text: str) -> Action:
        """What was proposed for these words."""
        before = len(await self.app.actions.latest())
        thread = ThreadId(f"{SURFACE}:{before + 1}")
        await self.desk.hear(Said(f"event-{before}", thread, "maya", text, utc_now()))
        await self.engine.quiet()
        return await self.action(f"A-{before + 1}")

    async def approved(self, action: Action) -> Action:
        await self.desk.decide(action.id, self.app.directory.get("tom"), Verdict.APPROVE)
        await self.engine.quiet()
        return await self.action(action.id)

    async def action(self, id_: str) -> Action:
        found = await self.app.store.action(ActionId(id_))
        assert found is not None
        return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    tmp_path = tmp_path_factory.mktemp("home")
    github = shop_by_deployments(frozenset({"2.3.8"}))
    github.clock = utc_now
    jira, unleash = (
        JiraStandIn(utc_now),
        UnleashStandIn({"new-checkout": {"production": False, "staging": False}}),
    )
    async with AsyncExitStack() as stack:
        text = SETTINGS
        for name, add in (("GITHUB", github.add), ("JIRA", jira.add), ("UNLEASH", unleash.add)):
            text = text.replace(name, await stack.enter_async_context(served(add)))
        (tmp_path / "sayso.yaml").write_text(text)
        (tmp_path / "key").write_text("user:secret\n")
        config = tmp_path / "sayso.yaml"
        app = await build(load(config, {}), Home(tmp_path, config, "the test"))
        worker = Worker(app, app.fleet, {SURFACE: WitnessVoice(tmp_path / "told")}, Gate(4, 4), utc_now)
        engine = InlineEngine(worker.jobs)
        worker.works_with(engine)
        yield World(app, Desk(app, worker), engine, github, jira, unleash)
        await app.close()


async def test_a_flag_is_set_when_somebody_agreed_and_not_before(world: World) -> None:
    action = await world.asked("turn new-checkout on in production")
    assert (action.tool, action.state) == ("flag_set", State.AWAITING_APPROVAL)
    assert action.plan.changes[0].before == "off"
    assert world.unleash.sent == []
    done = await world.approved(action)
    assert done.state is State.SUCCEEDED, done.detail
    assert world.unleash.features["new-checkout"] == {"production": True, "staging": False}


async def test_a_flag_that_somebody_else_set_makes_the_action_stale(world: World) -> None:
    before = list(world.unleash.sent)
    action = await world.asked("turn new-checkout on in staging")
    world.unleash.features["new-checkout"]["staging"] = True
    assert (await world.approved(action)).state is State.STALE
    assert world.unleash.sent == before


async def test_a_ticket_is_opened_once_with_the_words_of_the_card(world: World) -> None:
    action = await world.asked('open a ticket for payments "Refunds fail since 2.4.0"')
    done = await world.approved(action)
    assert done.state is State.SUCCEEDED, done.detail
    assert "OPS-1 is open" in done.detail
    assert [each["fields"]["summary"] for each in world.jira.issues.values()] == ["Refunds fail since 2.4.0"]
    closing = await world.asked("close ticket OPS-1")
    assert (await world.approved(closing)).state is State.SUCCEEDED


async def test_a_deployment_goes_to_github_in_the_name_of_its_action(world: World) -> None:
    action = await world.asked("deploy payments 2.3.9 to prod")
    assert action.state is State.AWAITING_APPROVAL
    assert any(note.startswith("commit ") for note in action.plan.notes)
    done = await world.approved(action)
    assert done.state is State.SUCCEEDED, done.detail
    (payload,) = [body["payload"] for _, _, body in world.github.sent]
    assert (payload["key"], payload["by"]) == (f"sayso-{action.id}", f"tom ({action.id})")


async def test_a_deployment_that_fails_at_github_is_told_with_its_reason_and_what_still_counts(
    world: World,
) -> None:
    payments = world.github.repositories["harbour/payments"]
    good = [each for each in payments.deployments if payments.statuses[each["id"]][0]["state"] == "success"]
    last = [each["ref"] for each in good if each["environment"] == "production"][-1]
    action = await world.asked("deploy payments 2.3.8 to prod")
    done = await world.approved(action)
    assert done.state is State.FAILED
    assert "was not deployed: not healthy in time" in done.detail
    assert f"the last that worked there is {last.removeprefix('v')}" in done.detail
