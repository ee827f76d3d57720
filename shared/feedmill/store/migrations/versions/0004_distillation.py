"""What distillation needs: choices of recipes, drafts, the endpoints' memory, and money."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _choose_recipes()
    _widen_distillates()
    _add_drafts()
    _add_endpoints()
    _add_spend()


def _choose_recipes() -> None:
    for table, comment in (
        ("users", "a recipe's name; null: the one the workers are set to"),
        ("categories", "for the feeds in it; null: the outer category's, the user's"),
        ("subscriptions", "a recipe's name; null: the category's, or the user's"),
    ):
        op.add_column(table, sa.Column("recipe", sa.Text(), comment=comment))
    op.add_column(
        "users",
        sa.Column("language", sa.Text(), comment="of summaries, BCP 47; null: each article's own"),
    )
    op.alter_column("recipes", "id", comment="hash of what makes a difference below")
    op.add_column(
        "recipes",
        sa.Column(
            "name",
            sa.Text(),
            server_default="",
            nullable=False,
            comment="what people choose it by",
        ),
    )
    op.add_column(
        "recipes",
        sa.Column("language", sa.Text(), comment="of its summaries; null: each article's own"),
    )


def _widen_distillates() -> None:
    for column in (
        sa.Column("relevance_reason", sa.Text(), server_default="", nullable=False),
        sa.Column("reading_minutes", sa.Integer()),
        sa.Column(
            "article_start", sa.Integer(), comment="where the article begins in the stored text"
        ),
        sa.Column("article_end", sa.Integer()),
        _count("calls", sa.Integer()),
        sa.Column("cost_nanos", sa.BigInteger(), comment="null: its model's price is not known"),
    ):
        op.add_column("distillates", column)


def _add_drafts() -> None:
    op.create_table(
        "drafts",
        sa.Column(
            "key",
            sa.Text(),
            nullable=False,
            comment="hash of the recipe and all that was said",
        ),
        sa.Column("content_hash", sa.Text(), nullable=False),
        sa.Column("completion", postgresql.JSONB(), nullable=False),
        sa.Column("cost_nanos", sa.BigInteger()),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_drafts")),
    )
    op.create_index(op.f("ix_drafts_content_hash"), "drafts", ["content_hash"])


def _add_endpoints() -> None:
    op.create_table(
        "endpoints",
        sa.Column("endpoint", sa.Text(), nullable=False, comment="URL and model"),
        sa.Column(
            "dialect",
            postgresql.JSONB(),
            comment="how it wants to be asked; null: not found out yet",
        ),
        sa.Column("has_answered", sa.Boolean(), server_default="false", nullable=False),
        _time("free_at"),
        _time("held_until"),
        sa.Column(
            "held_for", sa.Text(), server_default="", nullable=False, comment="why, for a person"
        ),
        sa.Column(
            "strikes",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="refusals in a row that named no time",
        ),
        sa.PrimaryKeyConstraint("endpoint", name=op.f("pk_endpoints")),
    )


def _add_spend() -> None:
    op.create_table(
        "spend_days",
        sa.Column("day", sa.Date(), nullable=False, comment="in UTC"),
        _count("reserved_tokens"),
        _count("reserved_nanos"),
        _count("spent_tokens"),
        _count("spent_nanos"),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_spend_days")),
    )
    op.create_table(
        "reservations",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("tokens", sa.BigInteger(), nullable=False),
        sa.Column("cost_nanos", sa.BigInteger(), nullable=False),
        _time("expires_at", nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reservations")),
    )
    op.create_index("ix_reservations_expires_at", "reservations", ["expires_at"])
    op.create_table(
        "spend",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("feed_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("recipe", sa.Text(), nullable=False, comment="its name"),
        sa.Column("model", sa.Text(), nullable=False),
        _count("calls"),
        _count("prompt_tokens"),
        _count("completion_tokens"),
        _count("cost_nanos"),
        _count("unpriced_calls", comment="of the calls, those whose price is not known"),
        sa.PrimaryKeyConstraint("day", "feed_id", "recipe", "model", name=op.f("pk_spend")),
    )


def _count(
    name: str, kind: sa.types.TypeEngine[int] | None = None, *, comment: str | None = None
) -> sa.Column[int]:
    return sa.Column(
        name, kind or sa.BigInteger(), server_default="0", nullable=False, comment=comment
    )


def _time(name: str, *, nullable: bool = True) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)
