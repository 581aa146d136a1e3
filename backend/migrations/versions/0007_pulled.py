"""Projects of a Label Studio that cannot call this backend."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("projects", schema=None) as batch_op:
        batch_op.add_column(sa.Column("is_pulled", sa.Boolean(), nullable=False, server_default="0"))
        batch_op.add_column(sa.Column("pulled_until", sa.String(length=40), nullable=True))


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table("projects", schema=None) as batch_op:
        batch_op.drop_column("pulled_until")
        batch_op.drop_column("is_pulled")
