from ipaddress import ip_network
from pathlib import Path
from typing import TypeVar

import pytest
from pydantic_settings import BaseSettings

from feedmill.config import (
    DistillationSettings,
    GatewaySettings,
    IngestionSettings,
    OrchestratorSettings,
    WebSettings,
    known_names,
    load,
)
from feedmill.contracts.callbacks import callback
from feedmill.errors import SettingsError

POSTGRES = {"FEEDMILL_DATABASE_URL": "postgresql://me:secret@db/feeds"}
TOKEN = {"FEEDMILL_TOKEN": "a-token-of-enough-characters"}
S = TypeVar("S", bound=BaseSettings)
ROOT = Path(__file__).parents[2]


def load_from(monkeypatch: pytest.MonkeyPatch, settings: type[S], environ: dict[str, str]) -> S:
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return load(settings)


@pytest.mark.parametrize(
    ("settings", "environ", "problem"),
    [
        pytest.param(
            OrchestratorSettings,
            {},
            "FEEDMILL_DATABASE_URL: missing (postgresql://user:password@host:port/database)",
            id="missing",
        ),
        pytest.param(
            OrchestratorSettings,
            {"FEEDMILL_DATABASE_URL": "mysql://db"},
            "FEEDMILL_DATABASE_URL: must start with postgresql://",
            id="wrong database",
        ),
        pytest.param(
            OrchestratorSettings,
            {**POSTGRES, "FEEDMILL_TELEMETRY_PORT": "many"},
            "FEEDMILL_TELEMETRY_PORT: Input should be a valid integer, unable to parse string as an integer",
            id="not a number",
        ),
        pytest.param(
            OrchestratorSettings,
            {**POSTGRES, "FEEDMILL_LOG_LEVL": "debug"},
            "FEEDMILL_LOG_LEVL: no such setting; did you mean FEEDMILL_LOG_LEVEL?",
            id="misspelt",
        ),
        pytest.param(
            DistillationSettings,
            {**POSTGRES, "FEEDMILL_MODEL_NAME": "small"},
            "FEEDMILL_MODEL_URL is missing: set both it and its partner, or neither",
            id="a model without its endpoint",
        ),
        pytest.param(
            GatewaySettings,
            {**POSTGRES, "FEEDMILL_TOKEN": "short"},
            "FEEDMILL_TOKEN: Value should have at least 20 items after validation, not 5",
            id="a token that can be guessed",
        ),
        pytest.param(
            WebSettings,
            {**POSTGRES, "FEEDMILL_HOST_EXCEPTIONS": "reddit.com=60, lan: 0"},
            "FEEDMILL_HOST_EXCEPTIONS: 'lan: 0' is not host=seconds or host=seconds/requests",
            id="an exception nobody can read",
        ),
    ],
)
def test_a_wrong_setting_is_named(
    monkeypatch: pytest.MonkeyPatch,
    settings: type[BaseSettings],
    environ: dict[str, str],
    problem: str,
) -> None:
    with pytest.raises(SettingsError) as refused:
        load_from(monkeypatch, settings, environ)

    assert str(refused.value) == problem


def test_every_problem_is_told_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {"FEEDMILL_POOL": "4", "FEEDMILL_DRAIN_SECONDS": "-1"}

    with pytest.raises(SettingsError) as refused:
        load_from(monkeypatch, GatewaySettings, environ)

    assert [line.split(":")[0] for line in str(refused.value).splitlines()] == [
        "FEEDMILL_POOL",
        "FEEDMILL_DATABASE_URL",
        "FEEDMILL_DRAIN_SECONDS",
        "FEEDMILL_TOKEN",
    ]


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_from(monkeypatch, GatewaySettings, {**POSTGRES, **TOKEN})

    assert "secret" not in repr(settings)
    assert TOKEN["FEEDMILL_TOKEN"] not in repr(settings)


def test_networks_are_a_list_with_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {**POSTGRES, "FEEDMILL_ALLOWED_NETWORKS": "10.0.0.0/8, fd00::/8,"}

    settings = load_from(monkeypatch, WebSettings, environ)

    assert settings.allowed_networks == (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def test_an_empty_variable_is_no_model(monkeypatch: pytest.MonkeyPatch) -> None:
    environ = {**POSTGRES, "FEEDMILL_MODEL_URL": "", "FEEDMILL_MODEL_NAME": ""}

    settings = load_from(monkeypatch, DistillationSettings, environ)

    assert (settings.model_url, settings.model_name) == (None, None)


@pytest.mark.parametrize(
    ("said", "public"),
    [
        pytest.param({}, None, id="nobody reaches us"),
        pytest.param({"FEEDMILL_PUBLIC_URL": ""}, None, id="nor then"),
        pytest.param(
            {"FEEDMILL_PUBLIC_URL": "https://me.example/feeds"},
            "https://me.example/feeds/websub/t",
            id="behind a path",
        ),
    ],
)
def test_hubs_are_told_where_we_are_if_they_reach_us(
    monkeypatch: pytest.MonkeyPatch, said: dict[str, str], public: str | None
) -> None:
    settings = load_from(monkeypatch, IngestionSettings, {**POSTGRES, **said})

    url = settings.public_url
    assert (callback(str(url), "t") if url else None) == public


def test_the_example_file_names_every_setting_and_no_other() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()

    named = {
        line.lstrip("# ").split("=")[0]
        for line in lines
        if line.lstrip("# ").startswith("FEEDMILL_")
    }

    assert named == known_names()
