"""Networks beside the cluster: one with public addresses and a site, one with private ones."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from lab.podman import LABEL, podman, try_podman

# Set aside for tests of amateur radio, and so a public address that nobody here reaches otherwise.
_PUBLIC = ("feedmill-internet", "44.128.0.0/24", "44.128.0.2")
_PRIVATE = ("feedmill-intranet", "192.168.77.0/24", "192.168.77.2")
_IMAGE = "localhost/feedmill-gateway:lab"
_ROOT = Path(__file__).parents[2]


class Internet(NamedTuple):
    """Where the same site is found: where everybody may go, and where nobody may."""

    public: str
    private: str

    def feed(self, name: str, entries: int) -> str:
        return f"http://{self.public}/feed/{name}/{entries}"


@contextmanager
def open_internet() -> Iterator[Internet]:
    """Serve the site at both places while the block lasts."""
    try:
        for network, subnet, address in (_PUBLIC, _PRIVATE):
            podman("network", "create", "--label", LABEL, "--subnet", subnet, network)
            podman(
                *("run", "--detach", "--name", f"{network}-site", "--label", LABEL),
                *("--network", network, "--ip", address, "--user", "0", "--no-healthcheck"),
                *("--volume", f"{_ROOT}/tests/support:/site/support:ro"),
                *("--volume", f"{_ROOT}/deploy/lab/site.py:/site/site_of_the_lab.py:ro"),
                *("--env", "PYTHONPATH=/site", "--entrypoint", "python3"),
                *(_IMAGE, "/site/site_of_the_lab.py"),
            )
        yield Internet(_PUBLIC[2], _PRIVATE[2])
    finally:
        for network, *_ in (_PUBLIC, _PRIVATE):
            try_podman("rm", "--force", "--time", 0, f"{network}-site")
            try_podman("network", "rm", "--force", network)
