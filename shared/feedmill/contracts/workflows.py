"""The workflows of the fleet, as those who start or query them see them."""

from abc import ABC, abstractmethod

from temporalio import workflow

from feedmill.models.runs import FeedIngested, IngestFeed, IngestionProgress


@workflow.defn(name="SingleFeedIngestion")
class SingleFeedIngestion(ABC):
    """One feed the whole way, first in every queue, for a person who waits."""

    @workflow.run
    @abstractmethod
    async def run(self, request: IngestFeed) -> FeedIngested:
        """Poll the feed, then fetch and distil everything of it that waits."""

    @workflow.query
    @abstractmethod
    def get_progress(self) -> IngestionProgress:
        """How far it has come."""


def feed_ingestion_id(feed_id: int) -> str:
    """Return the workflow id under which a feed is ingested: one at a time, whoever asks."""
    return f"feed-ingestion/{feed_id}"
