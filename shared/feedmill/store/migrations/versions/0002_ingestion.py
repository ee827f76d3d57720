"""What polling by itself needs: governor, leases, moves, lists, hubs, consent."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "create function feedmill_now() returns timestamptz "
        "language sql volatile parallel safe as 'select clock_timestamp()'"
    )
    _widen_hosts()
    _widen_feeds()
    _add_aliases()
    _widen_entries()
    _add_robots()
    _add_categories()
    _add_websub()


def _widen_hosts() -> None:
    op.alter_column("hosts", "host", comment="a host, or what several count as together")
    op.add_column(
        "hosts",
        sa.Column(
            "busy",
            postgresql.ARRAY(sa.DateTime(timezone=True)),
            server_default="{}",
            nullable=False,
            comment="one time per request in flight: when it is given up for lost",
        ),
    )
    op.add_column(
        "hosts",
        sa.Column(
            "strikes",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="answers in a row that asked for fewer requests",
        ),
    )
    op.add_column(
        "hosts", sa.Column("learnt_spacing", sa.Interval(), comment="what its limit seems to be")
    )
    op.add_column("hosts", _time("learnt_at"))
    op.add_column(
        "hosts", sa.Column("crawl_delay", sa.Interval(), comment="what its robots.txt asks for")
    )
    op.add_column("hosts", _time("window_started_at"))
    op.add_column(
        "hosts",
        sa.Column(
            "window_requests",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="requests since then that it did not mind",
        ),
    )


def _widen_feeds() -> None:
    for column in (
        sa.Column("validators_url", sa.Text(), comment="whose etag and last_modified these are"),
        sa.Column(
            "rejected", postgresql.JSONB(), comment="validators of a body that could not be read"
        ),
        sa.Column("lease_owner", sa.Text(), comment="who polls it now"),
        _time("lease_until"),
        _time("failing_since"),
        sa.Column(
            "entries_per_week",
            sa.Double(),
            comment="over the last four weeks; null: not known yet",
        ),
        _time("newest_entry_at"),
        sa.Column(
            "hints",
            postgresql.JSONB(),
            server_default="{}",
            nullable=False,
            comment="a PollingHints",
        ),
        sa.Column("moved_to", sa.Text(), comment="where it redirects for good, by its own account"),
        _time("moved_since"),
        sa.Column("moved_polls", sa.Integer(), server_default="0", nullable=False),
        _time("gone_since"),
        _time("retired_at"),
        sa.Column("hub_url", sa.Text()),
        sa.Column("topic_url", sa.Text()),
    ):
        op.add_column("feeds", column)
    op.alter_column(
        "feeds",
        "next_poll_at",
        server_default=sa.text("now()"),
        comment="null: only when somebody asks for it",
    )
    # Validators were kept for a feed's own address alone; feeds that nobody polled yet are due.
    op.execute(
        "update feeds set validators_url = url where etag is not null or last_modified is not null"
    )
    op.execute("update feeds set next_poll_at = now() where next_poll_at is null")
    op.create_index("ix_feeds_next_poll_at", "feeds", ["next_poll_at"])
    op.create_index(
        "ix_feeds_moved_to",
        "feeds",
        ["moved_to"],
        postgresql_where=sa.text("moved_to is not null"),
    )


def _add_aliases() -> None:
    op.create_table(
        "aliases",
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("feed_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "was_id",
            sa.BigInteger(),
            nullable=True,
            comment="the feed that this was before they became one",
        ),
        _created(),
        sa.ForeignKeyConstraint(
            ["feed_id"], ["feeds.id"], name=op.f("fk_aliases_feed_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("url", name=op.f("pk_aliases")),
        sa.UniqueConstraint("was_id", name=op.f("uq_aliases_was_id")),
    )
    op.create_index(op.f("ix_aliases_feed_id"), "aliases", ["feed_id"])


def _widen_entries() -> None:
    op.add_column("entries", sa.Column("image_url", sa.Text()))
    op.add_column(
        "entries",
        sa.Column("enclosures", postgresql.JSONB(), server_default="[]", nullable=False),
    )
    op.add_column(
        "contents",
        sa.Column(
            "withheld",
            sa.Text(),
            comment="the signal by which its publisher keeps it from models",
        ),
    )
    _widen_contents()


def _widen_contents() -> None:
    for column in (
        sa.Column("byline", sa.Text(), server_default="", nullable=False),
        sa.Column("site_name", sa.Text(), server_default="", nullable=False),
        _time("published_at"),
        _time("modified_at"),
        sa.Column("canonical_url", sa.Text()),
        sa.Column("reading_minutes", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "signs",
            postgresql.ARRAY(sa.Text()),
            server_default="{}",
            nullable=False,
            comment="PageSigns",
        ),
    ):
        op.add_column("contents", column)


def _add_robots() -> None:
    op.create_table(
        "robots",
        sa.Column("origin", sa.Text(), nullable=False, comment="scheme://host:port"),
        sa.Column(
            "rules", sa.Text(), nullable=False, comment="robots.txt, or one that says the same"
        ),
        _time("fetched_at", nullable=False),
        sa.PrimaryKeyConstraint("origin", name=op.f("pk_robots")),
    )


def _add_categories() -> None:
    op.create_table(
        "categories",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        _created(),
        sa.ForeignKeyConstraint(
            ["parent_id"],
            ["categories.id"],
            name=op.f("fk_categories_parent_id"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_categories_user_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_categories")),
        sa.UniqueConstraint(
            "user_id",
            "parent_id",
            "name",
            name=op.f("uq_categories_user_id_parent_id_name"),
            postgresql_nulls_not_distinct=True,
        ),
    )
    op.create_index(op.f("ix_categories_parent_id"), "categories", ["parent_id"])
    op.add_column("subscriptions", sa.Column("category_id", sa.BigInteger()))
    op.add_column(
        "subscriptions",
        sa.Column(
            "title", sa.Text(), comment="what the reader calls it; null: what it calls itself"
        ),
    )
    op.create_index(op.f("ix_subscriptions_category_id"), "subscriptions", ["category_id"])
    op.create_foreign_key(
        op.f("fk_subscriptions_category_id"),
        "subscriptions",
        "categories",
        ["category_id"],
        ["id"],
        ondelete="SET NULL",
    )


def _add_websub() -> None:
    op.create_table(
        "websub",
        sa.Column("feed_id", sa.BigInteger(), nullable=False),
        sa.Column("hub_url", sa.Text(), nullable=False),
        sa.Column("topic_url", sa.Text(), nullable=False),
        sa.Column("token", sa.Text(), nullable=False, comment="the end of our callback's address"),
        sa.Column("secret", sa.Text(), nullable=False, comment="the key of the hub's signatures"),
        sa.Column("state", sa.Text(), server_default="asked", nullable=False),
        sa.Column("detail", sa.Text(), server_default="", nullable=False),
        _time("asked_at"),
        _time("promised_until"),
        _time("renew_at"),
        _time("last_push_at"),
        sa.Column("read_by", sa.Text(), comment="under which name its last push was read"),
        sa.Column("failures", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "missed",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="polls in a row that found news the hub had kept silent about",
        ),
        sa.CheckConstraint(
            "state in ('asked', 'active', 'refused', 'silent', 'leaving')",
            name=op.f("ck_websub_state"),
        ),
        sa.ForeignKeyConstraint(
            ["feed_id"], ["feeds.id"], name=op.f("fk_websub_feed_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("feed_id", name=op.f("pk_websub")),
        sa.UniqueConstraint("token", name=op.f("uq_websub_token")),
    )
    op.create_index("ix_websub_renew_at", "websub", ["renew_at"])
    op.create_table(
        "pushes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("feed_id", sa.BigInteger(), nullable=False),
        sa.Column("content_type", sa.Text(), server_default="", nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        _time("received_at", nullable=False),
        sa.ForeignKeyConstraint(
            ["feed_id"], ["feeds.id"], name=op.f("fk_pushes_feed_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pushes")),
    )
    op.create_index(op.f("ix_pushes_feed_id"), "pushes", ["feed_id"])


def _time(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def _created() -> sa.Column[object]:
    return sa.Column(
        "created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False
    )
