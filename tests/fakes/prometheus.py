"""A real Prometheus for tests: Debian's own, on a free port of loopback, in a folder that goes away."""

import json
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

REQUIRED = "TESTS_REQUIRE_PROMETHEUS"  # set where a skipped test would be a hole in the check
UNPACKED = "TESTS_PROMETHEUS_BIN"  # a folder with the programs, where the packages are not installed
_STARTED = 30.0  # seconds it may take to start

Sample = tuple[str, Mapping[str, str], float, float]  # name, labels, unix seconds, value


class NoPrometheus(Exception):
    """There is no Prometheus, or no Alertmanager, on this machine."""


def program(name: str) -> str:
    """Where a program of the two packages is. Raises `NoPrometheus`."""
    found = shutil.which(name, path=os.pathsep.join([os.environ.get(UNPACKED, ""), os.environ["PATH"]]))
    if found is None:
        raise NoPrometheus(f"no {name} here: install the packages `prometheus` and `prometheus-alertmanager`")
    return found


def free_port() -> int:
    """A port of loopback that nobody listens on now."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@dataclass(frozen=True)
class Server:
    """One running server."""

    url: str
    folder: Path


@contextmanager
def prometheus_server(
    *,
    samples: Iterable[Sample] = (),
    scrape: Sequence[Mapping[str, object]] = (),
    rules: str | None = None,
    alertmanager: str | None = None,
) -> Iterator[Server]:
    """A server for as long as the block lasts, which holds `samples` from its start and scrapes `scrape` each second.

    `scrape` are entries of `scrape_configs`; `alertmanager` is host and port. Raises `NoPrometheus`.
    """
    binary = program("prometheus")
    with tempfile.TemporaryDirectory(prefix="sayso-prom-") as name:
        folder = Path(name)
        _backfill(folder, samples)
        config: dict[str, object] = {
            "global": {"scrape_interval": "1s", "scrape_timeout": "1s", "evaluation_interval": "1s"},
            "scrape_configs": list(scrape),
        }
        if rules is not None:
            (folder / "rules.yml").write_text(rules)
            config["rule_files"] = ["rules.yml"]
        if alertmanager is not None:
            config["alerting"] = {"alertmanagers": [{"static_configs": [{"targets": [alertmanager]}]}]}
        (folder / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
        port = free_port()
        command = [
            binary,
            f"--config.file={folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={folder / 'data'}",
            "--storage.tsdb.retention.time=10y",
            "--rules.alert.resend-delay=1s",  # the first is lost where the Alertmanager is not yet discovered
            f"--web.listen-address=127.0.0.1:{port}",
        ]
        with running(command, f"http://127.0.0.1:{port}", folder) as server:
            yield server


@contextmanager
def alertmanager_server() -> Iterator[Server]:
    """An Alertmanager for as long as the block lasts, which tells nobody. Raises `NoPrometheus`."""
    binary = program("prometheus-alertmanager")
    with tempfile.TemporaryDirectory(prefix="sayso-am-") as name:
        folder, port = Path(name), free_port()
        (folder / "alertmanager.yml").write_text(
            json.dumps({"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]})
        )
        command = [
            binary,
            f"--config.file={folder / 'alertmanager.yml'}",
            f"--storage.path={folder / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
        ]
        with running(command, f"http://127.0.0.1:{port}", folder) as server:
            yield server


@contextmanager
def running(command: Sequence[str], url: str, folder: Path) -> Iterator[Server]:
    """A program as long as the block lasts, from the moment it says that it is ready."""
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
        try:
            _await(url, process, folder / "log")
            yield Server(url, folder)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _backfill(folder: Path, samples: Iterable[Sample]) -> None:
    """Writes the samples as blocks, as promtool does from OpenMetrics."""
    by_name: dict[str, list[str]] = {}
    for name, labels, at, value in samples:
        told = ",".join(f"{label}={json.dumps(text)}" for label, text in labels.items())
        by_name.setdefault(name, []).append(f"{name}{{{told}}} {value!r} {at:.3f}")
    if not by_name:
        return
    text = [line for name, lines in by_name.items() for line in (f"# TYPE {name} unknown", *lines)]
    (folder / "samples.om").write_text("\n".join([*text, "# EOF", ""]))
    command = [program("promtool"), "tsdb", "create-blocks-from", "openmetrics", "samples.om", "data"]
    subprocess.run(command, check=True, cwd=folder, capture_output=True)


def _await(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + _STARTED
    while True:
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args!r} did not start: {log.read_text(errors='replace')[-2000:]}")
        try:
            with urllib.request.urlopen(f"{url}/-/ready", timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
