"""What `deploy/` says fits the program: schemas, command lines, variables, ports and times."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from agent.cli import parser
from agent.settings import load

DEPLOY = Path(__file__).parents[3] / "deploy"
KUBERNETES = "1.32"
LISTEN = re.compile(r"^0\.0\.0\.0:(\d+)$")
SECRETS = {
    "SAYSO_STORE__URL": "postgresql+psycopg://sayso:secret@postgres/sayso",
    "SAYSO_KNOWLEDGE__DATABASE": "postgresql+psycopg://sayso:secret@postgres/sayso",
}


def manifests() -> Iterator[tuple[str, dict[str, Any]]]:
    for file in sorted((DEPLOY / "kubernetes").glob("*.yaml")):
        if file.name in ("kustomization.yaml", "sayso.yaml"):
            continue
        for document in yaml.safe_load_all(file.read_text(encoding="utf-8")):
            yield f"{document['kind']} {document['metadata']['name']}", document


def deployments() -> list[dict[str, Any]]:
    return [document for _, document in manifests() if document["kind"] == "Deployment"]


def compose() -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((DEPLOY / "compose" / "compose.yaml").read_text(encoding="utf-8"))
    return read


def ours() -> dict[str, dict[str, Any]]:
    """The services of the Compose file that are sayso."""
    return {name: one for name, one in compose()["services"].items() if one["image"].startswith("sayso")}


@pytest.mark.parametrize(
    ("name", "manifest"), list(manifests()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_a_manifest_keeps_to_the_schema_of_kubernetes(name: str, manifest: dict[str, Any]) -> None:
    kubernetes_validate.validate(manifest, KUBERNETES, strict=True)


def test_kustomize_names_every_manifest_and_nothing_else() -> None:
    kustomization = yaml.safe_load((DEPLOY / "kubernetes" / "kustomization.yaml").read_text(encoding="utf-8"))
    files = {file.name for file in (DEPLOY / "kubernetes").glob("*.yaml")} - {
        "kustomization.yaml",
        "sayso.yaml",
    }
    assert set(kustomization["resources"]) == files
    assert kustomization["configMapGenerator"] == [{"name": "sayso-settings", "files": ["sayso.yaml"]}]


def commands() -> Iterator[tuple[str, list[str]]]:
    for one in deployments():
        yield one["metadata"]["name"], one["spec"]["template"]["spec"]["containers"][0]["args"]
    for name, service in ours().items():
        yield name, service["command"]
    image = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    yield "Dockerfile", re.findall(r'"([^"]+)"', re.findall(r"^CMD (\[.*\])$", image, re.MULTILINE)[0])


@pytest.mark.parametrize(("where", "command"), list(commands()))
def test_a_command_line_is_one_that_sayso_takes(where: str, command: list[str]) -> None:
    taken = parser().parse_args(command)
    assert taken.role in ("all", "surface", "worker")
    assert LISTEN.match(taken.listen)


def test_surfaces_and_workers_are_both_there_in_each_way() -> None:
    roles = [parser().parse_args(command).role for where, command in commands() if where != "Dockerfile"]
    assert sorted(roles) == ["surface", "surface", "worker", "worker"]


def variables() -> Mapping[str, str]:
    found = {
        entry["name"]: entry["value"]
        for one in deployments()
        for entry in one["spec"]["template"]["spec"]["containers"][0]["env"]
    }
    for service in ours().values():
        found |= {name: SECRETS.get(name, value) for name, value in service["environment"].items()}
    return {**found, **SECRETS}


@pytest.mark.parametrize("file", ["compose/sayso.example.yaml", "kubernetes/sayso.yaml"])
def test_settings_and_variables_are_ones_that_sayso_knows(file: str) -> None:
    settings = load(DEPLOY / file, variables())
    assert settings.store.url is not None
    assert settings.serve.log_style == "json"


def test_ports_of_probes_services_and_processes_are_the_same() -> None:
    listens = {LISTEN.match(parser().parse_args(command).listen)[1] for _, command in commands()}  # type: ignore[index]  # the test above
    ports = {
        str(port["containerPort"])
        for one in deployments()
        for port in one["spec"]["template"]["spec"]["containers"][0]["ports"]
    }
    served = {
        str(port["port"])
        for _, one in manifests()
        if one["kind"] == "Service"
        for port in one["spec"]["ports"]
    }
    let_in = {
        str(port["port"])
        for _, one in manifests()
        if one["kind"] == "NetworkPolicy"
        for rule in one["spec"]["ingress"]
        for port in rule["ports"]
    }
    image = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
    assert listens == ports == served == let_in == {"8470"}
    assert "EXPOSE 8470" in image
    assert ":8470/healthz" in image


def test_a_process_is_given_longer_to_end_than_it_drains() -> None:
    drains = load(DEPLOY / "kubernetes" / "sayso.yaml", variables()).serve.drain.total_seconds()
    for one in deployments():
        assert one["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > drains
    for service in ours().values():
        assert int(service["stop_grace_period"].removesuffix("s")) > drains


def test_no_process_runs_as_root_or_writes_its_image() -> None:
    for one in deployments():
        pod = one["spec"]["template"]["spec"]
        limits = pod["containers"][0]["securityContext"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert limits["readOnlyRootFilesystem"] is True
        assert limits["allowPrivilegeEscalation"] is False
    for service in ours().values():
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
    assert "\nUSER 10001" in (DEPLOY / "Dockerfile").read_text(encoding="utf-8")


def test_three_workers_are_asked_for() -> None:
    assert compose()["services"]["worker"]["deploy"]["replicas"] == 3
    assert {
        one["spec"]["replicas"] for one in deployments() if one["metadata"]["name"] == "sayso-worker"
    } == {3}


def test_a_chroma_server_and_the_client_of_the_lock_are_of_one_version() -> None:
    image = compose()["services"]["chroma"]["image"]
    lock = (DEPLOY / "requirements.lock").read_text(encoding="utf-8")
    assert f"chromadb=={image.partition(':')[2]} " in lock
