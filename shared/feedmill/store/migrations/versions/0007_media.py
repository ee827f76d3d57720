"""What entries are beside articles: videos and episodes, with their transcripts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "entries",
        sa.Column("transcripts", postgresql.JSONB(), nullable=False, server_default="[]"),
    )
    op.add_column(
        "entries",
        sa.Column("video_id", sa.Text(), comment="of the video on YouTube that the entry is"),
    )
