"""Where common hosts keep the feeds of their pages. Data; `discovery_hosts` reads it.

Only what needs no key and no look at the page: channels known by a handle (YouTube's `@name`, Twitch,
SoundCloud) are not here, nor hosts that have no feeds any more (Dailymotion, Instagram, Twitter).
"""

from collections.abc import Mapping
from typing import NamedTuple


class Rule(NamedTuple):
    """One feed of one kind of page.

    Attributes
    ----------
    page
        Host and path. `{name}` is one part of the path, or what `KINDS` says; `*.` before a host is one
        name, which is `{site}`; `<group>` is any host of that group; `/**` is anything below.
    feed
        Its address, with the same names, and the page's own `{host}`.
    title
        Which of the page's feeds it is.
    """

    page: str
    feed: str
    title: str


# What a part of a path must look like to be what it is called.
KINDS: Mapping[str, str] = {
    "account": r"[\w.-]+",
    "channel_id": r"UC[\w-]{10,40}",
    "number": r"[0-9]+",
    "nsid": r"[0-9]+@N[0-9]{2}",
    # Groups are nested; a part that is only a hyphen ends their names.
    "project": r"[^/]+(?:/(?!-/)[^/]+){1,6}",
    "title": r"(?!Special:).+",
    "video_user": r"(?![0-9]+/?$)[^/]+",
}

GROUPS: Mapping[str, tuple[str, ...]] = {
    "forgejo": ("codeberg.org", "code.forgejo.org", "gitea.com", "git.gay"),
    "gitlab": (
        "gitlab.com", "framagit.org", "gitlab.freedesktop.org", "gitlab.gnome.org",
        "invent.kde.org", "salsa.debian.org",
    ),
    "lemmy": (
        "aussie.zone", "beehaw.org", "discuss.tchncs.de", "feddit.org", "feddit.uk", "lemmy.ca",
        "lemmy.dbzer0.com", "lemmy.ml", "lemmy.world", "lemmy.zip", "programming.dev",
        "sh.itjust.works", "slrpnk.net", "sopuli.xyz",
    ),
    "mastodon": (
        "aus.social", "c.im", "chaos.social", "fosstodon.org", "hachyderm.io", "infosec.exchange",
        "mas.to", "mastodon.art", "mastodon.gamedev.place", "mastodon.nl", "mastodon.online",
        "mastodon.social", "mastodon.world", "mathstodon.xyz", "mstdn.jp", "mstdn.social",
        "norden.social", "piaille.fr", "scholar.social", "social.vivaldi.net", "techhub.social",
        "toot.community", "troet.cafe", "universeodon.com",
    ),
    "peertube": (
        "diode.zone", "framatube.org", "makertube.net", "peertube.tv", "spectra.video",
        "tilvids.com", "tube.tchncs.de", "video.blender.org",
    ),
    "stackexchange": (
        "askubuntu.com", "mathoverflow.net", "serverfault.com", "stackapps.com",
        "stackoverflow.com", "superuser.com", "*.stackexchange.com", "*.stackoverflow.com",
    ),
}  # fmt: skip

# First parts of paths that are a host's own, where its users' names would be.
RESERVED: Mapping[str, frozenset[str]] = {
    "buttondown.com": frozenset({
        "about", "blog", "changelog", "features", "login", "pricing", "register",
    }),
    "dev.to": frozenset({
        "about", "challenges", "contact", "enter", "feed", "latest", "new", "pod", "search",
        "settings", "t", "tags", "top", "videos",
    }),
    "deviantart.com": frozenset({
        "about", "daily-deviations", "join", "popular", "search", "shop", "tag", "topic", "users",
    }),
    "forgejo": frozenset({"admin", "api", "assets", "explore", "user"}),
    "gist.github.com": frozenset({"discover", "forked", "login", "search", "starred"}),
    "github.com": frozenset({
        "about", "account", "apps", "codespaces", "collections", "contact", "customer-stories",
        "dashboard", "enterprise", "events", "explore", "features", "issues", "join", "login",
        "marketplace", "new", "notifications", "orgs", "pricing", "pulls", "readme", "resources",
        "search", "security", "sessions", "settings", "site", "solutions", "sponsors", "stars",
        "team", "topics", "trending", "users", "watching",
    }),
    "gitlab": frozenset({"-", "admin", "api", "dashboard", "explore", "groups", "help", "users"}),
    "letterboxd.com": frozenset({
        "about", "actor", "apps", "contact", "crew", "director", "film", "films", "journal",
        "lists", "members", "pro", "reviewers", "search", "settings", "sign-in", "tag", "writer",
    }),
    "medium.com": frozenset({
        "about", "creators", "feed", "jobs-at-medium", "m", "me", "membership", "new-story", "p",
        "plans", "search", "tag", "topic", "topics",
    }),
    "pinterest.com": frozenset({
        "about", "business", "explore", "ideas", "login", "pin", "search", "settings", "today",
        "topics",
    }),
    "tumblr.com": frozenset({
        "about", "blog", "communities", "dashboard", "explore", "likes", "login", "new", "policy",
        "register", "search", "settings", "support", "tagged", "tips",
    }),
    "vimeo.com": frozenset({
        "about", "blog", "business", "categories", "channels", "create", "enterprise", "explore",
        "features", "groups", "help", "join", "log_in", "manage", "ondemand", "ott", "pricing",
        "search", "settings", "showcase", "solutions", "stock", "upgrade", "upload", "watch",
    }),
    "write.as": frozenset({"about", "blog", "login", "new", "pricing", "read", "signup"}),
}  # fmt: skip

_YOUTUBE = "https://www.youtube.com/feeds/videos.xml"
_REDDIT = "https://www.reddit.com"
_PINBOARD = "https://feeds.pinboard.in/rss"
_FLICKR = "https://www.flickr.com/services/feeds"
_DEVIANTART = "https://backend.deviantart.com/rss.xml?type=deviation&q="
_STEAM = "https://store.steampowered.com/feeds/news/app/{number}/"

# Of several rules that fit a page, the first is about its main feed.
# fmt: off
RULES = (
    # Videos and sound.
    Rule("youtube.com/channel/{channel_id}/**", f"{_YOUTUBE}?channel_id={{channel_id}}", "Videos"),
    Rule("youtube.com/user/{user}/**", f"{_YOUTUBE}?user={{user}}", "Videos"),
    Rule("youtube.com/playlist?list={list}", f"{_YOUTUBE}?playlist_id={{list}}", "Playlist"),
    Rule("vimeo.com/channels/{channel}/**", "https://vimeo.com/channels/{channel}/videos/rss", "Videos"),
    Rule("vimeo.com/groups/{group}/**", "https://vimeo.com/groups/{group}/videos/rss", "Videos"),
    Rule("vimeo.com/{video_user}", "https://vimeo.com/{video_user}/videos/rss", "Videos"),
    Rule("vimeo.com/{video_user}/videos", "https://vimeo.com/{video_user}/videos/rss", "Videos"),
    Rule("odysee.com/@{channel}/**", "https://odysee.com/$/rss/@{channel}", "Videos"),
    Rule("<peertube>/c/{account}/**", "https://{host}/feeds/videos.xml?videoChannelName={account}", "Videos"),
    Rule("<peertube>/a/{account}/**", "https://{host}/feeds/videos.xml?accountName={account}", "Videos"),
    Rule("*.podbean.com/**", "https://feed.podbean.com/{site}/feed.xml", "Podcast"),
    Rule("*.libsyn.com/**", "https://{site}.libsyn.com/rss", "Podcast"),
    Rule("buzzsprout.com/{number}/**", "https://feeds.buzzsprout.com/{number}.rss", "Podcast"),

    # Talk.
    Rule("reddit.com/", f"{_REDDIT}/.rss", "Front page"),
    Rule("reddit.com/r/{subreddit}/**", f"{_REDDIT}/r/{{subreddit}}/.rss", "Posts"),
    Rule("reddit.com/r/{subreddit}/comments/{post}/**", f"{_REDDIT}/r/{{subreddit}}/comments/{{post}}/.rss", "Comments on this post"),
    Rule("reddit.com/user/{user}/m/{multireddit}/**", f"{_REDDIT}/user/{{user}}/m/{{multireddit}}/.rss", "Posts"),
    Rule("reddit.com/user/{user}", f"{_REDDIT}/user/{{user}}/.rss", "Posts and comments"),
    Rule("reddit.com/u/{user}", f"{_REDDIT}/user/{{user}}/.rss", "Posts and comments"),
    Rule("reddit.com/domain/{domain}/**", f"{_REDDIT}/domain/{{domain}}/.rss", "Posts"),
    Rule("news.ycombinator.com/", "https://news.ycombinator.com/rss", "Front page"),
    Rule("news.ycombinator.com/news", "https://news.ycombinator.com/rss", "Front page"),
    Rule("lobste.rs/", "https://lobste.rs/rss", "Front page"),
    Rule("lobste.rs/newest", "https://lobste.rs/newest.rss", "Newest"),
    Rule("lobste.rs/t/{tags}", "https://lobste.rs/t/{tags}.rss", "Stories"),
    Rule("<lemmy>/c/{account}", "https://{host}/feeds/c/{account}.xml?sort=New", "Posts"),
    Rule("<lemmy>/u/{account}", "https://{host}/feeds/u/{account}.xml?sort=New", "Posts"),
    Rule("<mastodon>/@{account}/**", "https://{host}/@{account}.rss", "Posts"),
    Rule("<mastodon>/tags/{tag}", "https://{host}/tags/{tag}.rss", "Posts"),
    Rule("bsky.app/profile/{profile}/**", "https://bsky.app/profile/{profile}/rss", "Posts"),
    Rule("<stackexchange>/", "https://{host}/feeds", "Questions"),
    Rule("<stackexchange>/questions", "https://{host}/feeds", "Questions"),
    Rule("<stackexchange>/questions/tagged/{tag}", "https://{host}/feeds/tag/{tag}", "Questions"),
    Rule("<stackexchange>/questions/{number}/**", "https://{host}/feeds/question/{number}", "Answers"),
    Rule("<stackexchange>/users/{number}/**", "https://{host}/feeds/user/{number}", "Questions and answers"),
    Rule("pinboard.in/popular", f"{_PINBOARD}/popular/", "Popular"),
    Rule("pinboard.in/u:{user}", f"{_PINBOARD}/u:{{user}}/", "Bookmarks"),
    Rule("pinboard.in/u:{user}/t:{tag}", f"{_PINBOARD}/u:{{user}}/t:{{tag}}/", "Bookmarks"),
    Rule("pinboard.in/t:{tag}", f"{_PINBOARD}/t:{{tag}}/", "Bookmarks"),
    Rule("letterboxd.com/{user}/**", "https://letterboxd.com/{user}/rss/", "Diary"),
    Rule("steamcommunity.com/groups/{group}/**", "https://steamcommunity.com/groups/{group}/rss/", "Announcements"),

    # Writing.
    Rule("medium.com/tag/{tag}/**", "https://medium.com/feed/tag/{tag}", "Stories"),
    Rule("medium.com/{publisher}/**", "https://medium.com/feed/{publisher}", "Stories"),
    Rule("*.medium.com/**", "https://{site}.medium.com/feed", "Stories"),
    Rule("open.substack.com/pub/{account}/**", "https://{account}.substack.com/feed", "Posts"),
    Rule("*.substack.com/**", "https://{site}.substack.com/feed", "Posts"),
    Rule("buttondown.com/{newsletter}/**", "https://buttondown.com/{newsletter}/rss", "Issues"),
    Rule("*.wordpress.com/category/{category}/**", "https://{site}.wordpress.com/category/{category}/feed/", "Category"),
    Rule("*.wordpress.com/tag/{tag}/**", "https://{site}.wordpress.com/tag/{tag}/feed/", "Tag"),
    Rule("*.wordpress.com/**", "https://{site}.wordpress.com/feed/", "Posts"),
    Rule("*.tumblr.com/tagged/{tag}/**", "https://{site}.tumblr.com/tagged/{tag}/rss", "Tag"),
    Rule("*.tumblr.com/**", "https://{site}.tumblr.com/rss", "Posts"),
    Rule("tumblr.com/{account}/**", "https://{account}.tumblr.com/rss", "Posts"),
    Rule("*.blogspot.com/search/label/{label}", "https://{site}.blogspot.com/feeds/posts/default/-/{label}", "Label"),
    Rule("*.blogspot.com/**", "https://{site}.blogspot.com/feeds/posts/default", "Posts"),
    Rule("*.livejournal.com/**", "https://{site}.livejournal.com/data/rss", "Posts"),
    Rule("*.dreamwidth.org/**", "https://{site}.dreamwidth.org/data/atom", "Posts"),
    Rule("*.bearblog.dev/**", "https://{site}.bearblog.dev/feed/", "Posts"),
    Rule("*.hashnode.dev/**", "https://{site}.hashnode.dev/rss.xml", "Posts"),
    Rule("*.ghost.io/**", "https://{site}.ghost.io/rss/", "Posts"),
    Rule("*.micro.blog/**", "https://{site}.micro.blog/feed.xml", "Posts"),
    Rule("write.as/{user}/**", "https://write.as/{user}/feed/", "Posts"),
    Rule("dev.to/t/{tag}/**", "https://dev.to/feed/tag/{tag}", "Tag"),
    Rule("dev.to/{user}/**", "https://dev.to/feed/{user}", "Posts"),
    Rule("royalroad.com/fiction/{number}/**", "https://www.royalroad.com/fiction/syndication/{number}", "Chapters"),

    # Code.
    Rule("github.com/{user}", "https://github.com/{user}.atom", "Activity"),
    Rule("github.com/{owner}/{name}/tree/{branch}", "https://github.com/{owner}/{name}/commits/{branch}.atom", "Commits of this branch"),
    Rule("github.com/{owner}/{name}/commits/{branch}", "https://github.com/{owner}/{name}/commits/{branch}.atom", "Commits of this branch"),
    Rule("github.com/{owner}/{name}/discussions/**", "https://github.com/{owner}/{name}/discussions.atom", "Discussions"),
    Rule("github.com/{owner}/{name}/wiki/**", "https://github.com/{owner}/{name}/wiki.atom", "Wiki"),
    Rule("github.com/{owner}/{name}/**", "https://github.com/{owner}/{name}/releases.atom", "Releases"),
    Rule("github.com/{owner}/{name}/**", "https://github.com/{owner}/{name}/commits.atom", "Commits"),
    Rule("github.com/{owner}/{name}/**", "https://github.com/{owner}/{name}/tags.atom", "Tags"),
    Rule("gist.github.com/{user}", "https://gist.github.com/{user}.atom", "Gists"),
    Rule("<gitlab>/{user}", "https://{host}/{user}.atom", "Activity"),
    Rule("<gitlab>/{project}/-/commits/{branch}", "https://{host}/{project}/-/commits/{branch}?format=atom", "Commits of this branch"),
    Rule("<gitlab>/{group}/{name}", "https://{host}/{group}/{name}/-/releases.atom", "Releases"),
    Rule("<gitlab>/{group}/{name}", "https://{host}/{group}/{name}/-/tags?format=atom", "Tags"),
    Rule("<gitlab>/{group}/{name}", "https://{host}/{group}/{name}.atom", "Activity"),
    Rule("<gitlab>/{project}/-/**", "https://{host}/{project}/-/releases.atom", "Releases"),
    Rule("<gitlab>/{project}/-/**", "https://{host}/{project}/-/tags?format=atom", "Tags"),
    Rule("<gitlab>/{project}/-/**", "https://{host}/{project}.atom", "Activity"),
    Rule("<forgejo>/{user}", "https://{host}/{user}.atom", "Activity"),
    Rule("<forgejo>/{owner}/{name}/src/branch/{branch}/**", "https://{host}/{owner}/{name}/atom/branch/{branch}", "Commits of this branch"),
    Rule("<forgejo>/{owner}/{name}/**", "https://{host}/{owner}/{name}/releases.atom", "Releases"),
    Rule("<forgejo>/{owner}/{name}/**", "https://{host}/{owner}/{name}/tags.atom", "Tags"),
    Rule("<forgejo>/{owner}/{name}/**", "https://{host}/{owner}/{name}.atom", "Activity"),
    Rule("git.sr.ht/~{user}/{name}/**", "https://git.sr.ht/~{user}/{name}/refs/rss.xml", "Tags"),
    Rule("git.sr.ht/~{user}/{name}/**", "https://git.sr.ht/~{user}/{name}/log/rss.xml", "Commits"),
    Rule("sourceforge.net/projects/{name}/**", "https://sourceforge.net/projects/{name}/rss?path=/", "Files"),
    Rule("pypi.org/project/{name}/**", "https://pypi.org/rss/project/{name}/releases.xml", "Releases"),
    Rule("crates.io/crates/{name}/**", "https://static.crates.io/rss/crates/{name}.xml", "Releases"),
    Rule("rubygems.org/gems/{name}/**", "https://rubygems.org/gems/{name}/versions.atom", "Releases"),
    Rule("packagist.org/packages/{vendor}/{name}", "https://packagist.org/feeds/package.{vendor}/{name}.rss", "Releases"),

    # Pictures and games.
    Rule("flickr.com/photos/tags/{tag}/**", f"{_FLICKR}/photos_public.gne?tags={{tag}}&format=atom", "Photos"),
    Rule("flickr.com/photos/{nsid}/**", f"{_FLICKR}/photos_public.gne?id={{nsid}}&format=atom", "Photos"),
    Rule("flickr.com/groups/{nsid}/**", f"{_FLICKR}/groups_pool.gne?id={{nsid}}&format=atom", "Photos"),
    Rule("pinterest.com/{user}", "https://www.pinterest.com/{user}/feed.rss", "Pins"),
    Rule("deviantart.com/{user}", f"{_DEVIANTART}by%3A{{user}}+sort%3Atime+meta%3Aall", "Deviations"),
    Rule("deviantart.com/{user}/gallery/**", f"{_DEVIANTART}by%3A{{user}}+sort%3Atime+meta%3Aall", "Deviations"),
    Rule("store.steampowered.com/app/{number}/**", _STEAM, "News"),
    Rule("store.steampowered.com/news/app/{number}/**", _STEAM, "News"),
    Rule("steamcommunity.com/app/{number}/**", _STEAM, "News"),
    Rule("*.itch.io/{game}/devlog/**", "https://{site}.itch.io/{game}/devlog.rss", "Development log"),

    # Knowledge and news.
    Rule("arxiv.org/list/{archive}/**", "https://rss.arxiv.org/atom/{archive}", "Papers"),
    Rule("*.wikipedia.org/wiki/Special:RecentChanges", "https://{host}/w/index.php?title=Special:RecentChanges&feed=atom", "Recent changes"),
    Rule("*.wikipedia.org/wiki/{title}", "https://{host}/w/index.php?title={title}&action=history&feed=atom", "Changes of this page"),
    Rule("openstreetmap.org/user/{user}/diary/**", "https://www.openstreetmap.org/user/{user}/diary/rss", "Diary"),
    Rule("news.google.com/topics/{topic}/**", "https://news.google.com/rss/topics/{topic}", "News"),
    Rule("news.google.com/search?q={q}", "https://news.google.com/rss/search?q={q}", "News"),
)
# fmt: on
