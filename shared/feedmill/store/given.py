"""Rows of ours inside a statement, however many: an array for each column."""

from collections.abc import Sequence

from sqlalchemy import BigInteger, ColumnClause, TableValuedAlias, Text, column, func, literal
from sqlalchemy.dialects.postgresql import ARRAY

Numbers = Sequence[int | None]
Texts = Sequence[str | None]


def numbers(name: str, values: Numbers) -> tuple[ColumnClause[int], Numbers]:
    """Return a column of whole numbers with what stands in it."""
    return column(name, BigInteger), values


def texts(name: str, values: Texts) -> tuple[ColumnClause[str], Texts]:
    """Return a column of texts with what stands in it."""
    return column(name, Text), values


def given(
    *columns: tuple[ColumnClause[int], Numbers] | tuple[ColumnClause[str], Texts],
) -> TableValuedAlias:
    """Return a table named `given` with these columns, all of one length."""
    arrays = [literal(list(values), ARRAY(each.type)) for each, values in columns]
    named = func.unnest(*arrays).table_valued(*(each for each, _ in columns), name="given")
    return named.render_derived()
