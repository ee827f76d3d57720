from datetime import UTC, datetime

from hypothesis import example, given, settings
from hypothesis import strategies as st
from lxml import etree

from feedmill.models.lists import ListedFeed, one_line
from feedmill_gateway.lists.reading import ListRead, read_list
from feedmill_gateway.lists.writing import write_list

NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)

Path = tuple[str, ...]


def test_a_list_is_what_other_readers_expect() -> None:
    feeds = [
        ListedFeed(url="https://c.example/?a=1&b=2", title="C"),
        ListedFeed(
            url="https://a.example/",
            title="Salt & <bread>",
            category=("Tech", "AI"),
            site_url="https://a.example/about",
        ),
        ListedFeed(url="https://b.example/", category=("Tech",)),
    ]

    assert write_list(feeds, [("mills",), ("Tech",)], now=NOON) == (
        """\
<?xml version="1.0" encoding="UTF-8"?>
<opml version="2.0">
  <head>
    <title>Feeds</title>
    <dateCreated>Sat, 31 Jan 2026 12:00:00 GMT</dateCreated>
  </head>
  <body>
    <outline text="mills" title="mills">
    </outline>
    <outline text="Tech" title="Tech">
      <outline text="AI" title="AI">
        <outline type="rss" text="Salt &amp; &lt;bread&gt;" title="Salt &amp; &lt;bread&gt;" xmlUrl="https://a.example/" htmlUrl="https://a.example/about"/>
      </outline>
      <outline type="rss" text="https://b.example/" title="https://b.example/" xmlUrl="https://b.example/"/>
    </outline>
    <outline type="rss" text="C" title="C" xmlUrl="https://c.example/?a=1&amp;b=2"/>
  </body>
</opml>
"""
    )


def test_a_list_of_nothing_is_a_list() -> None:
    assert read_list(write_list([], [], now=NOON).encode()) == ListRead()


def test_what_turns_letters_around_is_written_as_numbers() -> None:
    feed = ListedFeed(url="https://a.example/", title="\u202egnp.exe \u200bfamily: 👨\u200d👩")

    written = write_list([feed], [], now=NOON)

    assert "&#8238;gnp.exe &#8203;family: 👨&#8205;👩" in written
    assert read(written) == ([feed], set())


# What makes trouble: markup, quotes, slashes, other scripts, invisible marks, and nothing at all.
NAMES = st.text(
    st.sampled_from("ab &<>\"'/;#]-\t\n\x00\x1b\x85é日🧀\u200d\u202e\ufffe"), max_size=12
) | st.sampled_from(["&amp;", "]]>", "<!--", "Tech", "tech", "&#0;", "null", "x" * 600])
PATHS = st.lists(NAMES.map(one_line).map(lambda name: name[:200].strip()).filter(bool), max_size=4)
FEEDS = st.tuples(NAMES, PATHS, st.sampled_from(["", "?a=1&b=2", "?q='<\"", "%20;#"]))


def read(written: str) -> tuple[list[ListedFeed], set[Path]]:
    result = read_list(written.encode())
    assert isinstance(result, ListRead)
    assert result.rejected == ()
    feeds = [feed.model_copy(update={"line": 0}) for feed in result.feeds]
    return feeds, set(result.categories)


@settings(max_examples=300, deadline=None)
@given(st.lists(FEEDS, min_size=1, max_size=20), st.lists(PATHS, max_size=5))
@example([("", [], "")], [["a", "b"]])
def test_what_is_written_is_read_again(
    feeds: list[tuple[str, list[str], str]], empty: list[list[str]]
) -> None:
    given_feeds = [
        ListedFeed(
            url=f"https://a.example/{number}{query.partition('#')[0]}",
            title=one_line(title)[:500].strip(),
            category=tuple(path),
        )
        for number, (title, path, query) in enumerate(feeds)
    ]
    categories = {tuple(path) for path in empty if path}

    written = write_list(given_feeds, categories, now=NOON)
    again, found = read(written)

    assert sorted(again, key=lambda feed: feed.url) == sorted(
        given_feeds, key=lambda feed: feed.url
    )
    wanted = categories | {feed.category for feed in given_feeds}
    assert found == {path[:depth] for path in wanted for depth in range(1, len(path) + 1)}
    # And it is XML to the letter, for readers that are less patient.
    etree.fromstring(written.encode())
