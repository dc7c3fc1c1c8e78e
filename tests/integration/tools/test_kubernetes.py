"""The whole of sayso on a cluster: asked in both languages without a model, a change approved and made, doctor."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.fakes import kubernetes_objects as made
from tests.fakes.kubernetes import KubernetesStandIn, shop_cluster
from tests.fakes.kubernetes_access import kubeconfig

SETTINGS = """
people:
  maya: {name: Maya, roles: [engineer]}
  tom: {name: Tom, roles: [oncall]}
services: {payments: {}, checkout: {}, catalog: {}}
environments: {production: {aliases: [prod]}}
tools:
  enabled: [kubernetes, logs, status, deploy, rollback, restart, scale]
  platform: {backend: kubernetes}
  logs: {backend: kubernetes}
  kubernetes: {kubeconfig: kubeconfig, environments: {production: {namespace: shop}}}
access:
  kubernetes: [engineer, oncall]
  logs: [engineer]
  status: [engineer]
  deploy: [engineer]
  rollback: [engineer]
  restart: [engineer]
  scale: [engineer]
policies:
  - {name: changes, tools: [deploy, rollback, restart, scale], approvers: [oncall]}
knowledge: {embedder: none}
"""


@dataclass(frozen=True)
class Shell:
    """Runs `sayso` as a process beside the stand-in, which goes on answering."""

    home: Path
    cluster: KubernetesStandIn

    async def run(self, *words: str) -> tuple[int, str]:
        environment = {**os.environ, "HOME": str(self.home.parent), "SAYSO_HOME": str(self.home)}
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "agent.cli",
            *words,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            env=environment,
        )
        said, _ = await process.communicate()
        return process.returncode or 0, said.decode()


def clock() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
async def shell(tmp_path: Path) -> AsyncIterator[Shell]:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    (home / "sayso.yaml").write_text(SETTINGS)
    cluster = shop_cluster(clock)
    for pod in cluster.of("pods"):
        cluster.logs[pod["metadata"]["name"], pod["metadata"]["labels"]["app"], False] = [
            (clock(), "INFO paid")
        ]
    async with cluster.open() as url:
        kubeconfig(home, url)
        yield Shell(home, cluster)


@pytest.mark.slow
async def test_a_crash_is_explained_in_either_language_and_a_change_waits_for_its_approval(
    shell: Shell,
) -> None:
    cluster = shell.cluster
    owner = next(
        each for each in cluster.of("replicasets") if each["metadata"]["labels"]["app"] == "checkout"
    )
    crashing = made.crashing("checkout", "x", clock() - timedelta(minutes=4), reason="OOMKilled", code=137)
    cluster.put("pods", made.pod(owner, 7, clock() - timedelta(minutes=20), crashing))
    code, said = await shell.run("ask", "what's wrong with the checkout pods?", "--as", "maya")
    assert code == 0, said
    assert "CrashLoopBackOff" in said
    assert "OOMKilled" in said
    code, said = await shell.run("ask", "pourquoi le pod checkout redémarre ?", "--as", "maya")
    assert code == 0, said
    assert "2 pods sur 3 sont prêts" in said
    assert "redémarré 7 fois ; sa dernière fin : OOMKilled (code 137)" in " ".join(said.split())
    code, said = await shell.run("ask", "scale payments to 3 replicas in production", "--as", "maya")
    assert code == 0, said
    assert [one.query["dryRun"] for one in cluster.patches(dry=True)] == ["All"]
    assert cluster.patches() == []
    code, said = await shell.run("actions", "approve", "A-1", "--as", "tom")
    assert code == 0, said
    assert cluster.find("deployments", "payments")["spec"]["replicas"] == 3
    code, said = await shell.run("actions", "show", "A-1", "--as", "maya")
    assert "3 run" in said


@pytest.mark.slow
async def test_doctor_asks_the_cluster_and_fails_where_it_does_not_answer(shell: Shell) -> None:
    code, said = await shell.run("doctor", "--as", "maya")
    assert code == 0, said
    assert "ok    kubernetes all services in production: 4 of 4 pods ready" in said
    shell.cluster.denied = {("list", kind) for kind in ("deployments", "statefulsets", "daemonsets")}
    code, said = await shell.run("doctor", "--as", "maya")
    assert code == 1
    assert "FAIL  kubernetes the cluster 'shop' does not let sayso's account list deployments.apps" in said
