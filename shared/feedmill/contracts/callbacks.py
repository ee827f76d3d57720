"""Where hubs find us, as those who tell them and those who answer them see it."""

HUBS = "/websub"
"""The path under which the gateway is called by hubs, with a subscription's token behind it."""


def callback(public_url: str, token: str) -> str:
    """Return the address at which a hub reaches a subscription.

    Parameters
    ----------
    public_url
        The gateway's address as the internet sees it.
    """
    return f"{public_url.rstrip('/')}{HUBS}/{token}"
