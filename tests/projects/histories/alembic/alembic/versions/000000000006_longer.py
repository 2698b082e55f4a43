"""longer

Revision ID: 000000000006
Revises: 000000000005
"""
from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '000000000006'
down_revision = '000000000005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.alter_column("user", "full_name", type_=sa.Text(), existing_type=sa.String(length=100))


def downgrade() -> None:
    op.execute("UPDATE \"user\" SET full_name = left(full_name, 100)")
    op.alter_column("user", "full_name", type_=sa.String(length=100), existing_type=sa.Text())
