"""What entries are beside articles: videos and episodes, with their transcripts."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _know_recordings()
    _keep_transcripts()


def _know_recordings() -> None:
    op.add_column(
        "entries",
        sa.Column("transcripts", postgresql.JSONB(), nullable=False, server_default="[]"),
    )
    op.add_column(
        "entries",
        sa.Column("video_id", sa.Text(), comment="of the video on YouTube that the entry is"),
    )


def _keep_transcripts() -> None:
    op.add_column(
        "contents", sa.Column("kind", sa.Text(), nullable=False, server_default="article")
    )
    op.create_check_constraint(
        op.f("ck_contents_kind"),
        "contents",
        "kind in ('article', 'document', 'video', 'podcast')",
    )
    op.add_column(
        "contents",
        sa.Column("transcript_start", sa.Integer(), comment="where in text the transcript begins"),
    )
    op.add_column(
        "contents",
        sa.Column(
            "transcript_reason",
            sa.Text(),
            comment="why there is none, though the feed names one",
        ),
    )
