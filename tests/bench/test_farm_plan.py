import gzip
from collections import Counter
from datetime import UTC, datetime

import pytest

from farm_plan import Misdeed, Scene, behaviours, body, host_sizes, hosts_of_feeds
from feedmill.models.feeds import FeedSnapshot
from feedmill_ingestion.parsing import parse_feed

SEED = 1
HOSTS = hosts_of_feeds(2_000, SEED)


@pytest.mark.parametrize("feeds", [1, 10, 100, 1_000, 5_000])
def test_every_feed_has_a_host(feeds: int) -> None:
    sizes = host_sizes(feeds)

    assert sum(sizes) == feeds
    assert sizes == sorted(sizes, reverse=True)


def test_hosts_are_spread_as_in_real_lists() -> None:
    sizes = host_sizes(2_000)

    alone = sizes.count(1) / 2_000
    assert 0.71 <= alone <= 0.88
    assert 0.03 <= sizes[0] / 2_000 <= 0.18
    assert 0.01 <= sizes[1] / 2_000 <= 0.04


def test_every_host_has_an_address_of_its_own() -> None:
    sizes = Counter(hosts_of_feeds(80_000, SEED))

    assert sorted(sizes.values(), reverse=True) == host_sizes(80_000)
    assert all(host.startswith("127.") for host in sizes)


@pytest.mark.parametrize("feed", [4, 5], ids=["Atom", "RSS"])
def test_a_feed_shows_twenty_entries_with_some_text(feed: int) -> None:
    shown = parsed(feed, version=0)

    assert len({entry.guid for entry in shown.entries}) == 20
    lengths = [len(entry.teaser) for entry in shown.entries]
    assert 350 < sum(lengths) / 20 < 700


@pytest.mark.parametrize("feed", [4, 5], ids=["Atom", "RSS"])
def test_each_version_shows_two_entries_more(feed: int) -> None:
    before, after = (
        {entry.guid for entry in parsed(feed, version=version).entries} for version in (0, 1)
    )

    assert len(after - before) == 2


def test_the_same_numbers_give_the_same_farm() -> None:
    assert body(7, 1, "http://127.1.1.1", SEED) == body(7, 1, "http://127.1.1.1", SEED)
    assert behaviours(Scene(changed=0.5), HOSTS, SEED) == behaviours(
        Scene(changed=0.5), HOSTS, SEED
    )


def test_most_bodies_can_be_had_packed() -> None:
    bodies = [body(feed, 0, "http://127.1.1.1", SEED) for feed in range(50)]

    packed = [each for each in bodies if each.packed is not None]
    assert 25 <= len(packed) <= 45
    assert all(gzip.decompress(each.packed or b"") == each.plain for each in packed)


def test_a_scene_is_made_of_shares() -> None:
    each = behaviours(Scene(changed=0.1, slow=0.05, failing=0.04), HOSTS, SEED)

    assert sum(one.changes for one in each) == pytest.approx(200, abs=50)
    delays = [one.delay_seconds for one in each if one.delay_seconds]
    assert len(delays) == pytest.approx(100, abs=40)
    assert all(0.2 <= delay <= 2 for delay in delays)
    assert {one.misdeed for one in each} == {None, *Misdeed}


def test_only_small_shared_hosts_ask_for_time() -> None:
    sizes = Counter(HOSTS)

    each = zip(HOSTS, behaviours(Scene(failing=0.5), HOSTS, SEED), strict=True)

    busy = [host for host, one in each if one.misdeed is Misdeed.BUSY]
    assert busy
    assert {sizes[host] for host in busy} <= {2, 3, 4}


def parsed(feed: int, *, version: int) -> FeedSnapshot:
    shown = body(feed, version, "http://127.1.1.1:80", SEED)
    now = datetime(2027, 1, 1, tzinfo=UTC)
    snapshot = parse_feed(shown.plain, charset="utf-8", url="http://127.1.1.1:80/feed", now=now)
    assert isinstance(snapshot, FeedSnapshot)
    return snapshot
