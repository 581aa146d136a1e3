"""What came of the answers to each task, and the settings of Label Studio that decide the order."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Apply. Every project is read anew at its next loop, which tells the reasons apart."""
    with op.batch_alter_table("projects", schema=None) as batch_op:
        batch_op.add_column(sa.Column("queue_settings", sa.JSON(), nullable=False, server_default="{}"))
        batch_op.add_column(sa.Column("settings_before", sa.JSON(), nullable=False, server_default="{}"))
        batch_op.add_column(sa.Column("required_control", sa.Text(), nullable=True))
        batch_op.add_column(sa.Column("read_whole_at", sa.Double(), nullable=False, server_default="0"))
    with op.batch_alter_table("tasks", schema=None) as batch_op:
        batch_op.add_column(sa.Column("outcome", sa.String(length=20), nullable=False, server_default=""))
    tasks = sa.table("tasks", sa.column("outcome"), sa.column("label"), sa.column("is_skipped", sa.Boolean()))
    op.execute(sa.update(tasks).where(tasks.c.is_skipped).values(outcome="skipped"))
    op.execute(sa.update(tasks).where(tasks.c.label.is_not(None)).values(outcome="label"))
    op.create_index("ix_tasks_outcome", "tasks", ["project_id", "is_synthetic", "outcome"])


def downgrade() -> None:
    """Undo."""
    op.drop_index("ix_tasks_outcome", "tasks")
    with op.batch_alter_table("tasks", schema=None) as batch_op:
        batch_op.drop_column("outcome")
    with op.batch_alter_table("projects", schema=None) as batch_op:
        for name in ("read_whole_at", "required_control", "settings_before", "queue_settings"):
            batch_op.drop_column(name)
