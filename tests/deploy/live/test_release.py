"""A release from its installation to its end, told in order: real images, real Helm, real servers."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from helm_python import HelmError
from temporalio.client import Client

from feedmill.store.schema import REVISION
from lab.autoscaler import Moment, scale
from lab.chart import one, render
from lab.kubelet import Pod
from lab.metrics import CHART, Use, uses
from lab.panels import NEVER
from lab.podman import podman, try_podman
from lab.prometheus import Prometheus
from lab.release import VALUES, Release, changed
from support.deployed import Gateway

ROLES = ("ingestion", "fetch", "fetch-browser", "distillation", "orchestrator", "gateway")
# What a healthy run never shows: their expressions say zero, and are read for what else they name.
NEVER_SEEN = (
    "feedmill_budget_steps_total",
    "feedmill_entries_picked_up_total",
    "feedmill_hub_requests_total",
    "feedmill_pushes_total",
    "temporal_workflow_failed_total",
    'outcome="rate_limited"',
    'outcome!~"distilled|reused"',
)
PICTURES = os.environ.get("FEEDMILL_PICTURES")

pytestmark = [pytest.mark.deploy, pytest.mark.timeout(900)]


@pytest.mark.parametrize("role", ROLES)
def test_an_image_holds_what_runs_and_nothing_that_makes_it(images: str, role: str) -> None:
    script = (
        "id -u; python3 -c 'import pip' 2>/dev/null && echo has pip; "
        "for name in pip pip3 gcc cc make uv; do command -v $name; done; "
        "touch /opt/feedmill/x 2>/dev/null && echo writes; exit 0"
    )
    printed = podman(
        *("run", "--rm", "--no-healthcheck", "--pull", "never", "--entrypoint", "sh"),
        *(f"{images}{role}:lab", "-c", script),
    )

    assert printed.split() == ["10001"]


@pytest.mark.parametrize("role", ROLES)
def test_an_image_says_what_it_lacks(images: str, role: str) -> None:
    code, printed = try_podman("run", "--rm", "--no-healthcheck", f"{images}{role}:lab")

    assert code == 2
    assert "FEEDMILL_DATABASE_URL: missing" in printed


def test_it_installs_and_works(release: Release) -> None:
    release.test()

    assert release.cluster.is_settled()
    assert release.cluster.killed == []


def test_a_feed_goes_the_whole_way(
    release: Release, gateway: Gateway, prometheus: Prometheus
) -> None:
    added = gateway.add(release.internet.feed("norwick", 30))

    progress = gateway.finished(added["run"])

    assert (progress["fetched"], progress["distilled"]) == (30, 30)
    entries = gateway.get(f"/api/v1/entries?feedId={added['feed']['id']}&limit=50")["items"]
    assert {entry["distiller"] for entry in entries} == {"model"}


def test_a_page_that_is_empty_without_its_scripts_is_looked_at(
    release: Release, gateway: Gateway
) -> None:
    added = gateway.add(release.internet.feed("shells", 2))

    progress = gateway.finished(added["run"])

    assert (progress["fetched"], progress["distilled"]) == (2, 2)
    entries = gateway.get(f"/api/v1/entries?feedId={added['feed']['id']}")["items"]
    assert [entry["stage"] for entry in entries] == ["distilled"] * 2


def test_logs_are_lines_of_json_that_name_the_run_they_belong_to(release: Release) -> None:
    written = [
        (role, line)
        for role in ROLES
        for pod in release.cluster.pods(release.deployment(role))
        for line in pod.logs().splitlines()
    ]

    assert [each for each in written if not each[1].startswith("{")] == []
    lines = [json.loads(line) for _, line in written]
    work = [line for line in lines if line["event"] == "activity completed"]
    assert {line["service"] for line in work} >= {"ingestion", "fetch", "distillation"}
    for line in work:
        assert line.keys() >= {"workflow_id", "run_id", "activity_type", "attempt", "seconds"}, line


def test_the_browser_s_pod_makes_namespaces_and_no_more(release: Release) -> None:
    (pod,) = release.cluster.pods(release.deployment("fetch-browser"))

    made = [
        pod.exec("unshare", "--user", "--map-root-user", *more, "true")[0] == 0
        for more in ([], ["--mount"])
    ]

    assert made == [True, False]


@pytest.mark.parametrize(
    ("role", "where", "port", "may"),
    [
        pytest.param("fetch", "public", 80, True, id="the web"),
        pytest.param("fetch", "public", 443, True, id="the web, with TLS"),
        pytest.param("fetch", "public", 8080, False, id="another port"),
        pytest.param("fetch", "private", 80, False, id="a private network"),
        pytest.param("ingestion", "public", 80, True, id="the web, polled"),
        pytest.param("ingestion", "private", 80, False, id="a private network, polled"),
        pytest.param("fetch-browser", "private", 80, False, id="a private network, browsed"),
        pytest.param("fetch", "gateway", 8420, False, id="the gateway's pod"),
        pytest.param("fetch", "orchestrator", 9400, False, id="a peer's metrics"),
        pytest.param("fetch", "temporal", 7233, True, id="Temporal"),
        pytest.param("fetch", "postgres", 5432, True, id="Postgres"),
        pytest.param("orchestrator", "public", 80, False, id="the web, for nothing"),
        pytest.param("orchestrator", "temporal", 7233, True, id="Temporal, orchestrated"),
        pytest.param("gateway", "public", 443, False, id="the web, from the gateway"),
        pytest.param("gateway", "fetch", 9400, False, id="a worker, from the gateway"),
    ],
)
def test_pods_reach_what_they_may(
    release: Release, role: str, where: str, port: int, may: bool
) -> None:
    cluster = release.cluster
    addresses: dict[str, Callable[[], str]] = {
        "public": lambda: release.internet.public,
        "private": lambda: release.internet.private,
        "temporal": lambda: "temporal",
        "postgres": lambda: "postgres.feeds",
    }
    address = addresses.get(where, lambda: cluster.pods(release.deployment(where))[0].address)()
    connect = f"import socket; socket.create_connection(({address!r}, {port}), 3)"

    code, said = cluster.pods(release.deployment(role))[0].exec("python3", "-c", connect)

    assert (code == 0) is may, said


def test_a_pod_that_is_lost_in_the_middle_of_its_work_loses_nothing(
    release: Release, gateway: Gateway
) -> None:
    added = gateway.add(release.internet.feed("lost", 150))
    gateway.until_fetched(added["run"], 10)

    release.cluster.lose(release.cluster.pods(release.deployment("fetch"))[0])

    progress = gateway.finished(added["run"])
    assert (progress["fetched"], progress["distilled"], progress["left"]) == (150, 150, 0)
    release.cluster.until_settled()


def test_a_pod_that_is_told_to_go_finishes_its_work(release: Release, gateway: Gateway) -> None:
    fetch = release.deployment("fetch")
    (before,) = release.cluster.pods(fetch)
    added = gateway.add(release.internet.feed("drained", 100))
    gateway.until_fetched(added["run"], 5)

    release.cluster.scale(fetch, 0)
    while before.exit_codes == {}:
        time.sleep(0.1)
    release.cluster.scale(fetch, 1)

    assert before.exit_codes == {"fetch": 0}
    progress = gateway.finished(added["run"])
    assert (progress["fetched"], progress["distilled"]) == (100, 100)
    release.cluster.until_settled()


def test_pods_wait_for_the_schema_that_they_know_and_are_not_killed_for_it(
    release: Release,
) -> None:
    cluster = release.cluster
    pods = [pod for role in ROLES for pod in cluster.pods(release.deployment(role))]
    deadline = time.monotonic() + 60

    _say_schema(pods[0], "0001")
    while ready := [pod.name for pod in pods if pod.ready]:
        assert time.monotonic() < deadline, ready
        time.sleep(0.2)
    _say_schema(pods[0], REVISION)

    cluster.until_settled()
    assert {pod.restarts for pod in pods} == {0}


def _say_schema(pod: Pod, revision: str) -> None:
    """Let the database say that its schema is at a revision."""
    said = (
        "import os, psycopg; "
        "psycopg.connect(os.environ['FEEDMILL_DATABASE_URL'], autocommit=True)"
        f".execute('update alembic_version set version_num = %s', ['{revision}'])"
    )
    code, printed = pod.exec("python3", "-c", said)
    assert code == 0, printed


def test_it_is_upgraded_under_load_and_nobody_notices(release: Release, gateway: Gateway) -> None:
    added = gateway.add(release.internet.feed("upgraded", 150))
    cluster = release.cluster
    cluster.fewest_ready.clear()

    with gateway.read_all_the_time() as failures:
        release.upgrade(changed(VALUES, "settings", "logLevel", to="debug"))
        progress = gateway.finished(added["run"])

    assert failures == []
    assert (progress["fetched"], progress["distilled"]) == (150, 150)
    assert cluster.fewest_ready == {
        release.deployment(role): 2 if role == "gateway" else 1 for role in ROLES
    }
    assert cluster.killed == []


def test_it_goes_back_to_what_it_was(release: Release, gateway: Gateway) -> None:
    release.rollback()

    release.cluster.until_settled()
    (settings,) = [
        each
        for each in release.cluster.api.of_kind("ConfigMap")
        if "settings" in str(each) and each["metadata"]["name"].endswith("settings")
    ]
    assert settings["data"]["FEEDMILL_LOG_LEVEL"] == "info"
    release.test()


def test_a_release_that_does_not_work_is_never_there(release: Release, gateway: Gateway) -> None:
    nowhere = changed(VALUES, "temporal", "address", to="nowhere:1")

    with gateway.read_all_the_time() as failures, pytest.raises(HelmError):
        release.upgrade(nowhere, seconds=30, or_back=True)

    assert failures == []
    release.cluster.until_settled()
    release.test()


async def test_pools_follow_their_own_backlog(
    release: Release, gateway: Gateway, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = release.cluster
    scaled = [_scaled_object("fetch", 2), _scaled_object("distillation", 1)]
    for pool in ("fetch", "distillation"):
        cluster.scale(release.deployment(pool), 0)
    runs = [gateway.add(release.internet.feed(f"many-{n}", 60))["run"] for n in range(6)]
    client = await Client.connect(f"{cluster.address('temporal')}:7233", namespace="lab-feeds")
    deadline = time.monotonic() + 240

    def is_over(moments: list[Moment]) -> bool:
        # A pool may be empty between two slices that wait for a host: only runs say when it is over.
        done = len(moments) > 2 and not any(each.pods or each.wanted for each in moments[-2:])
        return (done and not gateway.are_running(runs)) or time.monotonic() > deadline

    moments = await scale(cluster, client, scaled, is_over)

    with capsys.disabled():
        print("\n" + "\n".join(str(each) for each in moments))
    for run in runs:
        assert gateway.finished(run)["distilled"] == 60
    assert _peak(moments, "fetch") > 1
    assert _peak(moments, "distillation") >= 1
    # Each on its own: one had pods while the other had none.
    assert {each.pods == 0 for each in moments if each.pool == "distillation"} == {True, False}
    assert moments[-1].pods == 0
    assert cluster.killed == []


def _peak(moments: list[Moment], pool: str) -> int:
    return max((each.pods for each in moments if each.pool == pool), default=0)


def _scaled_object(pool: str, target: int) -> dict[str, Any]:
    quick = {
        "mode": "keda",
        "minReplicas": 0,
        "maxReplicas": 3,
        "targetBacklog": target,
        "pollingIntervalSeconds": 2,
        "cooldownSeconds": 8,
        "scaleDownSeconds": 8,
    }
    return one(render(changed(VALUES, "workers", pool, "autoscaling", to=quick)), "ScaledObject")


def test_everybody_is_read(release: Release, prometheus: Prometheus) -> None:
    for pool in ("fetch", "distillation"):
        release.cluster.scale(release.deployment(pool), 1)
    release.cluster.until_settled()
    time.sleep(5)

    read = {
        target["labels"]["component"] for target in prometheus.targets() if target["health"] == "up"
    }
    assert read == set(ROLES)
    assert prometheus.values_of("namespace", "feedmill_ready") == {"feeds"}


def test_every_rule_is_computed(prometheus: Prometheus) -> None:
    rules = prometheus.rules()

    assert len(rules) > 30
    assert [rule["name"] for rule in rules if rule["health"] != "ok"] == []


def test_every_expression_of_every_panel_rule_and_alert_has_an_answer(
    release: Release, gateway: Gateway, prometheus: Prometheus
) -> None:
    gateway.finished(gateway.add(release.internet.feed("seen", 20))["run"])
    time.sleep(40)

    asked = list(uses())
    silent = [use.where for use in asked if not _has_answer(use, prometheus)]

    assert len(asked) > 80
    assert silent == []


def _has_answer(use: Use, prometheus: Prometheus) -> bool:
    measure = use.measure
    if any(name in measure for name in NEVER_SEEN):
        assert " or on() vector(0)" in measure or " or\n" in measure, use.where
    else:
        measure = measure.replace(NEVER, "")
    lines = prometheus.over_time(measure)
    return any(value == value for line in lines for _, value in line.points)  # noqa: PLR0124 - no NaN


def test_nothing_was_asked_too_soon_and_nothing_failed(prometheus: Prometheus) -> None:
    for counter in ("feedmill_spacing_violations_total", "temporal_workflow_failed_total"):
        for line in prometheus.over_time(counter):
            assert line.points[-1][1] == 0, line.labels


def test_dashboards_can_be_looked_at(prometheus: Prometheus, tmp_path: Path) -> None:
    # Collected everywhere, and installed only where these tests run.
    from lab.pictures import draw  # noqa: PLC0415

    folder = Path(PICTURES) if PICTURES else tmp_path
    for path in (CHART / "dashboards").glob("*.json"):
        picture = folder / f"{path.stem}.png"
        draw(json.loads(path.read_text()), prometheus, picture)
        assert picture.stat().st_size > 20_000


def test_it_goes_and_leaves_nothing(release: Release) -> None:
    release.uninstall()

    cluster = release.cluster
    deadline = time.monotonic() + 90
    while left := [pod.name for pod in cluster.all_pods() if pod.name.startswith("rel-")]:
        assert time.monotonic() < deadline, (left, cluster.problems)
        time.sleep(0.2)
    assert [key for key in cluster.api.objects if key.name.startswith("rel-")] == []
    assert cluster.killed == []
    assert cluster.problems == []
