"""Why the texts of a batch cannot be encoded."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    """Apply."""
    with op.batch_alter_table("encoding_batches", schema=None) as batch_op:
        batch_op.add_column(sa.Column("fault", sa.Text(), nullable=False, server_default=""))


def downgrade() -> None:
    """Undo."""
    with op.batch_alter_table("encoding_batches", schema=None) as batch_op:
        batch_op.drop_column("fault")
