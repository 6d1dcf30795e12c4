"""room for the moves of an order"""

from __future__ import annotations

from alembic import op

revision = '0009'
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Leave half of each page of order states free: five moves then find room beside their row."""
    op.execute("ALTER TABLE flow.order_states SET (fillfactor = 50)")


def downgrade() -> None:
    """Fill the pages again."""
    op.execute("ALTER TABLE flow.order_states RESET (fillfactor)")
