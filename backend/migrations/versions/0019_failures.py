"""How many loops of a project failed in a row."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("projects", schema=None) as batch_op:
        batch_op.add_column(sa.Column("failures", sa.Integer(), nullable=False, server_default="0"))


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("projects", schema=None) as batch_op:
        batch_op.drop_column("failures")
