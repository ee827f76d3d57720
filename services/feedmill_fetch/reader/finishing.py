"""Walls within walls taken down. Pure."""

from lxml.html import HtmlElement

from feedmill_fetch.reader.nodes import count, has_text, only_child, remove, replace

_WALLS = frozenset({"div", "section"})


def simplify(article: HtmlElement) -> None:
    """Drop divisions that hold nothing, and those that hold but another one."""
    pending = list(article)
    while pending:
        node = pending.pop()
        if node.tag in _WALLS:
            if _is_empty(node):
                remove(node)
                continue
            inner = only_child(node, "div")
            inner = only_child(node, "section") if inner is None else inner
            if inner is not None:
                replace(node, inner)
                pending.append(inner)
                continue
        pending.extend(node)


def _is_empty(node: HtmlElement) -> bool:
    return (not len(node) or len(node) == count(node, "br", "hr")) and not has_text(node)
