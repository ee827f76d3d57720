"""Writes into the chart's schema what `config.py` says of each setting: `make chart-settings`.

Settings that the chart decides by itself, or takes from a Secret, are no values.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from feedmill.config import ALL_SETTINGS, StackSettings

SCHEMA = Path(__file__).parents[1] / "k8s/feedmill/values.schema.json"

# Where a process listens is the chart's business, how long it drains a role's, and the rest secret or
# about a fleet on one machine.
NOT_VALUES = frozenset(
    {
        "database_url",
        "telemetry_host",
        "telemetry_port",
        "drain_seconds",
        "gateway_host",
        "gateway_port",
        "token",
        "model_api_key",
        "payload_keys",
        "codec_token",
        "data_dir",
        "url",
    }
)
_BOUNDS = ("enum", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "description")


def settings_schema() -> dict[str, Any]:
    """Return the JSON schema of `values.settings`."""
    found: dict[str, Any] = {}
    for settings in ALL_SETTINGS:
        if settings is not StackSettings:
            schema = settings.model_json_schema()
            for name, field in schema["properties"].items():
                if name not in NOT_VALUES:
                    found[camel_case(name)] = _value(field, schema.get("$defs", {}))
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": dict(sorted(found.items())),
    }


def settings_defaults() -> dict[str, Any]:
    """Return what each setting is unless it is set, the way values say it."""
    return {
        camel_case(name): _plain(field.default)
        for settings in ALL_SETTINGS
        if settings is not StackSettings
        for name, field in settings.model_fields.items()
        if name not in NOT_VALUES
    }


def camel_case(name: str) -> str:
    """Return a setting's name the way values spell it."""
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


def _value(field: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    known = {key: field[key] for key in _BOUNDS if key in field}
    if "$ref" in field:
        return {**known, **_value(definitions[field["$ref"].rsplit("/", 1)[1]], definitions)}
    if "anyOf" in field:
        return {**known, **_optional(field["anyOf"])}
    if field["type"] == "array":
        return {**known, "type": "array", "items": {"type": "string"}}
    return {**known, "type": field["type"]}


def _optional(choices: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return a value that may be left out: by being empty."""
    numbers = [each for each in choices if each["type"] in {"integer", "number"}]
    if not numbers:
        return {"type": "string"}
    bounds = {key: numbers[0][key] for key in _BOUNDS if key in numbers[0]}
    return {**bounds, "type": [numbers[0]["type"], "string"]}


def _plain(value: object) -> Any:
    if value is None:
        return ""
    if isinstance(value, tuple):
        return [str(each) for each in value]
    return value if isinstance(value, int | float) else str(value)


def main() -> None:
    schema = json.loads(SCHEMA.read_text())
    schema["properties"]["settings"] = settings_schema()
    SCHEMA.write_text(json.dumps(schema, indent=2) + "\n")


if __name__ == "__main__":
    main()
