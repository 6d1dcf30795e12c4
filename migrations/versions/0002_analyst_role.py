"""the analysts' schemas and their read-only role"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Roles belong to the whole server: several databases may be migrated at once, and an account may
# lack the right to make roles. Neither may stop a migration; the second is said aloud.
CREATE_ROLE = """
    DO $$
    BEGIN
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'analyst') THEN
            CREATE ROLE analyst NOLOGIN;
        END IF;
    EXCEPTION
        WHEN duplicate_object OR unique_violation THEN
            NULL;  -- another database made it at the same moment
        WHEN insufficient_privilege THEN
            RAISE WARNING 'role analyst is missing and % may not create roles;'
                ' analysts cannot read the marts until an administrator creates it', current_user;
    END
    $$
"""

# Default privileges keep tables readable that dbt makes anew at every refresh.
GRANT = """
    DO $$
    BEGIN
        IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'analyst') THEN
            GRANT USAGE ON SCHEMA staging, marts TO analyst;
            GRANT SELECT ON ALL TABLES IN SCHEMA staging, marts TO analyst;
            ALTER DEFAULT PRIVILEGES IN SCHEMA staging, marts GRANT SELECT ON TABLES TO analyst;
        END IF;
    END
    $$
"""

# The role stays where another database of the server still grants it something.
DROP_ROLE = """
    DO $$
    BEGIN
        DROP ROLE IF EXISTS analyst;
    EXCEPTION
        WHEN dependent_objects_still_exist OR insufficient_privilege OR object_in_use THEN
            RAISE WARNING 'role analyst is kept: %', SQLERRM;
    END
    $$
"""


def upgrade() -> None:
    """Make the schemas, the role and its rights."""
    op.execute("CREATE SCHEMA IF NOT EXISTS staging")
    op.execute("CREATE SCHEMA IF NOT EXISTS marts")
    op.execute(CREATE_ROLE)
    op.execute(GRANT)


def downgrade() -> None:
    """Drop what dbt built, and the role where nothing else uses it."""
    op.execute("DROP SCHEMA IF EXISTS marts, staging CASCADE")
    op.execute(DROP_ROLE)
