"""What schedules are called, by those who make them and by those who list, pause and trigger them."""

PREFIX = "feedmill/"
"""How the ids of ours begin: another application's in the same namespace are left alone."""


def schedule_id(name: str) -> str:
    """Return Temporal's id of a schedule."""
    return f"{PREFIX}{name}"
