"""How a process of the fleet joins Temporal, works, and leaves."""

from feedmill.worker.activity import attempt_key, current_run, heartbeating, in_parallel
from feedmill.worker.process import main_of, process, spare_collector
from feedmill.worker.run import run_worker

__all__ = [
    "attempt_key",
    "current_run",
    "heartbeating",
    "in_parallel",
    "main_of",
    "process",
    "run_worker",
    "spare_collector",
]
