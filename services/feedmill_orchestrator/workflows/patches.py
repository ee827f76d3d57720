"""Every change of a running workflow's steps, and when its old side may go.

A patch is taken by runs that begin after it, and by no run that began before: both replay. Its old
side goes with the release after the last run that may still need it; the registry says when.
"""

from typing import NamedTuple

from temporalio import workflow


class Patch(NamedTuple):
    """One change of steps.

    Attributes
    ----------
    id
        What histories call it: never changed, never used again.
    since
        The release that brought it.
    why
        What changed, for whoever wonders whether the old side can go.
    longest_run_days
        How long a run of the workflows concerned lives at the most, before it continues as new.
    """

    id: str
    since: str
    why: str
    longest_run_days: int


EARLY_AND_BY_HOST = Patch(
    id="early-and-by-host",
    since="0.2.0",
    why="The first slices are small, and entries that wait for a busy host join its own run.",
    longest_run_days=1,
)

PATCHES: tuple[Patch, ...] = (EARLY_AND_BY_HOST,)


def is_patched(patch: Patch) -> bool:
    """Return whether this run takes the new side of a change."""
    return workflow.patched(patch.id)
