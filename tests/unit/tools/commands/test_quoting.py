"""What goes to a shell on another machine: every argument arrives as it was, and nothing else does."""

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.commands.ssh import Host, client_line, quoted, remote_line
from tools.contract import BadArguments

SHELLS = [shell for shell in ("sh", "bash", "dash", "zsh", "fish", "csh") if shutil.which(shell)]
ARGUMENT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=40)
NASTY = st.text(st.sampled_from(list("ab '\"\\!$`;&|<>(){}[]*?~#=%^@-\u2028\u00e9\u202e")), max_size=12)
HOST = Host("box", "box.example", "deploy", Path("/keys/id"), Path("/keys/known_hosts"))
TRICKS = (
    "$(reboot)",
    "`reboot`",
    "a; reboot",
    "a && reboot",
    "a | reboot",
    "> /etc/passwd",
    "'; reboot; '",
    "\\'; reboot; \\'",
    '"; reboot; "',
    "!!",
    "!reboot",
    "~root",
    "$HOME",
    "*",
    "{a,b}",
    "#comment",
    "a\\",
    "",
    " ",
    "=ls",
    "%self",
    "^old^new",
    "\uff1breboot",
)


@given(st.lists(st.one_of(ARGUMENT, NASTY), min_size=1, max_size=5))
def test_a_line_for_a_shell_is_read_back_as_just_these_arguments(arguments: list[str]) -> None:
    assert shlex.split(remote_line(arguments, {})) == arguments


@pytest.mark.parametrize("shell", SHELLS)
def test_a_real_shell_reads_every_trick_as_an_argument(shell: str) -> None:
    line = remote_line(["printf", "<%s>\\0", *TRICKS], {})
    done = subprocess.run([shell, "-c", line], capture_output=True, check=True)
    assert done.stdout.decode().split("\0")[:-1] == [f"<{trick}>" for trick in TRICKS]
    assert done.stderr == b""


@settings(max_examples=20)
@given(st.lists(NASTY, min_size=30, max_size=30))
def test_a_real_shell_reads_any_mix_of_its_own_signs_as_arguments(arguments: list[str]) -> None:
    line = remote_line(["printf", "<%s>\\0", *arguments], {})
    done = subprocess.run(["sh", "-c", line], capture_output=True, check=True)
    assert done.stdout.decode().split("\0")[:-1] == [f"<{each}>" for each in arguments]


@pytest.mark.parametrize("sign", ["\n", "\r", "\0", "\x1b", "\x7f", "\x85", "\t"])
def test_no_control_character_reaches_a_shell(sign: str) -> None:
    with pytest.raises(BadArguments, match="control character"):
        quoted(f"a{sign}reboot")


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="'\\!"), min_size=1))
def test_inside_quotes_nothing_stands_that_any_shell_would_read(argument: str) -> None:
    assert quoted(argument) in {argument, f"'{argument}'"}


def test_variables_are_set_by_a_program_and_not_by_the_shell() -> None:
    assert remote_line(["run"], {"MODE": "a b"}) == "env 'MODE=a b' run"


def test_the_client_asks_no_settings_but_ours_and_forwards_nothing() -> None:
    line = client_line(HOST, Path("/tmp/log"), "uptime")
    options = {each for flag, each in zip(line, line[1:], strict=False) if flag == "-o"}
    assert line[:3] == ("ssh", "-F", "none")
    assert line[-3:] == ("--", "box.example", "uptime")
    assert {
        "BatchMode=yes", "StrictHostKeyChecking=yes", "GlobalKnownHostsFile=none", "IdentitiesOnly=yes",
        "IdentityAgent=none", "ForwardAgent=no", "ForwardX11=no", "ClearAllForwardings=yes", "ControlPath=none",
        "ProxyCommand=none", "PermitLocalCommand=no", "ConnectTimeout=10", 'UserKnownHostsFile="/keys/known_hosts"',
    } <= options  # fmt: skip


def test_a_percent_in_a_path_stays_a_percent() -> None:
    host = Host("box", "box.example", "deploy", Path("/k%h/id"), Path("/k/known"))
    assert 'IdentityFile="/k%%h/id"' in client_line(host, Path("/tmp/log"), "uptime")
