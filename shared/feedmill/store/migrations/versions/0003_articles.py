"""What articles need: pages kept for a while, waits between tries, validators, the feed's own markup."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "feeds",
        sa.Column(
            "whole_texts",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="pages in a row that said no more than the feed; negative: that said more",
        ),
    )
    _widen_entries()
    for name in ("etag", "last_modified"):
        op.add_column("contents", sa.Column(name, sa.Text()))
    op.add_column(
        "contents",
        sa.Column("validators_url", sa.Text(), comment="whose etag and last_modified these are"),
    )
    _add_pages()


def _widen_entries() -> None:
    op.add_column(
        "entries",
        sa.Column(
            "markup",
            sa.Text(),
            comment="the feed's own text as it came: sanitised by whoever uses it",
        ),
    )
    op.alter_column(
        "entries", "reason", comment="a Reason; why the entry ended, or waits, where it stands"
    )
    op.add_column(
        "entries",
        sa.Column(
            "tries",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="fetches in a row that failed for a while only",
        ),
    )
    for name in ("next_try_at", "asked_at"):
        op.add_column("entries", sa.Column(name, sa.DateTime(timezone=True)))


def _add_pages() -> None:
    op.create_table(
        "pages",
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("url", sa.Text(), nullable=False),
        sa.Column("media_type", sa.Text(), server_default="", nullable=False),
        sa.Column("charset", sa.Text(), comment="as its HTTP header named it"),
        sa.Column(
            "withheld",
            sa.Text(),
            comment="the sign beside the page itself that keeps it from models",
        ),
        sa.Column("moved_to", sa.Text(), comment="where it lives for good, by its redirects"),
        sa.Column("body", sa.LargeBinary(), nullable=False, comment="zstd"),
        sa.Column("kept_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["entries.id"],
            name=op.f("fk_pages_entry_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_pages")),
    )
    op.create_index(op.f("ix_pages_kept_at"), "pages", ["kept_at"])
    # Compressed already: another compression would only cost time.
    op.execute("alter table pages alter column body set storage external")
