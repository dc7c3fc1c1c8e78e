"""Whether the app is set up: what Slack says of the tokens, the scopes and the clock, and what to do about each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from agent.settings import SlackSettings
from agent.surfaces.slack.calls import word
from agent.surfaces.slack.manifest import scopes

SKEW = 60.0  # seconds that the clocks may differ: signed requests are good for 300
APPS = "https://api.slack.com/apps"
UNREADABLE = "what came is no answer of Slack's: a proxy, or an outage"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `todo` says what to click where it is not as it should be."""

    what: str
    ok: bool
    said: str
    todo: str = ""


async def examined(settings: SlackSettings, clock: Callable[[], datetime]) -> list[Finding]:
    """Everything that can be asked without posting anything."""
    client = AsyncWebClient(token=settings.bot_token.get_secret_value(), base_url=settings.api, timeout=15)
    try:
        answer = await client.auth_test()
    except SlackApiError as error:
        why = word(error)
        if why is None:
            return [Finding("network", ok=False, said=UNREADABLE, todo=f"reach {settings.api} from here")]
        todo = f"{APPS} > your app > Install App, and copy the Bot User OAuth Token (xoxb-...)"
        return [Finding("bot token", ok=False, said=why, todo=todo)]
    except (OSError, TimeoutError) as error:
        return [
            Finding(
                "network", ok=False, said=str(error) or "no answer", todo=f"reach {settings.api} from here"
            )
        ]
    headers = {str(name).lower(): str(value) for name, value in answer.headers.items()}
    found = [
        Finding(
            "bot token", ok=True, said=f"{answer.get('user')} of {answer.get('team')} ({answer.get('url')})"
        )
    ]
    found.append(_scopes(headers))
    found.append(_clock(headers, clock()))
    found.append(await _way_in(settings, client))
    return [*found, *[await _channel(client, channel) for channel in _named(settings)]]


def _named(settings: SlackSettings) -> list[str]:
    approvals = [settings.approvals_channel] if settings.approvals_channel else []
    return list(dict.fromkeys([*approvals, *settings.channels]))


def _scopes(headers: Mapping[str, str]) -> Finding:
    given = {scope.strip() for scope in headers.get("x-oauth-scopes", "").split(",") if scope.strip()}
    missing = sorted(set(scopes()) - given)
    if not missing:
        return Finding("scopes", ok=True, said=f"all {len(scopes())} are there")
    todo = (
        f"{APPS} > your app > OAuth & Permissions > Scopes: add {', '.join(missing)}, then reinstall the app"
    )
    return Finding("scopes", ok=False, said=f"missing: {', '.join(missing)}", todo=todo)


def _clock(headers: Mapping[str, str], now: datetime) -> Finding:
    told = headers.get("date")
    if told is None:
        return Finding("clock", ok=True, said="Slack did not say what time it is")
    skew = abs(parsedate_to_datetime(told).timestamp() - now.timestamp())
    todo = "" if skew < SKEW else "set this machine's clock (NTP): signed requests are refused otherwise"
    return Finding("clock", ok=skew < SKEW, said=f"{skew:.0f} s from Slack's", todo=todo)


async def _way_in(settings: SlackSettings, client: AsyncWebClient) -> Finding:
    if settings.mode == "http":
        ok = settings.signing_secret is not None
        todo = (
            ""
            if ok
            else f"{APPS} > your app > Basic Information > Signing Secret, as SAYSO_SLACK__SIGNING_SECRET"
        )
        return Finding("signed HTTP", ok=ok, said=f"listens on {settings.listen}", todo=todo)
    if settings.app_token is None:
        todo = f"{APPS} > your app > Basic Information > App-Level Tokens: one with connections:write"
        return Finding("Socket Mode", ok=False, said="`slack.app_token` is missing", todo=todo)
    try:
        await client.apps_connections_open(app_token=settings.app_token.get_secret_value())
    except SlackApiError as error:
        todo = f"{APPS} > your app > Socket Mode: enable it; Basic Information > App-Level Tokens: connections:write"
        return Finding("Socket Mode", ok=False, said=word(error) or UNREADABLE, todo=todo)
    return Finding("Socket Mode", ok=True, said="Slack gives out connections")


async def _channel(client: AsyncWebClient, channel: str) -> Finding:
    try:
        answer = await client.conversations_replies(channel=channel, ts="1.0", limit=1)
    except SlackApiError as error:
        why = word(error) or UNREADABLE
        if why == "thread_not_found":
            return Finding(channel, ok=True, said="sayso is in it")
        return Finding(channel, ok=False, said=why, todo=f"write /invite @sayso in {channel}")
    return Finding(channel, ok=bool(answer.get("ok")), said="sayso is in it")
