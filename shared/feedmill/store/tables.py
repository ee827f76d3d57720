"""Every table and column. Migrations are checked against this."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from feedmill.models.entries import Stage

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


def _id() -> Column[int]:
    return Column("id", BigInteger, Identity(always=True), primary_key=True)


def _time(name: str, *, nullable: bool = True) -> Column[object]:
    return Column(name, DateTime(timezone=True), nullable=nullable)


def _created() -> Column[object]:
    return Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now())


def _owner(column: str, table: str, **options: object) -> Column[int]:
    """Return a reference whose row goes when the referred row goes."""
    return Column(
        column,
        BigInteger,
        ForeignKey(f"{table}.id", ondelete="CASCADE"),
        nullable=False,
        **options,  # type: ignore[arg-type]
    )


users = Table(
    "users", metadata, _id(), Column("name", Text, nullable=False, unique=True), _created()
)

tokens = Table(
    "tokens",
    metadata,
    _id(),
    _owner("user_id", "users"),
    Column("hash", Text, nullable=False, unique=True, comment="SHA-256 of the token, hex"),
    _created(),
)

hosts = Table(
    "hosts",
    metadata,
    Column("host", Text, primary_key=True),
    _time("next_free_at", nullable=False),
    _time("held_until"),
)

feeds = Table(
    "feeds",
    metadata,
    _id(),
    Column("url", Text, nullable=False, unique=True),
    Column("title", Text, nullable=False, server_default=""),
    Column("site_url", Text),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("body_hash", Text, comment="SHA-256 of the decoded body of the last 200, hex"),
    _time("last_polled_at"),
    _time("last_success_at"),
    _time("next_poll_at"),
    Column("last_reason", Text, comment="a Reason; null when the last poll went well"),
    Column("last_detail", Text, nullable=False, server_default=""),
    Column(
        "failures", Integer, nullable=False, server_default="0", comment="polls failed in a row"
    ),
    _created(),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    _owner("user_id", "users", primary_key=True),
    _owner("feed_id", "feeds", primary_key=True, index=True),
    _created(),
)

entries = Table(
    "entries",
    metadata,
    _id(),
    _owner("feed_id", "feeds"),
    Column("guid", Text, nullable=False),
    Column("url", Text),
    Column("title", Text, nullable=False, server_default=""),
    Column("author", Text),
    _time("published_at"),
    Column("teaser", Text, nullable=False, server_default=""),
    Column("stage", Text, nullable=False, server_default=Stage.NEW),
    Column("reason", Text, comment="a Reason; why the entry ended where it stands"),
    Column("detail", Text, nullable=False, server_default=""),
    _created(),
    UniqueConstraint("feed_id", "guid"),
    CheckConstraint(f"stage in ({', '.join(repr(str(s)) for s in Stage)})", name="stage"),
    # Most entries have reached an end; runs look only for those that have not.
    Index("ix_entries_waiting", "feed_id", postgresql_where=text("stage in ('new', 'fetched')")),
    # People read newest first, of one feed or of all.
    Index("ix_entries_newest", text("coalesce(published_at, created_at) desc"), text("id desc")),
    Index(
        "ix_entries_feed_newest",
        "feed_id",
        text("coalesce(published_at, created_at) desc"),
        text("id desc"),
    ),
)

contents = Table(
    "contents",
    metadata,
    _owner("entry_id", "entries", primary_key=True),
    Column("url", Text, nullable=False),
    Column("title", Text, nullable=False, server_default=""),
    Column("html", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("word_count", Integer, nullable=False),
    Column("language", Text),
    Column("image_url", Text),
    Column("extractor", Text, nullable=False),
    Column("hash", Text, nullable=False, index=True, comment="SHA-256 of text, hex"),
    _created(),
)

recipes = Table(
    "recipes",
    metadata,
    Column("id", Text, primary_key=True, comment="hash of the columns below"),
    Column("distiller", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("prompt_version", Text, nullable=False),
    _created(),
)

distillates = Table(
    "distillates",
    metadata,
    _id(),
    _owner("entry_id", "entries"),
    Column("recipe_id", Text, ForeignKey("recipes.id"), nullable=False),
    Column("content_hash", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("key_points", JSONB, nullable=False, server_default="[]"),
    Column("topics", ARRAY(Text), nullable=False, server_default="{}"),
    Column("relevance", Double, nullable=False),
    Column("language", Text),
    Column("prompt_tokens", Integer, nullable=False, server_default="0"),
    Column("completion_tokens", Integer, nullable=False, server_default="0"),
    Column(
        "reused", Boolean, nullable=False, server_default="false", comment="copied, not paid for"
    ),
    _created(),
    UniqueConstraint("entry_id", "recipe_id", "content_hash"),
    Index("ix_distillates_content_hash_recipe_id", "content_hash", "recipe_id"),
)

events = Table(
    "events",
    metadata,
    _id(),
    Column("kind", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    # No foreign keys: an event outlives what it reports.
    Column("feed_id", BigInteger),
    Column("entry_id", BigInteger),
    Column("workflow_id", Text),
    Column("run_id", Text),
    Column("detail", Text, nullable=False, server_default=""),
    Index("ix_events_run_id_id", "run_id", "id"),
)
