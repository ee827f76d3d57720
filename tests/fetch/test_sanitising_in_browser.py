"""What comes through does nothing in a browser either, whatever the parsers of this world agree on."""

from feedmill_fetch.browser.chromium import open_chromium
from feedmill_fetch.browser.rendering import Rendered
from feedmill_fetch.sanitising import sanitise
from fetch.sanitising_tricks import PLACES, SPELLINGS
from fetch.sanitising_vectors import VECTORS
from support.origin import Origin
from support.web import web_settings

BASE = "https://site.example/blog/post.html"
# Every trick, if it works, says so here.
WATCH = (
    "<script>window.alert = () => document.documentElement.setAttribute('data-ran', '')</script>"
)
RAN = "<html data-ran"


def page_of(parts: list[str]) -> str:
    # A box each, so that what one leaves open ends with it.
    boxes = "".join(f"<div>{part}</div>" for part in parts)
    return (
        f"<!doctype html><html><head>{WATCH}</head><body><h1>{len(parts)}</h1>{boxes}</body></html>"
    )


async def test_nothing_runs_or_leads_away_in_a_browser(origin: Origin) -> None:
    async def note(url: str) -> bool:
        left_for.append(url)
        return False

    left_for: list[str] = []
    places = [
        place.format(spelling) for place in PLACES.values() for spelling in SPELLINGS.values()
    ]
    clean = [sanitise(markup, BASE) for markup in (*VECTORS.values(), *places)]
    origin.serve("/clean", page_of(clean))
    origin.serve("/tricks", page_of(["<svg onload=alert(1)>", "<img src=x onerror=alert(1)>"]))

    async with open_chromium("Feedmill/test", web_settings().allowed_networks) as chromium:
        tricks = await chromium.render(origin.url("/tricks"), note)
        rendered = await chromium.render(origin.url("/clean"), note)

    assert isinstance(tricks, Rendered)
    assert isinstance(rendered, Rendered)
    assert RAN in tricks.markup
    assert RAN not in rendered.markup
    assert f"<h1>{len(clean)}</h1>" in rendered.markup
    assert left_for == []
    assert set(origin.paths) <= {"/tricks", "/clean", "/favicon.ico"}
