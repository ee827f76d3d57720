"""Finding articles anew in pages that were kept, and how far that has come."""

from pydantic import AwareDatetime, Field

from feedmill.models.base import BrowserModel, Model


class ReextractPages(Model):
    """Find the articles of a slice of kept pages anew, without asking anybody for them."""

    feed_id: int | None = Field(default=None, description="of this feed alone")
    since: AwareDatetime | None = Field(default=None, description="only pages that came since then")
    after: int = Field(default=0, ge=0, description="the last entry of the slice before")
    limit: int = Field(default=50, ge=1, le=500)


class PagesReextracted(Model):
    """What a slice came to. `last` is None when no page is left."""

    kept: int = Field(default=0, ge=0, description="pages there are in all, this slice's included")
    examined: int = Field(default=0, ge=0)
    changed: int = Field(default=0, ge=0, description="whose text is another now")
    failed: int = Field(default=0, ge=0, description="in which nothing was found; what was stands")
    to_distill: tuple[int, ...] = Field(default=(), description="entries whose text waits for it")
    last: int | None = None


class ReextractionProgress(BrowserModel):
    """How far a reextraction has come."""

    total: int = Field(default=0, ge=0, description="pages that are kept")
    examined: int = Field(default=0, ge=0)
    changed: int = Field(default=0, ge=0, description="articles that read otherwise now")
    failed: int = Field(default=0, ge=0, description="pages in which nothing was found any more")
    done: bool = False


class ReextractKept(BrowserModel):
    """Find the articles of all kept pages anew, or of one feed's, or of what came lately."""

    feed_id: int | None = None
    since: AwareDatetime | None = None
    after: int = Field(default=0, ge=0, description="where a run that became too long stopped")
    progress: ReextractionProgress = ReextractionProgress()


class Reextracted(BrowserModel):
    """How a reextraction ended."""

    progress: ReextractionProgress
