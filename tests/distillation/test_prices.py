from decimal import Decimal
from pathlib import Path

import pytest

from feedmill.errors import SettingsError
from feedmill_distillation.prices import Price, read_prices


@pytest.mark.parametrize(
    ("price", "prompt", "answer", "nanos"),
    [
        pytest.param(("0.15", "0.60"), 1_000_000, 0, 150_000_000, id="a million in"),
        pytest.param(("0.15", "0.60"), 0, 1_000_000, 600_000_000, id="a million out"),
        pytest.param(("0.15", "0.60"), 100, 20, 27_000, id="a call"),
        pytest.param(("0.0001", "0"), 1, 0, 1, id="rounded up"),
        pytest.param(("0", "0"), 1_000, 1_000, 0, id="one's own machine"),
    ],
)
def test_a_call_costs_what_the_table_says(
    price: tuple[str, str], prompt: int, answer: int, nanos: int
) -> None:
    assert Price(input=Decimal(price[0]), output=Decimal(price[1])).nanos(prompt, answer) == nanos


def test_ones_own_prices_win(tmp_path: Path) -> None:
    own = tmp_path / "prices.toml"
    own.write_text(
        '["gpt-4o-mini"]\ninput = 0.1\noutput = 0.3\n["qwen3:8b"]\ninput = 0\noutput = 0\n'
    )

    shipped, together = read_prices(None), read_prices(own)

    assert shipped["gpt-4o-mini"] == Price(input=Decimal("0.15"), output=Decimal("0.60"))
    assert together["gpt-4o-mini"] == Price(input=Decimal("0.1"), output=Decimal("0.3"))
    assert together["qwen3:8b"] == Price(input=Decimal(0), output=Decimal(0))
    assert together.keys() == shipped.keys() | {"qwen3:8b"}


@pytest.mark.parametrize(
    "text", ["input = 1", "[m]\ninput = -1\noutput = 0", "[m]\ninput = 1", "[m", "[m]\nin = 1"]
)
def test_what_is_no_price_table_is_named(tmp_path: Path, text: str) -> None:
    own = tmp_path / "prices.toml"
    own.write_text(text)

    with pytest.raises(SettingsError, match=r"FEEDMILL_PRICES_FILE: .*prices\.toml"):
        read_prices(own)
