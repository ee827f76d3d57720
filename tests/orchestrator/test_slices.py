import pytest

from feedmill_orchestrator.workflows.progress import slices


@pytest.mark.parametrize(
    ("entries", "size", "dealt"),
    [
        (0, 10, []),
        (1, 10, [(0,)]),
        (4, 4, [(0, 1, 2, 3)]),
        (5, 4, [(0, 2, 4), (1, 3)]),
        (7, 3, [(0, 3, 6), (1, 4), (2, 5)]),
        (3, 1, [(0,), (1,), (2,)]),
    ],
)
def test_entries_are_dealt_out_in_turn(
    entries: int, size: int, dealt: list[tuple[int, ...]]
) -> None:
    assert slices(range(entries), size) == dealt


def test_each_slice_has_as_many_hosts_as_there_are() -> None:
    hosts = {entry: entry // 20 for entry in range(500)}

    assert {len({hosts[entry] for entry in slice_}) for slice_ in slices(range(500), 10)} == {10}
