"""Credentials from a program that a kubeconfig names, by the protocol of `client.authentication.k8s.io`."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from tools.contract import Clock, ToolFailed

SECONDS = 30.0
MOST_OCTETS = 256 * 1024
EARLY = timedelta(seconds=60)  # so long before a token expires another one is fetched
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR")


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Variable(_Part):
    name: str
    value: str


class Plugin(_Part):
    """The program as the kubeconfig names it: a list of arguments, never a line for a shell."""

    api_version: str = Field(alias="apiVersion", pattern=r"^client\.authentication\.k8s\.io/v1(beta1)?$")
    command: str = Field(min_length=1)
    args: tuple[str, ...] | None = None
    env: tuple[_Variable, ...] | None = None
    provide_cluster_info: bool = Field(default=False, alias="provideClusterInfo")


class _Status(_Part):
    token: str | None = None
    expires: AwareDatetime | None = Field(default=None, alias="expirationTimestamp")


class _Credential(_Part):
    kind: str = Field(pattern=r"^ExecCredential$")
    status: _Status


@dataclass(frozen=True, slots=True)
class Programs:
    """That programs may be run for credentials: in which environment, and by which clock their tokens expire."""

    environ: Mapping[str, str]
    clock: Clock


@dataclass(slots=True)
class ExecPlugin:
    """Runs the program when a token is needed, and keeps the token until it is about to expire."""

    plugin: Plugin
    folder: Path
    programs: Programs
    cluster: Mapping[str, str]
    _kept: _Status | None = field(default=None, repr=False)
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    async def token(self, *, anew: bool) -> str | None:
        async with self._turn:
            if self._kept is None or anew or self._over(self._kept):
                self._kept = await self._fetched()
            return self._kept.token

    def _over(self, status: _Status) -> bool:
        return status.expires is not None and self.programs.clock() >= status.expires - EARLY

    async def _fetched(self) -> _Status:
        output = await self._run()
        try:
            status = _Credential.model_validate_json(output).status
        except ValidationError as error:
            raise ToolFailed(f"{self.plugin.command} printed no ExecCredential") from error
        if not status.token:
            raise ToolFailed(
                f"{self.plugin.command} gave no token; client certificates of a program are not supported"
            )
        return status

    async def _run(self) -> bytes:
        try:
            process = await asyncio.create_subprocess_exec(
                self._program(),
                *(self.plugin.args or ()),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.DEVNULL,  # it may hold a credential, and is nobody's evidence
                env=self._environment(),
            )
        except OSError as error:
            raise ToolFailed(f"{self.plugin.command} cannot be run: {error.strerror}") from error
        try:
            async with asyncio.timeout(SECONDS):
                output = await _output(process)
                code = await process.wait()
        except TimeoutError as error:
            raise ToolFailed(f"{self.plugin.command} gave no credential within {SECONDS:g} s") from error
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if code != 0:
            raise ToolFailed(
                f"{self.plugin.command} ended with {code} and gave no credential; run it by hand"
            )
        return output

    def _program(self) -> str:
        """A command with a slash is a path beside the kubeconfig; one without is looked for by the system."""
        return str(self.folder / self.plugin.command) if "/" in self.plugin.command else self.plugin.command

    def _environment(self) -> dict[str, str]:
        environ = self.programs.environ
        kept = {name: environ[name] for name in _KEPT if name in environ}
        given = {each.name: each.value for each in self.plugin.env or ()}
        spec: dict[str, object] = {"interactive": False}
        if self.plugin.provide_cluster_info:
            spec["cluster"] = {name: value for name, value in self.cluster.items() if value}
        info = {"apiVersion": self.plugin.api_version, "kind": "ExecCredential", "spec": spec}
        return {**kept, **given, "KUBERNETES_EXEC_INFO": json.dumps(info)}


async def _output(process: asyncio.subprocess.Process) -> bytes:
    """What it printed. Raises `ToolFailed` for more than a credential can be."""
    if process.stdout is None:
        raise ToolFailed("the program was started without a pipe")
    output = b""
    while piece := await process.stdout.read(MOST_OCTETS):
        output += piece
        if len(output) > MOST_OCTETS:
            raise ToolFailed(
                f"the program printed more than {MOST_OCTETS // 1024} KB, which is no credential"
            )
    return output
