from pathlib import Path

import pytest

from feedmill.errors import SettingsError
from feedmill.models.distillates import Distiller
from feedmill_distillation.prompt import recipe_of
from feedmill_distillation.recipe_files import RecipeFile, read_recipe, read_recipes

TERSE = "+++\nlanguage = 'de'\ntopics = ['Sea', 'Power']\n+++\n\nBe terse.\n"


def test_a_file_is_settings_and_a_prompt() -> None:
    assert read_recipe("terse", TERSE) == RecipeFile(
        name="terse", language="de", topics=("Sea", "Power"), prompt="Be terse."
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        pytest.param("Be terse.", "between two lines of +++", id="no settings"),
        pytest.param("+++\nlanguage = 'de'\nBe terse.", "between two lines of +++", id="open"),
        pytest.param("Hm.\n+++\n+++\nBe terse.", "between two lines of +++", id="not first"),
        pytest.param("+++\nlanguage = \n+++\nBe terse.", "recipe terse: ", id="no TOML"),
        pytest.param("+++\nlangage = 'de'\n+++\nX", "langage: Extra inputs", id="misspelt"),
        pytest.param("+++\nlanguage = 'English'\n+++\nX", "language: ", id="no tag"),
        pytest.param("+++\n+++\n", "prompt: ", id="no prompt"),
    ],
)
def test_what_is_no_recipe_is_named_with_its_problem(text: str, problem: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read_recipe("terse", text)

    assert str(raised.value).startswith("recipe terse: ")
    assert problem in str(raised.value)


def test_some_recipes_are_shipped_and_ones_own_win(tmp_path: Path) -> None:
    (tmp_path / "terse.md").write_text(TERSE)
    (tmp_path / "brief.md").write_text(TERSE)
    (tmp_path / "notes.txt").write_text("no recipe")

    shipped, together = read_recipes(None), read_recipes(tmp_path)

    assert set(shipped) == {"standard", "brief"}
    assert set(together) == {"standard", "brief", "terse"}
    assert together["brief"].prompt == "Be terse."


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="FEEDMILL_RECIPES_DIR"):
        read_recipes(tmp_path / "missing")


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    (tmp_path / "terse.md").write_bytes(b"\xff\xfe+++")

    with pytest.raises(SettingsError, match="recipe terse: cannot be read"):
        read_recipes(tmp_path)


def test_the_name_of_what_needs_no_model_is_taken(tmp_path: Path) -> None:
    (tmp_path / "extractive.md").write_text(TERSE)

    with pytest.raises(SettingsError, match="the name is taken"):
        read_recipes(tmp_path)


FILE = read_recipe("terse", TERSE)


def test_a_recipe_is_known_by_what_makes_a_difference() -> None:
    recipe = recipe_of(FILE, "small")

    assert (recipe.name, recipe.distiller, recipe.model, recipe.language) == (
        "terse", Distiller.MODEL, "small", "de",
    )  # fmt: skip
    assert recipe_of(FILE.model_copy(update={"name": "other"}), "small").id == recipe.id


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "large"},
        {"language": None},
        {"topics": ("Sea",)},
        {"other_topics": False},
        {"input_tokens": 500},
        {"most_parts": 2},
        {"answer_tokens": 500},
        {"temperature": 0.0},
        {"prompt": "Be brief."},
    ],
    ids=str,
)
def test_whatever_could_change_an_answer_makes_another_recipe(changes: dict[str, object]) -> None:
    model = str(changes.get("model", "small"))

    assert recipe_of(FILE.model_copy(update=changes), model).id != recipe_of(FILE, "small").id


def test_naming_the_model_that_is_used_anyway_makes_no_difference() -> None:
    named = FILE.model_copy(update={"model": "small"})

    assert recipe_of(named, "small").id == recipe_of(FILE, "small").id
