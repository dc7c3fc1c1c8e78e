"""Declared API operations: what is sent, what is refused, and that nobody gets anywhere else by a value."""

import gzip
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from pathlib import Path
from socket import AF_INET, AddressFamily

import pytest
from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes.logservers import served
from tests.fakes.shop import MAYA, WORDS, Heard, NoGrant, OneGrant
from tools.contract import BadArguments, GrantRefused, Tool, ToolFailed, ToolUnavailable, Verdict, WriteTool
from tools.http.addresses import Refused, permitted
from tools.http.client import fill
from tools.http.declared import ApiRefused, Request, declared
from tools.http.http import ReadOperation, WriteOperation, operations

LOOPBACK = ["127.0.0.0/8"]


@dataclass
class Flags:
    """A service of feature flags, and others that misbehave."""

    state: dict[str, str] = field(default_factory=lambda: {"new_search": "off"})
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    def add(self, app: web.Application) -> None:
        app.router.add_get("/flags/{flag}", self._get)
        app.router.add_put("/flags/{flag}", self._put)
        app.router.add_get("/away", self._away)
        app.router.add_get("/huge", self._huge)
        app.router.add_get("/bomb", self._bomb)
        app.router.add_put("/broken/{flag}", self._broken)
        app.router.add_get("/{rest:.*}", self._echo)

    def _note(self, request: web.Request) -> None:
        self.asked.append((request.method, request.raw_path, dict(request.headers)))

    async def _get(self, request: web.Request) -> web.Response:
        self._note(request)
        state = self.state.get(request.match_info["flag"])
        if state is None:
            return web.json_response({"error": "no such flag"}, status=404)
        return web.json_response({"state": state, "updated": {"by": "raj"}})

    async def _put(self, request: web.Request) -> web.Response:
        self._note(request)
        self.state[request.match_info["flag"]] = (await request.json())["state"]
        return web.json_response({"ok": True})

    async def _broken(self, request: web.Request) -> web.Response:
        self.state[request.match_info["flag"]] = (await request.json())["state"]
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    async def _away(self, request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": "http://169.254.169.254/latest/meta-data"})

    async def _huge(self, request: web.Request) -> web.Response:
        return web.json_response({"text": "x" * 50_000})

    async def _bomb(self, request: web.Request) -> web.Response:
        return web.Response(
            body=gzip.compress(b" " * 64_000_000),
            headers={"Content-Encoding": "gzip"},
            content_type="text/plain",
        )

    async def _echo(self, request: web.Request) -> web.Response:
        self._note(request)
        return web.json_response({"path": request.raw_path})


@pytest.fixture
def flags() -> Flags:
    return Flags()


@pytest.fixture
async def url(flags: Flags) -> AsyncIterator[str]:
    async with served(flags.add) as address:
        yield address


FLAG: dict[str, object] = {"flag": {"type": "string", "pattern": "^.*$"}}
SET: dict[str, object] = {
    "name": "set-flag",
    "description": "Sets a feature flag",
    "arguments": {**FLAG, "state": {"type": "choice", "choices": ["on", "off"]}},
    "plan": {"path": "/flags/{flag}", "project": "state"},
    "run": {"method": "PUT", "path": "/flags/{flag}", "body": {"state": "{state}"}},
    "verify": {"path": "/flags/{flag}", "holds": "body.state == arguments.state"},
    "undo": {"method": "PUT", "path": "/flags/{flag}", "body": {"state": "off"}},
}


def reading(path: str, **more: object) -> dict[str, object]:
    return {
        "name": "look",
        "description": "Looks at something",
        "effect": "read",
        "arguments": FLAG if "{flag}" in path else {},
        "run": {"path": path, **more},
    }


def api(url: str, operation: dict[str, object], **more: object) -> dict[str, object]:
    return {"name": "flags", "base": url, "networks": LOOPBACK, "operations": [operation], **more}


def made(
    url: str, operation: dict[str, object], lookup: AbstractResolver | None = None, **more: object
) -> Tool:
    (tool,) = operations([api(url, operation, **more)], WORDS, lookup)
    return tool


def look(url: str, path: str, **more: object) -> ReadOperation:
    tool = made(url, reading(path), **more)  # type: ignore[arg-type]  # the tests give what fits
    assert isinstance(tool, ReadOperation)
    return tool


async def test_a_read_shows_what_is_picked_and_keeps_the_whole(url: str) -> None:
    tool = made(url, reading("/flags/{flag}", project="{state: state, by: updated.by}"))
    assert isinstance(tool, ReadOperation)
    outcome = await tool.run(tool.spec.validate({"flag": "new_search"}), MAYA)
    finding = outcome.findings[0]
    assert finding.facts["value"] == {"state": "off", "by": "raj"}
    assert finding.query == f"GET {url}/flags/new_search"
    assert json.loads(finding.raw or "")["updated"] == {"by": "raj"}


async def test_a_refusal_is_an_answer_that_is_not_ok(url: str) -> None:
    tool = look(url, "/flags/{flag}")
    outcome = await tool.run(tool.spec.validate({"flag": "nothing"}), MAYA)
    assert not outcome.ok
    assert "refused with 404" in outcome.summary


async def test_a_write_is_planned_sent_once_checked_and_taken_back(url: str, flags: Flags) -> None:
    tool = made(url, SET)
    assert isinstance(tool, WriteOperation)
    arguments = tool.spec.validate({"flag": "new_search", "state": "on"})
    plan = await tool.plan(arguments)
    assert plan.observed["plan"] == "off"
    assert plan.changes[0].what == f'PUT {url}/flags/new_search {{"state": "on"}}'
    assert (await tool.verify(arguments)).verdict is Verdict.NOT_DONE
    assert (await tool.run(arguments, OneGrant(), Heard())).ok
    puts = [each for each in flags.asked if each[0] == "PUT"]
    assert len(puts) == 1
    assert puts[0][2]["Idempotency-Key"] == "A-17"
    assert (await tool.verify(arguments)).verdict is Verdict.DONE
    assert plan.undo is not None
    back = tool.spec.validate(plan.undo.arguments)
    await tool.run(back, OneGrant(), Heard())
    assert flags.state["new_search"] == "off"
    assert (await tool.verify(back)).verdict is Verdict.DONE


async def test_without_the_right_grant_nothing_is_sent(url: str, flags: Flags) -> None:
    tool = made(url, SET)
    assert isinstance(tool, WriteTool)
    with pytest.raises(GrantRefused):
        await tool.run(tool.spec.validate({"flag": "new_search", "state": "on"}), NoGrant(), Heard())
    assert flags.asked == []


async def test_an_answer_nobody_heard_is_left_to_verify(url: str, flags: Flags) -> None:
    tool = made(
        url, {**SET, "run": {"method": "PUT", "path": "/broken/{flag}", "body": {"state": "{state}"}}}
    )
    assert isinstance(tool, WriteTool)
    arguments = tool.spec.validate({"flag": "new_search", "state": "on"})
    outcome = await tool.run(arguments, OneGrant(), Heard())
    assert "only looking can tell" in outcome.summary
    assert (await tool.verify(arguments)).verdict is Verdict.DONE


@pytest.mark.parametrize(
    "value",
    ["../admin", "a/b", "a?x=1", "a#b", "a%2Fb", "é ü", "--option", "\u202ex", "a&b=c", "@evil.example"],
)
async def test_a_value_stays_one_piece_of_the_path(value: str, url: str, flags: Flags) -> None:
    tool = look(url, "/look/{flag}/end")
    try:
        await tool.run(tool.spec.validate({"flag": value}), MAYA)
    except BadArguments:
        return
    ((_, path, _),) = flags.asked
    assert path.count("/") == 3
    assert path.startswith("/look/")
    assert path.endswith("/end")
    assert not set(path) & set("?#")


@pytest.mark.parametrize("value", ["", ".", "..", "a\nb", "a\x00"])
async def test_a_value_that_is_no_piece_is_refused(value: str, url: str, flags: Flags) -> None:
    tool = look(url, "/look/{flag}")
    with pytest.raises(BadArguments):
        await tool.run(tool.spec.validate({"flag": value}), MAYA)
    assert flags.asked == []


@given(st.text(min_size=1))
def test_no_value_changes_the_shape_of_a_body_or_a_query(value: str) -> None:
    (one,) = declared([api("http://127.0.0.1:9", reading("/x"))])
    request = Request(path="/x", query={"q": "a {v}"}, body={"a": ["{v}", "is {v}"], "b": 1})
    filled = fill(one, request, {"v": value})
    assert filled.body == {"a": [value, f"is {value}"], "b": 1}
    assert filled.query == {"q": f"a {value}"}
    assert filled.url == "http://127.0.0.1:9/x"


async def test_a_redirect_is_not_followed(url: str) -> None:
    tool = look(url, "/away")
    with pytest.raises(ToolFailed, match="redirects are not followed"):
        await tool.run(tool.spec.validate({}), MAYA)


async def test_a_long_answer_is_cut_and_says_so(url: str) -> None:
    tool = look(url, "/huge", response_limit=2_000)
    finding = (await tool.run(tool.spec.validate({}), MAYA)).findings[0]
    assert len(finding.raw or "") == 2_000
    assert "only the first 2,000 bytes" in (finding.cut or "")
    picking = made(url, reading("/huge", project="text"), response_limit=2_000)
    assert isinstance(picking, ReadOperation)
    with pytest.raises(ToolFailed, match="larger than response_limit"):
        await picking.run(picking.spec.validate({}), MAYA)


async def test_an_answer_that_unpacks_to_much_more_is_read_no_further_than_its_limit(url: str) -> None:
    tool = look(url, "/bomb", response_limit=2_000)
    finding = (await tool.run(tool.spec.validate({}), MAYA)).findings[0]
    assert len(finding.raw or "") == 2_000
    assert "only the first 2,000 bytes" in (finding.cut or "")


async def test_the_secret_is_sent_and_never_told(url: str, flags: Flags, tmp_path: Path) -> None:
    secret = tmp_path / "flags"
    secret.write_text("Bearer s3cret-of-the-api\n")
    tool = look(url, "/flags/{flag}", authorization_file=str(secret))
    outcome = await tool.run(tool.spec.validate({"flag": "new_search"}), MAYA)
    assert flags.asked[0][2]["Authorization"] == "Bearer s3cret-of-the-api"
    assert "s3cret" not in repr(outcome)


class Rebinding(AbstractResolver):
    """A name server that gives another answer each time it is asked."""

    def __init__(self, *answers: str) -> None:
        self._answers, self.asked = list(answers), 0

    async def resolve(self, host: str, port: int = 0, family: AddressFamily = AF_INET) -> list[ResolveResult]:
        answer = self._answers[min(self.asked, len(self._answers) - 1)]
        self.asked += 1
        return [{"hostname": host, "host": answer, "port": port, "family": AF_INET, "proto": 0, "flags": 0}]

    async def close(self) -> None:
        """Nothing is held."""


async def test_a_name_of_a_private_address_is_refused_however_late_it_becomes_one(
    url: str, flags: Flags
) -> None:
    port = url.rpartition(":")[2]
    names = Rebinding("127.0.0.1")
    tool = look(f"http://flags.example:{port}", "/flags/{flag}", lookup=names, networks=[])
    with pytest.raises(ToolFailed, match=r"127\.0\.0\.1 is no public address"):
        await tool.run(tool.spec.validate({"flag": "new_search"}), MAYA)
    allowed = look(f"http://flags.example:{port}", "/flags/{flag}", lookup=Rebinding("127.0.0.1", "10.0.0.1"))
    assert (await allowed.run(allowed.spec.validate({"flag": "new_search"}), MAYA)).ok
    with pytest.raises(ToolFailed, match=r"10\.0\.0\.1 is no public address"):
        await allowed.run(allowed.spec.validate({"flag": "new_search"}), MAYA)
    assert len(flags.asked) == 1


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "169.254.169.254", "192.168.0.1", "0.0.0.0", "100.64.0.1", "224.0.0.1", "255.255.255.255",
     "::1", "fe80::1", "fd00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1", "::"],
)  # fmt: skip
def test_special_addresses_are_refused_in_every_form(address: str) -> None:
    with pytest.raises(Refused):
        permitted(ip_address(address), ())


def test_public_addresses_and_named_networks_are_let_through() -> None:
    permitted(ip_address("93.184.215.14"), ())
    permitted(ip_address("2606:4700::1111"), ())
    permitted(ip_address("::ffff:10.1.2.3"), (ip_network("10.0.0.0/8"),))


async def test_where_nobody_listens_is_unavailable() -> None:
    tool = look("http://127.0.0.1:9", "/x")
    with pytest.raises(ToolUnavailable):
        await tool.run(tool.spec.validate({}), MAYA)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"base": "ftp://x"}, "should be an address"),
        ({"base": "https://me:pw@x"}, "no user"),
        ({"base": "http://169.254.169.254"}, "no public address"),
        ({"headers": {"Host": "x"}}, "is set by sayso"),
        ({"headers": {"X-A": "a\r\nB: c"}}, "printable"),
        ({"operations": [{**SET, "run": {"path": "/../x"}}]}, "no `..`"),
        ({"operations": [{**SET, "run": {"path": "/x?y={flag}"}}]}, "no query"),
        ({"operations": [{**SET, "run": {"path": "/x/{who}"}}]}, "names no argument"),
        ({"operations": [{**SET, "plan": {"method": "POST", "path": "/x"}}]}, "it only looks"),
        ({"operations": [{**SET, "verify": {"path": "/x"}}]}, "verify needs one"),
        ({"operations": [{**SET, "verify": {"path": "/x", "holds": "a =="}}]}, "no JMESPath"),
        ({"operations": [{**SET, "effect": "read"}]}, "has only run"),
        ({"operations": []}, "at least 1"),
        ({"surprise": 1}, "surprise"),
    ],
)  # fmt: skip
def test_a_declaration_that_cannot_be_safe_or_work_says_why(change: dict[str, object], why: str) -> None:
    with pytest.raises(ApiRefused, match=why):
        declared([{**api("https://flags.example", SET), **change}])
