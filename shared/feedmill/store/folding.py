"""Several entries that tell one story, as a list shows them: once."""

from sqlalchemy import ColumnElement, Select, exists, func, select, tuple_
from sqlalchemy.sql.selectable import LateralFromClause

from feedmill.models.entries import Stage
from feedmill.store.tables import entries, feeds, stories, subscriptions

# A story that hundreds of followed feeds tell is known well enough by some.
_MOST_SHOWN = 20

_mine = stories.alias("mine")
_theirs = stories.alias("theirs")
_others = entries.alias("others")
_other_feeds = feeds.alias("other_feeds")
_followed = subscriptions.alias("followed")


def also_in(user_id: int) -> LateralFromClause:
    """Return the other entries of followed feeds that tell the story of an entry of the query."""
    title = func.coalesce(_followed.c.title, _other_feeds.c.title, "")
    found = (
        select(
            _others.c.id.label("entry_id"),
            _others.c.feed_id,
            title.label("feed_title"),
            _others.c.url,
        )
        .join(_theirs, _theirs.c.entry_id == _others.c.id)
        .join(_mine, (_mine.c.story == _theirs.c.story) & (_mine.c.entry_id != _theirs.c.entry_id))
        .join(_followed, _followed.c.feed_id == _others.c.feed_id)
        .join(_other_feeds, _other_feeds.c.id == _others.c.feed_id)
        .where(_mine.c.entry_id == entries.c.id, _followed.c.user_id == user_id)
        .order_by(_others.c.id)
        .limit(_MOST_SHOWN)
        .correlate(entries)
        .subquery("found")
    )
    listed = func.jsonb_agg(func.to_jsonb(found.table_valued()))
    return select(listed.label("also_in")).select_from(found).lateral("also")


def is_folded(user_id: int) -> ColumnElement[bool]:
    """Tell whether another followed entry stands for the story of an entry of the query.

    The first that told it does, and one that is distilled before one that is not.
    """
    ours = tuple_(entries.c.stage != Stage.DISTILLED, entries.c.id)
    return exists(
        select(_others.c.id)
        .join(_theirs, _theirs.c.entry_id == _others.c.id)
        .join(_mine, _mine.c.story == _theirs.c.story)
        .join(_followed, _followed.c.feed_id == _others.c.feed_id)
        .where(
            _mine.c.entry_id == entries.c.id,
            _followed.c.user_id == user_id,
            tuple_(_others.c.stage != Stage.DISTILLED, _others.c.id) < ours,
        )
        .correlate(entries)
    )


def told_with(entry_id: int) -> Select[int]:
    """Return the entries that tell the story of one, itself among them."""
    return (
        select(_theirs.c.entry_id)
        .join(_mine, _mine.c.story == _theirs.c.story)
        .where(_mine.c.entry_id == entry_id)
    )
