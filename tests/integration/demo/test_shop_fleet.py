"""The supervisor's HTTP over real processes: changes happen once, bad releases go back, refusals say why."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from aiohttp import ClientSession, web

from demo.supervisor.api import Api
from demo.supervisor.fleet import Fleet

TOKEN = "let-me-in"
WHERE = {"service": "catalog", "environment": "staging"}


@dataclass(frozen=True)
class Desk:
    """Asks the supervisor as a client does."""

    http: ClientSession
    url: str
    fleet: Fleet

    async def get(self, path: str) -> tuple[int, dict[str, list[dict[str, object]]]]:
        async with self.http.get(self.url + path) as answer:
            return answer.status, await answer.json()

    async def post(self, path: str, **body: object) -> tuple[int, list[dict[str, object]]]:
        """The status and every line of the answer."""
        async with self.http.post(self.url + path, json=body) as answer:
            return answer.status, [json.loads(line) async for line in answer.content if line.strip()]

    def version(self) -> str:
        return self.fleet.instances()[0].version

    def pids(self) -> set[int]:
        return {one.pid for one in self.fleet.instances()}


@asynccontextmanager
async def shop(home: Path, version: str = "3.2.0") -> AsyncIterator[Desk]:
    """A shop with nothing but catalog on staging, and its supervisor's API."""
    fleet = Fleet(home, patience=0.6)
    runner = web.AppRunner(Api(fleet, TOKEN, lambda: None).app)
    try:
        await fleet.open({"catalog": version}, ["staging"])
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        async with ClientSession(headers={"Authorization": f"Bearer {TOKEN}"}) as http:
            yield Desk(http, f"http://127.0.0.1:{runner.addresses[0][1]}", fleet)
    finally:
        await runner.cleanup()
        await fleet.close()


async def test_a_key_is_used_once(tmp_path: Path) -> None:
    async with shop(tmp_path) as desk:
        order = {**WHERE, "version": "3.1.4", "key": "A-1", "by": "sam"}
        status, lines = await desk.post("/v1/deploy", **order)
        assert status == 200
        assert lines[-1] == {
            "done": True, "ok": True, "detail": "catalog in staging runs 3.1.4 (was 3.2.0)",
        }  # fmt: skip
        running = desk.pids()
        status, (again,) = await desk.post("/v1/deploy", **order)
        assert (status, again["error"]) == (409, "already done")
        assert again["outcome"] == lines[-1]
        assert desk.pids() == running
        _, past = await desk.get("/v1/history?service=catalog")
        assert [(entry["from"], entry["to"], entry["by"]) for entry in past["deployments"]] == [
            ("3.2.0", "3.1.4", "sam")
        ]


async def test_keys_are_remembered_by_the_next_supervisor(tmp_path: Path) -> None:
    async with shop(tmp_path) as desk:
        await desk.post("/v1/deploy", **WHERE, version="3.1.4", key="A-1", by="sam")
    async with shop(tmp_path) as desk:
        status, _ = await desk.post("/v1/deploy", **WHERE, version="3.1.4", key="A-1", by="sam")
        assert status == 409


async def test_a_release_that_does_not_become_healthy_goes_and_the_old_one_stays(tmp_path: Path) -> None:
    async with shop(tmp_path) as desk:
        before = desk.pids()
        status, lines = await desk.post("/v1/deploy", **WHERE, version="3.3.0", key="A-2", by="sam")
        assert (status, lines[-1]["ok"]) == (200, False)
        assert "no CDN address" in str(lines[-1]["detail"])
        assert "3.2.0 stays" in str(lines[-1]["detail"])
        assert desk.pids() == before
        _, state = await desk.get("/v1/state")
        assert [(one["version"], one["healthy_replicas"]) for one in state["services"]] == [("3.2.0", 1)]
        alive = [one for one in psutil.Process().children() if one.status() != psutil.STATUS_ZOMBIE]
        assert {one.pid for one in alive if str(tmp_path) in one.cmdline()} == before


async def test_a_restart_is_new_processes_of_the_same_version(tmp_path: Path) -> None:
    async with shop(tmp_path) as desk:
        before = desk.pids()
        _, lines = await desk.post("/v1/restart", **WHERE, key="A-3", by="sam")
        assert lines[-1]["ok"] is True
        assert desk.version() == "3.2.0"
        assert not desk.pids() & before
        assert not any(psutil.pid_exists(pid) for pid in before)


async def test_scaling_adds_and_takes_away_processes(tmp_path: Path) -> None:
    async with shop(tmp_path) as desk:
        first = desk.pids()
        await desk.post("/v1/scale", **WHERE, replicas=3, key="A-4", by="sam")
        assert len(desk.pids()) == 3
        _, lines = await desk.post("/v1/scale", **WHERE, replicas=1, key="A-5", by="sam")
        assert lines[-1]["detail"] == "catalog in staging has 1 instances (had 3)"
        assert desk.pids() == first


async def test_a_second_change_while_one_is_under_way_is_refused(tmp_path: Path) -> None:
    async with (
        shop(tmp_path) as desk,
        desk.http.post(
            f"{desk.url}/v1/deploy", json={**WHERE, "version": "3.1.4", "key": "A-6", "by": "sam"}
        ) as first,
    ):
        await first.content.readline()
        status, (refusal,) = await desk.post("/v1/restart", **WHERE, key="A-7", by="sam")
        assert (status, refusal["error"]) == (423, "catalog in staging is being changed already")


async def test_a_change_goes_on_when_whoever_asked_has_left(tmp_path: Path) -> None:
    async with shop(tmp_path) as desk:
        order = {**WHERE, "version": "3.1.4", "key": "A-8", "by": "sam"}
        async with desk.http.post(f"{desk.url}/v1/deploy", json=order) as answer:
            await answer.content.readline()
            answer.close()
        async with asyncio.timeout(20):
            while desk.fleet.seen("A-8") is None:
                await asyncio.sleep(0.05)
        assert desk.version() == "3.1.4"


async def test_refusals_name_what_is_wrong_and_what_there_is(tmp_path: Path) -> None:
    async with shop(tmp_path) as desk:
        good = {**WHERE, "version": "3.1.4", "key": "A-9", "by": "sam"}
        for wrong, path, status, told in (
            ({"service": "catlog"}, "/v1/deploy", 404, ["catalog"]),
            ({"environment": "prod"}, "/v1/deploy", 404, ["staging"]),
            ({"version": "9.9.9"}, "/v1/deploy", 404, ["3.3.0", "3.2.0", "3.1.4"]),
            ({"key": ""}, "/v1/deploy", 422, "key"),
            ({"kind": "obliterate"}, "/v1/deploy", 422, "kind"),
            ({"replicas": 99}, "/v1/scale", 422, "replicas"),
        ):
            found, (refusal,) = await desk.post(path, **{**good, **wrong})
            assert found == status
            assert told == refusal["nearest"] if status == 404 else str(told) in str(refusal["error"])
        assert desk.fleet.history == []
        assert (await desk.get("/v1/history?since=yesterday"))[0] == 422
        async with ClientSession() as stranger, stranger.get(f"{desk.url}/v1/state") as answer:
            assert answer.status == 401
