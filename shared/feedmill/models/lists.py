"""Lists: files of feeds that readers exchange (OPML), and what came of importing one."""

import re
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field

from feedmill.models.base import BrowserModel, Model
from feedmill.models.outcomes import Reason
from feedmill.models.reader import RunStatus

MAX_LIST_BYTES = 10 * 1024 * 1024
MAX_OUTLINES = 20_000
MAX_DEPTH = 16
"""How deep categories may be nested."""
MAX_CATEGORY_CHARACTERS = 200
MAX_TITLE_CHARACTERS = 500

# Controls, halves of characters and what is none: Postgres, XML or a terminal would refuse them.
_UNWRITABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


def one_line(text: str) -> str:
    """Return a name the way it is kept: one line, single spaces, nothing that cannot be written."""
    return " ".join(_UNWRITABLE.sub(" ", text).split())


CategoryName = Annotated[
    str, AfterValidator(one_line), Field(min_length=1, max_length=MAX_CATEGORY_CHARACTERS)
]
CategoryPath = Annotated[
    tuple[CategoryName, ...],
    Field(max_length=MAX_DEPTH, description="names, outermost first; empty: in no category"),
]
FeedTitle = Annotated[str, AfterValidator(one_line), Field(max_length=MAX_TITLE_CHARACTERS)]


class ListedFeed(Model):
    """A feed as a list has it."""

    url: str
    title: str = Field(default="", description="what its reader calls it")
    category: tuple[str, ...] = Field(default=(), description="names, outermost first")
    site_url: str | None = None
    line: int = Field(default=0, description="where it stands in the file")


class FeedsFollowed(Model):
    """What following a whole list changed."""

    feed_ids: dict[str, int] = Field(description="feeds not followed before, by URL")
    categories: int = Field(description="made for it")


class Listed(StrEnum):
    """How one outline of a list can end."""

    ADDED = "added"
    FOLLOWED = "followed"
    DUPLICATE = "duplicate"
    BROKEN = "broken"


class OutlineOutcome(BrowserModel):
    """How one outline of a list ended, where it was not simply added."""

    line: int = Field(description="of the file, counted from 1")
    outcome: Listed
    title: str = ""
    url: str = Field(default="", description="as the file has it")
    first_line: int | None = Field(
        default=None, description="where a duplicate's address stands first"
    )
    reason: Reason | None = Field(default=None, description="why it is broken")
    detail: str = ""
    advice: str | None = Field(default=None, description="what a person can do about it")


class ListRead(Model):
    """What a file lists: feeds, categories whether or not a feed is in them, and what is neither."""

    feeds: tuple[ListedFeed, ...] = ()
    categories: tuple[tuple[str, ...], ...] = ()
    rejected: tuple[OutlineOutcome, ...] = ()


class ImportProgress(BrowserModel):
    """How far importing a list has come, in outlines."""

    outlines: int = Field(
        default=0, ge=0, description="those that name a feed, or should: the sum of the next five"
    )
    added: int = Field(
        default=0,
        ge=0,
        description="feeds followed from now on; they are polled one after the other",
    )
    followed: int = Field(
        default=0, ge=0, description="feeds followed before; nothing about them was changed"
    )
    duplicates: int = Field(
        default=0, ge=0, description="addresses that the file has more than once"
    )
    broken: int = Field(default=0, ge=0, description="outlines that cannot be followed")
    waiting: int = Field(default=0, ge=0, description="outlines whose turn has not come yet")
    categories: int = Field(default=0, ge=0, description="categories made for it")


class KeptImport(Model):
    """A list that a user has imported, and how far that has come."""

    id: int
    file_hash: str
    progress: ImportProgress


class ListImported(ImportProgress):
    """What came of importing a list, line by line."""

    id: int = Field(default=0, description="of the import")
    href: str = Field(default="", description="where this report is, for as long as it grows")
    status: RunStatus | None = Field(
        default=None, description="of its run; null while nobody can tell"
    )
    lines: tuple[OutlineOutcome, ...] = Field(
        description="every outline that was not added, in the order of the file"
    )


class ImportsListed(BrowserModel):
    items: tuple[ListImported, ...]


class ImportList(BrowserModel):
    """Follow what a stored list names, slice by slice."""

    import_id: int
    slice_size: int = Field(default=1000, ge=1, le=2_000, description="outlines per activity")
    progress: ImportProgress = ImportProgress()


class ImportEnded(BrowserModel):
    """How importing a list ended. What came of each line is in the store."""

    progress: ImportProgress


class FollowListed(Model):
    """Follow the next outlines of a stored list."""

    import_id: int
    limit: int = Field(ge=1)


class ListedFollowed(Model):
    """How the whole list stands after a slice."""

    progress: ImportProgress = ImportProgress()
