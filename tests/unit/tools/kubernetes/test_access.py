"""Ways into a cluster: what a kubeconfig may say, what it may not, certificates, programs, and service accounts."""

import base64
import json
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from aiohttp import web

from tests.fakes.certificates import Authority, secured
from tests.fakes.kubernetes import TOKEN, shop_cluster
from tests.fakes.kubernetes_access import kubeconfig
from tests.fakes.shop import NOW, now
from tools.contract import ToolFailed, ToolUnavailable
from tools.kubernetes.access import Access, AccessRefused, FixedToken, inside
from tools.kubernetes.client import Cluster
from tools.kubernetes.execplugin import Programs
from tools.kubernetes.kubeconfig import access
from tools.kubernetes.objects import Pod
from tools.kubernetes.resources import PODS
from tools.kubernetes.wire import Wire

HTTPS = "https://127.0.0.1:6443"


async def pods(way: Access) -> int:
    return len((await Cluster(Wire(way)).listed(PODS, "shop", Pod)).items)


async def test_the_current_context_is_used_unless_another_one_is_named(tmp_path: Path) -> None:
    async with shop_cluster(now).open() as url:
        file = kubeconfig(tmp_path, url)
        assert await pods(access(file, None)) == await pods(access(file, "shop")) == 4
        with pytest.raises(AccessRefused, match="there is no context 'shpo'; nearest: shop"):
            access(file, "shpo")


async def test_a_token_file_is_read_for_each_request(tmp_path: Path) -> None:
    cluster = shop_cluster(now)
    async with cluster.open() as url:
        token = tmp_path / "token"
        token.write_text(TOKEN + "\n")
        way = access(kubeconfig(tmp_path, url, {"tokenFile": "token"}), None)
        assert await pods(way) == 4
        cluster.token = "the-next-one"
        token.write_text("the-next-one")
        assert await pods(way) == 4
        token.unlink()
        with pytest.raises(ToolFailed, match="cannot be read"):
            await pods(way)


@pytest.mark.parametrize(
    ("cluster", "user", "why"),
    [
        ({"insecure-skip-tls-verify": True}, {}, "anybody between us and the cluster could read the token"),
        ({"proxy-url": "http://proxy"}, {}, "proxy-url is not supported"),
        ({}, {"username": "me", "password": "secret-word"}, "username and password"),
        ({}, {"auth-provider": {"name": "gcp"}}, "auth-provider was removed"),
        ({}, {"token": "x", "as": "admin"}, "`as` is for a person"),
        ({}, {"client-certificate": "none.pem"}, r"none\.pem: No such file"),
        ({"certificate-authority-data": "?"}, {}, "no base64 of PEM"),
        (
            {},
            {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "aws"}},
            "exec_plugins: true",
        ),
        ({}, {"exec": {"apiVersion": "client.authentication.k8s.io/v1alpha1", "command": "x"}}, "apiVersion"),
    ],
)
def test_what_is_not_safe_or_not_there_is_refused_by_name(
    cluster: Mapping[str, object], user: Mapping[str, object], why: str, tmp_path: Path
) -> None:
    file = kubeconfig(tmp_path, HTTPS, user, **cluster)
    with pytest.raises(AccessRefused, match=why) as caught:
        access(file, None)
    assert "secret-word" not in str(caught.value)
    assert str(file) in str(caught.value) or "exec_plugins" in why


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("clusters: [", "is no YAML"),
        ("clusters: {}", "clusters"),
        ("- a", "the file"),
        ("", "there is no context ''"),
    ],
)
def test_a_file_that_is_no_kubeconfig_is_refused(text: str, why: str, tmp_path: Path) -> None:
    (tmp_path / "kubeconfig").write_text(text)
    with pytest.raises(AccessRefused, match=why):
        access(tmp_path / "kubeconfig", None)
    with pytest.raises(AccessRefused, match="cannot be read"):
        access(tmp_path / "other", None)


def test_a_token_is_not_sent_without_encryption_to_another_machine() -> None:
    with pytest.raises(AccessRefused, match="should be https"):
        Access("the cluster", "http://cluster.example", FixedToken(TOKEN))
    with pytest.raises(AccessRefused, match="should be an address"):
        Access("the cluster", "cluster.example:6443", FixedToken(TOKEN))


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


async def test_certificates_of_a_kubeconfig_secure_the_connection_both_ways(tmp_path: Path) -> None:
    ca, other = Authority(), Authority("somebody else")
    client = ca.certificate("sayso", server=False)
    user = {
        "token": TOKEN,
        "client-certificate-data": encoded(client.certificate),
        "client-key-data": encoded(client.key),
    }
    trusted = {"certificate-authority-data": encoded(ca.pem)}
    app = web.Application()
    shop_cluster(now).add(app)
    async with secured(app, ca, tmp_path, clients=True) as url:
        assert await pods(access(kubeconfig(tmp_path, url, user, **trusted), None)) == 4
        named = {**trusted, "tls-server-name": "kubernetes.default.svc"}
        assert await pods(access(kubeconfig(tmp_path, url, user, **named), None)) == 4
        for wrong in (
            {"certificate-authority-data": encoded(other.pem)},
            {**trusted, "tls-server-name": "other.example"},
        ):
            with pytest.raises(ToolUnavailable, match="does not answer"):
                await pods(access(kubeconfig(tmp_path, url, user, **wrong), None))
        with pytest.raises(ToolUnavailable):
            await pods(access(kubeconfig(tmp_path, url, {"token": TOKEN}, **trusted), None))


def test_a_key_that_does_not_fit_is_refused_before_anything_is_asked() -> None:
    ca = Authority()
    one, other = ca.certificate("a", server=False), ca.certificate("b", server=False)
    way = Access("the cluster", HTTPS, FixedToken(), ca.pem, one.certificate, other.key)
    with pytest.raises(AccessRefused, match="no PEM that fits"):
        Wire(way)
    assert other.key not in repr(way)


PROGRAM = """
import json, os, pathlib, sys
said = pathlib.Path(sys.argv[1])
count = len(list(said.parent.glob("ran-*")))
(said.parent / f"ran-{count}").write_text(json.dumps(dict(os.environ)))
print(said.read_text())
"""


def plugin(folder: Path, answer: object, **more: object) -> Path:
    (folder / "answer").write_text(answer if isinstance(answer, str) else json.dumps(answer))
    program = folder / "program.py"
    program.write_text(PROGRAM)
    spec = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": sys.executable,
        "args": [str(program), str(folder / "answer")],
        "env": [{"name": "PROFILE", "value": "east"}],
        "provideClusterInfo": True,
        **more,
    }
    return kubeconfig(folder, HTTPS, {"exec": spec})


def credential(**status: object) -> dict[str, object]:
    return {"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential", "status": status}


async def test_a_program_gives_a_token_which_is_kept_until_it_is_about_to_expire(tmp_path: Path) -> None:
    later = (NOW + timedelta(hours=1)).isoformat()
    file = plugin(tmp_path, credential(token="one", expirationTimestamp=later))
    environ = {"PATH": "/usr/bin", "HOME": "/root", "SAYSO_MODEL__API_KEY": "x"}
    way = access(file, None, Programs(environ, now))
    assert [await way.credentials.token(anew=False) for _ in range(3)] == ["one"] * 3
    assert len(list(tmp_path.glob("ran-*"))) == 1
    assert await way.credentials.token(anew=True) == "one"
    assert len(list(tmp_path.glob("ran-*"))) == 2
    given = json.loads((tmp_path / "ran-0").read_text())
    assert given["PROFILE"] == "east"
    assert "SAYSO_MODEL__API_KEY" not in given
    assert json.loads(given["KUBERNETES_EXEC_INFO"])["spec"] == {
        "interactive": False,
        "cluster": {"server": HTTPS},
    }


async def test_a_token_that_has_expired_is_fetched_anew(tmp_path: Path) -> None:
    file = plugin(tmp_path, credential(token="one", expirationTimestamp="2020-01-01T00:00:00Z"))
    way = access(file, None, Programs({}, now))
    await way.credentials.token(anew=False)
    await way.credentials.token(anew=False)
    assert len(list(tmp_path.glob("ran-*"))) == 2


@pytest.mark.parametrize(
    ("answer", "more", "why"),
    [
        ("hello", {}, "printed no ExecCredential"),
        (credential(clientCertificateData="x"), {}, "gave no token"),
        ("x" * 300_000, {}, "more than 256 KB"),
        (credential(token="x"), {"command": "/nowhere/at-all"}, "cannot be run"),
        (credential(token="x"), {"args": ["-c", "raise SystemExit(3)"]}, "ended with 3"),
    ],
)
async def test_a_program_that_gives_no_credential_is_told(
    answer: object, more: dict[str, object], why: str, tmp_path: Path
) -> None:
    way = access(plugin(tmp_path, answer, **more), None, Programs({}, now))
    with pytest.raises(ToolFailed, match=why):
        await way.credentials.token(anew=False)


async def test_in_a_pod_the_service_account_is_used(tmp_path: Path) -> None:
    with pytest.raises(AccessRefused, match="no kubeconfig is named, and there is no service account"):
        inside(tmp_path)
    (tmp_path / "token").write_text(TOKEN)
    with pytest.raises(AccessRefused, match=r"ca\.crt cannot be read"):
        inside(tmp_path)
    (tmp_path / "ca.crt").write_text(Authority().pem)
    assert inside(tmp_path).server == "https://kubernetes.default.svc"
    async with shop_cluster(now).open() as url:
        assert await pods(inside(tmp_path, url)) == 4
