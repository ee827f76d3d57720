"""Where one trace ends and another begins in runs that go on for ever. Loaded only where spans are sent.

Temporal's plug-in lets a run that continues as new go on with its trace, and everything that a run
does be part of it. For a shard's poller that would be one trace for as long as the fleet lives.
"""

from collections.abc import Collection
from typing import Any, NoReturn

from opentelemetry import trace
from opentelemetry.context import Context, attach, detach
from temporalio import workflow
from temporalio.worker import (
    ContinueAsNewInput,
    ExecuteWorkflowInput,
    Interceptor,
    StartActivityInput,
    WorkflowInboundInterceptor,
    WorkflowInterceptorClassInput,
    WorkflowOutboundInterceptor,
)

# Each of its activities begins something: what follows from it, in the same task, is its trace.
_IN_ROUNDS = frozenset({"PollShard"})


class TraceInterceptor(Interceptor):
    """Lets the long-lived begin new traces: with each history, and shards with each round.

    Given to a worker after the plug-in, it comes before it whenever a workflow wants something.
    """

    def __init__(self, long_lived: Collection[str]) -> None:
        self._long_lived = frozenset(long_lived)

    def workflow_interceptor_class(
        self,
        input: WorkflowInterceptorClassInput,  # noqa: A002, ARG002 - the SDK's name
    ) -> type[WorkflowInboundInterceptor]:
        long_lived = self._long_lived

        class Outbound(_LongLived):
            names = long_lived

        class Inbound(WorkflowInboundInterceptor):
            def init(self, outbound: WorkflowOutboundInterceptor) -> None:
                self._outbound = Outbound(outbound)
                super().init(self._outbound)

            async def execute_workflow(self, input: ExecuteWorkflowInput) -> Any:  # noqa: A002 - the SDK's name
                self._outbound.run = trace.get_current_span().get_span_context()
                return await super().execute_workflow(input)

        return Inbound


class _LongLived(WorkflowOutboundInterceptor):
    names: frozenset[str]
    run: trace.SpanContext = trace.INVALID_SPAN_CONTEXT

    def start_activity(
        self,
        input: StartActivityInput,  # noqa: A002 - the SDK's name
    ) -> workflow.ActivityHandle[Any]:
        if workflow.info().workflow_type in _IN_ROUNDS:
            _begin_trace(input.activity, self.run)
        return super().start_activity(input)

    def continue_as_new(self, input: ContinueAsNewInput) -> NoReturn:  # noqa: A002 - the SDK's name
        if workflow.info().workflow_type not in self.names:
            super().continue_as_new(input)
        token = attach(Context())
        try:
            super().continue_as_new(input)
        finally:
            detach(token)


def _begin_trace(activity: str, run: trace.SpanContext) -> None:
    """Begin a trace for what this task of the workflow does from now on, linked with the run's own."""
    info = workflow.info()
    begun = trace.get_tracer("feedmill").start_span(
        f"Round:{activity}",
        context=Context(),
        attributes={"temporalWorkflowID": info.workflow_id, "temporalRunID": info.run_id},
        links=[trace.Link(run)] if run.is_valid else [],
    )
    # Nobody knows when a round is over; its parts say how long they took.
    begun.end()
    # Never detached: the next activity of this task attaches another, and the task has a context of its own.
    attach(trace.set_span_in_context(begun, Context()))
