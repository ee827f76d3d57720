from feedmill.errors import PermanentError

EXIT_FAILED = 1
EXIT_NOT_RUNNING = 3


class CommandError(PermanentError):
    """A command cannot do what it was asked; the message is for the person who asked.

    Attributes
    ----------
    exit_code
        What the process ends with.
    """

    def __init__(self, message: str, *, exit_code: int = EXIT_FAILED) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class NotRunningError(CommandError):
    """There is no fleet here to talk to."""


class ProblemError(CommandError):
    """The gateway answered with a problem; the message is its reason, detail and advice."""
