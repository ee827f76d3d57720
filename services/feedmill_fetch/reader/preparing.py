"""A page made ready for being read: no scripts, paragraphs where it means some. Pure."""

from lxml.etree import strip_elements
from lxml.html import HtmlElement

from feedmill_fetch.reader.images import unwrap_noscript_images
from feedmill_fetch.reader.nodes import is_blank, is_phrasing, trim_end

_UNREAD = ("noscript", "script", "style", "template")


def prepare(page: HtmlElement) -> None:
    """Make a page ready, in place."""
    unwrap_noscript_images(page)
    strip_elements(page, *_UNREAD, with_tail=False)
    for line_break in list(page.iter("br")):
        # Those that an earlier one took with it are in no tree any more.
        if line_break.getparent() is not None:
            _make_paragraph(line_break)
    for font in page.iter("font"):
        font.tag = "span"


def _make_paragraph(first: HtmlElement) -> None:
    """Two line breaks mean a paragraph: what follows them, up to the next two, becomes one."""
    if not _drop_following_breaks(first):
        return
    parent = first.getparent()
    first.tag = "p"
    first.attrib.clear()
    first.text, first.tail = first.tail, None
    _take_in(first)
    trim_end(first)
    if parent.tag == "p":
        parent.tag = "div"


def _drop_following_breaks(first: HtmlElement) -> bool:
    dropped = False
    while is_blank(first.tail):
        following = first.getnext()
        if following is None or following.tag != "br":
            break
        first.tail, following.tail = following.tail, None
        following.getparent().remove(following)
        dropped = True
    return dropped


def _take_in(paragraph: HtmlElement) -> None:
    while (following := paragraph.getnext()) is not None:
        # The text before it belongs to the paragraph in any case.
        if not is_phrasing(following) or _begins_break(following):
            break
        paragraph.append(following)


def _begins_break(node: HtmlElement) -> bool:
    if node.tag != "br" or not is_blank(node.tail):
        return False
    following = node.getnext()
    return following is not None and following.tag == "br"
