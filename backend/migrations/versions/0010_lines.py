"""The line on each served task."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("window_tasks", schema=None) as batch_op:
        batch_op.add_column(sa.Column("line", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table("window_tasks", schema=None) as batch_op:
        batch_op.drop_column("line")
