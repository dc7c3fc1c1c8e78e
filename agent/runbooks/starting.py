"""The tool that starts a runbook: it shows every step, and changes nothing itself."""

from collections.abc import Mapping

from agent.runbooks.procedure import TOOL, Procedure
from tools.commands.arguments import CommandArguments
from tools.contract import Arguments, Asker, BadArguments, Effect, Example, Finding, Json, Outcome, Spec
from tools.registry import Registry


class StartRunbook:
    """Implements `ReadTool`. The first step follows its answer; each write among the steps is proposed by itself."""

    def __init__(self, procedure: Procedure, arguments: type[CommandArguments], registry: Registry) -> None:
        self._procedure, self._registry = procedure, registry
        name = procedure.name.replace("-", " ")
        said = dict.fromkeys(text for one in (name, procedure.title.lower()) for text in _asked(one))
        self.spec = Spec(
            name=TOOL + procedure.name,
            description=f"Starts the runbook “{procedure.title}”: {len(procedure.steps)} steps, one after the other. "
            "Each change among them waits for its own approval.",
            arguments=arguments,
            effect=Effect.READ,
            examples=tuple(Example(text, language) for text, language in said),
        )

    async def run(self, arguments: Arguments, _asker: Asker, /) -> Outcome:
        """Checks the values against every step, so that none is found wrong in the middle. Raises `BadArguments`."""
        values: Mapping[str, Json] = arguments.canonical()
        lines = []
        for number, step in enumerate(self._procedure.steps, 1):
            tool = self._registry.get(step.tool)
            filled = step.filled(values)
            try:
                tool.spec.validate(filled)
            except BadArguments as error:
                raise BadArguments(
                    f"step {number} of the runbook cannot run with these values: {error}",
                    field=error.field,
                    value=error.value,
                    nearest=error.nearest,
                ) from error
            waits = " (waits for approval)" if tool.spec.effect is Effect.WRITE else ""
            lines.append(f"{number}. {call(step.tool, filled)}{waits}")
        found = Finding(
            kind="runbook",
            title=self._procedure.title,
            source="runbooks",
            query=call(self.spec.name, dict(values)),
            text="\n".join(["", *lines]),
            facts={
                "name": self._procedure.name,
                "version": self._procedure.version,
                "values": dict(values),
                "steps": len(lines),
                "lines": list(lines),
            },
        )
        return Outcome(ok=True, summary=f"{self._procedure.title}: {len(lines)} steps", findings=(found,))


def call(tool: str, arguments: Mapping[str, Json]) -> str:
    """A call as people read it."""
    return " ".join([tool, *(f"{name}={value}" for name, value in arguments.items())])


def _asked(name: str) -> list[tuple[str, str]]:
    english = [
        "run the runbook {}",
        "start the {} runbook",
        "runbook {}",
        "do the {} procedure",
        "execute {}",
        "go through {}",
    ]
    french = [
        "lance le runbook {}",
        "démarre la procédure {}",
        "exécute le runbook {}",
        "procédure {}",
        "fais {}",
    ]
    return [(text.format(name), "en") for text in english] + [(text.format(name), "fr") for text in french]
