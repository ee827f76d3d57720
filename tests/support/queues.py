"""Who serves which activity, and who calls it where, read from the sources themselves."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from feedmill.contracts import options
from feedmill.contracts.queues import TaskQueue

SERVICES = Path(__file__).parents[2] / "services"
WORKFLOW_MODULES = sorted((SERVICES / "feedmill_orchestrator" / "workflows").glob("*.py"))

_CALLS = frozenset({"execute_activity_method", "start_activity_method"})


class Served(NamedTuple):
    service: str
    queue: TaskQueue
    activity: str


class Called(NamedTuple):
    module: str
    queue: TaskQueue
    activity: str


def served() -> list[Served]:
    """Return what every composition root registers."""
    return [
        Served(path.parent.name.removeprefix("feedmill_"), queue, activity)
        for path in sorted(SERVICES.glob("*/__main__.py"))
        for queue, activities in _registrations(path)
        for activity in activities
    ]


def queues_served() -> list[tuple[str, TaskQueue]]:
    """Return which service serves which queue."""
    return [
        (path.parent.name.removeprefix("feedmill_"), queue)
        for path in sorted(SERVICES.glob("*/__main__.py"))
        for queue, _ in _registrations(path)
    ]


def called() -> list[Called]:
    """Return every call of an activity in a workflow's module, with the queue of its options."""
    return [call for path in WORKFLOW_MODULES for call in _calls(path.name, path.read_text())]


def _registrations(path: Path) -> Iterator[tuple[TaskQueue, tuple[str, ...]]]:
    for call in _calls_of(ast.parse(path.read_text())):
        if isinstance(call.func, ast.Name) and call.func.id == "run_worker":
            queue = next(arg for arg in call.args if _is_queue(arg))
            assert isinstance(queue, ast.Attribute)
            given = {keyword.arg: keyword.value for keyword in call.keywords}
            listed = given.get("activities")
            elements = listed.elts if isinstance(listed, ast.List | ast.Tuple) else []
            names = tuple(each.attr for each in elements if isinstance(each, ast.Attribute))
            yield TaskQueue[queue.attr], names


def _calls(module: str, source: str) -> Iterator[Called]:
    for call in _calls_of(ast.parse(source)):
        if isinstance(call.func, ast.Attribute) and call.func.attr in _CALLS:
            method = call.args[0]
            assert isinstance(method, ast.Attribute), f"{module}: name the activity outright"
            spread = [each.value for each in call.keywords if each.arg is None]
            assert len(spread) == 1, f"{module}: {method.attr} is called without its options"
            (block,) = spread
            assert isinstance(block, ast.Attribute)
            queue = getattr(options, block.attr)["task_queue"]
            yield Called(module, TaskQueue(queue), method.attr)


def _calls_of(tree: ast.Module) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def _is_queue(node: ast.expr) -> bool:
    return (
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "TaskQueue"
    )
