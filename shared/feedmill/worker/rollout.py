"""Which release takes new runs: read and changed at Temporal, the way its own tools do."""

from temporalio.api.deployment.v1 import WorkerDeploymentInfo
from temporalio.api.enums.v1 import WorkerDeploymentVersionStatus
from temporalio.api.workflowservice.v1 import (
    DescribeWorkerDeploymentRequest,
    SetWorkerDeploymentCurrentVersionRequest,
    SetWorkerDeploymentRampingVersionRequest,
)
from temporalio.client import Client

from feedmill.models.base import BrowserModel

_STATUS = "WORKER_DEPLOYMENT_VERSION_STATUS_"


class Release(BrowserModel):
    """One build of a deployment."""

    build_id: str
    status: str
    last_current: float = 0.0


class Rollout(BrowserModel):
    """Which build takes new runs, and which takes a share of them."""

    deployment: str
    current: str | None = None
    ramping: str | None = None
    percent: float = 0.0
    releases: tuple[Release, ...] = ()

    @property
    def former(self) -> str | None:
        """The build that was current before this one."""
        others = [each for each in self.releases if each.build_id != self.current]
        been = [each for each in others if each.last_current]
        return max(been, key=lambda each: each.last_current).build_id if been else None


async def rollout_of(client: Client, deployment: str) -> Rollout:
    """Return how a rollout stands. Raises `RPCError` when nothing has been deployed."""
    request = DescribeWorkerDeploymentRequest(
        namespace=client.namespace, deployment_name=deployment
    )
    answer = await client.workflow_service.describe_worker_deployment(request)
    return _rollout(answer.worker_deployment_info)


async def set_current(client: Client, deployment: str, build_id: str) -> None:
    """Let a build take every new run, and running ones of the long kind."""
    await client.workflow_service.set_worker_deployment_current_version(
        SetWorkerDeploymentCurrentVersionRequest(
            namespace=client.namespace,
            deployment_name=deployment,
            build_id=build_id,
            identity=client.identity,
        )
    )


async def set_ramp(client: Client, deployment: str, build_id: str, percent: float) -> None:
    """Let a build take a share of new runs; an empty build and no share end the ramp."""
    await client.workflow_service.set_worker_deployment_ramping_version(
        SetWorkerDeploymentRampingVersionRequest(
            namespace=client.namespace,
            deployment_name=deployment,
            build_id=build_id,
            percentage=percent,
            identity=client.identity,
        )
    )


async def roll_back(client: Client, deployment: str) -> str | None:
    """End the ramp if there is one, else let the former build be current; return which is now."""
    stands = await rollout_of(client, deployment)
    if stands.ramping:
        await set_ramp(client, deployment, "", 0)
        return stands.current
    if stands.former:
        await set_current(client, deployment, stands.former)
    return stands.former


def _rollout(info: WorkerDeploymentInfo) -> Rollout:
    routing = info.routing_config
    return Rollout(
        deployment=info.name,
        current=routing.current_deployment_version.build_id or None,
        ramping=routing.ramping_deployment_version.build_id or None,
        percent=routing.ramping_version_percentage,
        releases=tuple(
            Release(
                build_id=each.deployment_version.build_id,
                status=WorkerDeploymentVersionStatus.Name(each.status)
                .removeprefix(_STATUS)
                .lower(),
                last_current=each.last_current_time.ToMicroseconds() / 1e6
                if each.HasField("last_current_time")
                else 0.0,
            )
            for each in info.version_summaries
        ),
    )
