"""What holds for every test: no deadlines, since machines are shared, and the same examples every time in CI."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.fakes.postgres import REQUIRED, NoPostgres, PostgresServer, binaries, postgres_server
from tests.fakes.prometheus import REQUIRED as REQUIRED_PROMETHEUS
from tests.fakes.prometheus import NoPrometheus, program
from tests.fakes.sshd import REQUIRED as REQUIRED_SSHD
from tests.fakes.sshd import NoSshd, Sshd, sshd

settings.register_profile("house", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "house")


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A real PostgreSQL server; tests that ask for it are skipped where none is installed, unless required."""
    try:
        binaries()
    except NoPostgres as why:
        if os.environ.get(REQUIRED):
            pytest.fail(f"{REQUIRED} is set, and there is {why}")
        pytest.skip(str(why))
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def prometheus() -> None:
    """Real Prometheus and Alertmanager are there; tests that ask are skipped where they are not, unless required."""
    try:
        for name in ("prometheus", "promtool", "prometheus-alertmanager"):
            program(name)
    except NoPrometheus as why:
        if os.environ.get(REQUIRED_PROMETHEUS):
            pytest.fail(f"{REQUIRED_PROMETHEUS} is set, and there is {why}")
        pytest.skip(str(why))


@pytest.fixture(scope="session")
def ssh_server() -> Iterator[Sshd]:
    """A real OpenSSH server; tests that ask for it are skipped where none is installed, unless required."""
    try:
        with sshd() as server:
            yield server
    except NoSshd as why:
        if os.environ.get(REQUIRED_SSHD):
            pytest.fail(f"{REQUIRED_SSHD} is set, and there is {why}")
        pytest.skip(str(why))
