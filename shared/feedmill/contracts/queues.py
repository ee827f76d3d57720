from enum import StrEnum


class TaskQueue(StrEnum):
    """One queue per kind of work, so that each kind scales on its own."""

    INGESTION = "ingestion"
    FETCH = "fetch"
    FETCH_BROWSER = "fetch-browser"
    DISTILLATION = "distillation"
    ORCHESTRATION = "orchestration"

    @property
    def service(self) -> str:
        """The name of the process that serves this queue."""
        return "orchestrator" if self is TaskQueue.ORCHESTRATION else self.value
