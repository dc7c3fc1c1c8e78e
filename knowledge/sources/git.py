"""The documents of a git working copy: tracked files only, dated and signed by their last commit."""

import re
import subprocess
from collections.abc import Iterator
from datetime import datetime

from knowledge.port import SourceFailed
from knowledge.sources.folder import Change, DocumentFolder, Listing
from knowledge.sources.links import FIELDS

_SECONDS = 300  # for one call of git; a history of a million commits takes about a minute
_HEADER = re.compile(r"\x01([0-9a-f]{40,64})\x02([^\x02]*)\x02([^\x02]+)\Z")
# What a repository's own settings could make git run or change is switched off.
_GIT = (
    "git",
    "--no-pager",
    "--no-optional-locks",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "log.showSignature=false",
)


class GitCheckout(DocumentFolder):
    """A `Source` of the tracked documents of a working copy, or of one folder in it; options as `DocumentFolder`.

    Where a file does not say who wrote it and when, its last commit does. `{commit}` in a link is that commit, so
    that the link shows the file as it was read; work that is not committed yet is read, and links to what it was.
    """

    link_fields = FIELDS | {"commit"}

    def _list(self) -> Listing:
        paths = tuple(filter(None, self._git("ls-files", "-z", "--", ".").split("\0")))
        try:
            head = self._git("rev-parse", "--verify", "HEAD").strip()
        except SourceFailed:  # nothing is committed yet
            return Listing(paths)
        log = self._git(
            "log", "-z", "--format=%x01%H%x02%aN%x02%aI", "--name-only", "--no-renames", "--relative",
            "--no-ext-diff", "--no-textconv", "HEAD", "--", ".",
        )  # fmt: skip
        changes: dict[str, Change] = {}
        for path, change in _changes(log):
            changes.setdefault(path, change)  # the newest comes first
        return Listing(paths, changes, Change(head))

    def _git(self, *arguments: str) -> str:
        """What git prints. Raises `SourceFailed`, with what git says, when it is not there or does not like it."""
        command = (*_GIT, "-C", str(self._folder), *arguments)
        try:
            done = subprocess.run(command, capture_output=True, check=True, timeout=_SECONDS)  # noqa: S603 - a list of arguments, no shell, and paths only after `--`
        except subprocess.CalledProcessError as error:
            raise self._failed(error.stderr.decode("utf-8", "replace").strip()) from error
        except (OSError, subprocess.TimeoutExpired) as error:
            raise self._failed(str(error)) from error
        return done.stdout.decode("utf-8", "surrogateescape")

    def _failed(self, reason: str) -> SourceFailed:
        return SourceFailed(
            f"source {self.name!r}: git cannot read {str(self._folder)!r}: {reason}",
            source=self.name,
            path=str(self._folder),
        )


def _changes(log: str) -> Iterator[tuple[str, Change]]:
    """Each file of each commit of a log, in its order."""
    change: Change | None = None
    for token in log.split("\0"):
        piece = token.lstrip("\n")
        if found := _HEADER.match(piece):
            commit, author, date = found.groups()
            change = Change(commit, datetime.fromisoformat(date), author or None)
        elif piece and change is not None:
            yield piece, change
