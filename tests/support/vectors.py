"""Collected ways to make a client connect where it should not, and look-alikes that are harmless."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

CONNECT = "connect (final sockaddr)"
URL_AND_CONNECT = "url+connect"
DNS = "dns/redirect (needs fake resolver)"


@dataclass(frozen=True)
class Vector:
    url: str
    expect: Literal["block", "allow"]
    layer: str
    why: str

    @property
    def redirect(self) -> str:
        """Where the trick redirects; empty when it is none of that kind."""
        return self.url.partition(" 302-> ")[2]

    def __str__(self) -> str:
        return self.url


VECTORS = [
    Vector(**each)
    for each in json.loads((Path(__file__).parents[1] / "web" / "ssrf_vectors.json").read_text())
]
