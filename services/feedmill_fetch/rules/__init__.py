"""What people say about pages of single sites, where general rules do not suffice.

`shipped.toml` has those that are of use to everybody; a folder of one's own may have more.
"""

from feedmill_fetch.rules.following import Ruled, follow
from feedmill_fetch.rules.reading import BrokenRule, Rule, Rules, check_folder, read_rules, rules_in

__all__ = [
    "BrokenRule",
    "Rule",
    "Ruled",
    "Rules",
    "check_folder",
    "follow",
    "read_rules",
    "rules_in",
]
