"""Where the sentences of summaries come from."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "distillates",
        sa.Column("sentences", postgresql.JSONB(), nullable=False, server_default="[]"),
    )
