"""Pictures of tasks: their addresses, and what was read of each."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("tasks", schema=None) as batch_op:
        batch_op.add_column(sa.Column("pictures", sa.JSON(), nullable=False, server_default="{}"))
    op.create_table(
        "media",
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("address_hash", sa.String(length=64), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("fault", sa.Text(), nullable=False),
        sa.Column("is_passing", sa.Boolean(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("retry_at", sa.Double(), nullable=False),
        sa.Column("byte_count", sa.Integer(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("height", sa.Integer(), nullable=False),
        sa.Column("thumbnail", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_media_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_id", "address_hash", name=op.f("pk_media")),
    )
    op.create_index("ix_media_fault", "media", ["project_id", "fault"], unique=False)


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_media_fault", "media")
    op.drop_table("media")
    with op.batch_alter_table("tasks", schema=None) as batch_op:
        batch_op.drop_column("pictures")
