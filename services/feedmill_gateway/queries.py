"""What requests may ask for; a field that nobody knows is the client's mistake."""

from typing import Annotated

from fastapi import Header, Query
from pydantic import AwareDatetime, Field, field_validator, model_validator

from feedmill.models.base import RequestBody
from feedmill.models.entries import Stage
from feedmill.models.lists import CategoryPath, FeedTitle
from feedmill.models.reader import MAX_ID, EntryPosition


class NewFeed(RequestBody):
    """A feed to follow."""

    url: str = Field(
        max_length=2_000,
        description="where the feed is: http or https",
        examples=["https://example.org/feed.xml"],
    )


class FeedChange(RequestBody):
    """What you call a feed, and where you keep it; what is left out stays as it is."""

    title: FeedTitle = Field(default="", description="empty: what it calls itself")
    category: CategoryPath = ()


class NewReextraction(RequestBody):
    """Which kept pages to read anew; all of them if nothing is said."""

    feed_id: int | None = Field(default=None, ge=1, le=MAX_ID, description="of this feed alone")
    since: AwareDatetime | None = Field(default=None, description="that came since then")


class RecipeChange(RequestBody):
    """What to distil with, and where that holds; what is left out stays as it is."""

    recipe: str = Field(default="", max_length=40)
    language: str = Field(
        default="",
        pattern=r"^([A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3})?$",
        description="of your summaries, BCP 47; not of one feed's or category's alone",
    )
    feed_id: int | None = Field(default=None, ge=1, le=MAX_ID)
    category: CategoryPath = ()

    @model_validator(mode="after")
    def _holds_somewhere(self) -> "RecipeChange":
        somewhere = self.feed_id is not None or bool(self.category)
        if self.feed_id is not None and self.category:
            raise ValueError("name a feed or a category, not both")
        if somewhere and ("recipe" not in self.model_fields_set or self.language):
            raise ValueError("a feed or a category has a recipe, and no language of its own")
        if not {"recipe", "language"} & self.model_fields_set:
            raise ValueError("name a recipe or a language")
        return self


class _Positioned(RequestBody):
    before: str | None = Field(
        default=None, max_length=200, description="the `next` of the page before this one"
    )

    @field_validator("before")
    @classmethod
    def _is_position(cls, text: str | None) -> str | None:
        if text is not None:
            EntryPosition.decode(text)
        return text

    @property
    def position(self) -> EntryPosition | None:
        """Where the page begins; None for the newest entries."""
        return EntryPosition.decode(self.before) if self.before else None


class EntryQuery(_Positioned):
    """Which entries, and how many."""

    feed_id: int | None = Field(default=None, ge=1, le=MAX_ID, description="of this feed alone")
    stage: Stage | None = Field(default=None, description="at this stage alone")
    folded: bool | None = Field(
        default=None,
        description="each story once, with `alsoIn`; what is asked for by feed or stage is shown whole unless this is true",
    )
    limit: int = Field(default=50, ge=1, le=200)

    @property
    def is_folded(self) -> bool:
        """Whether each story is shown once."""
        if self.folded is not None:
            return self.folded
        return self.feed_id is None and self.stage is None


class HomeQuery(_Positioned):
    """What the front page can be asked to show."""

    feed: int | None = Field(default=None, ge=1, le=MAX_ID)
    run: str | None = Field(default=None, max_length=200)
    token: str | None = Field(default=None, max_length=1_000)


_Number = Annotated[int, Field(ge=0, le=MAX_ID)]


def resume_after(
    last_event_id: Annotated[
        _Number | None,
        Header(alias="Last-Event-ID", description="sent by browsers that connect again"),
    ] = None,
    after: Annotated[
        _Number | None, Query(description="go on after this event; `Last-Event-ID` wins")
    ] = None,
) -> int | None:
    """Return the event number after which a stream goes on, None when the client has seen none."""
    return after if last_event_id is None else last_event_id
