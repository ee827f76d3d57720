"""The one clock of the fleet: Postgres's. Workers' clocks need not agree.

The schema has it as a function of its own, so that a test can let days pass for every process at
once.
"""

from datetime import datetime

from sqlalchemy import DateTime, Function, ScalarSelect, func, select


def now() -> Function[datetime]:
    """Return the moment at which this part of a statement is evaluated, as an expression."""
    return func.feedmill_now(type_=DateTime(timezone=True))


def moment() -> ScalarSelect[datetime]:
    """Return the moment at which a statement asks first: no index can be searched for one that runs on."""
    return select(now()).scalar_subquery()
