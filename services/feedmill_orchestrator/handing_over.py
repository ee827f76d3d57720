"""Handing work to runs that can do it better: hosts' own, and those of every feed."""

from collections.abc import Mapping
from itertools import groupby

from temporalio import activity
from temporalio.client import Client
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError

from feedmill.contracts.activities import HandOverActivities
from feedmill.contracts.queues import TaskQueue
from feedmill.contracts.workflows import DomainFetch, domain_fetch_id
from feedmill.errors import TemporalUnavailableError
from feedmill.models.runs import JoinDomain, ServeDomain
from feedmill.models.upkeep import DomainsJoined, FeedsSelected, JoinDomains, SelectFeeds
from feedmill.store import Store
from feedmill.web.addresses import host_of
from feedmill.worker import heartbeating


class HandOver(HandOverActivities):
    """Serves `TaskQueue.ORCHESTRATION`."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @activity.defn
    async def select_feeds(self, request: SelectFeeds) -> FeedsSelected:
        async with heartbeating(), self._store.transaction() as tx:
            return await tx.upkeep.select_feeds(after=request.after_feed_id, limit=request.limit)

    @activity.defn
    async def join_domains(self, request: JoinDomains) -> DomainsJoined:
        joined: list[int] = []
        async with heartbeating():
            async with self._store.transaction() as tx:
                urls = await tx.upkeep.urls(request.entry_ids)
            for host, entry_ids in queues(urls, least=request.least).items():
                await self._join(activity.client(), host, entry_ids)
                joined += entry_ids
        return DomainsJoined(entry_ids=tuple(joined))

    async def _join(self, client: Client, host: str, entry_ids: tuple[int, ...]) -> None:
        workflow_id = domain_fetch_id(host)
        # Written down first: who looks for stalled entries asks whether this workflow runs.
        async with self._store.transaction() as tx:
            await tx.upkeep.own(entry_ids, workflow_id)
        try:
            await client.start_workflow(
                DomainFetch.run,
                ServeDomain(host=host),
                id=workflow_id,
                task_queue=TaskQueue.ORCHESTRATION,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                start_signal="join",
                start_signal_args=[JoinDomain(entry_ids=entry_ids)],
                static_summary=host[:200],
            )
        except RPCError as error:
            raise TemporalUnavailableError(f"Temporal did not answer: {error.message}") from error


def queues(urls: Mapping[int, str], *, least: int) -> dict[str, tuple[int, ...]]:
    """Return the hosts that at least so many entries wait for, and these entries, in order."""
    by_host = sorted((host_of(url), entry_id) for entry_id, url in urls.items())
    grouped = {
        host: tuple(entry_id for _, entry_id in each)
        for host, each in groupby(by_host, key=lambda waiting: waiting[0])
    }
    return {host: ids for host, ids in grouped.items() if len(ids) >= least}
