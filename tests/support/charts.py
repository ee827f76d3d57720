"""Sets of values for the chart, and changes to them."""

import copy
from collections.abc import Mapping
from typing import Any

from lab.chart import CHART, value_sets

REQUIRED = value_sets()["default"]
# Secrets that the sets name, and that somebody else makes.
SECRETS = (
    "feedmill-database",
    "feedmill-token",
    "feedmill-model",
    "temporal-client",
    "temporal-cloud",
)

__all__ = ["CHART", "REQUIRED", "SECRETS", "changed", "value_sets"]


def changed(values: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return values with some of them changed, the way Helm merges them."""
    merged = copy.deepcopy(dict(values))
    for name, value in changes.items():
        inner = merged.get(name)
        if isinstance(value, Mapping) and isinstance(inner, dict):
            merged[name] = changed(inner, value)
        else:
            merged[name] = value
    return merged
