"""what a shop sets for itself, and what attributes mean"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables, whose changes the audit log has."""
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
    op.create_table('attributes',
    sa.Column('attribute', sa.Text(), nullable=False, comment='attribute, in lower case with underscores'),
    sa.Column('name', sa.Text(), nullable=False, comment='name shown to people'),
    sa.Column('about', sa.Text(), server_default='', nullable=False, comment='what it says of a product'),
    sa.Column('unit', sa.Text(), server_default='', nullable=False, comment='what figures are counted in; empty for a text'),
    sa.Column('is_archived', sa.Boolean(), server_default=sa.text('false'), nullable=False, comment='whether it is to be used no more'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("attribute ~ '^[a-z0-9_]+$'", name=op.f('attributes_well_named_check')),
    sa.PrimaryKeyConstraint('attribute', name=op.f('attributes_pkey')),
    schema='catalog',
    comment='What attributes are called and mean; one that files bring may be used without a row here.'
    )
    for table, key in (("backoffice.settings", "name"), ("catalog.attributes", "attribute")):
        op.execute(
            f"CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON {table}"
            f" FOR EACH ROW EXECUTE FUNCTION backoffice.audit_change('{key}')"
        )


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.drop_table('attributes', schema='catalog')
    op.drop_table('settings', schema='backoffice')
