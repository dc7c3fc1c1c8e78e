"""What the settings say of people, access and policies, looked at for what comes to nothing."""

from collections.abc import Iterator

from agent.app import App
from agent.approvals.shortfall import shortfalls
from tools.contract import Effect


def loose(app: App) -> Iterator[tuple[str, str]]:
    """Each loose end: what it is about, and what is wrong with it."""
    tools, people, policy = app.registry, app.directory.everybody(), app.policy
    for person in people:
        if not any(policy.may_use(spec.name, person.roles) for spec in tools.specs()):
            has = f"the roles {', '.join(sorted(person.roles))}" if person.roles else "no role"
            yield "person", f"{person.id} may use nothing: has {has}, and `access` gives that no enabled tool"
    for tool, roles in app.settings.access.items():
        if tool not in tools:
            yield "access", f"{tool}: {tools.why_not(tool)}"
        elif people and not any(policy.may_use(tool, person.roles) for person in people):
            yield "access", f"{tool}: nobody of `people` has one of its roles ({', '.join(roles) or 'none'})"
    writes = [spec.name for spec in tools.specs(Effect.WRITE)]
    for short in shortfalls(policy, writes, people):
        yield "policy", short.said()
