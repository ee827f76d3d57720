"""How the fleet is asked to end: well, and, if somebody is in a hurry, at once."""

import asyncio
import signal


class Ending:
    """Two events, the second after the first."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.hurried = asyncio.Event()

    def heed_signals(self) -> None:
        """Begin on SIGINT, SIGTERM and SIGHUP; hurry on another SIGINT."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # What runs under nohup asked to outlive its terminal.
            if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
                loop.add_signal_handler(number, self.on_signal, number)

    def on_signal(self, number: signal.Signals) -> None:
        """Take note of a signal."""
        # A closing terminal sends SIGHUP more than once; only a person presses Ctrl-C twice.
        if self.begun.is_set() and number is signal.SIGINT:
            self.hurried.set()
        self.begun.set()
