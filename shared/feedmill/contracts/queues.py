from enum import StrEnum


class TaskQueue(StrEnum):
    """One queue per kind of work, so that each kind scales on its own."""

    INGESTION = "ingestion"
    FETCH = "fetch"
    DISTILLATION = "distillation"
    ORCHESTRATION = "orchestration"
