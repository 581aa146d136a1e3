"""When each task was last answered, its flag, and what the people who answer are called."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("projects", schema=None) as batch_op:
        batch_op.add_column(sa.Column("people", sa.JSON(), nullable=False, server_default="{}"))
    with op.batch_alter_table("tasks", schema=None) as batch_op:
        batch_op.add_column(sa.Column("answered_at", sa.String(length=40), nullable=True))
        batch_op.add_column(sa.Column("flag", sa.String(length=20), nullable=False, server_default=""))
    _fill()
    op.create_index("ix_tasks_answered_at", "tasks", ["project_id", "answered_at"])
    op.create_index("ix_tasks_flag", "tasks", ["project_id", "flag", "annotations"])


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_tasks_flag", "tasks")
    op.drop_index("ix_tasks_answered_at", "tasks")
    with op.batch_alter_table("tasks", schema=None) as batch_op:
        batch_op.drop_column("flag")
        batch_op.drop_column("answered_at")
    with op.batch_alter_table("projects", schema=None) as batch_op:
        batch_op.drop_column("people")


def _fill() -> None:
    tasks = sa.table(
        "tasks",
        sa.column("project_id", sa.Integer()),
        sa.column("task_id", sa.Integer()),
        sa.column("answers", sa.JSON()),
        sa.column("shown", sa.JSON()),
        sa.column("answered_at", sa.String()),
        sa.column("flag", sa.String()),
    )
    connection = op.get_bind()
    rows = connection.execute(sa.select(tasks.c.project_id, tasks.c.task_id, tasks.c.answers, tasks.c.shown))
    for row in rows.all():
        moments = [said["at"] for said in row.answers or [] if said.get("at")]
        flag = (row.shown or {}).get("nextlabel_flag") or ""
        if moments or flag:
            here = (tasks.c.project_id == row.project_id) & (tasks.c.task_id == row.task_id)
            values = {"answered_at": max(moments, default=None), "flag": flag}
            connection.execute(sa.update(tasks).where(here).values(values))
