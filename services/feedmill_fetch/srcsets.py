"""The pictures that an image names for screens of several sizes. Pure."""

import re
from typing import NamedTuple

# A candidate is an address and what follows it up to a comma; within an address a comma is part of
# it unless it is the last character (html.spec.whatwg.org, parsing a srcset attribute).
_CANDIDATE = re.compile(r"[\s,]*(\S*[^\s,])(?:\s+([^,]*)|(?=,|$|\s))?,?")
_DESCRIPTOR = re.compile(r"(\d{1,5})w|(\d{1,2}(?:\.\d{1,3})?)x")

_MOST_CANDIDATES = 20
# Twice as wide as the widest column of text: more is only slower.
_WIDEST = 2_560


class Candidate(NamedTuple):
    url: str
    descriptor: str
    width: float


def candidates(srcset: str) -> list[Candidate]:
    """Return what a `srcset` offers, without what is badly written, or larger than of any use."""
    offered = []
    for match in _CANDIDATE.finditer(srcset):
        descriptor = (match[2] or "").strip()
        size = _DESCRIPTOR.fullmatch(descriptor)
        if descriptor and size is None:
            continue
        width = float(size[1]) if size and size[1] else 1_000 * float(size[2] if size else 1)
        offered.append(Candidate(match[1], descriptor, width))
    fitting = [one for one in offered if one.width <= _WIDEST or not one.descriptor.endswith("w")]
    return (fitting or sorted(offered, key=lambda one: one.width)[:1])[:_MOST_CANDIDATES]


def best(srcset: str) -> str | None:
    """Return the largest that is of any use, for browsers that take only one."""
    offered = candidates(srcset)
    return max(offered, key=lambda one: one.width).url if offered else None
