"""Nothing that is not on the list comes through, whoever reads the outcome, and however often."""

import pytest
from resiliparse.parse.html import DOMNode, HTMLTree, NodeType

from feedmill_fetch.sanitising import sanitise
from fetch.sanitising_tricks import PLACES, SPELLINGS
from fetch.sanitising_vectors import VECTORS

BASE = "https://site.example/blog/post.html"
ROUNDS = 3

TAGS = frozenset({
    "a", "abbr", "b", "bdi", "bdo", "blockquote", "br", "caption", "cite", "code", "col", "colgroup",
    "dd", "del", "details", "dfn", "div", "dl", "dt", "em", "figcaption", "figure", "h1", "h2", "h3",
    "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "mark", "ol", "p", "picture", "pre", "q",
    "rp", "rt", "ruby", "s", "samp", "small", "source", "span", "strong", "sub", "summary", "sup",
    "table", "tbody", "td", "tfoot", "th", "thead", "time", "tr", "u", "ul", "var", "wbr",
})  # fmt: skip
ATTRIBUTES = frozenset({
    "alt", "cite", "class", "colspan", "datetime", "dir", "height", "href", "hreflang", "lang",
    "loading", "media", "referrerpolicy", "rel", "reversed", "rowspan", "scope", "sizes", "span",
    "src", "srcset", "start", "title", "type", "value", "width",
})  # fmt: skip
WEB = ("http://", "https://")
STARTS = {"href": (*WEB, "mailto:"), "src": WEB, "cite": WEB}


def elements(node: DOMNode) -> list[DOMNode]:
    return [each for each in node if each.type == NodeType.ELEMENT]


def off_the_list(markup: str) -> list[str]:
    """Return what an HTML5 parser finds in the markup that is not on the list.

    It is another one than the sanitiser's own, and reads what begins a page into its head.
    """
    found = []
    for node in elements(HTMLTree.parse(markup).document):
        if node.tag not in TAGS | {"html", "head", "body"}:
            found.append(f"<{node.tag}>")
        for name in node.attrs:
            found += [f"{name}={node[name]}"] if not is_listed(name, node[name]) else []
    return found


def is_listed(name: str, value: str) -> bool:
    if name not in ATTRIBUTES:
        return False
    if name == "class":
        return value == "embed" or value.startswith("language-")
    if name == "srcset":
        return all(one.startswith(WEB) for one in value.split(", "))
    return name not in STARTS or value.startswith(STARTS[name])


@pytest.mark.parametrize("markup", VECTORS.values(), ids=VECTORS)
def test_nothing_that_acts_survives(markup: str) -> None:
    clean = sanitise(f"<p>before</p>{markup}<p>after</p>", BASE)

    assert clean.startswith("<p>before</p>")
    for _ in range(ROUNDS):
        assert off_the_list(clean) == []
        # What a browser makes of it may be read again, by another one.
        clean = HTMLTree.parse(clean).body.html.removeprefix("<body>").removesuffix("</body>")


@pytest.mark.parametrize("markup", VECTORS.values(), ids=VECTORS)
def test_what_survives_goes_nowhere_else(markup: str) -> None:
    clean = sanitise(markup, BASE)

    for node in elements(HTMLTree.parse(clean).body):
        if node.tag == "a" and "href" in node.attrs:
            assert node["rel"] == "noopener noreferrer nofollow ugc"
        if node.tag == "img":
            assert node["referrerpolicy"] == "no-referrer"


@pytest.mark.parametrize("markup", VECTORS.values(), ids=VECTORS)
def test_sanitising_again_changes_nothing(markup: str) -> None:
    clean = sanitise(markup, BASE)

    assert sanitise(clean, BASE) == clean


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
@pytest.mark.parametrize("spelling", SPELLINGS.values(), ids=SPELLINGS)
def test_no_spelling_makes_a_script_of_an_address(spelling: str, place: str) -> None:
    clean = sanitise(place.format(spelling), BASE)

    assert off_the_list(clean) == []
    assert sanitise(clean, BASE) == clean


@pytest.mark.parametrize(
    "markup",
    [
        "<base href='https://a.example/'>",
        "<meta charset=utf-7>",
        "<link rel=x href=y>",
        "<a href=' https://a.example/'>y</a>",
        "<a href='/x'>y</a>",
        "<p onclick=x>y</p>",
        "<a href='javascript:x'>y</a>",
        "<img src='data:x'>",
        "<img srcset='https://a.example/x 1x, data:x 2x'>",
        "<iframe></iframe>",
        "<p class=x>y</p>",
        "<svg></svg>",
    ],
)
def test_the_list_would_tell(markup: str) -> None:
    assert off_the_list(markup)
