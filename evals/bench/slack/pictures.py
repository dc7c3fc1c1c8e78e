"""Pictures of a day in Slack, for people: `python -m evals.bench.slack.pictures BINARY CHROMIUM FOLDER`.

Starts the demo's shop, one bot, and `local-slack` with its own page; people ask, click and decide on that page in a
headless browser (`pip install playwright`), and each step becomes a picture. docs/transcripts/slack.md shows them. As
the binary binds every interface, run it in a network namespace, as `evals.bench.slack.local` says.
"""

import argparse
import asyncio
import os
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from aiohttp import ClientSession

from evals.bench.slack.local import BASE, PORT, Local

if TYPE_CHECKING:
    from playwright.async_api import Page

CONFIG = """
workspace: {teamId: T1, name: Harbour Lane}
apps:
  - {appId: A1, botName: sayso, botUserId: UBOT, botToken: xoxb-1, appToken: xapp-1, mode: socket, signingSecret: s}
users:
  - {id: UMAYA, name: maya, real_name: Maya Lindqvist}
  - {id: UTOM, name: tom, real_name: Tom Okafor}
  - {id: UINES, name: ines, real_name: Inès Moreau}
channels:
  - {id: C1, name: payments, members: [UMAYA, UTOM, UINES, UBOT]}
"""
IDS = {
    "slack: U0HLMAYA1": "slack: UMAYA",
    "tom@harbourlane.example,": "tom@harbourlane.example, slack: UTOM,",
    "ines@harbourlane.example,": "ines@harbourlane.example, slack: UINES,",
}
FAULT = 30.0  # seconds until the shop's customers feel it
SETTLED = 900  # milliseconds until the page has drawn what came
LONGEST = 180_000


class Visit:
    """Somebody at the page."""

    def __init__(self, page: "Page", folder: Path) -> None:
        self._page, self._folder, self._count = page, folder, 0

    async def as_(self, person: str) -> None:
        await self._page.select_option(".actas select", person)
        await self._page.wait_for_timeout(SETTLED)

    async def says(self, text: str) -> None:
        """In the channel; the thread of it is opened once something is in it."""
        await self._written(".main .composer-input", text)
        last = self._page.locator(".main .msg").last
        await last.locator(".thread-summary").wait_for(timeout=LONGEST)
        await last.locator(".thread-summary").click()

    async def at_home(self, app: str) -> None:
        """On the app's own page."""
        await self._page.locator(".sidebar-item", has_text=app).click()

    async def in_channel(self, name: str) -> None:
        """In a channel, in its latest thread."""
        await self._page.locator(".sidebar-item", has_text=name).click()
        summary = self._page.locator(".main .msg").last.locator(".thread-summary")
        await summary.wait_for(timeout=LONGEST)
        await summary.click()

    async def replies(self, text: str) -> None:
        await self._written(".thread-pane .composer-input", text)

    async def _written(self, where: str, text: str) -> None:
        box = self._page.locator(where).last
        await box.fill(text)
        await box.press("Enter")

    async def sees(self, text: str) -> None:
        await self._page.get_by_text(text).last.wait_for(timeout=LONGEST)

    async def presses(self, button: str) -> None:
        await self._page.get_by_role("button", name=button, exact=True).last.click()

    async def picture(self, name: str) -> None:
        await self._page.wait_for_timeout(SETTLED)
        await self._page.screenshot(path=self._folder / f"{name}.png")

    async def page(self) -> str:
        content: str = await self._page.content()
        return content


async def day(visit: Visit) -> None:
    """What happens, in order."""
    await visit.as_("UMAYA")
    await visit.says("@sayso why are payments failing?")
    await visit.sees("Helpful")
    await visit.picture("1-answer")
    await visit.presses("Show evidence")
    await visit.sees("Evidence of")
    await visit.picture("6-evidence")
    await visit.presses("Close")
    await visit.replies("@sayso roll payments back to 2.3.9")
    await visit.sees("Withdraw")
    await visit.picture("2-card")
    await visit.presses("Details")
    await visit.sees("What was asked for, and who said so")
    await visit.picture("7-details")
    await visit.presses("Close")
    await visit.presses("Approve")
    await visit.sees("somebody else")
    await visit.picture("3-own-click")
    await visit.as_("UTOM")
    await visit.at_home("sayso")
    await visit.sees("Waiting for you")
    await visit.picture("8-home")
    await visit.in_channel("payments")
    await visit.presses("Approve")
    await visit.sees("is done")
    await visit.picture("4-outcome")
    await visit.as_("UINES")
    await visit.says("@sayso combien de paiements ont échoué depuis une heure ? avec un graphique")
    await visit.sees("failed-payments-by-hour.csv")
    await visit.picture("5-in-french")


async def told(binary: Path, chromium: Path, pictures: Path) -> None:
    """Starts everything, has the day happen, and ends everything."""
    from playwright.async_api import async_playwright

    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        home = folder / "home"
        (folder / "config.yaml").write_text(CONFIG, encoding="utf-8")
        await stack.enter_async_context(_shop(home))
        serves = (
            str(binary),
            "--config",
            str(folder / "config.yaml"),
            "--port",
            str(PORT),
            "--base-host",
            "127.0.0.1",
        )
        await stack.enter_async_context(_process(serves))
        slack = Local(await stack.enter_async_context(ClientSession()))
        await slack.ready()
        sayso = (sys.executable, "-m", "agent.cli", "serve", "--home", str(home), "--listen", "127.0.0.1:0")
        await stack.enter_async_context(_process(sayso))
        await slack.connected(1)
        browsers = await stack.enter_async_context(async_playwright())
        browser = await browsers.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = await browser.new_page(viewport={"width": 1280, "height": 1250})
        await page.goto(BASE)
        await page.add_style_tag(content=".thread-pane { width: 620px !important; flex: none !important }")
        visit = Visit(page, pictures)
        try:
            await day(visit)
        except Exception:
            await visit.picture("stopped-here")
            (pictures / "stopped-here.html").write_text(await page.content(), encoding="utf-8")
            raise
        await browser.close()


@asynccontextmanager
async def _shop(home: Path) -> AsyncIterator[None]:
    """The demo's shop with its fault, and people who are in this workspace."""
    await _run("demo", "start", "--home", str(home))
    try:
        settings = (home / "sayso.yaml").read_text(encoding="utf-8")
        for old, new in IDS.items():
            settings = settings.replace(old, new)
        (home / "sayso.yaml").write_text(settings, encoding="utf-8")
        await asyncio.sleep(FAULT)
        yield
    finally:
        await _run("demo", "stop", "--home", str(home))


async def _run(*words: str) -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "agent.cli", *words)
    if await process.wait():
        raise RuntimeError(f"sayso {' '.join(words)} failed")


@asynccontextmanager
async def _process(command: Sequence[str]) -> AsyncIterator[None]:
    quiet = asyncio.subprocess.DEVNULL
    tokens = {"BOT_TOKEN": "xoxb-1", "APP_TOKEN": "xapp-1", "API": f"{BASE}/api/"}
    env = {**os.environ, **{f"SAYSO_SLACK__{name}": value for name, value in tokens.items()}}
    process = await asyncio.create_subprocess_exec(*command, stdout=quiet, stderr=quiet, env=env)
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m evals.bench.slack.pictures", description=__doc__)
    for name in ("binary", "chromium", "folder"):
        parser.add_argument(name, type=Path)
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(told(arguments.binary, arguments.chromium, arguments.folder))


if __name__ == "__main__":
    main()
