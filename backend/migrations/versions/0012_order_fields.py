"""What fields of the task data say by which an admin wants the order changed."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("tasks", schema=None) as batch_op:
        batch_op.add_column(sa.Column("order_fields", sa.JSON(), nullable=False, server_default="{}"))


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("tasks", schema=None) as batch_op:
        batch_op.drop_column("order_fields")
