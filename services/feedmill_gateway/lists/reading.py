"""A file as the feeds it lists, each with its category; what is wrong is named by line. Pure."""

from collections.abc import Mapping, Sequence

from feedmill.config import Network
from feedmill.errors import UrlRefusedError
from feedmill.models.lists import (
    MAX_DEPTH,
    MAX_OUTLINES,
    MAX_TITLE_CHARACTERS,
    Listed,
    ListedFeed,
    ListRead,
    OutlineOutcome,
)
from feedmill.models.outcomes import ADVICE, Reason
from feedmill.web.addresses import check_url
from feedmill_gateway.lists.markup import ListRefused, parse_markup
from feedmill_gateway.lists.outlines import Outline, outlines, web_address

# Postgres cannot index much more, and no feed needs it.
_URL_CHARACTERS = 2_000


def read_list(body: bytes, networks: Sequence[Network] = ()) -> ListRead | ListRefused:
    """Read an OPML file.

    Parameters
    ----------
    networks
        Private networks in which feeds may be after all.

    Returns
    -------
    ListRead | ListRefused
        The latter if the file as a whole is no list, or none that is safe to read.
    """
    markup = parse_markup(body)
    if isinstance(markup, ListRefused):
        return markup
    reading = _Reading(networks, markup.defects)
    for number, outline in enumerate(outlines(markup.root), start=1):
        if number > MAX_OUTLINES:
            detail = f"it has more than {MAX_OUTLINES:,} outlines"
            return ListRefused(reason=Reason.LIST_TOO_LARGE, detail=detail)
        reading.take(outline)
    return reading.result()


class _Reading:
    def __init__(self, networks: Sequence[Network], defects: Mapping[int, str]) -> None:
        self._networks = networks
        self._defects = defects
        self._rejected = [_defect(line, detail) for line, detail in defects.items()]
        self._feeds: dict[str, ListedFeed] = {}
        # A set that keeps the order.
        self._categories: dict[tuple[str, ...], None] = {}
        self._outlines = 0
        self._addresses = 0

    def take(self, outline: Outline) -> None:
        self._outlines += 1
        if outline.address:
            self._addresses += 1
            self._take_feed(outline)
        elif outline.is_folder:
            self._take_folder(outline)
        elif outline.line not in self._defects:
            self._rejected.append(_broken(outline, Reason.NO_FEED_URL))

    def result(self) -> ListRead | ListRefused:
        if not self._addresses and (self._outlines or self._defects):
            detail = f"none of its {self._outlines:,} outlines names a feed"
            return ListRefused(reason=Reason.NOT_A_LIST, detail=detail)
        return ListRead(
            feeds=tuple(self._feeds.values()),
            categories=tuple(self._categories),
            rejected=tuple(sorted(self._rejected, key=lambda outcome: outcome.line)),
        )

    def _take_feed(self, outline: Outline) -> None:
        try:
            url = self._checked(outline.address)
        except UrlRefusedError as error:
            self._rejected.append(_broken(outline, Reason(error.reason), str(error)))
            return
        first = self._feeds.get(url)
        if first is not None:
            self._rejected.append(_outcome(outline, Listed.DUPLICATE, first_line=first.line))
        elif len(outline.category) > MAX_DEPTH:
            self._rejected.append(_broken(outline, Reason.NESTED_TOO_DEEP))
        else:
            self._feeds[url] = ListedFeed(
                url=url, title=outline.title, category=outline.category, line=outline.line
            )

    def _take_folder(self, outline: Outline) -> None:
        # One that was torn apart may have been a feed; one without a name is none.
        torn = not outline.has_children and outline.line in self._defects
        if outline.folder and len(outline.folder) <= MAX_DEPTH and not torn:
            self._categories[outline.folder] = None

    def _checked(self, address: str) -> str:
        url = check_url(web_address(address), self._networks)
        if len(url) > _URL_CHARACTERS:
            raise UrlRefusedError("the address is too long", reason=Reason.URL_INVALID)
        return url


def _defect(line: int, detail: str) -> OutlineOutcome:
    reason = Reason.OUTLINE_UNREADABLE
    return OutlineOutcome(
        line=line, outcome=Listed.BROKEN, reason=reason, detail=detail, advice=ADVICE[reason]
    )


def _broken(outline: Outline, reason: Reason, detail: str = "") -> OutlineOutcome:
    return _outcome(outline, Listed.BROKEN, reason=reason, detail=detail, advice=ADVICE[reason])


def _outcome(outline: Outline, outcome: Listed, **said: object) -> OutlineOutcome:
    return OutlineOutcome.model_validate(
        {
            "line": outline.line,
            "outcome": outcome,
            "title": outline.name[:MAX_TITLE_CHARACTERS],
            "url": outline.address[:_URL_CHARACTERS],
            **said,
        }
    )
