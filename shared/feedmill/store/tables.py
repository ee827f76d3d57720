"""Every table and column. Migrations are checked against this."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    DateTime,
    Double,
    ForeignKey,
    Identity,
    Index,
    Integer,
    Interval,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from feedmill.models.entries import ContentKind, Stage
from feedmill.models.hubs import HubState

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
    "users",
    metadata,
    _id(),
    Column("name", Text, nullable=False, unique=True),
    Column("recipe", Text, comment="a recipe's name; null: the one the workers are set to"),
    Column("language", Text, comment="of summaries, BCP 47; null: each article's own"),
    _created(),
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
    Column("host", Text, primary_key=True, comment="a host, or what several count as together"),
    _time("next_free_at", nullable=False),
    _time("held_until"),
    Column(
        "busy",
        ARRAY(DateTime(timezone=True)),
        nullable=False,
        server_default="{}",
        comment="one time per request in flight: when it is given up for lost",
    ),
    Column(
        "strikes",
        Integer,
        nullable=False,
        server_default="0",
        comment="answers in a row that asked for fewer requests",
    ),
    Column("learnt_spacing", Interval, comment="what its limit seems to be"),
    _time("learnt_at"),
    Column("crawl_delay", Interval, comment="what its robots.txt asks for"),
    _time("window_started_at"),
    Column(
        "window_requests",
        Integer,
        nullable=False,
        server_default="0",
        comment="requests since then that it did not mind",
    ),
)

robots = Table(
    "robots",
    metadata,
    Column("origin", Text, primary_key=True, comment="scheme://host:port"),
    Column("rules", Text, nullable=False, comment="robots.txt, or one that says the same"),
    _time("fetched_at", nullable=False),
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
    Column("validators_url", Text, comment="whose etag and last_modified these are"),
    Column("rejected", JSONB, comment="validators of a body that could not be read"),
    Column("body_hash", Text, comment="SHA-256 of the decoded body of the last 200, hex"),
    _time("last_polled_at"),
    _time("last_success_at"),
    Column(
        "next_poll_at",
        DateTime(timezone=True),
        server_default=func.now(),
        comment="null: only when somebody asks for it",
    ),
    Column("lease_owner", Text, comment="who polls it now"),
    _time("lease_until"),
    Column("last_reason", Text, comment="a Reason; null when the last poll went well"),
    Column("last_detail", Text, nullable=False, server_default=""),
    Column(
        "failures", Integer, nullable=False, server_default="0", comment="polls failed in a row"
    ),
    _time("failing_since"),
    Column("entries_per_week", Double, comment="over the last four weeks; null: not known yet"),
    _time("newest_entry_at"),
    Column("hints", JSONB, nullable=False, server_default="{}", comment="a PollingHints"),
    Column("moved_to", Text, comment="where it redirects for good, by its own account"),
    _time("moved_since"),
    Column("moved_polls", Integer, nullable=False, server_default="0"),
    _time("gone_since"),
    _time("retired_at"),
    Column("hub_url", Text),
    Column("topic_url", Text),
    Column("added_by", Text, comment="the run that added it, should that be undone"),
    Column(
        "whole_texts",
        Integer,
        nullable=False,
        server_default="0",
        comment="pages in a row that said no more than the feed; negative: that said more",
    ),
    _created(),
    # What is due is found without reading what is not.
    Index("ix_feeds_next_poll_at", "next_poll_at"),
    Index("ix_feeds_added_by", "added_by", postgresql_where=text("added_by is not null")),
    Index("ix_feeds_moved_to", "moved_to", postgresql_where=text("moved_to is not null")),
)

# Where a feed was before it moved, and the page on which it was found: whoever names these means it.
aliases = Table(
    "aliases",
    metadata,
    Column("url", Text, primary_key=True),
    _owner("feed_id", "feeds", index=True),
    Column(
        "was_id", BigInteger, unique=True, comment="the feed that this was before they became one"
    ),
    _created(),
)

websub = Table(
    "websub",
    metadata,
    _owner("feed_id", "feeds", primary_key=True),
    Column("hub_url", Text, nullable=False),
    Column("topic_url", Text, nullable=False),
    Column("token", Text, nullable=False, unique=True, comment="the end of our callback's address"),
    Column("secret", Text, nullable=False, comment="the key of the hub's signatures"),
    Column("state", Text, nullable=False, server_default=HubState.ASKED),
    Column("detail", Text, nullable=False, server_default=""),
    _time("asked_at"),
    _time("promised_until"),
    _time("renew_at"),
    _time("last_push_at"),
    Column("read_by", Text, comment="under which name its last push was read"),
    Column("failures", Integer, nullable=False, server_default="0"),
    Column(
        "missed",
        Integer,
        nullable=False,
        server_default="0",
        comment="polls in a row that found news the hub had kept silent about",
    ),
    CheckConstraint(f"state in ({', '.join(repr(str(s)) for s in HubState)})", name="state"),
    Index("ix_websub_renew_at", "renew_at"),
)

pushes = Table(
    "pushes",
    metadata,
    _id(),
    _owner("feed_id", "feeds", index=True),
    Column("content_type", Text, nullable=False, server_default=""),
    Column("body", LargeBinary, nullable=False),
    _time("received_at", nullable=False),
)

categories = Table(
    "categories",
    metadata,
    _id(),
    _owner("user_id", "users"),
    Column("parent_id", BigInteger, ForeignKey("categories.id", ondelete="CASCADE"), index=True),
    Column("name", Text, nullable=False),
    Column("recipe", Text, comment="for the feeds in it; null: the outer category's, the user's"),
    _created(),
    UniqueConstraint("user_id", "parent_id", "name", postgresql_nulls_not_distinct=True),
)

subscriptions = Table(
    "subscriptions",
    metadata,
    _owner("user_id", "users", primary_key=True),
    _owner("feed_id", "feeds", primary_key=True, index=True),
    Column("category_id", BigInteger, ForeignKey("categories.id", ondelete="SET NULL"), index=True),
    Column("title", Text, comment="what the reader calls it; null: what it calls itself"),
    Column("added_by", Text, comment="the run that added it, should that be undone"),
    Column("recipe", Text, comment="a recipe's name; null: the category's, or the user's"),
    _created(),
    Index("ix_subscriptions_added_by", "added_by", postgresql_where=text("added_by is not null")),
)

# One row per file that a user has imported; importing it again begins at these.
imports = Table(
    "imports",
    metadata,
    _id(),
    _owner("user_id", "users"),
    Column("hash", Text, nullable=False, comment="of the file"),
    Column(
        "categories",
        JSONB,
        nullable=False,
        server_default="[]",
        comment="wanted whether or not a feed is in them, as paths",
    ),
    Column("categories_made", Integer, nullable=False, server_default="0"),
    _created(),
    UniqueConstraint("user_id", "hash"),
)

import_lines = Table(
    "import_lines",
    metadata,
    _owner("import_id", "imports", primary_key=True),
    Column("number", Integer, primary_key=True, comment="its place in the list"),
    Column("line", Integer, nullable=False, comment="of the file"),
    Column("url", Text, nullable=False, server_default=""),
    Column("title", Text, nullable=False, server_default=""),
    Column("category", JSONB, nullable=False, server_default="[]"),
    Column("outcome", Text, comment="a Listed; null: its turn has not come"),
    Column("first_line", Integer, comment="where a duplicate's address stands first"),
    Column("reason", Text, comment="a Reason; why it is broken"),
    Column("detail", Text, nullable=False, server_default=""),
    # What still waits is found without reading what is done.
    Index(
        "ix_import_lines_waiting", "import_id", "number", postgresql_where=text("outcome is null")
    ),
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
    Column("image_url", Text),
    Column("enclosures", JSONB, nullable=False, server_default="[]"),
    Column("transcripts", JSONB, nullable=False, server_default="[]"),
    Column("video_id", Text, comment="of the video on YouTube that the entry is"),
    Column("markup", Text, comment="the feed's own text as it came: sanitised by whoever uses it"),
    Column("stage", Text, nullable=False, server_default=Stage.NEW),
    Column("reason", Text, comment="a Reason; why the entry ended, or waits, where it stands"),
    Column("detail", Text, nullable=False, server_default=""),
    Column("stage_since", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("owner", Text, comment="the workflow that takes care of it; null: who polled"),
    _time("owned_since"),
    Column(
        "tries",
        Integer,
        nullable=False,
        server_default="0",
        comment="fetches in a row that failed for a while only",
    ),
    _time("next_try_at"),
    _time("asked_at"),
    _created(),
    UniqueConstraint("feed_id", "guid"),
    CheckConstraint(f"stage in ({', '.join(repr(str(s)) for s in Stage)})", name="stage"),
    # Most entries have reached an end; runs look only for those that have not.
    Index("ix_entries_waiting", "feed_id", postgresql_where=text("stage in ('new', 'fetched')")),
    Index(
        "ix_entries_stage_since",
        "stage_since",
        postgresql_where=text("stage in ('new', 'fetched')"),
    ),
    # People read newest first, of one feed or of all.
    Index("ix_entries_newest", text("coalesce(published_at, created_at) desc"), text("id desc")),
    Index(
        "ix_entries_feed_newest",
        "feed_id",
        text("coalesce(published_at, created_at) desc"),
        text("id desc"),
    ),
)

# Entries that were here and are forgotten: a feed that still shows them does not bring them back.
tombstones = Table(
    "tombstones",
    metadata,
    _owner("feed_id", "feeds", primary_key=True),
    Column("guid", Text, primary_key=True),
    _created(),
)

contents = Table(
    "contents",
    metadata,
    _owner("entry_id", "entries", primary_key=True),
    Column("kind", Text, nullable=False, server_default=ContentKind.ARTICLE),
    Column("url", Text, nullable=False),
    Column("title", Text, nullable=False, server_default=""),
    Column("html", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("word_count", Integer, nullable=False),
    Column("language", Text),
    Column("image_url", Text),
    Column("extractor", Text, nullable=False),
    Column("hash", Text, nullable=False, index=True, comment="SHA-256 of text, hex"),
    Column("withheld", Text, comment="the signal by which its publisher keeps it from models"),
    Column("byline", Text, nullable=False, server_default=""),
    Column("site_name", Text, nullable=False, server_default=""),
    _time("published_at"),
    _time("modified_at"),
    Column("canonical_url", Text),
    Column("reading_minutes", Integer, nullable=False, server_default="0"),
    Column("signs", ARRAY(Text), nullable=False, server_default="{}", comment="PageSigns"),
    Column("transcript_start", Integer, comment="where in text the transcript begins"),
    Column("transcript_reason", Text, comment="why there is none, though the feed names one"),
    Column("etag", Text),
    Column("last_modified", Text),
    Column("validators_url", Text, comment="whose etag and last_modified these are"),
    _created(),
    CheckConstraint(f"kind in ({', '.join(repr(str(k)) for k in ContentKind)})", name="kind"),
)

# What articles were found in, so that they can be found again, better, without asking anybody.
pages = Table(
    "pages",
    metadata,
    _owner("entry_id", "entries", primary_key=True),
    Column("url", Text, nullable=False),
    Column("media_type", Text, nullable=False, server_default=""),
    Column("charset", Text, comment="as its HTTP header named it"),
    Column("withheld", Text, comment="the sign beside the page itself that keeps it from models"),
    Column("moved_to", Text, comment="where it lives for good, by its redirects"),
    Column("body", LargeBinary, nullable=False, comment="zstd"),
    Column("kept_at", DateTime(timezone=True), nullable=False, index=True),
)

recipes = Table(
    "recipes",
    metadata,
    Column("id", Text, primary_key=True, comment="hash of what makes a difference below"),
    Column("name", Text, nullable=False, server_default="", comment="what people choose it by"),
    Column("distiller", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("prompt_version", Text, nullable=False),
    Column("language", Text, comment="of its summaries; null: each article's own"),
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
    Column("sentences", JSONB, nullable=False, server_default="[]"),
    Column("key_points", JSONB, nullable=False, server_default="[]"),
    Column("topics", ARRAY(Text), nullable=False, server_default="{}"),
    Column("relevance", Double, nullable=False),
    Column("relevance_reason", Text, nullable=False, server_default=""),
    Column("language", Text),
    Column("reading_minutes", Integer),
    Column("article_start", Integer, comment="where the article begins in the stored text"),
    Column("article_end", Integer),
    Column("calls", Integer, nullable=False, server_default="0"),
    Column("cost_nanos", BigInteger, comment="null: its model's price is not known"),
    Column("prompt_tokens", Integer, nullable=False, server_default="0"),
    Column("completion_tokens", Integer, nullable=False, server_default="0"),
    Column(
        "reused", Boolean, nullable=False, server_default="false", comment="copied, not paid for"
    ),
    _created(),
    UniqueConstraint("entry_id", "recipe_id", "content_hash"),
    Index("ix_distillates_content_hash_recipe_id", "content_hash", "recipe_id"),
)

# Usable answers of calls whose distillate is not made yet: a part of a long article, a first try.
drafts = Table(
    "drafts",
    metadata,
    Column("key", Text, primary_key=True, comment="hash of the recipe and all that was said"),
    Column("content_hash", Text, nullable=False, index=True),
    Column("completion", JSONB, nullable=False),
    Column("cost_nanos", BigInteger),
    _created(),
)

# One row per model of an endpoint: how it is asked, and when it may be asked next.
endpoints = Table(
    "endpoints",
    metadata,
    Column("endpoint", Text, primary_key=True, comment="URL and model"),
    Column("dialect", JSONB, comment="how it wants to be asked; null: not found out yet"),
    Column("has_answered", Boolean, nullable=False, server_default="false"),
    _time("free_at"),
    _time("held_until"),
    Column("held_for", Text, nullable=False, server_default="", comment="why, for a person"),
    Column(
        "strikes",
        Integer,
        nullable=False,
        server_default="0",
        comment="refusals in a row that named no time",
    ),
)

# What the day has cost so far: the row that every reservation of the day has to pass.
spend_days = Table(
    "spend_days",
    metadata,
    Column("day", Date, primary_key=True, comment="in UTC"),
    Column("reserved_tokens", BigInteger, nullable=False, server_default="0"),
    Column("reserved_nanos", BigInteger, nullable=False, server_default="0"),
    Column("spent_tokens", BigInteger, nullable=False, server_default="0"),
    Column("spent_nanos", BigInteger, nullable=False, server_default="0"),
)

# One row per call in flight: the most it may cost.
reservations = Table(
    "reservations",
    metadata,
    _id(),
    Column("day", Date, nullable=False),
    Column("tokens", BigInteger, nullable=False),
    Column("cost_nanos", BigInteger, nullable=False),
    _time("expires_at", nullable=False),
    Index("ix_reservations_expires_at", "expires_at"),
)

# The ledger. No foreign keys: what was paid outlives what it was paid for.
spend = Table(
    "spend",
    metadata,
    Column("day", Date, primary_key=True),
    Column("feed_id", BigInteger, primary_key=True, autoincrement=False),
    Column("recipe", Text, primary_key=True, comment="its name"),
    Column("model", Text, primary_key=True),
    Column("calls", BigInteger, nullable=False, server_default="0"),
    Column("prompt_tokens", BigInteger, nullable=False, server_default="0"),
    Column("completion_tokens", BigInteger, nullable=False, server_default="0"),
    Column("cost_nanos", BigInteger, nullable=False, server_default="0"),
    Column(
        "unpriced_calls",
        BigInteger,
        nullable=False,
        server_default="0",
        comment="of the calls, those whose price is not known",
    ),
)

stories = Table(
    "stories",
    metadata,
    _owner("entry_id", "entries", primary_key=True),
    Column("story", BigInteger, nullable=False, index=True, comment="the entry that told it first"),
    Column("content_hash", Text, nullable=False, comment="of the text in which it was recognised"),
    _time("told_at", nullable=False),
)

# A row per key, not an array with an index: nobody can guess how many rows share one of some keys,
# so Postgres would read them all.
story_keys = Table(
    "story_keys",
    metadata,
    Column("key", BigInteger, primary_key=True),
    Column("told_at", DateTime(timezone=True), primary_key=True),
    _owner("entry_id", "entries", primary_key=True, index=True),
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
