"""data

Revision ID: 000000000008
Revises: 000000000007
"""
from alembic import op
import sqlalchemy as sa
from sqlalchemy.dialects import postgresql

revision = '000000000008'
down_revision = '000000000007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("UPDATE item SET data = jsonb_set(data, '{v}', '2')")


def downgrade() -> None:
    op.execute("UPDATE item SET data = data - 'v'")
