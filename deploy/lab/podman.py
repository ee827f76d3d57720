"""podman, asked from the command line; everything we make carries our label and can be found by it."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

LABEL = "feedmill-lab"
_CONF = Path(__file__).parent / "containers.conf"


class PodmanError(RuntimeError):
    """It said no; the message has its last words."""


def podman(*arguments: object, env: Mapping[str, str] | None = None, seconds: float = 120) -> str:
    """Run podman and return what it printed.

    Raises
    ------
    PodmanError
        It failed.
    """
    done = _run(arguments, env or {}, seconds)
    if done.returncode:
        said = done.stderr.strip()[-600:]
        raise PodmanError(f"podman {' '.join(map(str, arguments))[:200]}: {said}")
    return done.stdout


def try_podman(*arguments: object, seconds: float = 120) -> tuple[int, str]:
    """Run podman; return its exit code, and what it printed where."""
    done = _run(arguments, {}, seconds)
    return done.returncode, done.stdout + done.stderr


def inspect(kind: str, name: str) -> dict[str, Any]:
    """Return what podman knows of one thing."""
    found = json.loads(podman(kind, "inspect", name))
    one: dict[str, Any] = found[0] if isinstance(found, list) else found
    return one


def sh(*command: str, text: str | None = None) -> str:
    """Run a command that must succeed, and return what it printed."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise PodmanError(f"{' '.join(command)[:200]}: {done.stderr.strip()[-600:]}")
    return done.stdout


def _run(
    arguments: Sequence[object], env: Mapping[str, str], seconds: float
) -> subprocess.CompletedProcess[str]:
    environment = {"CONTAINERS_CONF": str(_CONF), **os.environ, **env}
    try:
        return subprocess.run(
            ["podman", *map(str, arguments)],
            capture_output=True,
            text=True,
            env=environment,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PodmanError(f"podman {arguments[0]} took longer than {seconds} s") from error
