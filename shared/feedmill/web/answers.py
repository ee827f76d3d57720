"""How one request to a site can end."""

from datetime import timedelta

from pydantic import AwareDatetime, field_validator

from feedmill.models.base import Model
from feedmill.models.feeds import Hub, Validators
from feedmill.models.outcomes import Reason
from feedmill.web.plain import storable

# Too Many Requests, Service Unavailable.
_WAIT = frozenset({429, 503})
# What some rate limiters answer instead.
_FORBIDDEN = 403

_DETAIL_CHARACTERS = 300


class Answer(Model):
    """The site answered, with whatever status.

    Attributes
    ----------
    url
        Where the answer came from, after redirects.
    redirected
        Whether that is another place than the one asked.
    body
        Decompressed; empty unless `status` is 200.
    retry_after
        How long the site asked us to wait; None when it did not, or not intelligibly.
    max_age
        How long the answer stays fresh by its own account; None when it says nothing.
    moved_to
        Where the page lives for good, when every redirect on the way said so; else None.
    spent_for
        How long our budget at the host is used up, by its own account; None when it is not.
    hub
        Where the page announces its news, by its `Link` headers.
    withheld
        The header by which its publisher keeps the page from language models, None if none does.
    """

    url: str
    redirected: bool
    status: int
    media_type: str
    charset: str | None
    validators: Validators
    retry_after: timedelta | None
    max_age: timedelta | None
    body: bytes
    moved_to: str | None = None
    spent_for: timedelta | None = None
    hub: Hub | None = None
    withheld: str | None = None

    @property
    def asks_for_time(self) -> bool:
        """Whether its host wants fewer requests: a rate limiter gives itself away by its headers."""
        if self.status == _FORBIDDEN:
            return self.retry_after is not None or self.spent_for is not None
        return self.status in _WAIT

    @property
    def asked_wait(self) -> timedelta | None:
        """How long it asked to be left alone, in whichever header; None when it did not say."""
        said = (self.retry_after, self.spent_for, self.max_age)
        return max((wait for wait in said if wait is not None), default=None)


class Refusal(Model):
    """There was no answer we could or would read."""

    reason: Reason
    detail: str = ""

    @field_validator("detail")
    @classmethod
    def _fits_the_store(cls, detail: str) -> str:
        # Much of it is what a site sent us.
        return storable(detail[:_DETAIL_CHARACTERS])


class Deferred(Model):
    """A host on the way has no free slot before `until`: nothing more was asked.

    Attributes
    ----------
    begun
        Whether something was: a redirect led to that host.
    """

    until: AwareDatetime
    begun: bool = False


Reply = Answer | Refusal | Deferred
