"""Queues, work and processes: whether the fleet keeps up."""

from lab.grafana import Row
from lab.panels import NAMESPACE, NEVER, lines, quantile, rates, stat

FLEET = (
    Row(
        "Now",
        (
            stat(
                "Processes ready",
                "Processes that reach Temporal and Postgres, know the schema and do not drain.",
                "short",
                f"sum(feedmill_ready{{{NAMESPACE}}})",
            ),
            stat(
                "Tasks waiting",
                "In all queues, by Temporal's estimate.",
                "short",
                f"sum(feedmill:task_queue_backlog:max{{{NAMESPACE}}})",
                (100, 1_000),
            ),
            stat(
                "Longest wait of a task",
                "Age of the task that has waited longest, in any queue.",
                "s",
                f"max(feedmill_task_queue_backlog_seconds{{{NAMESPACE}}})",
                (60, 300),
            ),
            stat(
                "Workflows failed",
                "In the time that is shown. What sites do is an outcome and fails no workflow.",
                "short",
                f"sum(increase(temporal_workflow_failed_total{{{NAMESPACE}}}[$__range])){NEVER}",
                (1, 5),
            ),
        ),
    ),
    Row(
        "Queues",
        (
            lines(
                "Backlog",
                "Tasks that wait for a worker: what pools are scaled by.",
                "short",
                (
                    f"feedmill:task_queue_backlog:max{{{NAMESPACE}}}",
                    "{{task_queue}} {{task_queue_type}}",
                ),
            ),
            lines(
                "Slots in use",
                "Of those that a pool's processes have together. Memory and CPU may allow fewer.",
                "percentunit",
                (f"feedmill:worker_slots_used:ratio{{{NAMESPACE}}}", "{{task_queue}}"),
            ),
            lines(
                "Schedule to start, p95",
                "How long tasks wait between being given out and being taken.",
                "s",
                (f"feedmill:activity_schedule_to_start:p95_5m{{{NAMESPACE}}}", "{{task_queue}}"),
                (
                    f"feedmill:workflow_task_schedule_to_start:p95_5m{{{NAMESPACE}}}",
                    "{{task_queue}}, workflow tasks",
                ),
            ),
            lines(
                "Pollers",
                "Open requests for work: none means that nobody serves a queue.",
                "short",
                (f"sum by (task_queue) (temporal_num_pollers{{{NAMESPACE}}})", "{{task_queue}}"),
            ),
        ),
    ),
    Row(
        "Work",
        (
            lines(
                "Activities",
                "Attempts that ended, by activity and how.",
                "ops",
                (
                    rates("activity, outcome", "feedmill_activity_seconds_count"),
                    "{{activity}} {{outcome}}",
                ),
                stacked=True,
            ),
            lines(
                "Time of an activity, p95",
                "One attempt at one slice.",
                "s",
                (quantile(0.95, "feedmill_activity_seconds", "activity"), "{{activity}}"),
            ),
            lines(
                "Activities that fail",
                "Share of attempts that end with an error of ours: Postgres, Temporal or the model is away, or code is wrong.",
                "percentunit",
                (f"feedmill:activity_failures:ratio_rate5m{{{NAMESPACE}}}", "{{activity}}"),
            ),
            lines(
                "Workflows",
                "Runs that completed, failed or went on as new ones.",
                "ops",
                (rates("workflow_type", "temporal_workflow_completed_total"), "{{workflow_type}}"),
                (
                    rates("workflow_type", "temporal_workflow_failed_total") + NEVER,
                    "{{workflow_type}} failed",
                ),
            ),
            lines(
                "Time of a workflow, p95",
                "From its start to its end, waiting included.",
                "s",
                (
                    quantile(0.95, "temporal_workflow_endtoend_latency_seconds", "workflow_type"),
                    "{{workflow_type}}",
                ),
            ),
            lines(
                "Time of a workflow task, p95",
                "Running and replaying workflow code: should stay far below ten seconds.",
                "s",
                (
                    quantile(0.95, "temporal_workflow_task_execution_latency_seconds"),
                    "execution",
                ),
                (quantile(0.95, "temporal_workflow_task_replay_latency_seconds"), "replay"),
            ),
        ),
    ),
    Row(
        "Processes",
        (
            lines(
                "Ready, by pool",
                "How many processes of each kind are of use.",
                "short",
                (f"sum by (component) (feedmill_ready{{{NAMESPACE}}})", "{{component}}"),
                stacked=True,
            ),
            lines(
                "Lag of the event loop, p99",
                "How late loops wake up: above a tenth of a second something blocks them.",
                "s",
                (
                    quantile(0.99, "feedmill_event_loop_lag_seconds", "component"),
                    "{{component}}",
                ),
            ),
            lines(
                "Memory",
                "Resident memory of each process, without those that parse for it.",
                "bytes",
                (f"sum by (pod) (process_resident_memory_bytes{{{NAMESPACE}}})", "{{pod}}"),
            ),
            lines(
                "CPU",
                "Cores that each process keeps busy, without those that parse for it.",
                "short",
                (rates("pod", "process_cpu_seconds_total"), "{{pod}}"),
            ),
        ),
    ),
)
