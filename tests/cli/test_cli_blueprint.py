import signal
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from feedmill.config import StackSettings, known_names
from feedmill.errors import SettingsError
from feedmill_cli.stack.blueprint import SERVICES, Site, parts_of, service_environment, urls_of
from feedmill_cli.stack.folder import Folder
from feedmill_cli.stack.part import HttpAnswers, Part, PostgresAccepts
from feedmill_cli.stack.ports import USUAL
from feedmill_cli.stack.site import Asked, check_settings, prepare_site
from feedmill_cli.stack.state import FleetState, Urls, page_with_token

DATABASE = "postgresql://feedmill:secret@127.0.0.1:5433/postgres"


def site(environment: Mapping[str, str] | None = None, *, elsewhere: bool = False) -> Site:
    return Site(
        temporal_folder=Path("/data/temporal"),
        ports=dict(USUAL),
        database_url=DATABASE,
        postgres_command=None if elsewhere else ("postgres", "-D", "/data"),
        token="a-token-for-the-gateway",
        drain_seconds=25,
        environment={"PATH": "/bin", **(environment or {})},
    )


def part(name: str, of: Site) -> Part:
    return next(part for part in parts_of(of) if part.name == name)


def test_the_whole_fleet_in_the_order_of_its_needs() -> None:
    assert {part.name: part.needs for part in parts_of(site())} == {
        "postgres": (),
        "temporal": (),
        "migrate": ("postgres",),
        **dict.fromkeys(SERVICES, ("postgres", "temporal", "migrate")),
    }


@pytest.mark.parametrize(
    ("of", "brought"),
    [
        pytest.param(site(elsewhere=True), ["temporal", "migrate"], id="a Postgres elsewhere"),
        pytest.param(
            site({"TEMPORAL_ADDRESS": "t:7233"}), ["postgres", "migrate"], id="a Temporal"
        ),
        pytest.param(
            site({"TEMPORAL_PROFILE": "cloud"}), ["postgres", "migrate"], id="its profile"
        ),
        pytest.param(site({"TEMPORAL_CONFIG_FILE": "/t"}), ["postgres", "migrate"], id="its file"),
        pytest.param(
            site({"TEMPORAL_ADDRESS": ""}), ["postgres", "temporal", "migrate"], id="empty is unset"
        ),
        pytest.param(site({"TEMPORAL_ADDRESS": "t:1"}, elsewhere=True), ["migrate"], id="both"),
    ],
)
def test_what_is_elsewhere_is_not_brought(of: Site, brought: list[str]) -> None:
    assert [part.name for part in parts_of(of)] == [*brought, *SERVICES]
    assert part("gateway", of).needs == tuple(brought)


def test_our_temporal_listens_on_loopback_and_keeps_its_history() -> None:
    temporal = part("temporal", site())

    assert temporal.command[0] == str(Path(sys.executable).parent / "temporal")
    assert set(temporal.command[1:]) >= {
        "--ip=127.0.0.1",
        "--port=7233",
        "--ui-port=8233",
        "--http-port=7243",
        "--metrics-port=9406",
        "--db-filename=/data/temporal/temporal.sqlite",
        "--sqlite-pragma=journal_mode=wal",
        "--sqlite-pragma=synchronous=normal",
        "--namespace=default",
    }
    assert temporal.readiness == HttpAnswers(url="http://127.0.0.1:7243/api/v1/namespaces/default")
    assert temporal.environment["TEMPORAL_VERSION_CHECK_DISABLED"] == "1"


def test_our_temporal_has_the_namespace_the_workers_want() -> None:
    of = site({"TEMPORAL_NAMESPACE": "reading"})

    assert "--namespace=reading" in part("temporal", of).command
    assert service_environment(of, "fetch")["TEMPORAL_NAMESPACE"] == "reading"


def test_postgres_ends_fast_and_in_a_hurry_at_once() -> None:
    postgres = part("postgres", site())

    assert (postgres.stop_signal, postgres.hurry_signal) == (signal.SIGINT, signal.SIGQUIT)
    assert postgres.readiness == PostgresAccepts(url=DATABASE)
    assert postgres.url == "postgresql://127.0.0.1:5433"


def test_a_service_may_drain_before_it_is_killed() -> None:
    fetch = part("fetch", site())

    assert fetch.command == (sys.executable, "-m", "feedmill_fetch")
    assert (fetch.stop_signal, fetch.hurry_signal) == (signal.SIGTERM, signal.SIGKILL)
    assert fetch.grace_seconds == 35
    assert fetch.readiness == HttpAnswers(url="http://127.0.0.1:9402/readyz")


def test_a_service_is_told_where_everything_is() -> None:
    assert service_environment(site({"FEEDMILL_LOG_LEVEL": "debug"}), "fetch") == {
        "PATH": "/bin",
        "FEEDMILL_LOG_LEVEL": "debug",
        "FEEDMILL_DATABASE_URL": DATABASE,
        "FEEDMILL_TELEMETRY_PORT": "9402",
        "FEEDMILL_LOG_FORMAT": "json",
        "TEMPORAL_ADDRESS": "127.0.0.1:7233",
        "TEMPORAL_CONFIG_FILE": "/dev/null",
    }


def test_only_the_gateway_is_told_the_token() -> None:
    told = {name: service_environment(site(), name).get("FEEDMILL_TOKEN") for name in SERVICES}

    assert {name for name, token in told.items() if token} == {"gateway"}
    assert service_environment(site(), "gateway")["FEEDMILL_GATEWAY_PORT"] == "8420"


def test_services_know_every_setting_they_are_given() -> None:
    for name in SERVICES:
        given = {key for key in service_environment(site(), name) if key.startswith("FEEDMILL_")}

        assert given <= known_names()


def test_keys_for_another_temporal_do_not_reach_ours() -> None:
    keys = {"TEMPORAL_API_KEY": "k", "TEMPORAL_TLS": "true", "TEMPORAL_TLS_SERVER_NAME": "s"}

    assert not keys.keys() & service_environment(site(keys), "fetch").keys()
    there = site({"TEMPORAL_ADDRESS": "t:7233", **keys})
    assert service_environment(there, "fetch").items() >= keys.items()


def test_addresses_for_a_person() -> None:
    assert urls_of(site()) == Urls(
        page="http://127.0.0.1:8420",
        docs="http://127.0.0.1:8420/docs",
        temporal_ui="http://127.0.0.1:8233",
        metrics={
            "ingestion": "http://127.0.0.1:9401/metrics",
            "fetch": "http://127.0.0.1:9402/metrics",
            "distillation": "http://127.0.0.1:9403/metrics",
            "orchestrator": "http://127.0.0.1:9404/metrics",
            "gateway": "http://127.0.0.1:9405/metrics",
            "temporal": "http://127.0.0.1:9406/metrics",
        },
    )
    assert urls_of(site({"TEMPORAL_ADDRESS": "t:7233"})).temporal_ui is None
    assert page_with_token(urls_of(site()), "t") == "http://127.0.0.1:8420/?token=t"


@pytest.mark.parametrize(
    ("host", "page"),
    [
        pytest.param("0.0.0.0", "http://127.0.0.1:8420", id="every address, and so this one"),
        pytest.param("192.0.2.7", "http://192.0.2.7:8420", id="this one alone"),
    ],
)
def test_the_page_is_where_the_gateway_listens(host: str, page: str) -> None:
    assert urls_of(site({"FEEDMILL_GATEWAY_HOST": host})).page == page
    assert part("gateway", site({"FEEDMILL_GATEWAY_HOST": host})).url == page


def test_secrets_are_not_shown() -> None:
    shown = repr(site()) + repr(parts_of(site()))

    assert "secret" not in shown
    assert "a-token-for-the-gateway" not in shown


@pytest.mark.parametrize(
    ("environ", "problem"),
    [
        pytest.param(
            {"FEEDMILL_MODEL_NAME": "m"}, "FEEDMILL_MODEL_URL is missing", id="half a model"
        ),
        pytest.param({"FEEDMILL_TOKEN": "short"}, "FEEDMILL_TOKEN: ", id="a weak token"),
        pytest.param({"FEEDMILL_GATEWAY_PORT": "x"}, "FEEDMILL_GATEWAY_PORT: ", id="no number"),
        pytest.param(
            {"FEEDMILL_ALLOWED_NETWORKS": "home"}, "FEEDMILL_ALLOWED_NETWORKS", id="no network"
        ),
        pytest.param(
            {"FEEDMILL_DATABASE_URL": "mysql://d"}, "FEEDMILL_DATABASE_URL: ", id="no Postgres"
        ),
    ],
)
def test_a_setting_of_any_service_is_checked_before_all_start(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], problem: str
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)

    with pytest.raises(SettingsError, match=problem):
        check_settings(StackSettings(), environ)


def test_settings_about_the_fleet_as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FEEDMILL_FLEET_NUMBER")
    nothing = check_settings(StackSettings(), {})
    monkeypatch.setenv("FEEDMILL_GATEWAY_PORT", "8000")
    monkeypatch.setenv("FEEDMILL_DRAIN_SECONDS", "5")
    monkeypatch.setenv("FEEDMILL_FLEET_NUMBER", "3")
    monkeypatch.setenv("FEEDMILL_TOKEN", "a-token-of-ones-own-choice")
    monkeypatch.setenv("FEEDMILL_DATABASE_URL", DATABASE)

    everything = check_settings(StackSettings(), {})

    assert nothing == Asked(database_url=None, token=None, gateway_port=None, drain_seconds=25)
    assert everything == Asked(
        database_url=DATABASE,
        token="a-token-of-ones-own-choice",
        gateway_port=8000,
        drain_seconds=5,
        fleet_number=3,
    )


def test_a_site_keeps_its_ports_and_its_token(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    folder.make()
    asked = Asked(database_url=DATABASE, token=None, gateway_port=None, drain_seconds=25)
    first = prepare_site(folder, asked, {"PATH": "/bin"})
    folder.save(FleetState(ports={**first.ports, "gateway": 18_427}))

    second = prepare_site(folder, asked, {"PATH": "/bin"})

    assert (second.ports["gateway"], second.token) == (18_427, first.token)
    assert (second.database_url, second.postgres_command) == (DATABASE, None)


@pytest.mark.parametrize(
    ("environment", "has_browser"),
    [({}, False), ({"FEEDMILL_BROWSER": "false"}, False), ({"FEEDMILL_BROWSER": "true"}, True)],
)
def test_the_fetch_services_other_role_is_there_where_a_setting_wants_it(
    environment: dict[str, str], has_browser: bool
) -> None:
    of = site(environment)
    names = [part.name for part in parts_of(of)]

    assert ("fetch-browser" in names) == has_browser
    assert ("fetch-browser" in urls_of(of).metrics) == has_browser
    if has_browser:
        assert part("fetch-browser", of).command[-2:] == ("feedmill_fetch", "browser")
        assert service_environment(of, "fetch-browser")["FEEDMILL_TELEMETRY_PORT"] == "9407"
