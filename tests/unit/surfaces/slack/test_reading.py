"""Slack is asked at its pace: a method waits for its turn, and as long as Slack says."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import pytest
from aiohttp import web
from pydantic import SecretStr
from slack_sdk.web.async_client import AsyncWebClient

from agent.jobs.voice import VoiceUnavailable
from agent.settings import SlackSettings
from agent.surfaces.slack.calls import Calls
from agent.surfaces.slack.check import examined
from agent.surfaces.slack.reading import Reading, SlackRefuses, SlackSilent
from agent.surfaces.slack.token import TokenWatch


class Slow:
    """A Slack that gives these answers one after the other, and a clock that only sleeping moves."""

    def __init__(self) -> None:
        self.answers: list[tuple[int, dict[str, str], str]] = []
        self.asked_at: list[float] = []
        self.now, self.url, self.kind = 0.0, "", "application/json"

    async def answer(self, _request: web.Request) -> web.Response:
        self.asked_at.append(self.now)
        status, headers, text = self.answers.pop(0) if self.answers else (200, {}, '{"ok": true}')
        return web.Response(status=status, headers=headers, text=text, content_type=self.kind)

    async def sleep(self, seconds: float) -> None:
        self.now += seconds

    def reading(self, **pace: float) -> Reading:
        return Reading(AsyncWebClient("xoxb-1", self.url), lambda: self.now, self.sleep, pace)


@pytest.fixture
async def slow() -> AsyncIterator[Slow]:
    made = Slow()
    app = web.Application()
    app.router.add_route("*", "/{method}", made.answer)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield made
    await runner.cleanup()


async def test_a_method_is_called_no_more_often_than_its_pace(slow: Slow) -> None:
    reading = slow.reading(**{"conversations.history": 60.0})
    for _ in range(3):
        await reading.ask("conversations.history", {})
    assert slow.asked_at == [0.0, 60.0, 120.0]


async def test_methods_do_not_wait_for_each_other(slow: Slow) -> None:
    reading = slow.reading(**{"conversations.history": 60.0, "conversations.replies": 60.0})
    for method in ("conversations.history", "conversations.replies", "users.info", "users.info"):
        await reading.ask(method, {})
    assert slow.asked_at == [0.0] * 4


async def test_it_waits_as_long_as_slack_asks_for_and_then_asks_again(slow: Slow) -> None:
    slow.answers = [(429, {"Retry-After": "30"}, '{"ok": false, "error": "ratelimited"}')] * 2
    assert (await slow.reading().ask("conversations.history", {}))["ok"]
    assert slow.asked_at == [0.0, 30.0, 60.0]


async def test_a_no_says_why_and_a_proxys_page_is_no_answer(slow: Slow) -> None:
    slow.answers = [(200, {}, '{"ok": false, "error": "channel_not_found"}')]
    with pytest.raises(SlackRefuses) as refused:
        await slow.reading().ask("conversations.info", {})
    assert refused.value.why == "channel_not_found"
    for status, text in ((502, "<html>"), (500, '{"ok": false, "error": "internal_error"}')):
        slow.answers = [(status, {}, text)]
        with pytest.raises(SlackSilent):
            await slow.reading().ask("conversations.info", {})


async def test_a_page_that_is_no_json_at_all_is_no_answer_to_whoever_asks(slow: Slow) -> None:
    settings = SlackSettings(bot_token=SecretStr("xoxb-1"), api=slow.url)
    for kind in ("text/plain", "text/html", "application/json"):
        slow.kind, slow.answers = kind, [(502, {}, "Bad Gateway")] * 6
        with pytest.raises(SlackSilent):
            await slow.reading().ask("conversations.info", {})
        calls = Calls(lambda: slow.now, slow.sleep)
        with pytest.raises(VoiceUnavailable):
            await calls.until_done("auth.test", AsyncWebClient("xoxb-1", slow.url).auth_test)
        slow.answers = [(502, {}, "Bad Gateway")] * 2
        watch = TokenWatch(AsyncWebClient("xoxb-1", slow.url))
        await watch.look()
        assert "does not answer" in str(watch.trouble)
        (found,) = await examined(settings, lambda: datetime.now(UTC))
        assert (found.what, found.ok) == ("network", False)


async def test_a_connection_that_fails_is_silence(slow: Slow) -> None:
    reading = Reading(AsyncWebClient("xoxb-1", "http://127.0.0.1:9/"), lambda: 0.0)
    with pytest.raises(SlackSilent):
        await reading.ask("users.info", {})
