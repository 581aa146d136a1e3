"""The encoder of each project."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Apply. Projects that are there keep the encoder that TEXT_ENCODER names."""
    with op.batch_alter_table("projects", schema=None) as batch_op:
        batch_op.add_column(sa.Column("encoder", sa.Text(), nullable=True))


def downgrade() -> None:
    """Take back."""
    with op.batch_alter_table("projects", schema=None) as batch_op:
        batch_op.drop_column("encoder")
