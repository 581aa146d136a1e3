"""Changes of classes: what was there before, so that each can be undone."""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "relabellings",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("question", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("config_before", sa.Text(), nullable=False),
        sa.Column("config_both", sa.Text(), nullable=False),
        sa.Column("config_after", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_relabellings_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_relabellings")),
    )
    op.create_index(op.f("ix_relabellings_project_id"), "relabellings", ["project_id"], unique=False)
    op.create_table(
        "relabelled_answers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("relabelling_id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Integer(), nullable=False),
        sa.Column("annotation_id", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("before", sa.JSON(), nullable=False),
        sa.Column("after", sa.JSON(), nullable=False),
        sa.Column("is_removed", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["relabelling_id"],
            ["relabellings.id"],
            name=op.f("fk_relabelled_answers_relabelling_id"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_relabelled_answers")),
    )
    op.create_index(
        op.f("ix_relabelled_answers_relabelling_id"), "relabelled_answers", ["relabelling_id"], unique=False
    )


def downgrade() -> None:
    """Undo."""
    op.drop_index(op.f("ix_relabelled_answers_relabelling_id"), "relabelled_answers")
    op.drop_table("relabelled_answers")
    op.drop_index(op.f("ix_relabellings_project_id"), "relabellings")
    op.drop_table("relabellings")
