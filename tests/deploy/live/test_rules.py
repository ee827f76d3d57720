"""What promtool says of the rules."""

import subprocess

import pytest

from lab.metrics import RULES
from lab.prometheus import program

pytestmark = pytest.mark.deploy


@pytest.mark.parametrize(
    "arguments",
    [
        pytest.param(["check", "rules", "--lint=all", "--lint-fatal", RULES.name], id="check"),
        pytest.param(["test", "rules", "feedmill.rules.test.yaml"], id="test"),
    ],
)
def test_promtool_has_nothing_against_the_rules(arguments: list[str]) -> None:
    done = subprocess.run(
        [program("promtool"), *arguments],
        cwd=RULES.parent,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
