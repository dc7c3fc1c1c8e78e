"""The home folder: the one place where everything sayso keeps lies, open to its owner alone."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

DEFAULT = Path("~/.sayso")
DEMO = "demo"  # the demo's home inside the default one
POINTER = "running-demo"  # file in the default home that names the home of the demo started last
CONFIG = "sayso.yaml"


@dataclass(frozen=True, slots=True)
class Home:
    """Where the data are, and which settings file rules them. `chosen_by` says why, for people who wonder."""

    folder: Path
    config: Path
    chosen_by: str

    def at(self, path: Path) -> Path:
        """A path from the settings: relative ones start at the home folder."""
        return path if path.is_absolute() else self.folder / path


def default_folder() -> Path:
    return DEFAULT.expanduser()


def find(home: Path | None, config: Path | None, environ: Mapping[str, str], cwd: Path) -> Home:
    """The home to use, in this order: `--home`, `--config`, `SAYSO_HOME`, `SAYSO_CONFIG`, `sayso.yaml` here,
    the demo that was started last, the default home.
    """
    home = home or (Path(environ["SAYSO_HOME"]) if not config and environ.get("SAYSO_HOME") else None)
    config = config or (Path(environ["SAYSO_CONFIG"]) if environ.get("SAYSO_CONFIG") else None)
    if home:
        folder = home.expanduser().absolute()
        return Home(folder, (config or folder / CONFIG).absolute(), "named")
    if config:
        file = config.expanduser().absolute()
        return Home(file.parent, file, "named")
    if (cwd / CONFIG).is_file():
        return Home(cwd, cwd / CONFIG, "found in this folder")
    if demo := running_demo():
        return Home(demo, demo / CONFIG, "the demo that is running")
    return Home(default_folder(), default_folder() / CONFIG, "the default")


def make_private(folder: Path) -> Path:
    """Creates the folder where needed and closes it to everybody but its owner."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    folder.chmod(0o700)
    return folder


def point_at_demo(folder: Path | None) -> None:
    """Remembers which demo other commands talk to; `None` forgets it."""
    pointer = make_private(default_folder()) / POINTER
    if folder is None:
        pointer.unlink(missing_ok=True)
    else:
        pointer.write_text(str(folder), encoding="utf-8")


def running_demo() -> Path | None:
    """The home of the demo started last, if its supervisor's file is still there."""
    try:
        folder = Path((default_folder() / POINTER).read_text(encoding="utf-8"))
    except OSError:
        return None
    return folder if (folder / "supervisor.json").is_file() else None
