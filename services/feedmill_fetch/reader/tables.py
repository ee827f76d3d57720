"""Tables that hold facts, told from those that hold a layout. Pure."""

from lxml.html import HtmlElement

from feedmill_fetch.reader.nodes import only_child

_OF_FACTS = ("col", "colgroup", "tfoot", "thead", "th")
_MANY_ROWS = 10
_MANY_COLUMNS = 5
_MANY_CELLS = 11
_MOST_SPAN = 1_000


def data_tables(article: HtmlElement) -> set[HtmlElement]:
    """Return the tables whose cells belong together."""
    return {table for table in article.iter("table") if _holds_facts(table)}


def _holds_facts(table: HtmlElement) -> bool:
    if table.get("role") == "presentation" or table.get("datatable") == "0":
        return False
    caption = next(table.iterdescendants("caption"), None)
    if table.get("summary") or (caption is not None and (len(caption) or caption.text)):
        return True
    if next(table.iterdescendants(*_OF_FACTS), None) is not None:
        return True
    if next(table.iterdescendants("table"), None) is not None:
        return False
    return _is_large(table)


def _is_large(table: HtmlElement) -> bool:
    rows = columns = 0
    for row in table.iterdescendants("tr"):
        rows += _span(row, "rowspan")
        columns = max(columns, sum(_span(cell, "colspan") for cell in row.iterdescendants("td")))
    if rows == 1 or columns == 1:
        return False
    return rows >= _MANY_ROWS or columns >= _MANY_COLUMNS or rows * columns >= _MANY_CELLS


def _span(cell: HtmlElement, name: str) -> int:
    value = cell.get(name, "").strip()
    return min(int(value), _MOST_SPAN) or 1 if value.isascii() and value.isdigit() else 1


def single_cell(table: HtmlElement) -> HtmlElement | None:
    """Return the cell of a table that has only this one."""
    rows = only_child(table, "tbody")
    row = only_child(table if rows is None else rows, "tr")
    return None if row is None else only_child(row, "td")
