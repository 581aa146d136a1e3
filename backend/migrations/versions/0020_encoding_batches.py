"""Batches of texts that workers encode, and what each worker encodes on."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "encoding_batches",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("encoder", sa.String(length=128), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("task_ids", sa.JSON(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("wakes", sa.Boolean(), nullable=False),
        sa.Column("claimed_by", sa.String(length=128), nullable=True),
        sa.Column("claimed_until", sa.Double(), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"],
            ["projects.id"],
            name=op.f("fk_encoding_batches_project_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_encoding_batches")),
    )
    op.create_index("ix_encoding_batches_order", "encoding_batches", ["tries", "place", "id"])
    op.create_index(op.f("ix_encoding_batches_project_id"), "encoding_batches", ["project_id"])
    with op.batch_alter_table("workers", schema=None) as batch_op:
        batch_op.add_column(sa.Column("device", sa.String(length=32), nullable=False, server_default="cpu"))


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("workers", schema=None) as batch_op:
        batch_op.drop_column("device")
    op.drop_table("encoding_batches")
