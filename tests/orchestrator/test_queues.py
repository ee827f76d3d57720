"""Every activity is served where it is asked for, and by one service alone."""

from collections import Counter

import pytest

from feedmill.contracts import activities, options
from feedmill.contracts.queues import TaskQueue
from support.queues import Called, called, queues_served, served

CALLS = called()
BLOCKS = {
    name: block
    for name, block in vars(options).items()
    if name.isupper() and isinstance(block, dict)
}


def abstract_activities() -> dict[str, str]:
    """Every activity of the contracts, and what its class says of its queue."""
    return {
        name: contract.__doc__ or ""
        for contract in vars(activities).values()
        if isinstance(contract, type) and contract.__module__ == activities.__name__
        for name in contract.__abstractmethods__
    }


@pytest.mark.parametrize("call", CALLS, ids=lambda call: f"{call.module}:{call.activity}")
def test_an_activity_is_registered_on_the_queue_it_is_sent_to(call: Called) -> None:
    assert (call.queue, call.activity) in {(each.queue, each.activity) for each in served()}


def test_calls_are_found_at_all() -> None:
    assert {"fetch_entries", "distill_entries", "poll_due_feeds", "join_domains"} <= {
        call.activity for call in CALLS
    }


def test_every_queue_is_served_by_the_one_service_it_names() -> None:
    # A service may have a pool of its own for another queue: `fetch-browser` is one of fetch.
    named = Counter((queue.service.partition("-")[0], queue) for queue in TaskQueue)
    assert Counter(queues_served()) == named


def test_every_activity_is_served_once_and_where_its_contract_says() -> None:
    assert {each.activity: f"Served on `TaskQueue.{each.queue.name}`." for each in served()} == (
        abstract_activities()
    )
    assert max(Counter(each.activity for each in served()).values()) == 1


def test_every_activity_is_called_by_some_workflow() -> None:
    assert {call.activity for call in CALLS} == set(abstract_activities())


@pytest.mark.parametrize("name", BLOCKS)
def test_an_activitys_options_bound_it_in_time(name: str) -> None:
    block = BLOCKS[name]

    assert block["heartbeat_timeout"] < block["start_to_close_timeout"]
    assert block["start_to_close_timeout"] <= block["schedule_to_close_timeout"]
    assert not block["retry_policy"].maximum_attempts
