"""Governors for tests, with the manners a test is about."""

from datetime import timedelta

from feedmill.models.hosts import HostLimit
from feedmill.store import Store
from feedmill.web.governor import Governor
from feedmill.web.manners import Manners

# Loopback is one host to the governor; slices are to run at once there.
MANY = 200


def governor_of(
    store: Store, spacing: timedelta = timedelta(0), *, in_flight: int = MANY
) -> Governor:
    """Return a governor that lets every host be asked so often, and leaves nothing to chance."""
    usual = HostLimit(host="", spacing=spacing, in_flight=in_flight)
    return Governor(store, Manners(usual), luck=lambda: 0)
