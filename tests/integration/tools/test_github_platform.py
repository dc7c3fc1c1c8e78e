"""Deploying through GitHub: what the card says, what is sent, how it is followed, and what is never repeated."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from tests.fakes.forges import Waits, github_platform, services, shop_by_deployments, shop_by_runs
from tests.fakes.github import GitHubStandIn
from tests.fakes.shop import NOW, WORDS, Heard, OneGrant, now
from tools.contract import BadArguments, ToolFailed, ToolUnavailable, Verdict
from tools.deploy.deploy import Deploy
from tools.deploy.github.service import Failing, Misdeclared, Service, Workflow, read_name
from tools.deploy.port import Order, OrderKind, Unanswered
from tools.deploy.restart import Restart
from tools.deploy.rollback import Rollback

ARGUMENTS = {"service": "payments", "version": "2.3.9", "environment": "production"}


def check(name: str, conclusion: str | None) -> dict[str, Any]:
    return {"name": name, "status": "completed" if conclusion else "in_progress", "conclusion": conclusion}


def guarded(github: GitHubStandIn) -> GitHubStandIn:
    """The repository of payments asks for checks, and its production for a review."""
    payments = github.repositories["harbour/payments"]
    payments.required = ["build", "test", "scan"]
    payments.checks = [check("build", "success"), check("test", "failure"), check("lint", "failure")]
    reviewer = {"type": "Team", "reviewer": {"slug": "release", "id": 1}}
    payments.environments["production"] = {
        "name": "production",
        "protection_rules": [
            {"id": 1, "type": "wait_timer", "wait_timer": 30},
            {"id": 2, "type": "required_reviewers", "reviewers": [reviewer]},
            {"id": 3, "type": "branch_policy"},
        ],
        "deployment_branch_policy": {"protected_branches": False, "custom_branch_policies": True},
    }
    return github


def order(key: str = "A-1", version: str = "2.3.9", kind: OrderKind = OrderKind.DEPLOY) -> Order:
    return Order(kind, "payments", "production", key=key, by="sam (A-1)", version=version)


def writes(github: GitHubStandIn) -> list[str]:
    return [path for _, path, _ in github.sent]


async def test_a_deployment_lives_its_life_from_the_card_to_the_check() -> None:
    github = shop_by_deployments()
    async with github_platform(github) as platform:
        tool, heard, grant = Deploy(platform, WORDS), Heard(), OneGrant()
        arguments = tool.spec.validate(ARGUMENTS)
        plan = await tool.plan(arguments)
        assert (await tool.verify(arguments)).verdict is Verdict.NOT_DONE
        outcome = await tool.run(arguments, grant, heard)
        seen = await tool.verify(arguments)
    assert plan.changes[0].before == "2.4.0"
    assert plan.changes[1].after.startswith("a deployment of v2.3.9 of harbour/payments to production")
    assert plan.touches == ("payments in production",)
    assert "health is not known there" in plan.health
    assert outcome.ok
    assert heard.lines == [
        "deploy payments in production",
        "queued: in the queue",
        "in_progress: three pods to go",
        "success: done",
    ]
    assert seen.verdict is Verdict.DONE
    ((_, _, body),) = github.sent
    assert body["ref"] == "v2.3.9"
    assert body["payload"] == {
        "service": "payments", "version": "2.3.9", "key": "sayso-A-17", "by": "sam, tom (A-17)", "kind": "deploy",
    }  # fmt: skip
    assert body["auto_merge"] is False
    assert "required_contexts" not in body


async def test_a_workflow_is_dispatched_with_its_inputs_and_followed_by_jobs_and_steps() -> None:
    github = shop_by_runs()
    async with github_platform(github) as platform:
        tool, heard = Deploy(platform, WORDS), Heard()
        arguments = tool.spec.validate(ARGUMENTS)
        plan = await tool.plan(arguments)
        outcome = await tool.run(arguments, OneGrant(), heard)
        assert (await tool.verify(arguments)).verdict is Verdict.DONE
    assert "a run of deploy.yml of harbour/payments at v2.3.9" in plan.changes[1].after
    assert outcome.ok
    assert "github.example/runs/" in outcome.summary
    ((_, path, body),) = github.sent
    assert path == "/repos/harbour/payments/actions/workflows/deploy.yml/dispatches"
    assert body == {
        "ref": "v2.3.9",
        "inputs": {"version": "2.3.9", "environment": "production", "kind": "deploy", "key": "sayso-A-17"},
        "return_run_details": True,
    }
    assert heard.lines == [
        "deploy payments in production",
        "waits in GitHub for the environment production: release",
        "deploy has begun",
        "deploy: Push image: success",
        "deploy: success",
    ]


async def test_a_server_that_names_no_run_is_searched_for_the_key() -> None:
    github = shop_by_runs()
    github.silent = True
    declared = services(workflow=Workflow("deploy.yml", answers_run=False))
    async with github_platform(github, declared) as platform:
        result = await platform.apply(order(), Heard())
    assert result.ok
    assert "return_run_details" not in github.sent[0][2]


async def test_a_workflow_whose_runs_are_named_otherwise_is_told_and_not_taken_for_a_success() -> None:
    github = shop_by_runs()
    github.silent, github.run_name = True, "Deploy"
    declared = services(workflow=Workflow("deploy.yml", answers_run=False))
    async with github_platform(github, declared) as platform:
        with pytest.raises(Unanswered, match="run_name"):
            await platform.apply(order(), Heard())
    assert len(github.sent) == 1


async def test_failing_and_missing_checks_refuse_a_deployment_by_name() -> None:
    async with github_platform(guarded(shop_by_deployments())) as platform:
        tool = Deploy(platform, WORDS)
        with pytest.raises(ToolFailed) as caught:
            await tool.plan(tool.spec.validate(ARGUMENTS))
    told = str(caught.value)
    assert "checks FAILING: test" in told
    assert "not finished: scan" in told
    assert "lint" not in told  # nobody requires it


@pytest.mark.parametrize("kind", ["checks", "contexts"])
async def test_a_failing_check_beyond_the_first_hundred_is_seen(kind: str) -> None:
    github = shop_by_deployments()
    payments = github.repositories["harbour/payments"]
    if kind == "checks":
        payments.checks = [*(check(f"test {n}", "success") for n in range(130)), check("last", "failure")]
    else:
        payments.contexts = [{"context": f"test {n}", "state": "success"} for n in range(130)]
        payments.contexts.append({"context": "last", "state": "error"})
    async with github_platform(github) as platform:
        with pytest.raises(ToolFailed, match="checks FAILING: last"):
            await platform.rehearse(order())


async def test_where_no_check_is_asked_for_those_that_fail_are_not_told_as_none() -> None:
    async with github_platform(guarded(shop_by_deployments()), services(checks=())) as platform:
        found = await platform.rehearse(order())
    assert "no check is asked for, and these are FAILING: test, lint" in found.notes


async def test_where_the_settings_say_so_they_only_mark_the_card() -> None:
    github = guarded(shop_by_deployments())
    async with github_platform(github, services(failing=Failing.MARK)) as platform:
        tool = Deploy(platform, WORDS)
        plan = await tool.plan(tool.spec.validate(ARGUMENTS))
        await tool.run(tool.spec.validate(ARGUMENTS), OneGrant(), Heard())
    assert plan.notes[2:8] == (
        "checks passed: build",
        "checks FAILING: test",
        "checks not there or not finished: scan",
        "GitHub waits 30 min before production",
        "GitHub asks for a review of production by release besides this approval",
        "GitHub lets only chosen branches and tags into production",
    )
    assert plan.observed["failing_checks"] == ["test"]
    assert str(plan.observed["commit"]).startswith("76322e33")
    assert github.sent[0][2]["required_contexts"] == []


async def test_a_way_back_is_never_barred_by_checks() -> None:
    github = guarded(shop_by_deployments())
    async with github_platform(github) as platform:
        tool = Rollback(platform, WORDS, now)
        arguments = tool.spec.validate({"service": "payments", "environment": "production"})
        plan = await tool.plan(arguments)
        outcome = await tool.run(arguments, OneGrant(), Heard())
        assert (await tool.verify(arguments)).verdict is Verdict.DONE
    assert outcome.ok
    assert plan.observed["to"] == "2.3.9"
    assert "checks FAILING: test" in plan.notes
    assert github.sent[0][2]["payload"]["kind"] == "rollback"


async def test_a_commit_that_fails_after_the_card_makes_it_stale() -> None:
    github = shop_by_deployments()
    async with github_platform(github, services(failing=Failing.MARK)) as platform:
        tool = Deploy(platform, WORDS)
        shown = await tool.plan(tool.spec.validate(ARGUMENTS))
        github.repositories["harbour/payments"].checks = [check("test", "failure")]
        drifted = shown.drifted(await tool.plan(tool.spec.validate(ARGUMENTS)))
    assert [each.what for each in drifted] == ["failing_checks"]


async def test_restarting_and_scaling_are_said_to_be_impossible_here() -> None:
    async with github_platform(shop_by_deployments()) as platform:
        tool = Restart(platform, WORDS, now)
        with pytest.raises(BadArguments, match="cannot restart what runs"):
            await tool.plan(tool.spec.validate({"service": "payments"}))


async def test_one_deployment_at_a_time() -> None:
    github = shop_by_deployments()
    async with github_platform(github) as platform:
        payments = github.repositories["harbour/payments"]
        busy = {**payments.deployments[-1], "id": 77, "ref": "v2.3.8", "environment": "production"}
        payments.deployments.append({**busy, "created_at": (NOW - timedelta(minutes=5)).isoformat()})
        payments.statuses[77] = []
        with pytest.raises(ToolUnavailable, match="2.3.8 is on its way to production already"):
            await platform.apply(order(), Heard())
        found = next(each for each in await platform.running() if each.environment == "production")
    assert found.coming == "2.3.8"
    assert github.sent == []


async def test_what_is_still_on_its_way_is_unclear_and_not_failed() -> None:
    github = shop_by_deployments()
    github.stuck = True

    class OutOfPatience(Exception):
        pass

    class Watch:
        looks = 0

        async def __call__(self, _: float) -> None:
            self.looks += 1
            if self.looks > 3:
                raise OutOfPatience

    async with github_platform(github, waits=Watch()) as platform:
        tool = Deploy(platform, WORDS)
        arguments = tool.spec.validate(ARGUMENTS)
        with pytest.raises(OutOfPatience):
            await tool.run(arguments, OneGrant(), Heard())
        seen = await tool.verify(arguments)
    assert seen.verdict is Verdict.UNCLEAR
    assert "2.3.9 is still on its way" in seen.detail


async def test_a_key_of_another_life_of_the_store_is_not_taken_for_this_one() -> None:
    github = shop_by_deployments()
    payload = {"service": "payments", "version": "2.3.9", "key": "sayso-A-1", "by": "x", "kind": "deploy"}
    github.repositories["harbour/payments"].deployments[1]["payload"] = payload
    async with github_platform(github) as platform:
        result = await platform.apply(order(), Heard())
    assert not result.detail.startswith("already done")
    assert len(github.sent) == 1


async def test_a_read_waits_for_the_rate_limit_and_a_write_is_sent_once() -> None:
    github, waits = shop_by_deployments(), Waits()
    github.refusals = [
        (
            403,
            {"x-ratelimit-remaining": "0", "x-ratelimit-reset": str(int(NOW.timestamp()) + 9)},
            "API rate limit",
        ),
        (429, {"Retry-After": "7"}, "slow down"),
    ]
    async with github_platform(github, waits=waits) as platform:
        assert await platform.releases("payments")
        assert waits.seconds == [10.0, 7.0]
        github.refusals = [(403, {"Retry-After": "600"}, "secondary rate limit")]
        with pytest.raises(ToolUnavailable, match="limits how often it is asked"):
            await platform.releases("payments")
    github.refusals = []
    async with github_platform(github, waits=waits) as platform:
        server = platform._server
        github.refusals = [(429, {"Retry-After": "1"}, "slow down")]
        with pytest.raises(ToolUnavailable, match="nothing was changed"):
            await server.ask("POST", "/repos/harbour/payments/deployments", body={"ref": "v2.3.9"})
    assert len(github.sent) == 1
    assert github.repositories["harbour/payments"].deployments[-1]["id"] == 5


async def test_a_refusal_that_is_no_rate_limit_is_told_with_its_reason() -> None:
    github = shop_by_deployments()
    github.refusals = [
        (403, {"x-ratelimit-remaining": "4000"}, "Resource not accessible by personal access token")
    ]
    async with github_platform(github) as platform:
        with pytest.raises(ToolFailed, match="not accessible"):
            await platform.releases("payments")


async def test_a_conflict_of_checks_that_github_finds_is_a_failure_in_its_words() -> None:
    github = shop_by_deployments()
    async with github_platform(github) as platform:
        await platform.history()
        refuse_next_write(github, 409, "Conflict: Commit status checks failed for v2.3.9.")
        tool = Deploy(platform, WORDS)
        with pytest.raises(ToolFailed, match="checks failed for v2.3.9"):
            await tool.run(tool.spec.validate(ARGUMENTS), OneGrant(), Heard())
    assert writes(github) == ["/repos/harbour/payments/deployments"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Retry-After": "9" * 30},
        {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "9" * 30},
        {"Retry-After": "²"},
    ],
)
async def test_a_wait_that_no_clock_holds_is_no_fault_of_ours(headers: dict[str, str]) -> None:
    github = shop_by_deployments()
    async with github_platform(github) as platform:
        github.refusals = [(429, headers, "slow down")] * 9
        with pytest.raises(ToolUnavailable, match="limits how often it is asked"):
            await platform.running_at("payments", "production")


class OnceSent(list[tuple[int, Mapping[str, str], str]]):
    """Refusals of the reads that follow a write."""

    def __init__(self, github: GitHubStandIn, status: int) -> None:
        super().__init__([(status, {}, "no")] * 40)
        self._github = github

    def __bool__(self) -> bool:
        return bool(self._github.sent) and self._github.asked[-1][0] == "GET" and len(self) > 0


@pytest.mark.parametrize("status", [401, 403, 404, 500, 503])
@pytest.mark.parametrize("kind", ["deployments", "runs", "runs without an answer"])
async def test_what_keeps_us_from_following_an_order_does_not_pass_for_its_failure(
    status: int, kind: str
) -> None:
    github = shop_by_deployments() if kind == "deployments" else shop_by_runs()
    declared = services(by_runs=kind == "runs")
    if kind == "runs without an answer":
        github.silent, declared = True, services(workflow=Workflow("deploy.yml", answers_run=False))
    async with github_platform(github, declared) as platform:
        github.refusals = OnceSent(github, status)
        with pytest.raises(Unanswered, match="its end was not heard"):
            await platform.apply(order(), Heard())
    assert len(github.sent) == 1


async def test_an_order_whose_answer_is_lost_is_left_to_the_check() -> None:
    github = shop_by_deployments()
    async with github_platform(github) as platform:
        refuse_next_write(github, 502, "Bad gateway")
        with pytest.raises(Unanswered):
            await platform.apply(order(), Heard())
    assert len(github.sent) == 1


def refuse_next_write(github: GitHubStandIn, status: int, text: str) -> None:
    """The next write is answered so; reads go on."""

    class Picky(list[Any]):
        def __bool__(self) -> bool:
            return len(self) > 0 and github.asked[-1][0] != "GET"

    github.refusals = Picky([(status, {}, text)])


async def test_a_version_without_a_commit_and_a_place_without_it_are_refused() -> None:
    async with github_platform(shop_by_deployments(), services(tag="release-{version}")) as platform:
        with pytest.raises(BadArguments, match="has no tag 'release-2.3.9'"):
            await platform.rehearse(order())
    places = services(environments={"production": "prod"})
    async with github_platform(shop_by_deployments(), places) as platform:
        with pytest.raises(BadArguments, match="nearest: production"):
            await platform.apply(
                Order(OrderKind.DEPLOY, "payments", "staging", "A-1", "sam", "2.3.9"), Heard()
            )


async def test_what_others_deployed_from_a_branch_is_told_as_it_is() -> None:
    github = shop_by_deployments()
    github.repositories["harbour/payments"].deployments[2]["ref"] = "main"
    async with github_platform(github) as platform:
        found = next(each for each in await platform.running() if each.environment == "production")
    assert found.version == "main@" + b"v2.4.0".hex()[:7]
    assert found.previous_version == "2.3.9"


async def test_an_environment_where_nothing_runs_any_more_is_told_so() -> None:
    github = shop_by_deployments()
    github.repositories["harbour/payments"].statuses[5] = [{"id": 9, "state": "inactive"}]
    async with github_platform(github) as platform:
        assert "staging" not in {each.environment for each in await platform.running()}


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (lambda: Service("payments", "a/b", tag="v1"), r"tag = 'v1' should hold \{version\}"),
        (lambda: Workflow("d.yml", run_name="{version}"), r"should have \{environment\}"),
        (lambda: Workflow("d.yml", inputs={"x": "{colour}"}), r"workflow.inputs.x = '\{colour\}'"),
    ],
)
def test_a_declaration_that_cannot_work_is_refused(make: Any, why: str) -> None:
    with pytest.raises(Misdeclared, match=why):
        make()


def test_the_name_of_a_run_is_read_as_it_was_made() -> None:
    told = read_name(
        "{kind} {version} to {environment} ({key})", "rollback 2.3.9-rc.1 to eu west (sayso-A-2)", "x"
    )
    assert told is not None
    assert (told.version, told.environment, told.key) == ("2.3.9-rc.1", "eu west", "sayso-A-2")
    assert told.kind is OrderKind.ROLLBACK
    assert read_name("{kind} {version} to {environment} ({key})", "Merge branch main", "x") is None


async def test_what_the_branch_requires_is_required_of_github_too() -> None:
    github = guarded(shop_by_deployments())
    payments = github.repositories["harbour/payments"]
    payments.checks = [check(name, "success") for name in ("build", "test", "scan")]
    payments.checks.append(check("lint", "failure"))
    async with github_platform(github) as platform:
        assert (await platform.apply(order(), Heard())).ok
    assert github.sent[0][2]["required_contexts"] == ["build", "test", "scan"]


async def test_a_card_asks_about_its_own_place_alone() -> None:
    github = shop_by_deployments()
    async with github_platform(github) as platform:
        tool = Deploy(platform, WORDS)
        await tool.plan(tool.spec.validate(ARGUMENTS))
        with pytest.raises(BadArguments, match="no repository is declared for the service 'catalog'"):
            await tool.plan(tool.spec.validate({**ARGUMENTS, "service": "catalog"}))
    assert not [path for _, path in github.asked if "checkout" in path]
    assert len(github.asked) <= 15
