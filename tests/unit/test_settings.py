"""Settings: what is read, and how a mistake is explained."""

from datetime import timedelta
from importlib import resources
from pathlib import Path

import pytest

from agent.settings import Settings, SettingsError, load


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "sayso.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def complaint(tmp_path: Path, text: str, environ: dict[str, str] | None = None) -> str:
    with pytest.raises(SettingsError) as caught:
        load(written(tmp_path, text), environ or {})
    return str(caught.value)


def test_an_empty_file_means_all_defaults(tmp_path: Path) -> None:
    assert load(written(tmp_path, ""), {}) == Settings()


def test_the_template_that_init_writes_is_valid(tmp_path: Path) -> None:
    text = resources.files("agent.verbs").joinpath("template.yaml").read_text(encoding="utf-8")
    assert load(written(tmp_path, text), {}).people["me"].roles == ("viewer", "engineer", "release-managers")


def test_a_misspelt_key_is_named_with_its_line_and_the_likely_one(tmp_path: Path) -> None:
    said = complaint(tmp_path, "people:\n  maya:\n    name: Maya\n    rolls: [viewer]\n")
    assert "line 4: people.maya.rolls: there is no such setting; did you mean 'roles'?" in said


def test_a_wrong_value_is_shown_with_what_would_be_right(tmp_path: Path) -> None:
    said = complaint(tmp_path, "model:\n  provider: opnai\n")
    assert "line 2: model.provider = 'opnai'" in said
    assert "'none', 'openai' or 'langchain'" in said


def test_a_value_inside_a_list_is_found_on_its_own_line(tmp_path: Path) -> None:
    text = "policies:\n  - name: a\n    tools: [deploy]\n    approvers: [x]\n    quorum: 0\n"
    assert "line 5: policies.0.quorum = 0" in complaint(tmp_path, text)


def test_every_mistake_is_reported_at_once(tmp_path: Path) -> None:
    said = complaint(tmp_path, "language: de\ntime_zone: Mars/Base\n")
    assert "language = 'de'" in said
    assert "time_zone = 'Mars/Base'" in said


def test_broken_yaml_names_line_and_column(tmp_path: Path) -> None:
    assert "line 3, column 1: not valid YAML" in complaint(tmp_path, "people: {\n  maya: [\n")


def test_a_key_given_twice_is_refused(tmp_path: Path) -> None:
    assert "line 2: 'language' is given twice" in complaint(tmp_path, "language: en\nlanguage: fr\n")


def test_a_list_instead_of_settings_is_refused(tmp_path: Path) -> None:
    assert "should be a mapping" in complaint(tmp_path, "- a\n- b\n")


def test_a_missing_file_says_how_to_get_one(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="sayso init"):
        load(tmp_path / "none.yaml", {})


def test_a_variable_overrides_the_file(tmp_path: Path) -> None:
    settings = load(written(tmp_path, "model: {name: a}\n"), {"SAYSO_MODEL__NAME": "b", "PATH": "/bin"})
    assert settings.model.name == "b"


def test_a_wrong_variable_is_blamed_by_its_name(tmp_path: Path) -> None:
    said = complaint(tmp_path, "", {"SAYSO_MODEL__ATTEMPTS": "99"})
    assert said.startswith("SAYSO_MODEL__ATTEMPTS: model.attempts = '99'")


def test_a_key_is_never_shown(tmp_path: Path) -> None:
    settings = load(written(tmp_path, ""), {"SAYSO_MODEL__API_KEY": "sk-very-secret"})
    assert "sk-very-secret" not in repr(settings)
    assert settings.model.api_key is not None
    assert settings.model.api_key.get_secret_value() == "sk-very-secret"


def test_the_password_of_a_database_is_never_shown(tmp_path: Path) -> None:
    url = "postgresql+psycopg://sayso:hush@db.example.com/knowledge"
    settings = load(written(tmp_path, ""), {"SAYSO_KNOWLEDGE__DATABASE": url})
    assert "hush" not in repr(settings)
    assert settings.knowledge.database is not None
    assert settings.knowledge.database.get_secret_value() == url
    assert "hush" not in complaint(tmp_path, f"knowledge:\n  database: ['{url}']\n")


@pytest.mark.parametrize(
    ("text", "length"),
    [("45s", timedelta(seconds=45)), ("2h", timedelta(hours=2)), ("7d", timedelta(days=7))],
)
def test_lengths_of_time_are_written_as_people_write_them(
    tmp_path: Path, text: str, length: timedelta
) -> None:
    assert load(written(tmp_path, f"model: {{timeout: {text}}}"), {}).model.timeout == length


def test_a_bare_number_is_no_length_of_time(tmp_path: Path) -> None:
    assert "such as 30s, 15m" in complaint(tmp_path, "model: {timeout: 12}\n")


@pytest.mark.parametrize("place", ["foo", "127.0.0.1", "8470", "localhost:http", "127.0.0.1:84700"])
def test_a_place_to_listen_at_that_is_none_is_named_with_what_would_be_right(
    tmp_path: Path, place: str
) -> None:
    said = complaint(tmp_path, f"serve:\n  listen: '{place}'\n")
    assert f"line 2: serve.listen = '{place}': should be HOST:PORT" in said
    assert "such as 127.0.0.1:8470" in said


def test_a_port_alone_is_no_place_to_listen_at(tmp_path: Path) -> None:
    assert "serve.listen = 8470: should be HOST:PORT" in complaint(tmp_path, "serve: {listen: 8470}\n")
