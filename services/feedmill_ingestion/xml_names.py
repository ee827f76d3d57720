"""Names of a feed's elements, whatever namespace or spelling they come in. Pure."""

from functools import lru_cache

# The formats themselves. Their vocabularies are one, as far as they mean the same by a word.
_FORMATS = frozenset({
    "http://backend.userland.com/rss",
    "http://blogs.law.harvard.edu/tech/rss",
    "http://example.com/necho",
    "http://example.com/newformat#",
    "http://my.netscape.com/rdf/simple/0.9/",
    "http://purl.org/atom/ns#",
    "http://purl.org/echo/",
    "http://purl.org/pie/",
    "http://purl.org/rss/1.0/",
    "http://purl.org/rss/1.0/modules/rss091#",
    "http://www.w3.org/2005/atom",
    "uri/of/echo/namespace#",
})  # fmt: skip
_USERLAND = "backend.userland.com/rss"

_MODULES = {
    "http://purl.org/dc/elements/1.1/": "dc",
    "http://purl.org/dc/terms/": "dcterms",
    "http://purl.org/rss/1.0/modules/content/": "content",
    "http://purl.org/rss/1.0/modules/syndication/": "sy",
    "http://search.yahoo.com/mrss": "media",
    "http://search.yahoo.com/mrss/": "media",
    "http://www.itunes.com/dtds/podcast-1.0.dtd": "itunes",
    "http://www.w3.org/1999/02/22-rdf-syntax-ns#": "rdf",
    "http://www.w3.org/1999/xhtml": "xhtml",
    "http://www.youtube.com/xml/schemas/2015": "yt",
    "https://github.com/podcastindex-org/podcast-namespace/blob/main/docs/1.0.md": "podcast",
    "https://podcastindex.org/namespace/1.0": "podcast",
}


@lru_cache(maxsize=1_024)
def name_of(tag: str, prefix: str | None) -> str:
    """Return the element's name in lower case, behind the usual prefix of its module if it has one.

    A namespace that nobody knows is taken for what its prefix usually stands for: many are misspelt.

    Parameters
    ----------
    tag
        As lxml gives it: `{uri}name` or `name`.
    """
    uri, _, name = tag.rpartition("}")
    module = _module(uri[1:].lower(), prefix)
    return f"{module}:{name.lower()}" if module else name.lower()


def _module(uri: str, prefix: str | None) -> str:
    if uri in _FORMATS or _USERLAND in uri:
        return ""
    return _MODULES.get(uri, (prefix or "").lower())
