"""What distillation costs. Money is counted in billionths of the price table's currency: exactly."""

from datetime import date

from pydantic import AwareDatetime, Field

from feedmill.models.base import BrowserModel, Model

NANOS = 1_000_000_000


class Usage(Model):
    """What one or several calls used. A cost of None is not known."""

    calls: int = Field(default=0, ge=0)
    prompt_tokens: int = Field(default=0, ge=0)
    completion_tokens: int = Field(default=0, ge=0)
    cost_nanos: int | None = Field(default=0, ge=0)

    @property
    def tokens(self) -> int:
        return self.prompt_tokens + self.completion_tokens


class Ceilings(Model):
    """The most that a day (UTC) may cost. None: as much as it takes."""

    cost_nanos: int | None = Field(default=None, ge=0)
    tokens: int | None = Field(default=None, ge=0)


class Reservation(Model):
    """Leave to make one call. It is settled, or it expires."""

    id: int
    day: date


class Spent(Model):
    """There is no leave today: the ceiling would be exceeded."""

    until: AwareDatetime = Field(description="when the next day begins")


class Payer(Model):
    """To what a call is put down."""

    feed_id: int
    recipe: str
    model: str


class SpendLine(BrowserModel):
    """What a day's calls of one model for one feed came to."""

    day: date
    feed_id: int
    feed_title: str = ""
    recipe: str
    model: str
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost: float = Field(description="in the price table's currency, of the calls with a price")
    unpriced_calls: int = Field(default=0, description="of the calls, those whose price is unknown")


class SpendReport(BrowserModel):
    """What the last days came to, the newest first, the dearest first within a day."""

    items: tuple[SpendLine, ...]
    today_cost: float = 0.0
    today_tokens: int = 0
    reserved_cost: float = Field(default=0.0, description="the most that calls in flight may cost")
    reserved_tokens: int = 0
