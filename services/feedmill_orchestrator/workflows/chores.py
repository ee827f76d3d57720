from collections.abc import Awaitable, Callable

from temporalio import workflow


class Chore:
    """Something that a workflow does beside all else, whenever there is some of it.

    Attributes
    ----------
    is_wanted
        There is something to do.
    is_over
        It is not begun again.
    """

    def __init__(self) -> None:
        self.is_wanted = False
        self.is_over = False

    async def keep_doing(self, do: Callable[[], Awaitable[bool]]) -> None:
        """Do it whenever it is wanted, until it is over; `do` returns whether there is more."""
        while True:
            await workflow.wait_condition(lambda: self.is_wanted or self.is_over)
            if self.is_over:
                return
            self.is_wanted = False
            more = await do()
            # Not in one line with the call: who wants more while it runs is heard.
            self.is_wanted = self.is_wanted or more
