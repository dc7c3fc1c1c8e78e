"""Reading a channel back, a page at a time, so that it can be broken off anywhere and goes on from there.

What was read is kept together with how far it was read. A page says what stands in a stretch of time, so it also takes
out what stands there no more. What was heard since a page was asked for is newer than the page.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from agent.conversation.overheard import Channel, Overheard, Page, Remark, Walk
from agent.surfaces.slack.happenings import remark
from agent.surfaces.slack.reading import Reading, SlackRefuses

MESSAGES = 200  # of a page; Slack recommends no more
FEW = 15  # of a page, for distributed apps outside the Marketplace


class Backfill:
    """Reads with `reading`, `messages` at a time."""

    def __init__(self, kept: Overheard, reading: Reading, messages: int = MESSAGES) -> None:
        self._kept, self._reading, self._messages = kept, reading, messages

    async def step(self, id_: str) -> Page | None:
        """Reads the next page of a channel; None when there is none. Raises `SlackSilent`, `SlackRefuses`."""
        channel = await self._kept.channel(id_)
        if channel is None or not channel.heard or not channel.walks:
            return None
        walk = channel.walks[0]
        page = await self._replies(channel, walk) if walk.threads else await self._history(channel, walk)
        await self._kept.turn(id_, page, channel.walks)
        return page

    async def _history(self, channel: Channel, walk: Walk) -> Page:
        asked = {"channel": channel.id, "limit": str(self._messages)}
        asked |= {"oldest": walk.oldest} if walk.oldest else {}
        asked |= {"latest": walk.reached} if walk.reached else {}
        answer = await self._reading.ask("conversations.history", asked)
        messages = _messages(answer)
        last = answer.get("has_more") is not True or not messages
        reached = min((str(one.get("ts")) for one in messages), default=walk.reached)
        threads = tuple(str(one.get("ts")) for one in messages if one.get("reply_count"))
        on = replace(walk, reached=reached, threads=threads, last=last)
        # Slack leaves out the message at `oldest` itself, and has the one at `reached` on this page.
        begins = reached if not last else f"{walk.oldest}0" if walk.oldest else ""
        return _page(channel, on, _remarks(messages), after=begins, before=walk.reached)

    async def _replies(self, channel: Channel, walk: Walk) -> Page:
        thread, messages = walk.threads[0], list[Mapping[str, object]]()
        asked = {"channel": channel.id, "ts": thread, "limit": str(self._messages)}
        cursor = ""
        while True:
            try:
                answer = await self._reading.ask(
                    "conversations.replies", {**asked, **({"cursor": cursor} if cursor else {})}
                )
            except SlackRefuses as error:
                if error.why != "thread_not_found":
                    raise
                messages = []  # it went while it was on the list
                break
            messages += _messages(answer)
            found = answer.get("response_metadata")
            cursor = str(found.get("next_cursor") or "") if isinstance(found, Mapping) else ""
            if not cursor:
                break
        replies = [one for one in messages if one.get("ts") != thread]
        return _page(channel, replace(walk, threads=walk.threads[1:]), _remarks(replies), thread=thread)


def _page(
    channel: Channel,
    walk: Walk,
    remarks: Iterable[Remark],
    *,
    after: str = "",
    before: str = "",
    thread: str = "",
) -> Page:
    """A page, and where it leaves the channel: nothing is missing down to it once its threads are read."""
    rest, done = channel.walks[1:], not walk.threads
    return Page(
        tuple(remarks),
        channel.revision,
        after,
        before,
        thread,
        walks=rest if done and walk.last else (walk, *rest),
        covered=walk.reached if done and walk.whole and walk.reached else channel.covered,
    )


def caught_up(channel: Channel, oldest: str) -> Channel:
    """A channel that is to be looked through down to `oldest` for what nobody heard, before anything else is read."""
    whole = tuple(walk for walk in channel.walks if walk.whole)
    if not channel.heard or any(not walk.reached for walk in whole):
        return channel  # or all of it is about to be read anyway
    begun = [walk.oldest for walk in channel.walks if not walk.whole]
    return replace(channel, walks=(Walk(min([oldest, *begun])), *whole))


def _remarks(messages: Iterable[Mapping[str, object]]) -> list[Remark]:
    return [kept[0] for one in messages if (kept := remark(one)) is not None]


def _messages(answer: Mapping[str, object]) -> list[Mapping[str, object]]:
    listed = answer.get("messages")
    return [one for one in listed if isinstance(one, Mapping)] if isinstance(listed, list) else []
