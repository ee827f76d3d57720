"""Small workflows for tests of what surrounds an activity. They import nothing a sandbox minds."""

from temporalio import workflow

from feedmill.contracts import options
from feedmill.contracts.queues import TaskQueue


@workflow.defn(name="CallOne")
class CallOne:
    """Calls one activity by its name, on the workflow's own queue."""

    @workflow.run
    async def run(self, name: str) -> str:
        workflow.logger.info("calling", extra={"callee": name})
        answer: str = await workflow.execute_activity(
            name,
            task_queue=TaskQueue.ORCHESTRATION,
            start_to_close_timeout=options.POLL_FEEDS["start_to_close_timeout"],
            schedule_to_close_timeout=options.POLL_FEEDS["schedule_to_close_timeout"],
            heartbeat_timeout=options.POLL_FEEDS["heartbeat_timeout"],
            retry_policy=options.POLL_FEEDS["retry_policy"],
            result_type=str,
        )
        return answer
