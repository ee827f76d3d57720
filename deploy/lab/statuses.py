"""How objects are doing, in the words that Helm looks for."""

import time
from collections.abc import Mapping, Sequence

from lab.chart import Manifest
from lab.kubelet import Pod


def deployment_status(
    deployment: Manifest, pods: Sequence[Pod], new: Sequence[Pod], wanted: int
) -> Mapping[str, object]:
    ready = sum(pod.ready for pod in pods)
    done = sum(pod.ready for pod in new) == wanted == len(pods)
    return {
        "observedGeneration": deployment["metadata"]["generation"],
        "replicas": len(pods),
        "updatedReplicas": len(new),
        "readyReplicas": ready,
        "availableReplicas": ready,
        "unavailableReplicas": max(0, wanted - ready),
        "conditions": [
            {"type": "Available", "status": "True" if ready >= wanted else "False"},
            {
                "type": "Progressing",
                "status": "True",
                "reason": "NewReplicaSetAvailable" if done else "ReplicaSetUpdated",
            },
        ],
    }


def job_status(code: int) -> Mapping[str, object]:
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
    if code:
        return {"failed": 1, "conditions": [{"type": "Failed", "status": "True"}]}
    return {
        "succeeded": 1,
        "startTime": now,
        "completionTime": now,
        "conditions": [
            {"type": "SuccessCriteriaMet", "status": "True"},
            {"type": "Complete", "status": "True"},
        ],
    }


def pod_status(code: int) -> Mapping[str, object]:
    completed = {"type": "Ready", "status": "False", "reason": "PodCompleted"}
    return {"phase": "Failed" if code else "Succeeded", "conditions": [completed]}
