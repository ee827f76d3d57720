import asyncio
import os

from temporalio.client import Client

from feedmill.config import OrchestratorSettings, load
from feedmill.contracts.queues import TaskQueue
from feedmill.store import open_store
from feedmill.worker import main_of, run_worker
from feedmill.worker.versions import deployment_of
from feedmill_orchestrator.beginning import begin
from feedmill_orchestrator.handing_over import HandOver
from feedmill_orchestrator.importing import Importer
from feedmill_orchestrator.redriving import Redriver
from feedmill_orchestrator.registry import LONG_LIVED, WORKFLOWS
from feedmill_orchestrator.subscribing import Subscriber
from feedmill_orchestrator.upkeep import Upkeep
from feedmill_orchestrator.watching import watch


async def main() -> None:
    settings = load(OrchestratorSettings)
    deployment = deployment_of(os.environ)
    async with open_store(settings) as store:
        hand_over, upkeep = HandOver(store), Upkeep(store)
        subscriber = Subscriber(store, settings.allowed_networks)
        redriver = Redriver(store)
        importer = Importer(store, settings.poll_shards)

        async def start(client: Client) -> None:
            await asyncio.gather(begin(client, settings, deployment), watch(client, store))

        await run_worker(
            settings,
            TaskQueue.ORCHESTRATION,
            store,
            workflows=WORKFLOWS,
            activities=[
                hand_over.select_feeds,
                hand_over.join_domains,
                upkeep.keep_shards,
                upkeep.pick_up_stalled,
                upkeep.prune_slice,
                subscriber.validate_feed,
                subscriber.add_feed,
                subscriber.follow_feed,
                subscriber.undo_follow,
                subscriber.undo_add_feed,
                importer.follow_listed,
                redriver.count_dead_ends,
                redriver.redrive_slice,
            ],
            begin=start,
            deployment=deployment,
            long_lived=LONG_LIVED,
        )


if __name__ == "__main__":
    main_of(main)
