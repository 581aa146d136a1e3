"""What annotators said one by one, synthetic tasks, novel groups, verdicts and decisions."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_TEXTS = ("generator", "slice", "intended_label")


def upgrade() -> None:
    """Apply. Every project is read anew at its next loop, which fills the new columns."""
    with op.batch_alter_table("projects", schema=None) as batch_op:
        batch_op.add_column(sa.Column("reading", sa.String(length=64), nullable=False, server_default=""))
        batch_op.add_column(sa.Column("tabs", sa.JSON(), nullable=False, server_default="{}"))
        batch_op.add_column(sa.Column("progress", sa.JSON(), nullable=False, server_default="{}"))
    with op.batch_alter_table("tasks", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("is_synthetic", sa.Boolean(), nullable=False, server_default=sa.false())
        )
        for name in _TEXTS:
            batch_op.add_column(sa.Column(name, sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("labelled_at", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("answers", sa.JSON(), nullable=False, server_default="[]"))
        batch_op.add_column(sa.Column("shown", sa.JSON(), nullable=False, server_default="{}"))
    op.create_table(
        "novel_groups",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("members", sa.JSON(), nullable=False),
        sa.Column("typical", sa.JSON(), nullable=False),
        sa.Column("figures", sa.JSON(), nullable=False),
        sa.Column("version", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_novel_groups_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_novel_groups")),
    )
    op.create_table(
        "verdicts",
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("low", sa.Double(), nullable=False),
        sa.Column("high", sa.Double(), nullable=False),
        sa.Column("realism", sa.Double(), nullable=False),
        sa.Column("duplicate_of", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("review_order", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_verdicts_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_id", "task_id", name=op.f("pk_verdicts")),
    )
    op.create_table(
        "map_points",
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("x", sa.Double(), nullable=False),
        sa.Column("y", sa.Double(), nullable=False),
        sa.Column("predicted", sa.Text(), nullable=True),
        sa.Column("confidence", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_map_points_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("project_id", "task_id", name=op.f("pk_map_points")),
    )
    op.create_table(
        "decisions",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("project_id", sa.Integer(), nullable=False),
        sa.Column("decided_at", sa.DateTime(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("details", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["project_id"], ["projects.id"], name=op.f("fk_decisions_project_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_decisions")),
    )
    for table in ("novel_groups", "decisions"):
        op.create_index(op.f(f"ix_{table}_project_id"), table, ["project_id"], unique=False)


def downgrade() -> None:
    """Undo."""
    for table in ("novel_groups", "decisions"):
        op.drop_index(op.f(f"ix_{table}_project_id"), table)
    for table in ("decisions", "map_points", "verdicts", "novel_groups"):
        op.drop_table(table)
    with op.batch_alter_table("tasks", schema=None) as batch_op:
        for name in ("shown", "answers", "labelled_at", *reversed(_TEXTS), "is_synthetic"):
            batch_op.drop_column(name)
    with op.batch_alter_table("projects", schema=None) as batch_op:
        batch_op.drop_column("progress")
        batch_op.drop_column("tabs")
        batch_op.drop_column("reading")
