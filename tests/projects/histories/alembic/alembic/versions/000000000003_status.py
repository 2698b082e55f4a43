"""status

Revision ID: 000000000003
Revises: 000000000002
"""
from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '000000000003'
down_revision = '000000000002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    status = postgresql.ENUM("new", "done", name="item_status")
    status.create(op.get_bind())
    op.add_column("item", sa.Column("status", sa.Enum("new", "done", name="item_status"), server_default="new", nullable=False))


def downgrade() -> None:
    op.drop_column("item", "status")
    postgresql.ENUM(name="item_status").drop(op.get_bind())
