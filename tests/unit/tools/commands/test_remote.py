"""A program on another machine whose end nobody saw: what is said depends on whether it can have begun."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tools.commands.process import Ended, Overdue
from tools.commands.ssh import ConnectionLost, Host, Remote
from tools.contract import Progress, ToolFailed, ToolUnavailable

BEGUN = 'Authenticated to box.example ([10.0.0.1]:22) using "publickey".\n'


@dataclass
class Client:
    """An SSH client that writes this into its log and ends with this code; without a code it is ended by time."""

    log: str
    code: int | None = None
    output: str = ""

    async def run(
        self,
        arguments: Sequence[str],
        *,
        cwd: Path | None,
        environment: Mapping[str, str],
        timeout: float,
        limit: int,
        progress: Progress | None = None,
    ) -> Ended:
        Path(arguments[arguments.index("-E") + 1]).write_text(self.log)
        if self.code is None:
            raise Overdue("ssh was ended", self.output)
        return Ended(self.code, self.output)


async def run(client: Client, folder: Path) -> Ended:
    for name in ("id", "known_hosts"):
        (folder / name).touch()
    host = Host("box", "box.example", "deploy", folder / "id", folder / "known_hosts")
    remote = Remote(host, client)
    return await remote.run(["uptime"], cwd=None, environment={}, timeout=60, limit=1024)


async def test_a_program_that_had_begun_when_time_was_over_may_go_on(tmp_path: Path) -> None:
    with pytest.raises(Overdue, match="no end within 60 s.*may go on") as caught:
        await run(Client(BEGUN, output="half"), tmp_path)
    assert caught.value.output == "half"


async def test_a_machine_that_let_nobody_in_until_time_was_over_ran_nothing(tmp_path: Path) -> None:
    with pytest.raises(ToolUnavailable, match="did not let us in within 60 s"):
        await run(Client(""), tmp_path)


async def test_the_clients_own_code_after_the_door_is_a_lost_connection(tmp_path: Path) -> None:
    with pytest.raises(ConnectionLost, match="only looking can tell") as caught:
        await run(Client(BEGUN, 255, "half"), tmp_path)
    assert caught.value.output == "half"


@pytest.mark.parametrize(
    ("said", "error", "told"),
    [
        ("ssh: Could not resolve hostname box.example: Name or service not known", ToolUnavailable, "not resolve"),
        ("ssh: connect to host box.example port 22: Connection timed out", ToolUnavailable, "timed out"),
        ("No ED25519 host key is known for box.example and you ...", ToolFailed, "add the line `box.example ssh-"),
        ("deploy@box.example: Permission denied (publickey).", ToolFailed, "does not accept the key"),
        ("", ToolUnavailable, "it said nothing"),
    ],
)  # fmt: skip
async def test_before_the_door_nothing_was_run_and_the_reason_is_told(
    tmp_path: Path, said: str, error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match="nothing was run") as caught:
        await run(Client(said, 255), tmp_path)
    assert told in str(caught.value)


@pytest.mark.parametrize("code", [0, 1, 42])
async def test_other_codes_are_those_of_the_program(tmp_path: Path, code: int) -> None:
    assert await run(Client(BEGUN, code, "out"), tmp_path) == Ended(code, "out")
