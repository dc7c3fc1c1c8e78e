"""Which home folder is meant, and that it is private."""

from pathlib import Path

import pytest

from agent import home


@pytest.fixture
def user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


def test_a_named_home_wins_over_everything(user: Path) -> None:
    found = home.find(user / "a", None, {"SAYSO_HOME": str(user / "b")}, user)
    assert found.config == user / "a" / "sayso.yaml"


def test_a_named_file_rules_its_own_folder(user: Path) -> None:
    assert home.find(None, user / "x" / "mine.yaml", {"SAYSO_HOME": "/elsewhere"}, user).folder == user / "x"


def test_a_home_and_a_file_may_be_apart(user: Path) -> None:
    found = home.find(user / "data", user / "etc" / "mine.yaml", {}, user)
    assert (found.folder, found.config) == (user / "data", user / "etc" / "mine.yaml")


def test_the_variable_comes_next(user: Path) -> None:
    assert home.find(None, None, {"SAYSO_HOME": str(user / "b")}, user).folder == user / "b"


def test_settings_in_this_folder_come_before_the_demo(user: Path) -> None:
    here = user / "project"
    here.mkdir()
    (here / "sayso.yaml").write_text("")
    assert home.find(None, None, {}, here).folder == here


def test_a_running_demo_is_found_by_other_commands(user: Path) -> None:
    shop = user / "shop"
    shop.mkdir()
    (shop / "supervisor.json").write_text("{}")
    home.point_at_demo(shop)
    assert home.find(None, None, {}, user / "elsewhere").folder == shop


def test_a_demo_that_is_gone_is_not_found(user: Path) -> None:
    home.point_at_demo(user / "gone")
    assert home.find(None, None, {}, user / "elsewhere").folder == user / ".sayso"


def test_a_relative_path_starts_at_the_home(user: Path) -> None:
    place = home.find(user / "a", None, {}, user)
    assert place.at(Path("logs")) == user / "a" / "logs"
    assert place.at(Path("/var/log")) == Path("/var/log")


def test_the_home_is_open_to_its_owner_alone(user: Path) -> None:
    folder = user / "open"
    folder.mkdir(mode=0o755)
    assert home.make_private(folder).stat().st_mode & 0o777 == 0o700
