from collections.abc import Collection, Sequence

from sqlalchemy import CTE, BigInteger, Text, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, array, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from feedmill.store.given import given, numbers, texts
from feedmill.store.tables import categories

Path = tuple[str, ...]


class CategoryStore:
    """Categories by their path: the names from the outermost one inwards."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def of(self, user_id: int) -> dict[Path, int]:
        """Return the ids of a user's categories."""
        paths = category_paths(user_id)
        rows = await self._connection.execute(select(paths.c.path, paths.c.id))
        return {tuple(row.path): row.id for row in rows}

    async def make(self, user_id: int, wanted: Collection[Path]) -> tuple[dict[Path, int], int]:
        """Return the ids of a user's categories once all that are wanted exist, and how many were made.

        One statement for each level of nesting that lacks some, however many it lacks.
        """
        before = await self.of(user_id)
        known = dict(before)
        for depth in range(1, max(map(len, wanted), default=0) + 1):
            missing = {path[:depth] for path in wanted if len(path) >= depth} - known.keys()
            if missing:
                known |= await self._make(user_id, sorted(missing), known)
        return known, len(known) - len(before)

    async def _make(
        self, user_id: int, missing: Sequence[Path], known: dict[Path, int]
    ) -> dict[Path, int]:
        parents = {path: known.get(path[:-1]) for path in missing}
        rows = given(
            numbers("parent_id", list(parents.values())),
            texts("name", [path[-1] for path in missing]),
        )
        made = await self._connection.execute(
            insert(categories)
            .from_select(
                ["user_id", "parent_id", "name"],
                select(literal(user_id, BigInteger), rows.c.parent_id, rows.c.name),
            )
            # An update that changes nothing, so that one made meanwhile is returned too.
            .on_conflict_do_update(
                index_elements=["user_id", "parent_id", "name"],
                set_={"user_id": user_id},
            )
            .returning(categories.c.id, categories.c.parent_id, categories.c.name)
        )
        ids = {(row.parent_id, row.name): row.id for row in made}
        return {path: ids[parent, path[-1]] for path, parent in parents.items()}


def category_paths(user_id: int) -> CTE:
    """Return the `id` and the `path` of each of a user's categories, as part of a statement."""
    outermost = select(categories.c.id, array([categories.c.name]).label("path")).where(
        categories.c.user_id == user_id, categories.c.parent_id.is_(None)
    )
    paths = outermost.cte("category_paths", recursive=True)
    return paths.union_all(
        select(
            categories.c.id,
            func.array_append(paths.c.path, categories.c.name, type_=ARRAY(Text)),
        ).join(paths, categories.c.parent_id == paths.c.id)
    )
