"""What calls cost, by the price table. Pure but for reading it."""

import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from feedmill.errors import SettingsError
from feedmill.models.base import Model
from feedmill.models.spending import NANOS

_SHIPPED = Path(__file__).parent / "prices.toml"
_PER = 1_000_000


class Price(Model):
    """Of a million tokens."""

    model_config = ConfigDict(extra="forbid")

    input: Decimal = Field(ge=0)
    output: Decimal = Field(ge=0)

    def nanos(self, prompt_tokens: int, completion_tokens: int) -> int:
        """Return what so many tokens cost, rounded up."""
        exact = (self.input * prompt_tokens + self.output * completion_tokens) * NANOS / _PER
        return int(exact.to_integral_value(rounding="ROUND_CEILING"))


_TABLE = TypeAdapter(dict[str, Price])


def read_prices(file: Path | None) -> Mapping[str, Price]:
    """Read the price table that is shipped, and one's own, which wins, by model.

    Raises
    ------
    SettingsError
        The file cannot be read, or is no price table.
    """
    return _read(_SHIPPED) | (_read(file) if file is not None else {})


def _read(file: Path) -> dict[str, Price]:
    try:
        # As decimals: 0.15 is exactly that.
        table = tomllib.loads(file.read_text(encoding="utf-8"), parse_float=Decimal)
        return _TABLE.validate_python(table)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError, ValidationError) as error:
        raise SettingsError(f"FEEDMILL_PRICES_FILE: {file} is no price table: {error}") from error
