"""What is hidden in objects, and what is not."""

import pytest

from tools.contract import Json
from tools.kubernetes.scrubbing import HIDDEN, scrubbed


def variable(name: str, value: str) -> object:
    return scrubbed({"env": [{"name": name, "value": value}]})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DB_PASSWORD", "x"),
        ("API_KEY", "x"),
        ("STRIPE_SECRET", "x"),
        ("URL", "postgres://shop:hunter2@db/shop"),
        ("SETTINGS", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc"),
        ("BLOB", "Zm9vYmFyYmF6cXV4MTIzNDU2Nzg5MGFiY2RlZg=="),
        ("PEM", "-----BEGIN RSA PRIVATE KEY-----"),
        ("CLOUD", "AKIAIOSFODNN7EXAMPLE"),
        ("FORGE", "ghp_abcdefghijklmnop"),
    ],
)
def test_values_that_look_secret_are_hidden(name: str, value: str) -> None:
    assert variable(name, value) == {"env": [{"name": name, "value": HIDDEN}]}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOG_LEVEL", "debug"),
        ("RETRIES", "3"),
        ("URL", "https://payments.example/v2/charges?limit=20"),
        ("ZONE", "eu-west-1"),
    ],
)
def test_values_that_are_plain_stay(name: str, value: str) -> None:
    assert variable(name, value) == {"env": [{"name": name, "value": value}]}


def test_where_a_value_is_kept_stays_for_it_is_not_the_value() -> None:
    reference: Json = {
        "env": [{"name": "P", "valueFrom": {"secretKeyRef": {"name": "db", "key": "password"}}}]
    }
    assert scrubbed(reference) == reference


def test_arguments_are_hidden_by_the_name_before_them() -> None:
    given = {"args": ["--port=80", "--db-password=x", "--token", "abc", "-v", "run --api-key 7 now"]}
    assert scrubbed(given) == {
        "args": [
            "--port=80",
            f"--db-password={HIDDEN}",
            "--token",
            HIDDEN,
            "-v",
            f"run --api-key {HIDDEN} now",
        ]
    }


def test_it_reaches_every_depth_and_drops_the_copy_in_the_annotations() -> None:
    given: Json = {
        "metadata": {
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{...}", "a": "b"},
            "managedFields": [{"manager": "helm", "time": "t", "fieldsV1": {"f:x": {}}}],
        },
        "spec": {"template": {"spec": {"initContainers": [{"env": [{"name": "TOKEN", "value": "x"}]}]}}},
    }
    assert scrubbed(given) == {
        "metadata": {"annotations": {"a": "b"}, "managedFields": [{"manager": "helm", "time": "t"}]},
        "spec": {"template": {"spec": {"initContainers": [{"env": [{"name": "TOKEN", "value": HIDDEN}]}]}}},
    }


@pytest.mark.parametrize("end", ["!", ""])
@pytest.mark.parametrize("piece", ["1a-", "eyJa-", "-a", "-pass", "://a:", "pass", "'", "a1/", "-----BEGI"])
def test_a_long_text_takes_no_longer_than_it_is_long(piece: str, end: str) -> None:
    """A pod that anybody may start is no way to stop us: squared, these would take hours."""
    text = piece * (900_000 // len(piece)) + end
    assert scrubbed({"args": [text], "env": [{"name": "TEXT", "value": text}]})


def test_headers_of_probes_are_hidden_as_variables_are() -> None:
    headers = [{"name": "Authorization", "value": "Bearer x"}, {"name": "Accept", "value": "text/plain"}]
    assert scrubbed({"httpGet": {"path": "/", "httpHeaders": headers}}) == {
        "httpGet": {"path": "/", "httpHeaders": [{"name": "Authorization", "value": HIDDEN}, headers[1]]}
    }


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("PGPASSWORD=hunter2 psql -h db", f"PGPASSWORD={HIDDEN} psql -h db"),
        ("export API_TOKEN='two words' && run", f"export API_TOKEN={HIDDEN} && run"),
        ("the key is at the door", "the key is at the door"),
    ],
)
def test_what_a_shell_is_told_to_set_is_hidden(line: str, told: str) -> None:
    assert scrubbed({"command": ["sh", "-c", line]}) == {"command": ["sh", "-c", told]}
