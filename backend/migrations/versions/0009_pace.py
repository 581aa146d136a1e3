"""When each task was last answered or skipped, and what people are called, for the pace of the last day."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0012"


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("projects", schema=None) as batch_op:
        batch_op.add_column(sa.Column("people", sa.JSON(), nullable=False, server_default="{}"))
    with op.batch_alter_table("tasks", schema=None) as batch_op:
        batch_op.add_column(sa.Column("answered_at", sa.String(length=40), nullable=True))
    tasks = sa.table(
        "tasks",
        sa.column("project_id", sa.Integer()),
        sa.column("task_id", sa.Integer()),
        sa.column("answers", sa.JSON()),
        sa.column("answered_at", sa.String()),
    )
    connection = op.get_bind()
    for row in connection.execute(sa.select(tasks.c.project_id, tasks.c.task_id, tasks.c.answers)).all():
        moments = [said["at"] for said in row.answers or [] if said.get("at")]
        if moments:
            here = (tasks.c.project_id == row.project_id) & (tasks.c.task_id == row.task_id)
            connection.execute(sa.update(tasks).where(here).values(answered_at=max(moments)))
    op.create_index("ix_tasks_answered_at", "tasks", ["project_id", "answered_at"])


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_tasks_answered_at", "tasks")
    with op.batch_alter_table("tasks", schema=None) as batch_op:
        batch_op.drop_column("answered_at")
    with op.batch_alter_table("projects", schema=None) as batch_op:
        batch_op.drop_column("people")
