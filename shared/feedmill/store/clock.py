"""The one clock of the fleet: Postgres's. Workers' clocks need not agree.

The schema has it as a function of its own, so that a test can let days pass for every process at
once.
"""

from datetime import datetime

from sqlalchemy import DateTime, Function, func


def now() -> Function[datetime]:
    """Return the moment at which this part of a statement is evaluated, as an expression."""
    return func.feedmill_now(type_=DateTime(timezone=True))
