"""What workflow modules tell Temporal to do, and whether they are pure plans, read from their sources.

A history only holds what happened in one scenario. The sequence of commands in a module is what
could happen: whoever changes it sees the committed baseline differ, and decides whether runs that
are open can go on.
"""

import ast
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

from support.queues import WORKFLOW_MODULES

BASELINE = Path(__file__).parents[1] / "histories" / "commands.baseline"

# What becomes an event in a history.
_COMMANDS = frozenset(
    {
        "execute_activity_method",
        "start_activity_method",
        "execute_local_activity_method",
        "execute_child_workflow",
        "start_child_workflow",
        "continue_as_new",
        "sleep",
        "wait_condition",
        "upsert_search_attributes",
        "upsert_memo",
        "signal",
        "is_patched",
        "patched",
    }
)
_FORBIDDEN_MODULES = frozenset(
    {
        "os",
        "time",
        "random",
        "secrets",
        "uuid",
        "threading",
        "socket",
        "subprocess",
        "logging",
        "sys",
    }
    | {"pydantic_settings", "structlog", "sqlalchemy", "aiohttp", "psycopg", "pathlib", "io"}
)
_FORBIDDEN_CALLS = frozenset(
    {"datetime.now", "datetime.utcnow", "datetime.today", "date.today"}
    | {"asyncio.wait", "asyncio.as_completed", "asyncio.sleep", "asyncio.to_thread"}
    | {"asyncio.get_event_loop", "asyncio.get_running_loop", "open", "input", "print", "hash", "id"}
)


def fingerprints() -> dict[str, list[str]]:
    """Return the commands of every workflow module, in order, each with the blocks it stands in."""
    found = {path.name: commands(path.read_text()) for path in WORKFLOW_MODULES}
    return {name: each for name, each in found.items() if each}


def baseline() -> dict[str, list[str]]:
    """Return what was committed."""
    committed: dict[str, list[str]] = json.loads(BASELINE.read_text())
    return committed


def commands(source: str) -> list[str]:
    """Return the commands in a module, and the steps of workflows' own that lead to them."""
    return list(_within(ast.parse(source), ()))


def _steps() -> frozenset[str]:
    trees = (ast.parse(path.read_text()) for path in WORKFLOW_MODULES)
    nodes = (node for tree in trees for node in ast.walk(tree))
    return frozenset(node.name for node in nodes if isinstance(node, ast.AsyncFunctionDef))


_STEPS = _steps()


def impurities(source: str) -> list[str]:
    """Return what a workflow module reads that is not the same when it is replayed."""
    tree = ast.parse(source)
    return [f"{name} in line {line}" for node in ast.walk(tree) for name, line in _impure(node)]


def _impure(node: ast.AST) -> Iterator[tuple[str, int]]:
    if isinstance(node, ast.Import):
        for each in node.names:
            if each.name.partition(".")[0] in _FORBIDDEN_MODULES:
                yield each.name, node.lineno
    elif isinstance(node, ast.ImportFrom):
        module = node.module or ""
        if module.partition(".")[0] in _FORBIDDEN_MODULES or module == "feedmill.config":
            yield module, node.lineno
    elif isinstance(node, ast.Call):
        name = ast.unparse(node.func)
        naps = name == "workflow.sleep" and node.args and ast.unparse(node.args[0]) == "0"
        if name in _FORBIDDEN_CALLS or naps:
            yield name, node.lineno


def _within(node: ast.AST, blocks: tuple[str, ...]) -> Iterator[str]:
    if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
        blocks = (*blocks, node.name)
    elif isinstance(node, ast.For | ast.AsyncFor | ast.While | ast.If | ast.Try):
        blocks = (*blocks, type(node).__name__.lower())
    elif isinstance(node, ast.Call) and (command := _command(node)):
        yield " ".join([*blocks, command])
    for child in ast.iter_child_nodes(node):
        yield from _within(child, blocks)


def _command(node: ast.Call) -> str | None:
    name = ast.unparse(node.func).rpartition(".")[2]
    if name not in _COMMANDS:
        return f"{name}()" if name in _STEPS else None
    of = ast.unparse(node.args[0]) if node.args and name not in {"sleep", "wait_condition"} else ""
    return f"{name}({of})"


def main() -> None:
    """Take the present commands for the baseline: after it is certain that open runs can go on."""
    found: Mapping[str, list[str]] = fingerprints()
    BASELINE.write_text(json.dumps(found, indent=1) + "\n")
    print(f"wrote {BASELINE.name}")


if __name__ == "__main__":
    main()
