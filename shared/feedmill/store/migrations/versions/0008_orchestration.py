"""What keeping the fleet whole needs: since when an entry stands where it does, whose it is, and tombstones."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "entries",
        sa.Column(
            "stage_since",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
        ),
    )
    op.add_column(
        "entries",
        sa.Column(
            "owner", sa.Text(), comment="the workflow that takes care of it; null: who polled"
        ),
    )
    op.add_column("entries", sa.Column("owned_since", sa.DateTime(timezone=True)))
    op.create_index(
        "ix_entries_stage_since",
        "entries",
        ["stage_since"],
        postgresql_where=sa.text("stage in ('new', 'fetched')"),
    )
    _add_tombstones()
    for table in ("feeds", "subscriptions"):
        _add_added_by(table)


def _add_added_by(table: str) -> None:
    op.add_column(
        table,
        sa.Column("added_by", sa.Text(), comment="the run that added it, should that be undone"),
    )
    op.create_index(
        f"ix_{table}_added_by",
        table,
        ["added_by"],
        postgresql_where=sa.text("added_by is not null"),
    )


def _add_tombstones() -> None:
    op.create_table(
        "tombstones",
        sa.Column("feed_id", sa.BigInteger(), nullable=False),
        sa.Column("guid", sa.Text(), nullable=False),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["feed_id"], ["feeds.id"], name="fk_tombstones_feed_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("feed_id", "guid", name="pk_tombstones"),
    )
