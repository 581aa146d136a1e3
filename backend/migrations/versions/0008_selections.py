"""Colours of classes on the map, and tasks that a person picked there."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("projects", schema=None) as batch_op:
        batch_op.add_column(sa.Column("colours", sa.JSON(), nullable=False, server_default="{}"))
    op.create_table(
        "selections",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("use", sa.String(length=16), nullable=False),
        sa.Column("task_ids", sa.JSON(), nullable=False),
        sa.Column("tab", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_selections_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_selections")),
    )
    op.create_index(op.f("ix_selections_project_id"), "selections", ["project_id"], unique=False)


def downgrade() -> None:
    """Take it back."""
    op.drop_table("selections")
    with op.batch_alter_table("projects", schema=None) as batch_op:
        batch_op.drop_column("colours")
