"""The process behind `feedmill up`: starts the fleet of a folder, watches it and ends it."""

import asyncio
import os
import time
from functools import partial

import aiohttp

from feedmill_cli.stack.blueprint import Site, parts_of, urls_of
from feedmill_cli.stack.display import Display, addresses
from feedmill_cli.stack.ending import Ending
from feedmill_cli.stack.fleet import Fleet
from feedmill_cli.stack.folder import Folder
from feedmill_cli.stack.keeper import Keeper
from feedmill_cli.stack.leftovers import end_leftovers, leftovers
from feedmill_cli.stack.logfile import LogFile
from feedmill_cli.stack.part import Part
from feedmill_cli.stack.readiness import is_ready
from feedmill_cli.stack.site import Asked, prepare_site
from feedmill_cli.stack.state import FleetState, PartState, page_to_show


class Supervisor:
    """One fleet, told about on a display and in the folder's state file."""

    def __init__(self, folder: Folder, site: Site, display: Display) -> None:
        self._folder = folder
        self._site = site
        self._display = display
        self._urls = urls_of(site)
        self._states: dict[str, PartState] = {}
        self._fleet: Fleet | None = None
        self._began = time.monotonic()

    async def run(self, ending: Ending) -> None:
        """Keep the fleet running until `ending` begins; return when all of it has ended."""
        async with aiohttp.ClientSession() as session:
            keepers = [self._keeper(part, session) for part in parts_of(self._site)]
            # A step is nothing that runs: it is shown, and not written down.
            self._states = {k.part.name: k.state for k in keepers if k.part.readiness}
            self._fleet = fleet = Fleet(keepers)
            for keeper in keepers:
                self._on_change(keeper.state, "")
            await fleet.run(ending, self._announce)
        self._save(pid=None)

    def _keeper(self, part: Part, session: aiohttp.ClientSession) -> Keeper:
        log = LogFile(self._folder.log(part.name))
        log.begin()
        return Keeper(part, log, partial(is_ready, session, part.readiness), self._on_change)

    def _announce(self) -> None:
        self._display.say(f"Feedmill is ready in {time.monotonic() - self._began:.1f} s")
        page = page_to_show(self._urls, self._site.token, terminal=self._display.is_terminal)
        for line in addresses(self._urls, page):
            self._display.say(line)

    def _on_change(self, part: PartState, remark: str) -> None:
        if part.name in self._states:
            self._states[part.name] = part
        self._display.changed(part, remark)
        self._save(pid=os.getpid())

    def _save(self, *, pid: int | None) -> None:
        state = FleetState(
            pid=pid,
            ready=self._fleet is not None and self._fleet.is_ready(),
            parts=tuple(self._states.values()),
            urls=self._urls,
            ports=self._site.ports,
        )
        try:
            self._folder.save(state)
        except OSError as error:
            # A full disk is bad enough without ending the fleet for it.
            self._display.say(f"state.json cannot be written: {error.strerror}")


async def supervise(folder: Folder, asked: Asked, display: Display) -> None:
    """Run the fleet of a folder, which the caller has locked, until a signal ends it.

    Raises
    ------
    SettingsError
        The fleet cannot run here; the message says why.
    """
    ending = Ending()
    ending.heed_signals()
    with display:
        await asyncio.to_thread(_clear, folder, display)
        display.say(f"Everything is kept in {folder.path}")
        site = await asyncio.to_thread(prepare_site, folder, asked, os.environ)
        if not ending.begun.is_set():
            await Supervisor(folder, site, display).run(ending)


def _clear(folder: Folder, display: Display) -> None:
    left = leftovers(folder.state())
    if left:
        names = ", ".join(f"{part.name} (pid {part.pid})" for part in left)
        display.say(f"Ending what an earlier fleet left behind: {names}")
        end_leftovers(left)
