"""A case for each rule; the last test sees to it that none is forgotten."""

from collections.abc import Iterator
from itertools import chain

import pytest

from feedmill.web.addresses import check_url
from feedmill_ingestion import discovery_hosts
from feedmill_ingestion.discovery_hosts import known_feeds
from feedmill_ingestion.discovery_rules import RULES, Rule

UC = "UC" + 22 * "a"
VIDEOS = "https://www.youtube.com/feeds/videos.xml"
REDDIT = "https://www.reddit.com"
PINBOARD = "https://feeds.pinboard.in/rss"
FLICKR = "https://www.flickr.com/services/feeds"
DEVIANTART = (
    "https://backend.deviantart.com/rss.xml?type=deviation&q=by%3Aann+sort%3Atime+meta%3Aall"
)
GITHUB = [f"https://github.com/ann/cats/{name}.atom" for name in ("releases", "commits", "tags")]
CODEBERG = [
    "https://codeberg.org/ann/cats/releases.atom",
    "https://codeberg.org/ann/cats/tags.atom",
    "https://codeberg.org/ann/cats.atom",
]


def gitlab(project: str, host: str = "gitlab.com") -> list[str]:
    return [
        f"https://{host}/{project}/-/releases.atom",
        f"https://{host}/{project}/-/tags?format=atom",
        f"https://{host}/{project}.atom",
    ]


# fmt: off
CASES = [
    (f"https://www.youtube.com/channel/{UC}", [f"{VIDEOS}?channel_id={UC}"]),
    (f"https://m.youtube.com/channel/{UC}/videos?view=0", [f"{VIDEOS}?channel_id={UC}"]),
    ("https://youtube.com/user/ann/", [f"{VIDEOS}?user=ann"]),
    ("https://www.youtube.com/playlist?list=PLx-_1&si=abc", [f"{VIDEOS}?playlist_id=PLx-_1"]),
    ("https://vimeo.com/channels/staffpicks", ["https://vimeo.com/channels/staffpicks/videos/rss"]),
    ("https://vimeo.com/groups/cats/videos", ["https://vimeo.com/groups/cats/videos/rss"]),
    ("https://vimeo.com/ann", ["https://vimeo.com/ann/videos/rss"]),
    ("https://vimeo.com/ann/videos", ["https://vimeo.com/ann/videos/rss"]),
    ("https://odysee.com/@ann:a1?view=home", ["https://odysee.com/$/rss/@ann:a1"]),
    ("https://framatube.org/c/cats/videos", ["https://framatube.org/feeds/videos.xml?videoChannelName=cats"]),
    ("https://tilvids.com/a/ann", ["https://tilvids.com/feeds/videos.xml?accountName=ann"]),
    ("https://ann.podbean.com/e/one", ["https://feed.podbean.com/ann/feed.xml"]),
    ("https://ann.libsyn.com/", ["https://ann.libsyn.com/rss"]),
    ("https://www.buzzsprout.com/12/34-one", ["https://feeds.buzzsprout.com/12.rss"]),

    ("https://www.reddit.com/", [f"{REDDIT}/.rss"]),
    ("https://old.reddit.com/r/cats", [f"{REDDIT}/r/cats/.rss"]),
    ("https://www.reddit.com/r/cats+dogs/top/?t=week", [f"{REDDIT}/r/cats+dogs/.rss"]),
    ("https://www.reddit.com/r/rss/", [f"{REDDIT}/r/rss/.rss"]),
    ("https://www.reddit.com/r/cats/comments/1ab/a_cat/", [f"{REDDIT}/r/cats/.rss", f"{REDDIT}/r/cats/comments/1ab/.rss"]),
    ("https://www.reddit.com/user/ann/m/pets/", [f"{REDDIT}/user/ann/m/pets/.rss"]),
    ("https://www.reddit.com/user/ann/", [f"{REDDIT}/user/ann/.rss"]),
    ("https://new.reddit.com/u/ann", [f"{REDDIT}/user/ann/.rss"]),
    ("https://www.reddit.com/domain/example.org/", [f"{REDDIT}/domain/example.org/.rss"]),
    ("https://news.ycombinator.com/", ["https://news.ycombinator.com/rss"]),
    ("https://news.ycombinator.com/news?p=2", ["https://news.ycombinator.com/rss"]),
    ("https://lobste.rs/", ["https://lobste.rs/rss"]),
    ("https://lobste.rs/newest", ["https://lobste.rs/newest.rss"]),
    ("https://lobste.rs/t/python,web", ["https://lobste.rs/t/python,web.rss"]),
    ("https://lemmy.world/c/cats", ["https://lemmy.world/feeds/c/cats.xml?sort=New"]),
    ("https://feddit.org/u/ann", ["https://feddit.org/feeds/u/ann.xml?sort=New"]),
    ("https://mastodon.social/@ann", ["https://mastodon.social/@ann.rss"]),
    ("https://chaos.social/@ann/123456", ["https://chaos.social/@ann.rss"]),
    ("https://fosstodon.org/tags/cats", ["https://fosstodon.org/tags/cats.rss"]),
    ("https://bsky.app/profile/ann.example.org", ["https://bsky.app/profile/ann.example.org/rss"]),
    ("https://bsky.app/profile/did:plc:abc/post/1", ["https://bsky.app/profile/did:plc:abc/rss"]),
    ("https://stackoverflow.com/", ["https://stackoverflow.com/feeds"]),
    ("https://cooking.stackexchange.com/questions", ["https://cooking.stackexchange.com/feeds"]),
    ("https://stackoverflow.com/questions/tagged/c%2b%2b", ["https://stackoverflow.com/feeds/tag/c%2b%2b"]),
    ("https://superuser.com/questions/7/why-a-cat", ["https://superuser.com/feeds/question/7"]),
    ("https://pt.stackoverflow.com/users/7/ann", ["https://pt.stackoverflow.com/feeds/user/7"]),
    ("https://pinboard.in/popular/", [f"{PINBOARD}/popular/"]),
    ("https://pinboard.in/u:ann", [f"{PINBOARD}/u:ann/"]),
    ("https://pinboard.in/u:ann/t:cats/", [f"{PINBOARD}/u:ann/t:cats/"]),
    ("https://pinboard.in/t:cats", [f"{PINBOARD}/t:cats/"]),
    ("https://letterboxd.com/ann/films/", ["https://letterboxd.com/ann/rss/"]),
    ("https://steamcommunity.com/groups/cats#members", ["https://steamcommunity.com/groups/cats/rss/"]),

    ("https://medium.com/@ann/a-post-123", ["https://medium.com/feed/@ann"]),
    ("https://medium.com/tag/cats/latest", ["https://medium.com/feed/tag/cats"]),
    ("https://medium.com/the-cats/a-post-123", ["https://medium.com/feed/the-cats"]),
    ("https://ann.medium.com/a-post-123", ["https://ann.medium.com/feed"]),
    ("https://open.substack.com/pub/ann/p/cats?r=1", ["https://ann.substack.com/feed"]),
    ("https://ann.substack.com/p/cats", ["https://ann.substack.com/feed"]),
    ("https://buttondown.com/ann/archive/", ["https://buttondown.com/ann/rss"]),
    ("https://ann.wordpress.com/category/cats/", ["https://ann.wordpress.com/category/cats/feed/", "https://ann.wordpress.com/feed/"]),
    ("https://ann.wordpress.com/tag/cats/", ["https://ann.wordpress.com/tag/cats/feed/", "https://ann.wordpress.com/feed/"]),
    ("https://ann.wordpress.com/2026/01/a-post/", ["https://ann.wordpress.com/feed/"]),
    ("https://ann.tumblr.com/tagged/cats", ["https://ann.tumblr.com/tagged/cats/rss", "https://ann.tumblr.com/rss"]),
    ("https://ann.tumblr.com/post/1/a-post", ["https://ann.tumblr.com/rss"]),
    ("https://www.tumblr.com/ann/1/a-post", ["https://ann.tumblr.com/rss"]),
    ("https://ann.blogspot.com/search/label/cats", ["https://ann.blogspot.com/feeds/posts/default/-/cats", "https://ann.blogspot.com/feeds/posts/default"]),
    ("https://ann.blogspot.com/2026/01/a-post.html", ["https://ann.blogspot.com/feeds/posts/default"]),
    ("https://ann.livejournal.com/1.html", ["https://ann.livejournal.com/data/rss"]),
    ("https://ann.dreamwidth.org/", ["https://ann.dreamwidth.org/data/atom"]),
    ("https://ann.bearblog.dev/a-post/", ["https://ann.bearblog.dev/feed/"]),
    ("https://ann.hashnode.dev/a-post", ["https://ann.hashnode.dev/rss.xml"]),
    ("https://ann.ghost.io/a-post/", ["https://ann.ghost.io/rss/"]),
    ("https://ann.micro.blog/about/", ["https://ann.micro.blog/feed.xml"]),
    ("https://write.as/ann/a-post", ["https://write.as/ann/feed/"]),
    ("https://dev.to/t/cats/latest", ["https://dev.to/feed/tag/cats"]),
    ("https://dev.to/ann/a-post-1a", ["https://dev.to/feed/ann"]),
    ("https://www.royalroad.com/fiction/7/the-cat/chapter/1/a", ["https://www.royalroad.com/fiction/syndication/7"]),

    ("https://github.com/ann", ["https://github.com/ann.atom"]),
    ("https://github.com/ann/cats", GITHUB),
    ("https://www.github.com/ann/cats/releases/", GITHUB),
    ("https://github.com/ann/cats/blob/main/README.md", GITHUB),
    ("https://github.com/ann/cats/tree/dev", ["https://github.com/ann/cats/commits/dev.atom", *GITHUB]),
    ("https://github.com/ann/cats/commits/dev", ["https://github.com/ann/cats/commits/dev.atom", *GITHUB]),
    ("https://github.com/ann/cats/discussions/7", ["https://github.com/ann/cats/discussions.atom", *GITHUB]),
    ("https://github.com/ann/cats/wiki", ["https://github.com/ann/cats/wiki.atom", *GITHUB]),
    ("https://gist.github.com/ann", ["https://gist.github.com/ann.atom"]),
    ("https://gitlab.com/ann", ["https://gitlab.com/ann.atom"]),
    ("https://gitlab.com/ann/cats", gitlab("ann/cats")),
    ("https://gitlab.gnome.org/World/apps/cats/-/issues", gitlab("World/apps/cats", "gitlab.gnome.org")),
    ("https://gitlab.com/ann/cats/-/commits/dev", ["https://gitlab.com/ann/cats/-/commits/dev?format=atom", *gitlab("ann/cats")]),
    ("https://codeberg.org/ann", ["https://codeberg.org/ann.atom"]),
    ("https://codeberg.org/ann/cats/issues", CODEBERG),
    ("https://codeberg.org/ann/cats/src/branch/dev/a.py", ["https://codeberg.org/ann/cats/atom/branch/dev", *CODEBERG]),
    ("https://git.sr.ht/~ann/cats/tree", ["https://git.sr.ht/~ann/cats/refs/rss.xml", "https://git.sr.ht/~ann/cats/log/rss.xml"]),
    ("https://sourceforge.net/projects/cats/files/", ["https://sourceforge.net/projects/cats/rss?path=/"]),
    ("https://pypi.org/project/cats/#history", ["https://pypi.org/rss/project/cats/releases.xml"]),
    ("https://crates.io/crates/cats/versions", ["https://static.crates.io/rss/crates/cats.xml"]),
    ("https://rubygems.org/gems/cats", ["https://rubygems.org/gems/cats/versions.atom"]),
    ("https://packagist.org/packages/ann/cats", ["https://packagist.org/feeds/package.ann/cats.rss"]),

    ("https://www.flickr.com/photos/tags/cats", [f"{FLICKR}/photos_public.gne?tags=cats&format=atom"]),
    ("https://www.flickr.com/photos/12345@N01/albums", [f"{FLICKR}/photos_public.gne?id=12345%40N01&format=atom"]),
    ("https://www.flickr.com/groups/12345@N01/", [f"{FLICKR}/groups_pool.gne?id=12345%40N01&format=atom"]),
    ("https://www.pinterest.com/ann/", ["https://www.pinterest.com/ann/feed.rss"]),
    ("https://www.deviantart.com/ann", [DEVIANTART]),
    ("https://www.deviantart.com/ann/gallery/all", [DEVIANTART]),
    ("https://store.steampowered.com/app/70/Cats/", ["https://store.steampowered.com/feeds/news/app/70/"]),
    ("https://store.steampowered.com/news/app/70", ["https://store.steampowered.com/feeds/news/app/70/"]),
    ("https://steamcommunity.com/app/70/discussions/", ["https://store.steampowered.com/feeds/news/app/70/"]),
    ("https://ann.itch.io/cats/devlog/1/a-post", ["https://ann.itch.io/cats/devlog.rss"]),

    ("https://arxiv.org/list/cs.AI/recent", ["https://rss.arxiv.org/atom/cs.AI"]),
    ("https://de.wikipedia.org/wiki/Special:RecentChanges", ["https://de.wikipedia.org/w/index.php?title=Special:RecentChanges&feed=atom"]),
    ("https://en.wikipedia.org/wiki/AC/DC_%26_cats", ["https://en.wikipedia.org/w/index.php?title=AC%2FDC_%26_cats&action=history&feed=atom"]),
    ("https://www.openstreetmap.org/user/ann/diary/7", ["https://www.openstreetmap.org/user/ann/diary/rss"]),
    ("https://news.google.com/topics/CAAq/sections/x?hl=en", ["https://news.google.com/rss/topics/CAAq"]),
    ("https://news.google.com/search?q=cats+%26%20dogs&hl=en", ["https://news.google.com/rss/search?q=cats%20%26%20dogs"]),
    ("https://news.google.com/search?q=%2541", ["https://news.google.com/rss/search?q=%2541"]),
]
# fmt: on


@pytest.mark.parametrize(("url", "feeds"), CASES, ids=[url for url, _ in CASES])
def test_pages_of_common_hosts_have_known_feeds(url: str, feeds: list[str]) -> None:
    assert [link.url for link in known_feeds(check_url(url))] == feeds


@pytest.mark.parametrize(
    "url",
    [
        pytest.param("https://example.org/feed", id="any other host"),
        pytest.param("https://notgithub.com/ann/cats", id="a host that ends alike"),
        pytest.param("https://github.com.example.org/ann/cats", id="a host that begins alike"),
        pytest.param("https://github.com/", id="a front page"),
        pytest.param("https://github.com/features", id="a host's own page"),
        pytest.param("https://github.com/topics/cats", id="a host's own folder"),
        pytest.param("https://GITHUB.com/Topics/cats", id="however it is spelt"),
        pytest.param("https://www.youtube.com/@ann", id="a handle"),
        pytest.param("https://www.youtube.com/watch?v=abc&list=PLx", id="a video"),
        pytest.param("https://www.youtube.com/playlist", id="a list without a name"),
        pytest.param("https://www.youtube.com/channel/ann", id="no channel's id"),
        pytest.param("https://vimeo.com/12345", id="a video by its number"),
        pytest.param("https://mastodon.social/@ann@example.org", id="somebody from elsewhere"),
        pytest.param("https://lemmy.world/c/cats@lemmy.ml", id="a community from elsewhere"),
        pytest.param("https://www.flickr.com/photos/ann", id="a name instead of a number"),
        pytest.param("https://www.substack.com/browse", id="no newsletter"),
        pytest.param("https://support.wordpress.com/", id="no blog"),
        pytest.param("https://en.wikipedia.org/wiki/Special:Random", id="a special page"),
        pytest.param("https://ann.wordpress.com/comments/feed/", id="another feed"),
        pytest.param("https://ann.blogspot.com/feeds/posts/default?alt=rss", id="another format"),
        pytest.param(f"https://github.com/ann/{3_000 * 'a'}", id="a page in an address"),
        pytest.param("https://ann.medium.com.evil.example/x", id="a host beyond the host"),
        pytest.param("https://93.184.215.14/ann/cats", id="an address"),
        pytest.param("https://gitlab.com/explore/projects", id="a folder of a group's host"),
    ],
)
def test_other_pages_have_to_be_looked_at(url: str) -> None:
    assert known_feeds(check_url(url)) == ()


@pytest.mark.parametrize("url", sorted(set(chain.from_iterable(feeds for _, feeds in CASES))))
def test_a_feed_is_meant_itself(url: str) -> None:
    assert known_feeds(url) == ()
    assert check_url(url) == url


@pytest.mark.parametrize(
    "url",
    [
        "https://www.youtube.com/playlist?list=a%26user%3Db%23c",
        "https://www.youtube.com/user/a&channel_id=b",
        "https://www.flickr.com/photos/tags/a%26format=rss",
        "https://en.wikipedia.org/wiki/a%26b=c?d=e",
    ],
)
def test_a_name_cannot_become_a_parameter(url: str) -> None:
    (link,) = known_feeds(check_url(url))

    assert link.url.count("&") == {"youtube": 0, "flickr": 1, "wikipedia": 2}[url.split(".")[1]]


@pytest.fixture
def _afresh() -> Iterator[None]:
    yield
    discovery_hosts._pages.cache_clear()


@pytest.mark.usefixtures("_afresh")
@pytest.mark.parametrize("rule", RULES, ids=[f"{rule.page} {rule.title}" for rule in RULES])
def test_no_rule_can_go_unnoticed(rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery_hosts, "RULES", [each for each in RULES if each != rule])
    discovery_hosts._pages.cache_clear()

    assert any([link.url for link in known_feeds(check_url(url))] != feeds for url, feeds in CASES)
