"""who may come in, the audit log with its triggers, and the roles of the database"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# Roles belong to the whole server, as in 0002; neither can log in by itself.
APP, AUDIT = "ecom_app", "ecom_audit"
CREATE_ROLE = """
    DO $$
    BEGIN
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = '{role}') THEN
            CREATE ROLE {role} NOLOGIN;
        END IF;
    EXCEPTION
        WHEN duplicate_object OR unique_violation THEN
            NULL;  -- another database made it at the same moment
        WHEN insufficient_privilege THEN
            RAISE WARNING 'role {role} is missing and % may not create roles; the web entrance uses'
                ' the account it is given until an administrator creates it', current_user;
    END
    $$
"""
DROP_ROLE = """
    DO $$
    BEGIN
        DROP ROLE IF EXISTS {role};
    EXCEPTION
        WHEN dependent_objects_still_exist OR insufficient_privilege OR object_in_use THEN
            RAISE WARNING 'role {role} is kept: %', SQLERRM;
    END
    $$
"""

# What the entrance may do: the shop's rows, no tables; the audit log is read and not written.
GRANT_APP = """
    DO $$
    DECLARE
        area text;
    BEGIN
        IF NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'ecom_app') THEN
            RETURN;
        END IF;
        FOR area IN
            SELECT nspname FROM pg_catalog.pg_namespace
            WHERE nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%'
        LOOP
            EXECUTE format('GRANT USAGE ON SCHEMA %I TO ecom_app', area);
            EXECUTE format(
                'GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA %I TO ecom_app', area);
            EXECUTE format('GRANT USAGE ON ALL SEQUENCES IN SCHEMA %I TO ecom_app', area);
            EXECUTE format(
                'ALTER DEFAULT PRIVILEGES IN SCHEMA %I'
                ' GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO ecom_app', area);
            EXECUTE format(
                'ALTER DEFAULT PRIVILEGES IN SCHEMA %I GRANT USAGE ON SEQUENCES TO ecom_app', area);
        END LOOP;
        REVOKE INSERT, UPDATE, DELETE ON backoffice.audit_entries FROM ecom_app;
    END
    $$
"""
REVOKE_APP = """
    DO $$
    BEGIN
        IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'ecom_app') THEN
            EXECUTE 'DROP OWNED BY ecom_app';
        END IF;
        IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'ecom_audit') THEN
            EXECUTE 'DROP OWNED BY ecom_audit';
        END IF;
    EXCEPTION
        WHEN insufficient_privilege THEN
            RAISE WARNING 'rights of the web entrance are kept: %', SQLERRM;
    END
    $$
"""

# The two functions write the log as a role that may do nothing else.
ADD_ENTRY = """
    CREATE FUNCTION backoffice.add_audit_entry(
        actor text, via text, action text, subject text, outcome text, detail text, after jsonb,
        address text, request_id text
    ) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    BEGIN ATOMIC
        INSERT INTO backoffice.audit_entries
            (actor, via, action, subject, outcome, detail, after, address, request_id)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);
    END
"""
AUDIT_CHANGE = """
    CREATE FUNCTION backoffice.audit_change() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
    SET search_path = pg_catalog, pg_temp AS $$
    DECLARE
        unsaid CONSTANT text[] := ARRAY['password_hash', 'secret_hash', 'credentials', 'seen_at', 'used_at', 'recorded_at', 'run_id'];
        was jsonb := CASE WHEN TG_OP <> 'INSERT' THEN to_jsonb(OLD) - unsaid END;
        is_now jsonb := CASE WHEN TG_OP <> 'DELETE' THEN to_jsonb(NEW) - unsaid END;
        shown jsonb := coalesce(is_now, was);
        place text := (
            SELECT string_agg(coalesce(shown ->> given.name, ''), '/' ORDER BY given.n)
            FROM unnest(TG_ARGV) WITH ORDINALITY AS given (name, n));
    BEGIN
        IF was IS NOT DISTINCT FROM is_now THEN
            RETURN NULL;
        END IF;
        INSERT INTO backoffice.audit_entries
            (actor, via, action, subject, outcome, before, after, address, request_id)
        VALUES (
            coalesce(nullif(current_setting('ecom.actor', true), ''), 'platform'),
            coalesce(nullif(current_setting('ecom.via', true), ''), 'platform'),
            lower(TG_OP), format('%s.%s/%s', TG_TABLE_SCHEMA, TG_TABLE_NAME, place), 'done',
            was, is_now,
            coalesce(current_setting('ecom.address', true), ''),
            coalesce(current_setting('ecom.request_id', true), ''));
        RETURN NULL;
    END $$
"""
OWN_FUNCTIONS = """
    DO $$
    BEGIN
        IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'ecom_audit') THEN
            GRANT USAGE, CREATE ON SCHEMA backoffice TO ecom_audit;
            GRANT INSERT ON backoffice.audit_entries TO ecom_audit;
            ALTER FUNCTION backoffice.add_audit_entry OWNER TO ecom_audit;
            ALTER FUNCTION backoffice.audit_change OWNER TO ecom_audit;
            REVOKE CREATE ON SCHEMA backoffice FROM ecom_audit;
        END IF;
    EXCEPTION
        WHEN insufficient_privilege THEN
            RAISE WARNING 'the audit log is written as %: %', current_user, SQLERRM;
    END
    $$
"""
GRANT_ENTRY = """
    DO $$
    BEGIN
        IF EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = 'ecom_app') THEN
            GRANT EXECUTE ON FUNCTION backoffice.add_audit_entry TO ecom_app;
        END IF;
    END
    $$
"""
KEPT = """
    CREATE TRIGGER audit_entries_kept BEFORE UPDATE OR DELETE OR TRUNCATE
    ON backoffice.audit_entries FOR EACH STATEMENT EXECUTE FUNCTION flow.refuse_loss()
"""
AUDITED = {
    "backoffice.users": ("name",),
    "backoffice.api_keys": ("key_name",),
    "catalog.channel_requirements": ("channel", "locale", "family", "attribute"),
    "catalog.families": ("family",),
    "catalog.family_attributes": ("family", "attribute"),
    "catalog.suppliers": ("supplier_key",),
    "inventory.channel_buffers": ("channel", "sku"),
    "inventory.reorder_terms": ("sku",),
    "pricing.constraints": ("constraint_id",),
    "pricing.coupons": ("code",),
    "pricing.price_lists": ("channel", "currency", "customer_group"),
    "pricing.promotions": ("name",),
    "pricing.rules": ("name", "version"),
    "transport.carriers": ("carrier_code",),
    "transport.rates": ("service_code", "zone_code", "from_g", "valid_from_at"),
    "transport.services": ("service_code",),
    "transport.zones": ("zone_code",),
    "warehouse.sites": ("site_code",),
}


def upgrade() -> None:
    """Make the tables, the functions that write the audit log, its triggers, and the roles."""
    op.create_table('audit_entries',
    sa.Column('audit_entry_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('actor', sa.Text(), nullable=False, comment='name of the user; platform where no person acts'),
    sa.Column('via', sa.Text(), nullable=False, comment='browser, api_key, command or platform'),
    sa.Column('action', sa.Text(), nullable=False, comment='what was done: login, launch_run, or insert, update, delete of a row'),
    sa.Column('subject', sa.Text(), nullable=False, comment='on what: a table and its key, a route or a name'),
    sa.Column('outcome', sa.Text(), nullable=False, comment='done, refused or failed'),
    sa.Column('detail', sa.Text(), server_default='', nullable=False, comment='why it was refused or what failed; empty where nothing is to be said'),
    sa.Column('before', postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment='what was there, without secrets'),
    sa.Column('after', postgresql.JSONB(astext_type=sa.Text()), nullable=True, comment='what is there, without secrets'),
    sa.Column('address', sa.Text(), server_default='', nullable=False, comment='address the request came from; empty where there was none'),
    sa.Column('request_id', sa.Text(), server_default='', nullable=False, comment='request it was part of; empty where there was none'),
    sa.Column('transaction', sa.BigInteger(), server_default=sa.text('pg_current_xact_id()::text::bigint'), nullable=False, comment='transaction of the database, which joins what was done at once'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("outcome IN ('done', 'refused', 'failed')", name=op.f('audit_entries_outcome_known_check')),
    sa.CheckConstraint("via IN ('browser', 'api_key', 'command', 'platform')", name=op.f('audit_entries_via_known_check')),
    sa.PrimaryKeyConstraint('audit_entry_id', name=op.f('audit_entries_pkey')),
    schema='backoffice',
    comment='Logins, refusals, mutations and changes of configuration; rows are added and never changed.'
    )
    op.create_index(op.f('audit_entries_actor_audit_entry_id_idx'), 'audit_entries', ['actor', 'audit_entry_id'], unique=False, schema='backoffice')
    op.create_index(op.f('audit_entries_subject_audit_entry_id_idx'), 'audit_entries', ['subject', 'audit_entry_id'], unique=False, schema='backoffice')
    op.create_table('users',
    sa.Column('user_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('name', sa.Text(), nullable=False, comment='what is entered at login, in lower case'),
    sa.Column('full_name', sa.Text(), server_default='', nullable=False, comment='how the person is called'),
    sa.Column('email', sa.Text(), server_default='', nullable=False, comment='address; empty where none is known'),
    sa.Column('roles', postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False, comment='viewer, analyst, operator, approver or admin; several add up'),
    sa.Column('password_hash', sa.Text(), nullable=True, comment='argon2id; empty where no password was set'),
    sa.Column('password_set_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='when the password was set'),
    sa.Column('issuer', sa.Text(), nullable=True, comment='OIDC provider that vouches for the user'),
    sa.Column('subject', sa.Text(), nullable=True, comment='what the provider calls the user'),
    sa.Column('is_active', sa.Boolean(), server_default=sa.text('true'), nullable=False, comment='whether the user may come in'),
    sa.Column('version', sa.Integer(), server_default='1', nullable=False, comment='counts the changes, from 1'),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='when the user was added'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("name = lower(name) AND name <> ''", name=op.f('users_name_lower_check')),
    sa.CheckConstraint("roles <@ ARRAY['viewer','analyst','operator','approver','admin']", name=op.f('users_roles_known_check')),
    sa.CheckConstraint('(issuer IS NULL) = (subject IS NULL)', name=op.f('users_subject_with_issuer_check')),
    sa.PrimaryKeyConstraint('user_id', name=op.f('users_pkey')),
    sa.UniqueConstraint('issuer', 'subject', name=op.f('users_issuer_subject_key')),
    sa.UniqueConstraint('name', name=op.f('users_name_key')),
    schema='backoffice',
    comment='People and machines that may come in, with their roles.'
    )
    op.create_table('api_keys',
    sa.Column('api_key_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('key_name', sa.Text(), nullable=False, comment='the public part of the key, which finds it'),
    sa.Column('secret_hash', sa.Text(), nullable=False, comment='SHA-256 of its secret part'),
    sa.Column('user_id', sa.BigInteger(), nullable=False, comment='as whom'),
    sa.Column('purpose', sa.Text(), nullable=False, comment='what it is for'),
    sa.Column('scopes', postgresql.ARRAY(sa.Text()), server_default=sa.text("'{}'::text[]"), nullable=False, comment='area:right, such as orders:operate; * is every area'),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='when it was made'),
    sa.Column('expires_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='end'),
    sa.Column('revoked_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='when it was taken back'),
    sa.Column('used_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='last request, to about a minute'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("scopes <> '{}'", name=op.f('api_keys_scopes_given_check')),
    sa.CheckConstraint('expires_at > created_at', name=op.f('api_keys_ends_after_start_check')),
    sa.ForeignKeyConstraint(['user_id'], ['backoffice.users.user_id'], name=op.f('api_keys_user_id_fkey')),
    sa.PrimaryKeyConstraint('api_key_id', name=op.f('api_keys_pkey')),
    sa.UniqueConstraint('key_name', name=op.f('api_keys_key_name_key')),
    schema='backoffice',
    comment='Keys by which machines come in as a user, each with what it may do.'
    )
    op.create_index(op.f('api_keys_user_id_idx'), 'api_keys', ['user_id'], unique=False, schema='backoffice')
    op.create_table('links',
    sa.Column('token_hash', sa.Text(), nullable=False, comment="SHA-256 of the link's last part"),
    sa.Column('user_id', sa.BigInteger(), nullable=True, comment='who; empty for the first admin'),
    sa.Column('made_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='when it was made'),
    sa.Column('expires_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='end'),
    sa.Column('used_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='when it was used; unused, if empty'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.ForeignKeyConstraint(['user_id'], ['backoffice.users.user_id'], name=op.f('links_user_id_fkey')),
    sa.PrimaryKeyConstraint('token_hash', name=op.f('links_pkey')),
    schema='backoffice',
    comment='Links that let a user set a password once, or the first admin come in.'
    )
    op.create_index(op.f('links_user_id_idx'), 'links', ['user_id'], unique=False, schema='backoffice')
    op.create_table('sessions',
    sa.Column('session_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('token_hash', sa.Text(), nullable=False, comment="SHA-256 of what the browser's cookie holds"),
    sa.Column('user_id', sa.BigInteger(), nullable=False, comment='who'),
    sa.Column('started_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='login'),
    sa.Column('seen_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='last request, to about a minute'),
    sa.Column('ends_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='end at the latest, whatever is done until then'),
    sa.Column('ended_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='end; open, if empty'),
    sa.Column('ended_because', sa.Text(), nullable=True, comment='logout, disabled, password_changed, roles_changed, replaced or ended_by_user'),
    sa.Column('address', sa.Text(), nullable=False, comment='address the login came from'),
    sa.Column('agent', sa.Text(), nullable=False, comment='what the browser calls itself'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint('(ended_at IS NULL) = (ended_because IS NULL)', name=op.f('sessions_end_has_cause_check')),
    sa.ForeignKeyConstraint(['user_id'], ['backoffice.users.user_id'], name=op.f('sessions_user_id_fkey')),
    sa.PrimaryKeyConstraint('session_id', name=op.f('sessions_pkey')),
    sa.UniqueConstraint('token_hash', name=op.f('sessions_token_hash_key')),
    schema='backoffice',
    comment='Logins of browsers: from when to when, from where.'
    )
    op.create_index(op.f('sessions_user_id_idx'), 'sessions', ['user_id'], unique=False, schema='backoffice')
    for role in (APP, AUDIT):
        op.execute(CREATE_ROLE.format(role=role))
    op.execute(ADD_ENTRY)
    op.execute("REVOKE ALL ON FUNCTION backoffice.add_audit_entry FROM public")
    op.execute(AUDIT_CHANGE)
    op.execute("REVOKE ALL ON FUNCTION backoffice.audit_change FROM public")
    op.execute(OWN_FUNCTIONS)
    op.execute(GRANT_APP)
    op.execute(GRANT_ENTRY)
    op.execute(KEPT)
    for table, names in AUDITED.items():
        arguments = ", ".join(f"'{name}'" for name in names)
        op.execute(
            f"CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW"
            f" EXECUTE FUNCTION backoffice.audit_change({arguments})"
        )


def downgrade() -> None:
    """Take the schema back to the revision before; the roles go where nothing else uses them."""
    for table in AUDITED:
        op.execute(f"DROP TRIGGER audited ON {table}")
    op.execute(REVOKE_APP)
    op.execute("DROP FUNCTION IF EXISTS backoffice.audit_change()")
    op.execute("DROP FUNCTION IF EXISTS backoffice.add_audit_entry")
    op.drop_table('sessions', schema='backoffice')
    op.drop_table('links', schema='backoffice')
    op.drop_table('api_keys', schema='backoffice')
    op.drop_table('users', schema='backoffice')
    op.drop_table('audit_entries', schema='backoffice')
    for role in (APP, AUDIT):
        op.execute(DROP_ROLE.format(role=role))
