"""Which entries tell the same story."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "stories",
        sa.Column(
            "entry_id",
            sa.BigInteger(),
            sa.ForeignKey("entries.id", ondelete="CASCADE", name="fk_stories_entry_id_entries"),
            nullable=False,
        ),
        sa.Column("story", sa.BigInteger(), nullable=False, comment="the entry that told it first"),
        sa.Column(
            "content_hash",
            sa.Text(),
            nullable=False,
            comment="of the text in which it was recognised",
        ),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name="pk_stories"),
    )
    op.create_index("ix_stories_story", "stories", ["story"])
    op.create_table(
        "story_keys",
        sa.Column("key", sa.BigInteger(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "entry_id",
            sa.BigInteger(),
            sa.ForeignKey("entries.id", ondelete="CASCADE", name="fk_story_keys_entry_id_entries"),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("key", "told_at", "entry_id", name="pk_story_keys"),
    )
    op.create_index("ix_story_keys_entry_id", "story_keys", ["entry_id"])
