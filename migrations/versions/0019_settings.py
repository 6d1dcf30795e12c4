"""what a shop sets for itself"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table, whose changes the audit log has."""
    op.create_table('settings',
    sa.Column('name', sa.Text(), nullable=False, comment='<area>.<name> of the setting'),
    sa.Column('value', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='a number or a text'),
    sa.Column('set_by', sa.Text(), nullable=False, comment='who set it'),
    sa.Column('set_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='when it was set'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("jsonb_typeof(value) IN ('number', 'string')", name=op.f('settings_value_is_plain_check')),
    sa.CheckConstraint("name ~ '^[a-z_]+[.][a-z_]+$'", name=op.f('settings_name_of_area_check')),
    sa.PrimaryKeyConstraint('name', name=op.f('settings_pkey')),
    schema='backoffice',
    comment='What the shop set otherwise than by default; see shared.shop_settings for what there is.'
    )
    op.execute(
        "CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON backoffice.settings"
        " FOR EACH ROW EXECUTE FUNCTION backoffice.audit_change('name')"
    )


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.drop_table('settings', schema='backoffice')
