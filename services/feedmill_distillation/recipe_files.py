"""Recipes as people write them: a file each, settings between two lines of `+++`, then the prompt."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

from pydantic import ConfigDict, Field, ValidationError

from feedmill.errors import SettingsError
from feedmill.models.base import Model

EXTRACTIVE = "extractive"
STANDARD = "standard"

_SHIPPED = Path(__file__).parent / "recipes"
_FENCE = "+++"


class RecipeFile(Model):
    """How a model is asked. Whatever is left out of a file stands here."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$")
    model: str | None = Field(default=None, description="None: the one that the settings name")
    language: str | None = Field(
        default=None,
        pattern=r"^[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}$",
        description="of what it writes, BCP 47; None: the article's own, or the reader's",
    )
    topics: tuple[str, ...] = Field(
        default=(), max_length=200, description="the vocabulary; empty: the model's own words"
    )
    other_topics: bool = Field(default=True, description="whether it may add to the vocabulary")
    input_tokens: int = Field(default=6_000, ge=200, le=1_000_000, description="of one call")
    most_parts: int = Field(default=8, ge=1, le=50, description="what is longer is cut")
    answer_tokens: int = Field(default=8_192, ge=100, le=100_000)
    temperature: float | None = Field(default=None, ge=0, le=2)
    prompt: str = Field(min_length=1)

    def identity(self) -> dict[str, object]:
        """Return what makes a difference to what it answers; its name does not."""
        return self.model_dump(mode="json", exclude={"name"})


def read_recipe(name: str, text: str) -> RecipeFile:
    """Read a recipe.

    Raises
    ------
    SettingsError
        It is none; the message names it and says what is wrong.
    """
    opening, fence, rest = text.partition(_FENCE)
    settings, closing, prompt = rest.partition(f"\n{_FENCE}")
    if not fence or not closing or opening.strip():
        raise SettingsError(f"recipe {name}: settings stand between two lines of {_FENCE}")
    try:
        fields = tomllib.loads(settings)
        return RecipeFile.model_validate({**fields, "name": name, "prompt": prompt.strip()})
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"recipe {name}: {error}") from error
    except ValidationError as error:
        problem = error.errors()[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise SettingsError(f"recipe {name}: {where}: {problem['msg']}") from error


def read_recipes(folder: Path | None) -> Mapping[str, RecipeFile]:
    """Read the recipes that are shipped and those of a folder, which win, by name.

    Raises
    ------
    SettingsError
        The folder cannot be read, or one of its files is no recipe.
    """
    found: dict[str, RecipeFile] = {}
    for each in (_SHIPPED, folder):
        if each is not None:
            found |= {path.stem: read_recipe(path.stem, _text(path)) for path in _files(each)}
    if EXTRACTIVE in found:
        raise SettingsError(f"recipe {EXTRACTIVE}: the name is taken, by what needs no model")
    return found


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise SettingsError(f"FEEDMILL_RECIPES_DIR: {folder} is no folder")
    return sorted(folder.glob("*.md"))


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"recipe {path.stem}: cannot be read: {error}") from error
