"""Which release of the plans a worker runs: none in particular, or one among several at once.

Who says so is the environment, by the names that Temporal's own worker controller sets. Behaviours
are given to the worker and not to the classes: a class that names one fails every task of a worker
without versions.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from temporalio.bridge.proto.workflow_activation import WorkflowActivation
from temporalio.bridge.proto.workflow_completion import WorkflowActivationCompletion
from temporalio.common import VersioningBehavior, WorkerDeploymentVersion
from temporalio.worker import (
    WorkerDeploymentConfig,
    WorkflowInstance,
    WorkflowInstanceDetails,
)
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner

from feedmill.errors import SettingsError

DEPLOYMENT_VARIABLE = "TEMPORAL_DEPLOYMENT_NAME"
BUILD_VARIABLE = "TEMPORAL_WORKER_BUILD_ID"


def deployment_of(environ: Mapping[str, str]) -> WorkerDeploymentConfig | None:
    """Return the release that the environment names; None when it names none.

    Raises
    ------
    SettingsError
        Only one of the two variables is set.
    """
    deployment, build = environ.get(DEPLOYMENT_VARIABLE), environ.get(BUILD_VARIABLE)
    if not deployment and not build:
        return None
    if not deployment or not build:
        missing = BUILD_VARIABLE if deployment else DEPLOYMENT_VARIABLE
        raise SettingsError(f"{missing} is missing: set both it and its partner, or neither")
    return WorkerDeploymentConfig(
        version=WorkerDeploymentVersion(deployment_name=deployment, build_id=build),
        use_worker_versioning=True,
        # What ends within hours ends as it began.
        default_versioning_behavior=VersioningBehavior.PINNED,
    )


@dataclass(frozen=True)
class VersionedRunner(SandboxedWorkflowRunner):
    """The sandbox, in which some workflows are taken over by the next release while they run.

    Attributes
    ----------
    long_lived
        The names of these workflows.
    """

    long_lived: frozenset[str] = frozenset()

    def create_instance(self, det: WorkflowInstanceDetails) -> WorkflowInstance:
        """Create an instance that says with each task how it is to be versioned."""
        instance = super().create_instance(det)
        if det.defn.name in self.long_lived:
            _let_be_upgraded(instance)
        return instance


def _let_be_upgraded(instance: WorkflowInstance) -> None:
    activate = instance.activate

    def activate_upgraded(act: WorkflowActivation) -> WorkflowActivationCompletion:
        completion = activate(act)
        if completion.HasField("successful"):
            completion.successful.versioning_behavior = VersioningBehavior.AUTO_UPGRADE.value
        return completion

    instance.activate = activate_upgraded  # type: ignore[method-assign]  # no other hook in the SDK
