"""Lists that are imported slice by slice: what they name, and what came of each line so far."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "imports",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("user_id", sa.BigInteger(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False, comment="of the file"),
        sa.Column(
            "categories",
            postgresql.JSONB(),
            nullable=False,
            server_default="[]",
            comment="wanted whether or not a feed is in them, as paths",
        ),
        sa.Column("categories_made", sa.Integer(), nullable=False, server_default="0"),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.func.now(),
            nullable=False,
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name="fk_imports_user_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name="pk_imports"),
        sa.UniqueConstraint("user_id", "hash", name="uq_imports_user_id_hash"),
    )
    _create_lines()


def _create_lines() -> None:
    op.create_table(
        "import_lines",
        sa.Column("import_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False, comment="its place in the list"),
        sa.Column("line", sa.Integer(), nullable=False, comment="of the file"),
        sa.Column("url", sa.Text(), nullable=False, server_default=""),
        sa.Column("title", sa.Text(), nullable=False, server_default=""),
        sa.Column("category", postgresql.JSONB(), nullable=False, server_default="[]"),
        sa.Column("outcome", sa.Text(), comment="a Listed; null: its turn has not come"),
        sa.Column("first_line", sa.Integer(), comment="where a duplicate's address stands first"),
        sa.Column("reason", sa.Text(), comment="a Reason; why it is broken"),
        sa.Column("detail", sa.Text(), nullable=False, server_default=""),
        sa.ForeignKeyConstraint(
            ["import_id"], ["imports.id"], name="fk_import_lines_import_id", ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("import_id", "number", name="pk_import_lines"),
    )
    op.create_index(
        "ix_import_lines_waiting",
        "import_lines",
        ["import_id", "number"],
        postgresql_where=sa.text("outcome is null"),
    )
