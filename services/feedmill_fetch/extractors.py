"""Other people's extractors, each as a candidate. Pure.

They are imported where they run, in the pool's processes: no other process of ours has use for them.
"""

from collections.abc import Callable

from lxml.html import HtmlElement, fromstring

from feedmill_fetch.candidates import Candidate
from feedmill_fetch.lines import Line, as_lines, lines_of


def quick_rival(page: HtmlElement) -> Candidate:
    """Return what trafilatura finds with its own rules alone. Leaves the page as it is."""
    return _heard(lambda: _trafilatura(page, quick=True))


def thorough_rival(page: HtmlElement) -> Candidate:
    """Return what trafilatura finds when it may compare itself with others; takes twice the time."""
    return _heard(lambda: _trafilatura(page, quick=False))


def second_rival(page: HtmlElement) -> Candidate:
    """Return what readability-lxml finds: for pages on which trafilatura finds nothing."""
    return _heard(lambda: _readability(page))


def witness(text: str) -> Candidate:
    """Return what resiliparse finds: nearly all text of a page that is not navigation."""
    return _heard(lambda: _resiliparse(text))


def _heard(extractor: Callable[[], list[Line]]) -> Candidate:
    try:
        return Candidate(extractor())
    except Exception:  # noqa: BLE001 - a page that breaks somebody else's extractor costs its vote
        return Candidate(())


def _trafilatura(page: HtmlElement, *, quick: bool) -> list[Line]:
    from trafilatura import bare_extraction  # noqa: PLC0415 - see above

    # By its rules for recall it looks once and not again, and the arbiter minds the rest.
    found = bare_extraction(page, fast=quick, favor_recall=quick, include_comments=False)
    body = getattr(found, "body", None)
    return [] if body is None else lines_of(body)


def _readability(page: HtmlElement) -> list[Line]:
    from readability import Document  # noqa: PLC0415 - see above

    markup = Document(page).summary(html_partial=True)
    return lines_of(fromstring(markup))


def _resiliparse(text: str) -> list[Line]:
    from resiliparse.extract.html2text import extract_plain_text  # noqa: PLC0415 - see above

    found = extract_plain_text(
        text, main_content=True, alt_texts=False, links=False, form_fields=False, noscript=False
    )
    return as_lines(found)
