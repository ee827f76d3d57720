"""What an orchestrator sees to when it has reached Temporal, beside serving its queue."""

import asyncio
from collections.abc import Awaitable, Callable

from temporalio.client import Client
from temporalio.common import WorkerDeploymentVersion
from temporalio.service import RPCError
from temporalio.worker import WorkerDeploymentConfig

from feedmill.config import OrchestratorSettings
from feedmill.telemetry.logs import get_logger
from feedmill.worker.rollout import rollout_of, set_current
from feedmill_orchestrator.schedules import declared, reconcile_schedules
from feedmill_orchestrator.shards import keep_shards

log = get_logger(__name__)

_RETRY_SECONDS = 5.0


async def begin(
    client: Client,
    settings: OrchestratorSettings,
    deployment: WorkerDeploymentConfig | None = None,
) -> None:
    """Start the shards' pollers, and make the schedules those that are declared."""
    if deployment is not None:
        await until_answered(lambda: be_first(client, deployment.version))
    await keep_shards(client, settings.poll_shards)
    await until_answered(lambda: reconcile_schedules(client, declared(settings)))


async def be_first(client: Client, version: WorkerDeploymentVersion) -> None:
    """Take new runs if no build does yet: nobody has to say so at a first installation."""
    stands = await rollout_of(client, version.deployment_name)
    if stands.current is None:
        await set_current(client, version.deployment_name, version.build_id)
        log.info("first build is current", build_id=version.build_id)


async def until_answered(
    ask: Callable[[], Awaitable[object]], wait_seconds: float = _RETRY_SECONDS
) -> None:
    """Ask Temporal until it answers, however long that takes."""
    while True:
        try:
            await ask()
        except RPCError as error:
            log.warning("temporal did not answer", error=error.message)
            await asyncio.sleep(wait_seconds)
        else:
            return
