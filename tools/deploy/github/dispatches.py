"""Deploying by a workflow with `workflow_dispatch`: its runs, told apart by their names, are the record."""

import json
from collections.abc import Sequence
from datetime import datetime

from pydantic import Field, TypeAdapter

from tools.contract import ToolFailed
from tools.deploy.github.rollout import Payload, Reach, Rollout, Stage, Started, base, understood
from tools.deploy.github.service import RunName, Service, Workflow, filled, read_name, values
from tools.deploy.port import Order
from tools.forgeserver import GitHubServer
from tools.jsonserver import segment

_FAIR = frozenset({"success"})


class _User(Payload):
    login: str = ""


class _Run(Payload):
    id: int
    display_title: str = ""
    name: str | None = None
    status: str | None = None
    conclusion: str | None = None
    html_url: str = ""
    created_at: datetime
    actor: _User | None = None
    triggering_actor: _User | None = None


class _Runs(Payload):
    workflow_runs: tuple[_Run, ...]


class _Step(Payload):
    name: str
    status: str
    conclusion: str | None = None


class _Job(Payload):
    name: str
    status: str
    conclusion: str | None = None
    steps: tuple[_Step, ...] = ()


class _Jobs(Payload):
    jobs: tuple[_Job, ...]


class _Who(Payload):
    login: str = ""
    slug: str = ""


class _Reviewer(Payload):
    type: str = ""
    reviewer: _Who = Field(default_factory=_Who)


class _Place(Payload):
    name: str


class _Waiting(Payload):
    environment: _Place
    reviewers: tuple[_Reviewer, ...] = ()


class _Made(Payload):
    workflow_run_id: int


_RUNS, _RUN, _JOBS = TypeAdapter(_Runs), TypeAdapter(_Run), TypeAdapter(_Jobs)
_WAITING, _MADE = TypeAdapter(tuple[_Waiting, ...]), TypeAdapter(_Made)


class Dispatches:
    """Starts runs of a workflow and follows their jobs and steps."""

    def __init__(self, server: GitHubServer) -> None:
        self._server = server

    async def rollouts(self, service: Service, environment: str, reach: Reach) -> Sequence[Rollout]:
        """Runs that other people started count too, if their name says what they deploy."""
        workflow = _workflow(service)
        asked = {"event": "workflow_dispatch", "per_page": "100"}
        path = f"{base(service)}/actions/workflows/{segment(workflow.file)}/runs"
        runs = understood(_RUNS, await self._server.ask("GET", path, asked), "runs").workflow_runs
        named = [(run, read_name(workflow.run_name, run.display_title, service.name)) for run in runs]
        found = [_rollout(run, told) for run, told in named if told and told.environment == environment]
        return found[: reach.most]

    async def start(self, service: Service, environment: str, order: Order, key: str) -> Started:
        workflow, known = _workflow(service), values(service, order, environment, key)
        body: dict[str, object] = {
            "ref": filled(workflow.ref, known),
            "inputs": {each: filled(text, known) for each, text in workflow.inputs.items()},
        }
        if workflow.answers_run:
            body["return_run_details"] = True
        path = f"{base(service)}/actions/workflows/{segment(workflow.file)}/dispatches"
        said = await self._server.ask("POST", path, body=json.loads(json.dumps(body)))
        try:
            return Started(None if said is None else understood(_MADE, said, "a new run").workflow_run_id)
        except ToolFailed:
            return Started(None)  # it was taken: its name finds it

    async def look(self, service: Service, id_: int) -> tuple[Rollout, Sequence[str]]:
        run = understood(_RUN, await self._server.ask("GET", f"{base(service)}/actions/runs/{id_}"), "a run")
        told = read_name(_workflow(service).run_name, run.display_title, service.name)
        if told is None:
            raise ToolFailed(
                f"the run {run.html_url} calls itself {run.display_title!r}, which run_name = "
                f"{_workflow(service).run_name!r} does not match: set `run-name:` in the workflow"
            )
        lines = await self._progress(service, id_)
        if run.status in {"waiting", "pending"}:
            lines += await self._waiting(service, id_)
        return _rollout(run, told), lines

    async def _progress(self, service: Service, id_: int) -> list[str]:
        """A line for each job that has begun or ended, and for each step that has ended."""
        asked = {"filter": "latest", "per_page": "100"}
        said = await self._server.ask(
            "GET", f"{base(service)}/actions/runs/{id_}/jobs", asked, missing=(404,)
        )
        lines: list[str] = []
        for job in understood(_JOBS, said or {"jobs": []}, "jobs").jobs:
            if job.status == "in_progress" or job.conclusion:
                lines.append(f"{job.name} has begun")
            lines += [f"{job.name}: {each.name}: {each.conclusion}" for each in job.steps if each.conclusion]
            if job.conclusion:
                lines.append(f"{job.name}: {job.conclusion}")
        return lines

    async def _waiting(self, service: Service, id_: int) -> list[str]:
        """For whose review in GitHub the run waits; sayso never gives it."""
        path = f"{base(service)}/actions/runs/{id_}/pending_deployments"
        said = await self._server.ask("GET", path, missing=(403, 404))
        return [
            f"waits in GitHub for the environment {each.environment.name}: {_people(each) or 'its protection rules'}"
            for each in understood(_WAITING, said or [], "pending deployments")
        ]


def _people(waiting: _Waiting) -> str:
    return ", ".join(each.reviewer.login or each.reviewer.slug for each in waiting.reviewers)


def _workflow(service: Service) -> Workflow:
    if service.workflow is None:
        raise ToolFailed(f"{service.repository} declares no workflow")
    return service.workflow


def _rollout(run: _Run, told: RunName) -> Rollout:
    who = run.triggering_actor or run.actor
    login = who.login if who else ""
    stage = Stage.PENDING
    if run.status == "completed" or run.conclusion:
        stage = Stage.GOOD if run.conclusion in _FAIR else Stage.BAD
    return Rollout(
        id=run.id,
        version=told.version,
        environment=told.environment,
        at=run.created_at,
        by=f"{login} ({told.key})" if told.key else login,
        stage=stage,
        key=told.key,
        kind=told.kind,
        link=run.html_url,
        note=run.conclusion or run.status or "",
    )
