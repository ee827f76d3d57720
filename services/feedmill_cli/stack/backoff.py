"""How long to wait before a part that ended is started again."""

_FIRST_SECONDS = 0.5
_LONGEST_SECONDS = 30.0
# A part that has been of use this long gets a fresh start: its next end is a new fault.
_HEALTHY_SECONDS = 60.0


def failures_in_a_row(before: int, *, ready_seconds: float) -> int:
    """Count one more end of a part.

    Parameters
    ----------
    before
        Ends in a row until now.
    ready_seconds
        How long it had been ready this time; 0 when it never was.

    Returns
    -------
    int
        At least 1; exactly 1 after a minute of health.
    """
    return 1 if ready_seconds >= _HEALTHY_SECONDS else before + 1


def seconds_before_restart(failures: int) -> float:
    """Return 0.5 s after the first end in a row, twice as much after each further, 30 s at most."""
    # 2 ** 6 is already past the longest wait; an endless loop of ends must not overflow.
    doubled: float = _FIRST_SECONDS * 2 ** min(failures - 1, 6)
    return min(doubled, _LONGEST_SECONDS)
