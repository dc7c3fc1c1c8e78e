"""What stands before a deployment on GitHub: the checks of its commit, and the protection of its environment."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import Field, TypeAdapter

from tools.contract import BadArguments, Json, ToolFailed
from tools.deploy.github.rollout import Payload, Shape, base, understood
from tools.deploy.github.service import Service
from tools.forgeserver import GitHubServer
from tools.jsonserver import segment

_PASSING = frozenset({"success", "neutral", "skipped"})
_PER_PAGE, _PAGES = 100, 10
_UNREAD = "more checks than were read"


@dataclass(frozen=True, slots=True)
class Gates:
    """The commit that would be deployed, how its checks stand, and what GitHub will ask for by itself."""

    commit: str
    passed: Sequence[str]
    failing: Sequence[str]
    missing: Sequence[str]  # required, and not there or not finished
    protection: Sequence[str]
    unasked: str = ""  # how checks stand of which none is asked for

    @property
    def open(self) -> bool:
        return not self.failing and not self.missing

    @property
    def notes(self) -> tuple[str, ...]:
        """Lines for the card."""
        told = [
            f"{what}: {', '.join(names)}"
            for what, names in (
                ("checks passed", self.passed),
                ("checks FAILING", self.failing),
                ("checks not there or not finished", self.missing),
            )
            if names
        ]
        return (
            f"commit {self.commit[:12]}",
            *(told or [f"no check is asked for, {self.unasked}"]),
            *self.protection,
        )


class _Commit(Payload):
    sha: str


class _Run(Payload):
    name: str
    status: str = ""
    conclusion: str | None = None


class _Runs(Payload):
    check_runs: tuple[_Run, ...]


class _Context(Payload):
    context: str
    state: str


class _Combined(Payload):
    statuses: tuple[_Context, ...] = ()


class _Repository(Payload):
    default_branch: str


class _Required(Payload):
    contexts: tuple[str, ...] = ()


class _Protection(Payload):
    required_status_checks: _Required | None = None


class _Branch(Payload):
    protection: _Protection | None = None


class _RuleCheck(Payload):
    context: str


class _Parameters(Payload):
    required_status_checks: tuple[_RuleCheck, ...] = ()


class _Rule(Payload):
    type: str
    parameters: _Parameters | None = None


class _Who(Payload):
    login: str = ""
    slug: str = ""


class _Reviewer(Payload):
    reviewer: _Who = Field(default_factory=_Who)


class _Guard(Payload):
    type: str
    wait_timer: int | None = None
    reviewers: tuple[_Reviewer, ...] = ()


class _Policy(Payload):
    protected_branches: bool = False
    custom_branch_policies: bool = False


class _Environment(Payload):
    protection_rules: tuple[_Guard, ...] = ()
    deployment_branch_policy: _Policy | None = None


_COMMIT, _RUNS, _COMBINED = TypeAdapter(_Commit), TypeAdapter(_Runs), TypeAdapter(_Combined)
_REPOSITORY, _BRANCH, _RULES = TypeAdapter(_Repository), TypeAdapter(_Branch), TypeAdapter(tuple[_Rule, ...])
_ENVIRONMENT = TypeAdapter(_Environment)


class GateKeeper:
    """Reads the gates. What the token may not read is said to be unknown, never taken for open."""

    def __init__(self, server: GitHubServer) -> None:
        self._server = server

    async def gates(self, service: Service, version: str, environment: str) -> Gates:
        """Raises `BadArguments` where the version has no commit."""
        tag = service.tag_of(version)
        said = await self._server.ask("GET", f"{base(service)}/commits/{segment(tag)}", missing=(404, 422))
        if said is None:
            raise BadArguments(f"{service.repository} has no tag {tag!r}", field="version", value=version)
        commit = understood(_COMMIT, said, "a commit").sha
        checks, required, protection = await asyncio.gather(
            self._checks(service, commit), self.required(service), self._protection(service, environment)
        )
        looked = required if required or service.checks is not None else tuple(checks)
        return Gates(
            commit,
            tuple(name for name in looked if checks.get(name) == "passed"),
            tuple(name for name in looked if checks.get(name) == "failing"),
            tuple(name for name in looked if checks.get(name) not in {"passed", "failing"}),
            protection,
            _unasked(checks),
        )

    async def _checks(self, service: Service, commit: str) -> Mapping[str, str]:
        """Every check and commit status by name: passed, failing or pending. What was not read counts as pending."""
        path = f"{base(service)}/commits/{commit}"
        found: dict[str, str] = {}
        runs, statuses = await asyncio.gather(
            self._pages(f"{path}/check-runs", lambda said: understood(_RUNS, said, "check runs").check_runs),
            self._pages(f"{path}/status", _statuses, missing=(404,)),
        )
        for status in statuses:
            found[status.context] = {"success": "passed", "pending": "pending"}.get(status.state, "failing")
        for run in runs:
            ended = "passed" if run.conclusion in _PASSING else "failing"
            found[run.name] = _worse(found.get(run.name), ended if run.status == "completed" else "pending")
        if len(runs) >= _PAGES * _PER_PAGE or len(statuses) >= _PAGES * _PER_PAGE:
            found[_UNREAD] = "pending"
        return found

    async def _pages(
        self, path: str, read: Callable[[Json], Sequence[Shape]], missing: tuple[int, ...] = ()
    ) -> list[Shape]:
        """All that is listed there, up to so many pages."""
        found: list[Shape] = []
        for page in range(1, _PAGES + 1):
            asked = {"filter": "latest", "per_page": str(_PER_PAGE), "page": str(page)}
            listed = read(await self._server.ask("GET", path, asked, missing=missing))
            found += listed
            if len(listed) < _PER_PAGE:
                break
        return found

    async def required(self, service: Service) -> tuple[str, ...]:
        """The checks that are asked for: as declared, else as the default branch asks."""
        if service.checks is not None:
            return tuple(service.checks)
        said = await self._server.ask("GET", base(service))
        branch = segment(understood(_REPOSITORY, said, "a repository").default_branch)
        protected, rules = await asyncio.gather(
            self._server.ask("GET", f"{base(service)}/branches/{branch}", missing=(404,)),
            self._server.ask("GET", f"{base(service)}/rules/branches/{branch}", missing=(404,)),
        )
        protection = understood(_BRANCH, protected or {}, "a branch").protection
        old = protection.required_status_checks if protection else None
        names = list(old.contexts) if old else []
        for rule in understood(_RULES, rules or [], "branch rules"):
            if rule.type == "required_status_checks" and rule.parameters:
                names += [each.context for each in rule.parameters.required_status_checks]
        return tuple(dict.fromkeys(names))

    async def _protection(self, service: Service, environment: str) -> tuple[str, ...]:
        path = f"{base(service)}/environments/{segment(environment)}"
        try:
            said: Json = await self._server.ask("GET", path, missing=(404,))
        except ToolFailed:
            return (f"the protection of the environment {environment} in GitHub could not be read",)
        if said is None:
            return (f"GitHub has no environment {environment}, so nothing protects it there",)
        found = understood(_ENVIRONMENT, said, "an environment")
        lines = [line for rule in found.protection_rules if (line := _guard(rule, environment))]
        if found.deployment_branch_policy is not None:
            lines.append(f"GitHub lets only chosen branches and tags into {environment}")
        return tuple(lines) or (f"no protection rule of {environment} in GitHub",)


def _statuses(said: Json) -> Sequence[_Context]:
    return understood(_COMBINED, said or {}, "commit statuses").statuses


def _unasked(checks: Mapping[str, str]) -> str:
    """How the checks of a commit stand, for a card on which none is asked for."""
    failing = [name for name, stand in checks.items() if stand == "failing"]
    if failing:
        return f"and these are FAILING: {', '.join(failing)}"
    return "and none fails on this commit" if checks else "and none is on this commit"


def _worse(one: str | None, other: str) -> str:
    """Of two checks with one name, that which stands in the way."""
    order = ("failing", "pending", "passed")
    return min((each for each in (one, other) if each), key=order.index)


def _guard(rule: _Guard, environment: str) -> str:
    match rule.type:
        case "wait_timer":
            return f"GitHub waits {rule.wait_timer or 0} min before {environment}"
        case "required_reviewers":
            people = ", ".join(each.reviewer.login or each.reviewer.slug for each in rule.reviewers)
            return (
                f"GitHub asks for a review of {environment} by {people or 'a reviewer'} besides this approval"
            )
        case "branch_policy":
            return ""  # told by its policy
        case _:
            return f"GitHub asks {rule.type} before {environment}"
