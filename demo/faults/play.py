"""Plays a fault on a shop: opens it, lets it be well for a while, strikes, and does what only looks guilty."""

import asyncio
import json
import random
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from demo import lifecycle
from demo.faults.fault import PRODUCTION, Configure, Deploy, Fault, Herring, Restart, Step, World
from demo.past import past_deployments
from demo.shop import certificate, live
from demo.supervisor.fleet import DEPLOYMENTS, Deployment

OPENING_SECONDS = 5.0  # until customers come
VOLUME_MB = 8.0
HERRINGS = 2  # of those a fault has


@dataclass(frozen=True, slots=True)
class Script:
    """When everything happens, in seconds after the shop opened; drawn from a seed."""

    fault: Fault
    seed: int
    question: str
    strikes: float
    ends: float
    baskets_a_second: float
    herrings: tuple[tuple[float, Herring], ...]
    magnitude: float  # how hard the world strikes, around 1


def script(fault: Fault, seed: int) -> Script:
    """The timing, the question and the red herrings of one play: other ones for every seed."""
    chance = random.Random(f"{fault.name} {seed}")
    strikes = chance.uniform(58, 80)
    drawn = [*fault.always, *chance.sample(fault.herrings, HERRINGS)]
    herrings = ((strikes + chance.uniform(each.earliest, each.latest), each) for each in drawn)
    return Script(
        fault,
        seed,
        chance.choice(fault.questions),
        strikes,
        strikes + chance.uniform(62, 82),
        chance.uniform(3.6, 5.2),
        tuple(sorted(herrings, key=lambda pair: pair[0])),
        chance.uniform(0.8, 1.25) * (chance.choice((-1, 1)) if fault.name == "clock-skew" else 1),
    )


async def play(home: Path, played: Script, say: lifecycle.Say) -> None:
    """Plays it on a shop of its own in `home`, which stays open. Raises `ShopTrouble`."""
    began = datetime.now(UTC)
    await lifecycle.start(home, say, fault=False, prepare=_prepared(played, began))
    opened = asyncio.get_running_loop().time()
    for at, step in sorted(_timed(played), key=lambda pair: pair[0]):
        await asyncio.sleep(max(0.0, opened + at - asyncio.get_running_loop().time()))
        await take(home, step, key=f"drill-{at:.3f}")
    await asyncio.sleep(max(0.0, opened + played.ends - asyncio.get_running_loop().time()))


def _timed(played: Script) -> Iterator[tuple[float, Step]]:
    for at, herring in played.herrings:
        for step in herring.steps:
            yield at, step
    for number, step in enumerate(played.fault.strike):
        yield played.strikes + 3.0 * number, _harder(step, played.magnitude)


def _harder(step: Step, magnitude: float) -> Step:
    if not isinstance(step, World):
        return step
    values = {
        name: value * magnitude if isinstance(value, int | float) else value
        for name, value in step.values.items()
    }
    return World(step.service, values, step.environment)


async def take(home: Path, step: Step, key: str) -> None:
    """Does one thing to an open shop. Raises `ShopTrouble`."""
    match step:
        case Deploy(service, version, by, environment):
            order = {"service": service, "environment": environment, "version": version, "by": by}
            await lifecycle.order(home, "/v1/deploy", {**order, "key": f"{key}-{service}", "kind": "deploy"})
        case Restart(service, by, environment):
            order = {"service": service, "environment": environment, "by": by}
            await lifecycle.order(home, "/v1/restart", {**order, "key": f"{key}-{service}"})
        case Configure():
            _set(home, live.CONFIG, step.environment, step.service, {step.key: step.after})
            _note(home, step)
        case World(service, values, environment):
            _set(home, live.CONDITIONS, environment, service, dict(values))


def _set(home: Path, file: str, environment: str, service: str, values: dict[str, str | float]) -> None:
    try:
        tree = json.loads((home / file).read_text(encoding="utf-8"))
    except FileNotFoundError:
        tree = {}
    tree.setdefault(environment, {}).setdefault(service, {}).update(values)
    live.write(home, file, tree)


def _note(home: Path, step: Configure) -> None:
    line = {
        "at": datetime.now(UTC).isoformat(),
        "kind": "config",
        "service": step.service,
        "environment": step.environment,
        "title": f"{step.key}: {step.before} -> {step.after}",
        "by": step.by,
    }
    with (home / lifecycle.CHANGES).open("a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")


def _prepared(played: Script, began: datetime) -> Callable[[Path], None]:
    """What the services find when they start."""

    def prepare(home: Path) -> None:
        begin, strikes = played.fault.begin, played.strikes + OPENING_SECONDS
        _set(home, live.CONDITIONS, PRODUCTION, "load", {"baskets_a_second": played.baskets_a_second})
        for world in begin.world:
            _set(home, live.CONDITIONS, world.environment, world.service, dict(world.values))
        if begin.fills is not None:
            trace = VOLUME_MB * 1e6 / (strikes * played.baskets_a_second)
            full: dict[str, str | float] = {"volume_mb": VOLUME_MB, "ledger_trace_bytes": round(trace)}
            _set(home, live.CONDITIONS, PRODUCTION, begin.fills, full)
        if begin.certificate is not None:
            file = certificate.file_of(home, PRODUCTION, begin.certificate)
            until = began + certificate.WARN + timedelta(seconds=strikes)
            certificate.issue(file, f"{begin.certificate}.harbourlane.example", until)
        if begin.versions:
            (home / "versions.json").write_text(json.dumps(dict(begin.versions)), encoding="utf-8")
            history = [*past_deployments(), *_long_ago(begin.versions, began)]
            (home / DEPLOYMENTS).write_text(json.dumps([asdict(each) for each in history]), encoding="utf-8")

    return prepare


def _long_ago(versions: Mapping[str, str], began: datetime) -> Iterator[Deployment]:
    """How those versions came to run: yesterday."""
    at = (began - timedelta(hours=26)).isoformat()
    for service, version in versions.items():
        yield Deployment(
            f"D-{service}", "deploy", service, PRODUCTION, "3.2.0", version, at, "priya", ok=True,
            key=f"yesterday-{service}", detail=f"{service} runs {version}",
        )  # fmt: skip
