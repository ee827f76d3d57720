import os
from collections.abc import Mapping
from pathlib import Path

from dotenv import load_dotenv

from feedmill.config import StackSettings, load
from feedmill_cli.stack.folder import Folder

_DOTENV = ".env"


def load_settings() -> StackSettings:
    """Read the settings, after those in the working folder's `.env`; the real environment wins.

    Raises
    ------
    SettingsError
        One is wrong or misspelt; the message names every such variable, a line each.
    """
    load_dotenv(Path.cwd() / _DOTENV, override=False)
    return load(StackSettings)


def folder_of(settings: StackSettings, data_dir: Path | None) -> Folder:
    """Return the folder a command works on: the option, the setting, or the usual place."""
    named = data_dir or (Path(settings.data_dir) if settings.data_dir else None)
    chosen = named or usual_folder(os.environ, Path.home())
    return Folder(chosen.expanduser().absolute())


def usual_folder(environ: Mapping[str, str], home: Path) -> Path:
    """Return where everything is kept unless somebody says otherwise."""
    data_home = environ.get("XDG_DATA_HOME", "")
    # The specification says to ignore a relative path here.
    base = Path(data_home) if Path(data_home).is_absolute() else home / ".local" / "share"
    return base / "feedmill"
