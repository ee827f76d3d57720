from fastapi import APIRouter

from feedmill.errors import NotFoundError
from feedmill.models.distillates import Choice, RecipeList
from feedmill.store import Transaction
from feedmill_gateway.auth import UserDep
from feedmill_gateway.dependencies import StoreDep
from feedmill_gateway.queries import RecipeChange

router = APIRouter(prefix="/api/v1/recipes", tags=["recipes"])


@router.get("", summary="List the recipes there are")
async def list_recipes(_user: UserDep, store: StoreDep) -> RecipeList:
    """Return what entries can be distilled with, as the workers offered it last."""
    async with store.transaction() as tx:
        return RecipeList(items=tuple(await tx.recipes.offered()))


@router.get("/choice", summary="Show what you chose")
async def show_choice(user: UserDep, store: StoreDep) -> Choice:
    """Return the recipe and the language of your feeds without a choice of their own."""
    async with store.transaction() as tx:
        return await tx.recipes.choice(user)


@router.patch("/choice", summary="Choose a recipe")
async def choose(body: RecipeChange, user: UserDep, store: StoreDep) -> Choice:
    """Choose what new entries are distilled with: a feed's, a category's, or all others of yours.

    The nearest choice counts. An empty recipe or language takes a choice back.
    """
    async with store.transaction() as tx:
        if body.recipe and body.recipe not in {each.name for each in await tx.recipes.offered()}:
            raise NotFoundError(f"There is no recipe {body.recipe}.")
        await _choose(tx, user, body)
        return await tx.recipes.choice(user)


async def _choose(tx: Transaction, user: int, body: RecipeChange) -> None:
    recipe = body.recipe or None
    if body.feed_id is not None:
        if not await tx.recipes.choose_for_feed(user, body.feed_id, recipe):
            raise NotFoundError(f"You follow no feed {body.feed_id}.")
    elif body.category:
        if not await tx.recipes.choose_for_category(user, body.category, recipe):
            raise NotFoundError(f"You have no category {' / '.join(body.category)}.")
    else:
        given = {name: getattr(body, name) or None for name in ("recipe", "language")}
        await tx.recipes.choose(user, {n: given[n] for n in given if n in body.model_fields_set})
