from ipaddress import ip_network

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from feedmill.models.lists import (
    MAX_CATEGORY_CHARACTERS,
    MAX_DEPTH,
    MAX_OUTLINES,
    MAX_TITLE_CHARACTERS,
    Listed,
    ListedFeed,
    OutlineOutcome,
)
from feedmill.models.outcomes import ADVICE, Reason
from feedmill_gateway.lists.markup import ListRefused
from feedmill_gateway.lists.reading import ListRead, read_list
from support import opml as shapes
from support.opml import opml

A = '<outline type="rss" text="A" xmlUrl="https://a.example/"/>'
B = '<outline type="rss" text="B" xmlUrl="https://b.example/"/>'


def read(body: bytes) -> ListRead:
    result = read_list(body)
    assert isinstance(result, ListRead), result
    return result


def only(*outlines: str) -> ListedFeed:
    [feed] = read(opml(*outlines)).feeds
    return feed


def rejected(*outlines: str) -> list[OutlineOutcome]:
    return list(read(opml(*outlines, A)).rejected)


def broken(line: int, reason: Reason, detail: str = "", **said: str) -> OutlineOutcome:
    return OutlineOutcome.model_validate(
        {
            "line": line,
            "outcome": Listed.BROKEN,
            "reason": reason,
            "detail": detail,
            "advice": ADVICE[reason],
            **said,
        }
    )


def duplicate(line: int, first: int, **said: str) -> OutlineOutcome:
    fields = {"line": line, "outcome": Listed.DUPLICATE, "first_line": first, **said}
    return OutlineOutcome.model_validate(fields)


MILLS, BAKERS = "https://mills.example/feed.xml", "https://bakers.example/atom"


@pytest.mark.parametrize(
    ("body", "feeds"),
    [
        pytest.param(
            shapes.MINIFLUX,
            [(9, MILLS, "Wind & water", ("Mills",)), (12, BAKERS, "Bakers", ("All",))],
            id="Miniflux",
        ),
        pytest.param(
            shapes.FRESHRSS,
            [(9, MILLS, "Wind & water", ("Mills",)), (12, BAKERS, "Bakers", ("Uncategorized",))],
            id="FreshRSS",
        ),
        pytest.param(
            shapes.NEWSBLUR,
            [
                (2, BAKERS, "Bakers", ()),
                (2, MILLS, "Wind & water", ("Mills",)),
                (2, "https://anna.example/rss", "Anna", ("Mills", "Millers")),
            ],
            id="NewsBlur",
        ),
        pytest.param(
            shapes.COMMAFEED,
            [(9, MILLS, "Wind & water", ("Mills",)), (11, BAKERS, "Bakers", ())],
            id="CommaFeed",
        ),
        pytest.param(
            shapes.FEEDLY,
            [(9, MILLS, "Wind & water", ("Mills",)), (14, BAKERS, "Bakers", ())],
            id="Feedly",
        ),
        pytest.param(
            shapes.INOREADER,
            [(8, MILLS, "Wind & water", ("Mills",)), (10, BAKERS, "Bakers", ())],
            id="Inoreader",
        ),
        pytest.param(
            shapes.NETNEWSWIRE,
            [(8, BAKERS, "Bakers", ()), (10, MILLS, "Wind & water", ("Mills",))],
            id="NetNewsWire",
        ),
    ],
)
def test_the_exports_of_other_readers_are_read_whole(
    body: str, feeds: list[tuple[int, str, str, tuple[str, ...]]]
) -> None:
    assert read(body.encode()).feeds == tuple(
        ListedFeed(line=line, url=url, title=title, category=category)
        for line, url, title, category in feeds
    )


def test_a_feed_in_two_folders_is_a_duplicate_the_second_time() -> None:
    result = read(shapes.FEEDLY.encode())

    assert result.rejected == (duplicate(12, 9, title="Wind & water", url=MILLS),)
    # Its folder stays all the same.
    assert result.categories == (("Mills",), ("Must reads",))


@pytest.mark.parametrize(
    "outline",
    [
        pytest.param('<outline text="A" xmlurl="https://a.example/"/>', id="lower case"),
        pytest.param('<outline text="A" XMLURL="https://a.example/"/>', id="upper case"),
        pytest.param('<outline text="A" xml_url="https://a.example/"/>', id="underscore"),
        pytest.param('<OUTLINE TEXT="A" xmlUrl="https://a.example/"/>', id="element"),
        pytest.param('<outline text="A" type="RSS" url="https://a.example/"/>', id="url and type"),
        pytest.param("<outline text='A' xmlUrl='https://a.example/'/>", id="single quotes"),
        pytest.param('<outline\ttext="A"  xmlUrl="\thttps://a.example/ "\t/>', id="spaces"),
        pytest.param('<outline title="A" text="" xmlUrl="https://a.example/"/>', id="title alone"),
        pytest.param('<outline title="Z" text="A" xmlUrl="https://a.example/"/>', id="text wins"),
        pytest.param('<outline text="A" xmlUrl="HTTPS://A.Example:443#x"/>', id="spelt otherwise"),
        pytest.param('<outline text="A" xmlUrl="feed:https://a.example/"/>', id="feed: before"),
        pytest.param('<outline text="A" xmlUrl="feed://https://a.example/"/>', id="feed:// before"),
        pytest.param(
            '<outline text="A" xmlUrl="https://a.example/" x:xmlUrl="https://x.example/"/>',
            id="the first of two",
        ),
        pytest.param('<x><outline text="A" xmlUrl="https://a.example/"/></x>', id="wrapped"),
        pytest.param('<o:outline text="A" xmlUrl="https://a.example/"/>', id="undeclared prefix"),
        pytest.param('<outline text="A" frss:x="1" xmlUrl="https://a.example/"/>', id="attribute"),
        pytest.param(
            '<outline xmlns="urn:x" text="A" xmlUrl="https://a.example/"/>', id="namespace"
        ),
        pytest.param('<outline text=" A \x07 " xmlUrl="https://a.example/"/>', id="control"),
        pytest.param('<outline text="&#7;A&#x1F;" xmlUrl="https://a.example/"/>', id="as number"),
    ],
)
def test_there_are_many_ways_to_write_one_feed(outline: str) -> None:
    assert only(outline) == ListedFeed(url="https://a.example/", title="A", line=2)


def test_a_feed_scheme_alone_means_http() -> None:
    assert only('<outline xmlUrl="feed://a.example/rss"/>').url == "http://a.example/rss"


@pytest.mark.parametrize(
    ("written", "title"),
    [
        pytest.param("Salt &amp; bread", "Salt & bread", id="as it should be"),
        pytest.param("Salt & bread", "Salt & bread", id="bare ampersand"),
        pytest.param("R&D", "R&D", id="bare ampersand before a letter"),
        pytest.param("R&copy=1", "R&copy=1", id="like an entity without its end"),
        pytest.param("Caf&eacute;&nbsp;&AMP;&hellip;", "Café &…", id="HTML's entities"),
        pytest.param("&unheard;of", "&unheard;of", id="an entity that nobody has"),
        pytest.param("it&#146;s &#x2014; here", "it\u2019s — here", id="numbers"),
        pytest.param("a&#xD800;b&#0;c&#xFFFF;", "a\ufffdb\ufffdc", id="numbers of no character"),
        pytest.param("&lt;b&gt; &quot;x&quot; &apos;y&apos;", "<b> \"x\" 'y'", id="XML's five"),
        pytest.param("Käse 🧀 日本", "Käse 🧀 日本", id="other scripts"),
        pytest.param("two\nlines", "two lines", id="a line break"),
        pytest.param("https://a.example/", "", id="its address in place of a name"),
        pytest.param("x" * 600, "x" * MAX_TITLE_CHARACTERS, id="far too long"),
    ],
)
def test_a_title_is_what_its_writer_meant(written: str, title: str) -> None:
    assert only(f'<outline text="{written}" xmlUrl="https://a.example/"/>').title == title


def test_an_address_with_bare_ampersands_is_taken_as_it_is_meant() -> None:
    url = "https://a.example/rss?a=1&copy=2&b=3"

    assert only(f'<outline xmlUrl="{url}"/>').url == url


FEED = '<opml><outline text="Café" xmlUrl="https://a.example/"/></opml>'


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(FEED.encode(), id="UTF-8"),
        pytest.param(FEED.encode("utf-8-sig"), id="UTF-8 with a mark"),
        pytest.param(FEED.encode("utf-16"), id="UTF-16"),
        pytest.param(FEED.encode("utf-16-be"), id="UTF-16 without a mark"),
        pytest.param(
            b'<?xml version="1.0" encoding="ISO-8859-1"?>' + FEED.encode("latin-1"), id="Latin-1"
        ),
        pytest.param(
            b'<?xml version="1.0" encoding="utf-8"?>' + FEED.encode("cp1252"), id="not UTF-8 at all"
        ),
        pytest.param(
            b'<?xml version="1.0" encoding="utf-16"?>' + FEED.encode(), id="not UTF-16 at all"
        ),
        pytest.param(
            b'<?xml version="1.0" encoding="x-unheard-of"?>' + FEED.encode(), id="unheard of"
        ),
    ],
)
def test_the_encoding_is_what_fits(body: bytes) -> None:
    assert read(body).feeds == (ListedFeed(url="https://a.example/", title="Café", line=1),)


def test_lines_are_counted_as_an_editor_does() -> None:
    outline = '<outline xmlUrl="https://a.example/"/>'

    for end in ("\n", "\r\n", "\r"):
        body = end.join(
            ["", '<?xml version="1.0"', '  encoding="UTF-8"?>', f"<opml>{outline}</opml>"]
        )
        assert read(body.encode()).feeds[0].line == 4


@pytest.mark.parametrize(
    ("outlines", "category"),
    [
        pytest.param(["{}"], (), id="none"),
        pytest.param(['<outline text="Tech">{}</outline>'], ("Tech",), id="one"),
        pytest.param(
            ['<outline text="Tech"><outline text="AI">{}</outline></outline>'],
            ("Tech", "AI"),
            id="nested",
        ),
        pytest.param(
            ['<outline text="Tech/AI">{}</outline>'], ("Tech/AI",), id="a slash in a name"
        ),
        pytest.param(['<outline title="Tech">{}</outline>'], ("Tech",), id="by its title alone"),
        pytest.param(
            ['<outline text="Tech"><outline>{}</outline></outline>'], ("Tech",), id="without a name"
        ),
        pytest.param(
            ['<outline text="Tech" type="folder">{}</outline>'], ("Tech",), id="of type folder"
        ),
        pytest.param(
            ['<outline text="B" xmlUrl="https://b.example/">{}</outline>'],
            ("B",),
            id="below a feed",
        ),
        pytest.param(
            [f'<outline text="{"x" * 300}">{{}}</outline>'],
            ("x" * MAX_CATEGORY_CHARACTERS,),
            id="with a name without end",
        ),
    ],
)
def test_a_feed_is_in_the_category_that_it_stands_in(
    outlines: list[str], category: tuple[str, ...]
) -> None:
    feeds = read(opml(*(each.format(A) for each in outlines))).feeds

    assert next(feed for feed in feeds if feed.title == "A").category == category


@pytest.mark.parametrize(
    ("attribute", "category"),
    [
        pytest.param("Tech", ("Tech",), id="a name"),
        pytest.param("/Tech/AI", ("Tech", "AI"), id="a path"),
        pytest.param("/Tech/AI,/Mills", ("Tech", "AI"), id="the first of several"),
        pytest.param(" / Tech // ", ("Tech",), id="carelessly written"),
        pytest.param("", (), id="empty"),
    ],
)
def test_a_category_may_be_an_attribute(attribute: str, category: tuple[str, ...]) -> None:
    outline = f'<outline xmlUrl="https://a.example/" category="{attribute}"/>'

    assert only(outline).category == category
    assert only('<outline text="Mills">', outline, "</outline>").category == ("Mills",)


def test_an_empty_folder_is_a_category_too() -> None:
    body = opml('<outline text="Tech"><outline text="AI"/></outline>', '<outline text="B"/>', A)

    assert read(body).categories == (("Tech",), ("Tech", "AI"), ("B",))


def test_the_same_address_counts_once_and_its_first_place_is_named() -> None:
    again = '<outline text="Again" xmlUrl="HTTPS://A.EXAMPLE:443/#top"/>'

    result = read(opml(A, B, '<outline text="Tech">', again, "</outline>"))

    assert [feed.title for feed in result.feeds] == ["A", "B"]
    assert result.rejected == (duplicate(5, 2, title="Again", url="HTTPS://A.EXAMPLE:443/#top"),)


DEEP = '<outline text="x">' * (MAX_DEPTH + 1)


@pytest.mark.parametrize(
    ("outlines", "outcome"),
    [
        pytest.param(
            ['<outline text="B" xmlUrl="nowhere"/>'],
            broken(
                2,
                Reason.URL_INVALID,
                "the address is not http(s)://host/…, without user or password",
                title="B",
                url="nowhere",
            ),
            id="no address",
        ),
        pytest.param(
            ['<outline text="B" xmlUrl="http://192.168.0.7/feed"/>'],
            broken(
                2,
                Reason.ADDRESS_FORBIDDEN,
                "192.168.0.7 port 80 is private or reserved",
                title="B",
                url="http://192.168.0.7/feed",
            ),
            id="a private address",
        ),
        pytest.param(
            [f'<outline text="B" xmlUrl="https://b.example/{"x" * 2_000}"/>'],
            broken(
                2,
                Reason.URL_INVALID,
                "the address is too long",
                title="B",
                url=f"https://b.example/{'x' * 1_982}",
            ),
            id="a long address",
        ),
        pytest.param(
            ['<outline text="B" type="rss" htmlUrl="https://b.example/"/>'],
            broken(2, Reason.NO_FEED_URL, title="B"),
            id="a feed without an address",
        ),
        pytest.param(
            ['<outline text="B" type="rss" xmlUrl="  "/>'],
            broken(2, Reason.NO_FEED_URL, title="B"),
            id="a feed with an empty address",
        ),
        pytest.param(
            ['<outline text="B" htmlUrl="https://b.example/"/>'],
            broken(2, Reason.NO_FEED_URL, title="B"),
            id="a page",
        ),
        pytest.param(
            ['<outline text="B" type="link" url="https://b.example/more.opml"/>'],
            broken(2, Reason.NO_FEED_URL, title="B"),
            id="another list",
        ),
        pytest.param(["<outline/>"], broken(2, Reason.NO_FEED_URL), id="nothing"),
        pytest.param(
            [f"{DEEP}{B}{'</outline>' * (MAX_DEPTH + 1)}"],
            broken(2, Reason.NESTED_TOO_DEEP, title="B", url="https://b.example/"),
            id="nested too deep",
        ),
        pytest.param(
            ['<outline text="The "Times"" xmlUrl="https://b.example/"/>'],
            broken(2, Reason.OUTLINE_UNREADABLE, "column 21: attributes construct error"),
            id="quotes within quotes",
        ),
        pytest.param(
            ["<outline text=B xmlUrl=https://b.example/ />"],
            broken(2, Reason.OUTLINE_UNREADABLE, "column 15: AttValue: \" or ' expected"),
            id="no quotes",
        ),
    ],
)
def test_what_is_no_feed_is_named_with_its_line_and_the_rest_is_taken(
    outlines: list[str], outcome: OutlineOutcome
) -> None:
    assert rejected(*outlines) == [outcome]
    assert "https://a.example/" in {feed.url for feed in read(opml(*outlines, A)).feeds}


def test_nothing_is_made_up_from_what_was_torn_apart() -> None:
    result = read(opml(A, '<outline text="The "Times"" xmlUrl="https://b.example/"/>'))

    assert (len(result.feeds), result.categories) == (1, ())


def test_a_file_that_was_cut_off_says_where() -> None:
    whole = opml(A, B, A.replace("a.", "c."))
    cut = whole[: whole.index(b"c.example")]

    result = read(cut)

    assert [feed.title for feed in result.feeds] == ["A", "B"]
    assert [(each.line, each.reason) for each in result.rejected] == [
        (4, Reason.OUTLINE_UNREADABLE)
    ]


def test_a_tag_that_was_never_closed_costs_no_feed() -> None:
    result = read(opml('<outline text="Tech">', A, B))

    assert [(feed.title, feed.category) for feed in result.feeds] == [
        ("A", ("Tech",)),
        ("B", ("Tech",)),
    ]
    assert [each.reason for each in result.rejected] == [Reason.OUTLINE_UNREADABLE]


def test_networks_that_are_allowed_are() -> None:
    body = opml('<outline xmlUrl="http://192.168.0.7:8000/feed"/>')

    result = read_list(body, [ip_network("192.168.0.0/24")])

    assert isinstance(result, ListRead)
    assert [feed.url for feed in result.feeds] == ["http://192.168.0.7:8000/feed"]


@pytest.mark.parametrize("body", ["<opml/>", '<opml version="2.0"><head/><body></body></opml>'])
def test_an_empty_list_is_a_list(body: str) -> None:
    assert read(body.encode()) == ListRead()


@pytest.mark.parametrize(
    ("body", "reason", "detail"),
    [
        pytest.param(b"", Reason.NOT_A_LIST, "it is empty", id="empty"),
        pytest.param(b" \n", Reason.NOT_A_LIST, "it is empty", id="blank"),
        pytest.param(b"\xff\xfe", Reason.NOT_A_LIST, "it is empty", id="a mark alone"),
        pytest.param(b'{"feeds": []}', Reason.NOT_A_LIST, "it is no XML", id="JSON"),
        pytest.param(b"PK\x03\x04\x14\x00", Reason.NOT_A_LIST, "it is no XML", id="an archive"),
        pytest.param(b"<?xml <?xml", Reason.NOT_A_LIST, "it is no XML", id="XML's beginning alone"),
        pytest.param(
            b"<?xml " * 1_700_000, Reason.NOT_A_LIST, "it is no XML", id="and nothing else"
        ),
        pytest.param(b"<!-- x -->", Reason.NOT_A_LIST, "it is no XML", id="a comment alone"),
        pytest.param(
            b"<!DOCTYPE html><html><body>Sign in",
            Reason.NOT_A_LIST,
            "its outermost element is <html> and not <opml>",
            id="a page",
        ),
        pytest.param(
            b'<rss version="2.0"><channel/></rss>',
            Reason.NOT_A_LIST,
            "its outermost element is <rss> and not <opml>",
            id="a feed",
        ),
        pytest.param(
            b"<" + b"x" * 900 + b"/>",
            Reason.NOT_A_LIST,
            f"its outermost element is <{'x' * 50}> and not <opml>",
            id="a name without end",
        ),
        pytest.param(b"<opml", Reason.NOT_A_LIST, "none of its 0 outlines names a feed", id="cut"),
        pytest.param(
            opml('<outline text="Buy milk"/>', '<outline text="Sleep"/>'),
            Reason.NOT_A_LIST,
            "none of its 2 outlines names a feed",
            id="somebody's notes",
        ),
        pytest.param(
            b'<!DOCTYPE opml [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]>' + opml(A),
            Reason.LIST_UNREADABLE,
            "it declares entities of its own",
            id="an entity bomb",
        ),
        pytest.param(
            b'<!DOCTYPE opml [<!ENTITY a SYSTEM "file:///etc/passwd">]>' + opml(A),
            Reason.LIST_UNREADABLE,
            "it declares entities of its own",
            id="an entity that is a file",
        ),
        pytest.param(
            opml(*['<outline text="x">'] * 300),
            Reason.LIST_UNREADABLE,
            "line 256: Excessive depth in document: 256, use XML_PARSE_HUGE option",
            id="a depth bomb",
        ),
        pytest.param(
            opml(A, *["<outline text=x/>"] * 300),
            Reason.LIST_UNREADABLE,
            "it is not well-formed in too many places, the first on line 3",
            id="more defects than are named",
        ),
        pytest.param(
            opml(A, *['<outline x:y="1"/>'] * 100, "<outline text=x/>", "<outline text=y/>"),
            Reason.LIST_UNREADABLE,
            "it is not well-formed in too many places, the first on line 103",
            id="more errors to the letter than are named, and then defects",
        ),
        pytest.param(
            opml(*['<outline xmlUrl="https://a.example/"/>'] * (MAX_OUTLINES + 1)),
            Reason.LIST_TOO_LARGE,
            "it has more than 20,000 outlines",
            id="an outline too many",
        ),
    ],
)
def test_a_file_that_is_no_list_is_refused_with_the_reason(
    body: bytes, reason: Reason, detail: str
) -> None:
    assert read_list(body) == ListRefused(reason=reason, detail=detail)


def test_a_document_type_that_nobody_loads_does_no_harm() -> None:
    body = b'<!DOCTYPE opml SYSTEM "http://a.example/opml.dtd">' + opml(A)

    assert len(read(body).feeds) == 1


FRAGMENTS = st.sampled_from([
    "<opml>", "</opml>", "<body>", "<outline", "</outline>", "/>", ">", "<", "&", "&amp;", "&#x0;",
    "&#xd800;", "&nbsp;", '"', "'", "=", " ", "\n", "text", "xmlUrl", "https://a.example/", "feed:",
    "category", "/", ",", "type", "rss", "url", "<!--", "-->", "<![CDATA[", "]]>", "<?xml ", "?>",
    "<!DOCTYPE opml [", "]>", "xmlns", ":", "\x00", "\ufffe", "é", "🧀", "[", "http://[::1]/",
])  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(FRAGMENTS, max_size=40).map("".join))
@example('<outline text="&#xd800;" xmlUrl="&#xd800;"/>')
def test_no_file_breaks_the_reader(fragments: str) -> None:
    read_list(fragments.encode())
    read_list(f'<opml><outline xmlUrl="https://a.example/"/>{fragments}</opml>'.encode())
    read_list(fragments.encode("utf-16"))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_break_the_reader(body: bytes) -> None:
    read_list(body)
    read_list(b"<opml>" + body)
