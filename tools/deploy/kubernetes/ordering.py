"""One order to the end of its rollout: sent once, followed, and put back where it does not become healthy."""

from collections.abc import Mapping
from dataclasses import replace

from tools.contract import Clock, Json, Progress, ToolError, ToolFailed
from tools.deploy.kubernetes.following import Followed, Patience, follow
from tools.deploy.kubernetes.patches import body, template_of, with_template
from tools.deploy.kubernetes.preparing import Prepared, Preparing
from tools.deploy.kubernetes.record import Entry, Record, entry
from tools.deploy.port import Order, OrderKind, Result, Unanswered
from tools.kubernetes.objects import WorkloadObject
from tools.kubernetes.places import Places
from tools.kubernetes.refusals import Conflict, Unheard
from tools.kubernetes.resources import DEPLOYMENTS
from tools.kubernetes.rollout import Phase, missed_at

_TRIES = 4  # for a patch that met somebody else's, where that one did not touch what we rest on
_REMEMBERED = 200  # rehearsals


class Ordering:
    """Prepares orders, tries them, carries them out."""

    def __init__(self, places: Places, clock: Clock, patience: Patience) -> None:
        self._preparing = Preparing(places, clock)
        self._clock, self._patience = clock, patience
        self._rehearsed: dict[Order, str] = {}  # what the last rehearsal of an order rested on

    async def prepare(self, order: Order) -> Prepared:
        """Looks at the Deployment now. Raises `BadArguments` where there is none, `ToolFailed` where it is paused."""
        return await self._preparing.prepare(order)

    async def try_out(self, prepared: Prepared) -> tuple[str, ...]:
        """The patch as a dry run; what the cluster warned of. Raises what the cluster would refuse it with."""
        for left in reversed(range(_TRIES)):
            patch = prepared.patch(self._entry(prepared))
            try:
                done = await self._send(prepared, patch, dry_run=True)
            except Conflict:
                if not left:
                    raise
                prepared = await self._preparing.prepare(prepared.order)
                continue
            break
        if len(self._rehearsed) >= _REMEMBERED:
            self._rehearsed.pop(next(iter(self._rehearsed)))
        self._rehearsed[_bare(prepared.order)] = prepared.rests_on
        return done

    async def carry_out(self, order: Order, progress: Progress) -> Result:
        """Raises `Unanswered` when the patch left, and its end or that of the rollout was not heard."""
        prepared = await self._preparing.prepare(order)
        if (seen := prepared.record.find(order.key)) is not None:
            return await self._again(prepared, seen, progress)
        await progress(f"{order.kind.value} {order.service} in {order.environment}")
        expected = self._rehearsed.pop(_bare(order), prepared.rests_on)
        await self._patched(prepared, expected)
        try:
            followed = await self._followed(prepared, progress, prepared.deployment)
        except ToolError as error:  # the patch is there, whatever becomes of our looking
            raise Unanswered(f"it was ordered, and its end was not heard: {error}") from error
        result = await self._judged(prepared, followed, progress)
        await self._note(prepared, result, progress)
        return result

    async def _followed(self, prepared: Prepared, progress: Progress, before: WorkloadObject) -> Followed:
        """The end of the rollout that begins after the Deployment was as in `before`."""
        return await follow(prepared.place, prepared.name, self._patience, progress, missed_at(before))

    async def _again(self, prepared: Prepared, seen: Entry, progress: Progress) -> Result:
        """The first result of an order that was given before; where that was not noted, how the rollout stands."""
        if seen.ok is not None:
            return Result(seen.ok, f"already done: {seen.detail}")
        try:
            followed = await follow(prepared.place, prepared.name, self._patience, progress)
        except ToolError as error:
            raise Unanswered(f"it was ordered before, and its end was not heard: {error}") from error
        well = followed.state.phase is Phase.COMPLETE
        result = Result(well, f"{followed.state.told}{f' ({followed.why})' if followed.why else ''}")
        await self._note(prepared, result, progress)
        return Result(well, f"already done: {result.detail}")

    async def _patched(self, prepared: Prepared, expected: str) -> None:
        """Sends the patch until it is taken, as long as nobody changed what it rests on."""
        for _ in range(_TRIES):
            if prepared.rests_on != expected:
                raise ToolFailed(_overtaken(prepared))
            try:
                await self._send(prepared, prepared.patch(self._entry(prepared)), dry_run=False)
            except Conflict:  # its status moves by itself, and that counts as a change, too
                prepared = await self._preparing.prepare(prepared.order)
                if prepared.record.find(prepared.order.key) is not None:
                    return  # somebody in between sent it twice, and the first one counted
                continue
            except Unheard as error:
                if await self._is_on_record(prepared):
                    return
                raise Unanswered(str(error)) from error
            return
        raise ToolFailed(f"{_overtaken(prepared)} (tried {_TRIES} times)")

    async def _send(self, prepared: Prepared, patch: Mapping[str, Json], *, dry_run: bool) -> tuple[str, ...]:
        place = prepared.place
        done = await place.cluster.patch(
            DEPLOYMENTS, place.namespace, prepared.name, patch, WorkloadObject, dry_run=dry_run
        )
        return done.warnings

    async def _is_on_record(self, prepared: Prepared) -> bool:
        """Whether a patch whose answer was not heard did arrive."""
        try:
            now = await self._now(prepared)
        except ToolError:
            return False
        return Record.of(now.metadata.annotations, prepared.name).find(prepared.order.key) is not None

    async def _now(self, prepared: Prepared) -> WorkloadObject:
        place = prepared.place
        return await place.cluster.one(DEPLOYMENTS, place.namespace, prepared.name, WorkloadObject)

    def _entry(self, prepared: Prepared) -> Entry:
        return entry(prepared.order, prepared.before, prepared.after, self._clock())

    async def _judged(self, prepared: Prepared, followed: Followed, progress: Progress) -> Result:
        """The result of a rollout that ended; a version that did not become healthy is taken back."""
        order, state = prepared.order, followed.state
        if state.phase is Phase.COMPLETE:
            return Result(ok=True, detail=_well(prepared))
        why = followed.why or state.told
        if order.kind not in {OrderKind.DEPLOY, OrderKind.ROLLBACK}:
            return Result(
                ok=False, detail=f"it did not become healthy: {why}; {state.well} of {state.wanted} serve"
            )
        failed = f"{order.version} did not become healthy ({why})"
        await progress(f"{failed}; putting {prepared.before} back")
        try:
            await self._take_back(prepared)
            again = await self._followed(prepared, progress, followed.deployment)
        except (ToolError, Unanswered) as error:
            return Result(ok=False, detail=f"{failed}, and {prepared.before} could not be put back: {error}")
        if again.state.phase is Phase.COMPLETE:
            return Result(ok=False, detail=f"{failed}; {prepared.before} runs again")
        return Result(ok=False, detail=f"{failed}; {prepared.before} is put back: {again.state.told}")

    async def _take_back(self, prepared: Prepared) -> None:
        """Puts the template from before in the place of ours, unless somebody else put another one there."""
        back = with_template(template_of(prepared.whole))
        for _ in range(_TRIES):
            now = await self._preparing.prepare(prepared.order)
            if now.before != prepared.after:
                raise ToolFailed(f"somebody put {now.before} there meanwhile, so it is left as it is")
            version = now.deployment.metadata.resource_version
            try:
                await self._send(prepared, body(version, {}, back), dry_run=False)
            except Conflict:
                continue
            return
        raise ToolFailed(f"the Deployment {prepared.name!r} changes all the time")

    async def _note(self, prepared: Prepared, result: Result, progress: Progress) -> None:
        """Writes the end of an order into the record. Where that fails, the rollout itself still tells it."""
        for _ in range(_TRIES):
            try:
                now = await self._now(prepared)
                record = Record.of(now.metadata.annotations, prepared.name)
                written = record.ended(prepared.order.key, result).written()
                await self._send(prepared, body(now.metadata.resource_version, written), dry_run=False)
            except Conflict:
                continue
            except ToolError as error:
                await progress(f"its end could not be noted in the cluster: {error}")
            return


def _bare(order: Order) -> Order:
    """The order without who gives it: its rehearsal has no name yet."""
    return replace(order, key="", by="")


def _well(prepared: Prepared) -> str:
    order = prepared.order
    match order.kind:
        case OrderKind.SCALE:
            return f"{order.replicas} run"
        case OrderKind.RESTART:
            return f"started anew, still {prepared.before}"
        case OrderKind.DEPLOY | OrderKind.ROLLBACK:
            return f"{order.version} runs"


def _overtaken(prepared: Prepared) -> str:
    managers = [each for each in prepared.deployment.metadata.managed_fields if each.time is not None]
    latest = max(managers, key=lambda each: each.time.timestamp() if each.time else 0.0, default=None)
    by = f" by {latest.manager}" if latest else ""
    return f"the Deployment {prepared.name!r} was changed{by} between plan and run; nothing was done"
