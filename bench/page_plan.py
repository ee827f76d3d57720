"""Pages as news sites send them: of their size, with their furniture. Pure: a seed gives the same pages.

Made after the sizes of 181 articles of an extraction benchmark: half of the pages have more than 113 KB,
a tenth more than 300 KB; half of the articles more than 600 words. Nothing of them is copied.
"""

import gzip
import json
import random
from typing import NamedTuple

_TEXT = (
    "river window answer morning letter garden market signal engine harbour winter number mirror "
    "record silver bridge forest corner journey paper village basket summer teacher machine story "
    "field measure button candle station kitchen weather library thunder pocket copper island and "
    "the of to in a for with on from under between after before without toward over along that it "
    "was is were had has been which when where while council said people year years more than new"
)
_WORDS = _TEXT.split()

# Words of an article, and kilobytes of scripts and styles beside it: what pages mostly consist of.
_LENGTHS = (250, 400, 550, 650, 800, 1_100, 1_600, 2_600)
_BALLAST_KILOBYTES = (10, 30, 50, 70, 90, 130, 200, 320)

_MENUS = 6
_TEASERS = 40
_COMMENTS = 25


class PlannedPage(NamedTuple):
    plain: bytes
    packed: bytes
    words: int


def pages(count: int, seed: int) -> list[PlannedPage]:
    """Return so many different pages."""
    return [_page(number, random.Random(f"{seed} {number}")) for number in range(count)]


def _page(number: int, chance: random.Random) -> PlannedPage:
    words = _LENGTHS[number % len(_LENGTHS)]
    ballast = chance.choice(_BALLAST_KILOBYTES) * 1_000
    title = _title(chance)
    html = (
        f'<!doctype html><html lang="en"><head>{_head(title, number, chance, ballast)}</head>\n'
        f'<body class="article-page">{_header(chance)}<div class="layout"><main>'
        f"{_article(title, words, chance)}{_comments(chance)}</main>{_sidebar(chance)}</div>"
        f"{_footer(chance)}<script>{_script(chance, ballast // 2)}</script></body></html>"
    )
    plain = html.encode()
    return PlannedPage(plain, gzip.compress(plain, 6, mtime=0), words)


def _head(title: str, number: int, chance: random.Random, ballast: int) -> str:
    described = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": title,
        "datePublished": f"2026-01-{number % 28 + 1:02}T08:00:00Z",
        "author": [{"@type": "Person", "name": _name(chance)}],
    }
    rules = "".join(
        f".c{at} .inner-{at}{{margin:{at % 9}px;padding:{at % 7}px;color:#{at % 4096:03x}}}\n"
        for at in range(ballast // 2 // 60)
    )
    return (
        f'<meta charset="utf-8"><title>{title} - The Daily Mill</title>'
        f'<meta name="description" content="{sentence(chance)}">'
        f'<meta property="og:title" content="{title}"><meta property="og:type" content="article">'
        f'<meta property="og:site_name" content="The Daily Mill">'
        f'<link rel="canonical" href="/page/{number}">'
        f'<script type="application/ld+json">{json.dumps(described)}</script><style>{rules}</style>'
    )


def _article(title: str, words: int, chance: random.Random) -> str:
    parts = [f"<h1>{title}</h1><p class='byline'>By <a href='/by'>{_name(chance)}</a></p>"]
    left = words
    while left > 0:
        sentences = chance.randint(2, 5)
        paragraph = " ".join(sentence(chance) for _ in range(sentences))
        left -= paragraph.count(" ") + 1
        parts.append(f"<p>{_with_link(paragraph, chance)}</p>")
        parts.append(_between(chance))
    return f"<article><div class='article-body'>{''.join(parts)}</div></article>"


def _between(chance: random.Random) -> str:
    match chance.randrange(14):
        case 0:
            return f"<h2>{_title(chance)}</h2>"
        case 1:
            size = 'width="900" height="600"'
            return (
                f"<figure><img src='/img/{chance.randrange(999)}.jpg' {size} alt='A mill'>"
                f"<figcaption>{sentence(chance)}</figcaption></figure>"
            )
        case 2:
            return f"<ul>{''.join(f'<li>{sentence(chance)}</li>' for _ in range(4))}</ul>"
        case 3:
            return f"<blockquote><p>{sentence(chance)}</p></blockquote>"
        case 4:
            return '<div class="ad-slot"><span>Advertisement</span></div>'
        case _:
            return ""


def _header(chance: random.Random) -> str:
    menus = "".join(f"<ul>{_menu(chance)}</ul>" for _ in range(_MENUS))
    return f"<header class='site-header'><nav>{menus}</nav></header>"


def _menu(chance: random.Random) -> str:
    return "".join(f"<li><a href='/s/{at}'>{_title(chance)}</a></li>" for at in range(8))


def _sidebar(chance: random.Random) -> str:
    teasers = "".join(
        f"<div class='teaser'><a href='/page/{at}'><img src='/t/{at}.jpg' width='120' height='80'>"
        f"<h3>{_title(chance)}</h3></a><p>{sentence(chance)}</p></div>"
        for at in range(_TEASERS)
    )
    return f"<aside class='sidebar'><h2>Most read</h2>{teasers}</aside>"


def _comments(chance: random.Random) -> str:
    shown = "".join(
        f"<div class='comment'><span>{_name(chance)}</span><p>{sentence(chance)}</p></div>"
        for _ in range(_COMMENTS)
    )
    return f"<section id='comments' class='comments'><h2>Comments</h2>{shown}</section>"


def _footer(chance: random.Random) -> str:
    links = "".join(f"<a href='/f/{at}'>{_title(chance)}</a>" for at in range(30))
    return f"<footer><div>{links}</div><p>Imprint, privacy, cookies</p></footer>"


def _script(chance: random.Random, size: int) -> str:
    line = "window.__q=window.__q||[];__q.push(['%s',%d]);"
    count = size // (len(line) + 8)
    return "\n".join(line % (chance.choice(_WORDS), chance.randrange(9_999)) for _ in range(count))


def _with_link(paragraph: str, chance: random.Random) -> str:
    words = paragraph.split()
    at = chance.randrange(len(words))
    words[at] = f"<a href='https://example.org/{chance.randrange(999)}'>{words[at]}</a>"
    return " ".join(words)


def sentence(chance: random.Random) -> str:
    return " ".join(chance.choices(_WORDS, k=chance.randint(8, 26))).capitalize() + "."


def _title(chance: random.Random) -> str:
    return " ".join(chance.choices(_WORDS, k=chance.randint(3, 9))).capitalize()


def _name(chance: random.Random) -> str:
    return " ".join(chance.choices(_WORDS, k=2)).title()
