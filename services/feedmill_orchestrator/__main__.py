from feedmill.config import OrchestratorSettings, load
from feedmill.contracts.queues import TaskQueue
from feedmill.store import open_store
from feedmill.worker import main_of, run_worker
from feedmill_orchestrator.registry import WORKFLOWS
from feedmill_orchestrator.shards import keep_shards


async def main() -> None:
    settings = load(OrchestratorSettings)
    async with open_store(settings) as store:
        await run_worker(
            settings,
            TaskQueue.ORCHESTRATION,
            store,
            workflows=WORKFLOWS,
            begin=lambda client: keep_shards(client, settings.poll_shards),
        )


if __name__ == "__main__":
    main_of(main)
