"""Where this user's things lie. The environment is handed in."""

import getpass
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path


def _home(environment: Mapping[str, str]) -> Path:
    home = environment.get("HOME", "")
    if home.startswith("/"):
        return Path(home)
    return Path(tempfile.gettempdir()) / f"wwep-rig-of-{os.getuid()}"


def state_directory(environment: Mapping[str, str]) -> Path:
    """What the rig keeps between runs: certificates, recordings."""
    state = environment.get("XDG_STATE_HOME", "")
    base = Path(state) if state.startswith("/") else _home(environment) / ".local" / "state"
    return base / "wwep-rig"


def config_directory(environment: Mapping[str, str]) -> Path:
    """Where the user's bench files lie."""
    config = environment.get("XDG_CONFIG_HOME", "")
    base = Path(config) if config.startswith("/") else _home(environment) / ".config"
    return base / "wwep-rig"


def user_name() -> str:
    """The login name, or the number of a user without one."""
    try:
        return getpass.getuser()
    except KeyError:
        return str(os.getuid())
