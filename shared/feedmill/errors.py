"""Every error we raise on purpose.

FeedmillError
├── TransientError               worth another try: Temporal retries it
│   ├── StoreUnavailableError    Postgres did not answer
│   ├── PayloadUnreadableError   what crossed Temporal cannot be decrypted with our keys
│   ├── TemporalUnavailableError Temporal did not answer
│   ├── FollowingFailedError     a feed could not be followed; what was begun is undone
│   ├── ModelUnavailableError    the language model did not answer, or asked us to wait
│   └── BudgetSpentError         today's ceiling leaves no room for another call
└── PermanentError               will fail the same way again: never retried
    ├── NotFoundError            no such feed, entry or run
    ├── UrlRefusedError          an address we will not ask, with the reason
    └── SettingsError            a setting is missing or wrong

The class decides about retrying; no retry policy lists names. What a site or a model answers is
never an exception: it is an outcome (`feedmill.models.outcomes`).
"""

from datetime import datetime, timedelta


class FeedmillError(Exception):
    """Anything Feedmill raises on purpose."""


class TransientError(FeedmillError):
    """Worth another try.

    Attributes
    ----------
    retry_after
        How long the other side asked us to wait, or None to let the retry policy decide.
    """

    def __init__(self, message: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class StoreUnavailableError(TransientError):
    """Postgres did not answer."""


class TemporalUnavailableError(TransientError):
    """Temporal did not answer."""


class FollowingFailedError(TransientError):
    """A feed could not be followed through a fault of ours; what was begun is undone."""


class PayloadUnreadableError(TransientError):
    """What crossed Temporal cannot be decrypted with the keys we have; another process may have it."""


class ModelUnavailableError(TransientError):
    """The language model did not answer, or asked us to wait."""


class BudgetSpentError(TransientError):
    """Today's ceiling leaves no room for another call.

    Attributes
    ----------
    until
        When the next day begins.
    """

    def __init__(self, message: str, *, until: datetime) -> None:
        super().__init__(message)
        self.until = until


class PermanentError(FeedmillError):
    """Will fail the same way again."""


class NotFoundError(PermanentError):
    """There is no such feed, entry or run."""


class UrlRefusedError(PermanentError):
    """An address Feedmill will not ask.

    Attributes
    ----------
    reason
        A member of `feedmill.models.outcomes.Reason`, as its value.
    """

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class SettingsError(PermanentError):
    """A setting is missing or wrong; the message names it."""
