"""Programs on other machines, by the OpenSSH client: hosts of the settings, keys that are known, nothing forwarded.

The remote side is a shell, so every argument is quoted for it. What the client itself says goes to a log of its own:
from that it is told whether the program can have been started at all.

Errors::

    ToolUnavailable    nothing was run: the machine cannot be reached
    ToolFailed         nothing was run: the machine showed another key, or takes ours for nobody's; a person has to act
    ConnectionLost     the program may have been started, and nobody saw its end
"""

import asyncio
import re
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from unicodedata import category

from tools.commands.process import Ended, Overdue, Runner, Runs, Unanswered
from tools.contract import BadArguments, Progress, ToolFailed, ToolUnavailable

CLIENT = "ssh"
_OWN = 255  # what the client ends with when the connection fails; a program may end with it too
_BEGUN = "Authenticated to "  # in the client's log, before anything is run
_PLAIN = re.compile(r"[A-Za-z0-9_+:,./-]+")
_APART = re.compile(r"(['\\!])")  # shells do not agree about these inside quotes
_OPTIONS = (
    "BatchMode=yes",
    "StrictHostKeyChecking=yes",
    "GlobalKnownHostsFile=none",
    "VerifyHostKeyDNS=no",
    "UpdateHostKeys=no",
    "CheckHostIP=no",
    "CanonicalizeHostname=no",
    "PreferredAuthentications=publickey",
    "IdentitiesOnly=yes",
    "IdentityAgent=none",
    "AddKeysToAgent=no",
    "ForwardAgent=no",
    "ForwardX11=no",
    "ClearAllForwardings=yes",
    "PermitLocalCommand=no",
    "ProxyCommand=none",
    "ProxyJump=none",
    "ControlMaster=no",
    "ControlPath=none",
    "RequestTTY=no",
    "EscapeChar=none",
    "ServerAliveInterval=5",
    "ServerAliveCountMax=3",
    "LogLevel=VERBOSE",
)


class ConnectionLost(Unanswered):
    """The connection broke while the program may have run."""


@dataclass(frozen=True, slots=True)
class Host:
    """A machine that commands may run on: `name` is ours, `address` its own."""

    name: str
    address: str
    user: str
    identity: Path
    known_hosts: Path
    port: int = 22
    connect_timeout: float = 10.0  # seconds

    @property
    def shown(self) -> str:
        return f"{self.user}@{self.address}:{self.port}"

    @property
    def listed_as(self) -> str:
        """What a line of the file of known hosts begins with."""
        return self.address if self.port == 22 else f"[{self.address}]:{self.port}"


@dataclass(frozen=True, slots=True)
class Remote:
    """Runs programs on one host."""

    host: Host
    local: Runs = field(default_factory=Runner)

    async def run(
        self,
        arguments: Sequence[str],
        *,
        cwd: Path | None,  # noqa: ARG002 - a declaration with a host has none
        environment: Mapping[str, str],
        timeout: float,  # noqa: ASYNC109 - the connection is ended, not only left alone
        limit: int,
        progress: Progress | None = None,
    ) -> Ended:
        """Runs a program over there. Raises the errors of this module."""
        line = remote_line(arguments, environment)
        await asyncio.to_thread(_files_are_there, self.host)
        with tempfile.TemporaryDirectory(prefix="sayso-ssh-") as folder:
            log = Path(folder) / "log"
            try:
                ended = await self.local.run(
                    client_line(self.host, log, line),
                    cwd=None,
                    environment={},
                    timeout=timeout,
                    limit=limit,
                    progress=progress,
                )
            except Overdue as error:
                said = await asyncio.to_thread(_read, log)
                raise self._overdue(said, timeout, error) from error
            said = await asyncio.to_thread(_read, log)
        if ended.code != _OWN:
            return ended
        raise _why_not(self.host, said) or ConnectionLost(
            f"{self.host.name}: the client ended with {_OWN}: the connection broke, or the program itself ended so; "
            "only looking can tell what it did",
            ended.output,
            ended.lost,
        )

    def _overdue(self, said: str, seconds: float, error: Overdue) -> ToolFailed | ToolUnavailable:
        if _BEGUN not in said:
            return ToolUnavailable(
                f"{self.host.name} ({self.host.shown}) did not let us in within {seconds:g} s"
            )
        return Overdue(
            f"{self.host.name}: no end within {seconds:g} s; the connection was closed, and what was started there "
            "may go on",
            error.output,
            error.lost,
        )


def client_line(host: Host, log: Path, line: str) -> tuple[str, ...]:
    """The client's own arguments: no settings of a user or of this machine have a say."""
    options = (
        *_OPTIONS,
        f"ConnectTimeout={max(round(host.connect_timeout), 1)}",
        f"UserKnownHostsFile={_path(host.known_hosts)}",
        f"IdentityFile={_path(host.identity)}",
    )
    named = (part for option in options for part in ("-o", option))
    where = ("-p", str(host.port), "-l", host.user, "--", host.address)
    return (CLIENT, "-F", "none", "-T", "-E", str(log), *named, *where, line)


def remote_line(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """One line for the shell over there that is these arguments and nothing more. Raises `BadArguments`."""
    named = [f"{name}={value}" for name, value in environment.items()]
    return " ".join(quoted(each) for each in (*(["env", *named] if named else []), *arguments))


def quoted(argument: str) -> str:
    """One argument as sh, bash, zsh, csh and fish all read it back. Raises `BadArguments` for control characters.

    Quotes, backslashes and exclamation marks stand behind a backslash outside of quotes; all else stands inside.
    """
    if (strange := next((sign for sign in argument if category(sign) == "Cc"), None)) is not None:
        raise BadArguments(
            f"{argument[:80]!r} holds the control character {strange!r}, which no shell is trusted with; leave it out",
            value=argument[:80],
        )
    if not argument:
        return "''"
    return "".join(_pieces(argument))


def _pieces(argument: str) -> Iterator[str]:
    for piece in _APART.split(argument):
        if _APART.fullmatch(piece):
            yield f"\\{piece}"
        elif piece:
            yield piece if _PLAIN.fullmatch(piece) else f"'{piece}'"


def _path(path: Path) -> str:
    """A path as the client's options take it: `%` begins a token there."""
    return f'"{str(path).replace("%", "%%")}"'


def _files_are_there(host: Host) -> None:
    for what, file, advice in (
        (
            "identity",
            host.identity,
            "make a key for sayso alone with ssh-keygen, and let that machine accept it",
        ),
        ("known_hosts", host.known_hosts, "write the keys of your machines into it"),
    ):
        if not file.is_file():
            raise ToolFailed(f"{host.name}: {what} = {str(file)!r} is no file; {advice}. Nothing was run.")
        if '"' in str(file) or "\n" in str(file):
            raise ToolFailed(f"{host.name}: {what} = {str(file)!r} should be a path without quotes")


def _read(log: Path) -> str:
    try:
        return log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _why_not(host: Host, said: str) -> ToolFailed | ToolUnavailable | None:
    """Why the program was never started; None where it may have been."""
    if _BEGUN in said:
        return None
    if "REMOTE HOST IDENTIFICATION HAS CHANGED" in said:
        shown = re.search(r"SHA256:[A-Za-z0-9+/=]+", said)
        return ToolFailed(
            f"{host.name} ({host.shown}) shows another host key ({shown[0] if shown else 'unknown'}) than the one in "
            f"{host.known_hosts}: nothing was run. If the machine was set up anew, replace the line of "
            f"{host.listed_as!r} there, once its fingerprint is confirmed by a way you trust; if it was not, somebody "
            "may stand in between"
        )
    if "host key is known for" in said or "Host key verification failed" in said:
        return ToolFailed(
            f"{host.name} ({host.shown}) has no host key in {host.known_hosts}: nothing was run. Get its key by a way "
            f"you trust, and add the line `{host.listed_as} ssh-ed25519 ...`"
        )
    if "Permission denied" in said or "Too many authentication failures" in said:
        return ToolFailed(
            f"{host.name} ({host.shown}) does not accept the key {host.identity}: nothing was run. Its public half "
            f"belongs into authorized_keys of {host.user!r} there, and the file here to be readable by its owner alone"
        )
    last = next((line for line in reversed(said.splitlines()) if line.strip()), "it said nothing")
    return ToolUnavailable(f"{host.name} ({host.shown}) cannot be reached: {last[:200]}; nothing was run")
