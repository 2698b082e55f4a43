"""check

Revision ID: 000000000005
Revises: 000000000004
"""
from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '000000000005'
down_revision = '000000000004'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_check_constraint("ck_title", "item", "title IS NULL OR length(title) > 0")


def downgrade() -> None:
    op.drop_constraint("ck_title", "item")
