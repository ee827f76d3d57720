"""What every run tells an operator, by one query that all of them answer."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import is_cancelled_exception

from feedmill.models.base import Model
from feedmill.models.runs import RunDescription

# A query's answer is looked at by a person.
_MOST_CHARACTERS = 16_000


class Describable:
    """A workflow that answers `describe`, whatever else it can be asked."""

    @workflow.query(dynamic=True)
    def _describe(self, name: str, _args: Sequence[RawValue]) -> RunDescription:
        info = workflow.info()
        return RunDescription(
            workflow_type=info.workflow_type,
            workflow_id=info.workflow_id,
            run_id=info.run_id,
            started_at=info.start_time,
            attempt=info.attempt,
            history_events=info.get_current_history_length(),
            history_bytes=info.get_current_history_size(),
            continues_as_new_soon=info.is_continue_as_new_suggested(),
            is_known=name == "describe",
            progress=self._progress_as_text(),
        )

    def _progress_as_text(self) -> str:
        get_progress: Callable[[], Model] | None = getattr(self, "get_progress", None)
        if get_progress is None:
            return ""
        return get_progress().model_dump_json(by_alias=True)[:_MOST_CHARACTERS]


@contextmanager
def saying_what_was_done(progress: Callable[[], Model]) -> Iterator[None]:
    """When the block is cancelled, leave its progress where it is read without any worker: in the memo."""
    try:
        yield
    except BaseException as error:
        if is_cancelled_exception(error):
            workflow.upsert_memo({"done": progress().model_dump(mode="json", by_alias=True)})
        raise
