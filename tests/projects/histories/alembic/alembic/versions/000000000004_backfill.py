"""backfill

Revision ID: 000000000004
Revises: 000000000003
"""
from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '000000000004'
down_revision = '000000000003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("user", sa.Column("full_name", sa.String(length=100), nullable=True))
    user = sa.table("user", sa.column("full_name", sa.String), sa.column("email", sa.String))
    op.execute(user.update().values(full_name=sa.func.left(user.c.email, 100)))
    op.alter_column("user", "full_name", nullable=False)


def downgrade() -> None:
    op.drop_column("user", "full_name")
