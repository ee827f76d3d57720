"""Reading a body as a feed, in a process that it may hang, kill or starve."""

from datetime import UTC, datetime

from feedmill.isolation import IsolatedPool, IsolationError
from feedmill.models.feeds import FeedSnapshot
from feedmill.models.outcomes import Reason
from feedmill_ingestion.parsing import FeedUnreadable, parse_feed

# The slowest real feed seen took 2 s.
_PARSER_SECONDS = 10


async def read_body(
    parsers: IsolatedPool, body: bytes, *, charset: str | None, url: str
) -> FeedSnapshot | FeedUnreadable:
    """Return what a body shows as a feed, or why it is none.

    Parameters
    ----------
    charset
        From the HTTP header, if it names one.
    url
        Where the body was found: relative links start there.
    """
    try:
        return await parsers.run(
            _PARSER_SECONDS, parse_feed, body, charset=charset, url=url, now=datetime.now(UTC)
        )
    except IsolationError as error:
        return FeedUnreadable(reason=Reason.PARSER_FAILED, detail=str(error))
