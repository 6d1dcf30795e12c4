"""business rules by version, with the first version of each; tax rates and what is found by them"""

from __future__ import annotations

import json

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# What the code decided by until now, under the names the ledger has for it.
FIRST = {
    "risk": ("risk/1", {"reject_from": 0.9, "review_from": 0.05, "review_cost_eur": 5.0, "new_country_eur": 300.0, "first_order_eur": 3000.0}),
    "routing": ("allocation-2", {"ranking": ["fewest_splits", "same_market", "lowest_cost", "nearest"]}),
    "carrier": ("carrier-1", {"late_cost_minor": 1000, "damage_share": 1.0, "keeps_promise_from": 0.9, "default_unit_weight_g": 500}),
    "payment_match": ("payment_match/1", {"per_tender_minor": 1, "least_minor": 1}),
    "reservation": ("reservation-1", {"promise_stands": None}),
    "fraud_rules": ("fraud_rules/1", {"base_log_odds": -4.5, "most": 0.8, "rules": [
        {"reason": reason, "feature": feature, "at_least": at_least, "points": points}
        for reason, feature, at_least, points in (
            ("linked_to_known_fraud", "known_fraud_links", 1, 4.0),
            ("device_shared_by_customers", "device_customers", 2, 2.0),
            ("card_shared_by_customers", "card_customers", 1, 2.0),
            ("card_orders_in_a_day", "card_orders_24h", 3, 1.5),
            ("card_verification_failed", "is_cvv_mismatch", 1, 1.5),
            ("address_verification_failed", "is_avs_mismatch", 1, 1.0),
            ("device_orders_in_an_hour", "device_orders_1h", 2, 1.0),
            ("ip_orders_in_an_hour", "ip_orders_1h", 3, 1.0),
            ("email_shared_by_customers", "email_customers", 1, 1.0),
            ("address_shared_by_customers", "address_customers", 3, 1.0),
            ("account_under_a_day_old", "is_new_account", 1, 0.5),
            ("order_value", "value_eur", 500, 0.5),
        )
    ]}),
}
SEED = sa.text("""
    WITH made AS (
        INSERT INTO backoffice.business_rules (kind, version, label, parameters, note, state, created_by,
            created_at, decided_by, decided_at)
        VALUES (:kind, 1, :label, CAST(:parameters AS jsonb),
            'what the platform came with', 'in_force', 'platform', now(), 'release', now())
        RETURNING rule_id, kind
    )
    INSERT INTO backoffice.rule_periods (kind, rule_id, begun_by)
    SELECT kind, rule_id, 'platform' FROM made
""")

# A version is told from another by what it says, so that a ledger that names it stays true.
KEEP_RULE = """
    CREATE FUNCTION backoffice.keep_rule() RETURNS trigger LANGUAGE plpgsql AS $$
    DECLARE
        said CONSTANT text[] := ARRAY['rule_id', 'kind', 'version', 'label', 'parameters',
            'examples', 'based_on', 'note', 'created_by', 'created_at'];
        moves CONSTANT jsonb := '{"draft": ["tested", "withdrawn"],
            "tested": ["proposed", "withdrawn"],
            "proposed": ["approved", "rejected", "withdrawn"],
            "approved": ["shadow", "in_force", "withdrawn"],
            "shadow": ["in_force", "withdrawn"],
            "in_force": ["superseded"], "superseded": ["in_force"]}';
        name text;
    BEGIN
        FOREACH name IN ARRAY said LOOP
            IF to_jsonb(OLD) -> name IS DISTINCT FROM to_jsonb(NEW) -> name THEN
                RAISE EXCEPTION 'what % says never changes (%); draft another version',
                    OLD.label, name USING ERRCODE = 'restrict_violation';
            END IF;
        END LOOP;
        IF NEW.state <> OLD.state AND NOT coalesce(moves -> OLD.state ? NEW.state, false) THEN
            RAISE EXCEPTION '% is %, it cannot become %', OLD.label, OLD.state, NEW.state
                USING ERRCODE = 'restrict_violation';
        END IF;
        RETURN NEW;
    END $$
"""
# Reference: backoffice.taxation.rounded; numeric, since amount times basis points leaves bigint.
ROUNDED = """
    CREATE FUNCTION backoffice.rounded(dividend numeric, divisor numeric, mode text)
    RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
        SELECT CAST(sign(dividend) * (div(abs(dividend), divisor) + CASE
            WHEN mode = 'down' THEN 0
            WHEN 2 * mod(abs(dividend), divisor) > divisor THEN 1
            WHEN 2 * mod(abs(dividend), divisor) < divisor THEN 0
            WHEN mode = 'half_up' THEN 1
            ELSE mod(div(abs(dividend), divisor), 2) END) AS bigint)
    $$
"""
KEPT = (
    "CREATE TRIGGER business_rules_kept BEFORE UPDATE ON backoffice.business_rules"
    " FOR EACH ROW EXECUTE FUNCTION backoffice.keep_rule()",
    "CREATE TRIGGER business_rules_not_lost BEFORE DELETE OR TRUNCATE ON backoffice.business_rules"
    " FOR EACH STATEMENT EXECUTE FUNCTION flow.refuse_loss()",
    "CREATE TRIGGER rule_periods_not_lost BEFORE DELETE OR TRUNCATE ON backoffice.rule_periods"
    " FOR EACH STATEMENT EXECUTE FUNCTION flow.refuse_loss()",
)
AUDITED = {
    "backoffice.exchange_rates": ("currency", "rate_date"),
    "backoffice.rule_periods": ("kind", "valid_from_at"),
    "backoffice.business_rules": ("label",),
    "backoffice.tax_categories": ("product_category", "sku"),
    "backoffice.tax_rates": ("country", "region", "tax_category", "valid_from_date"),
    "backoffice.tax_settings": ("channel",),
}


def upgrade() -> None:
    """Make the tables, put the first versions in force, and keep what versions say."""
    op.create_table('exchange_rates',
    sa.Column('currency', sa.CHAR(length=3), nullable=False, comment='ISO 4217 code'),
    sa.Column('rate_date', sa.Date(), nullable=False, comment='day of publication'),
    sa.Column('per_eur', sa.Numeric(precision=18, scale=6), nullable=False, comment='units of the currency to one euro'),
    sa.Column('source', sa.Text(), nullable=False, comment='who published it, such as ECB'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("currency <> 'EUR' OR per_eur = 1", name=op.f('exchange_rates_euro_is_one_check')),
    sa.CheckConstraint('per_eur > 0', name=op.f('exchange_rates_per_eur_positive_check')),
    sa.PrimaryKeyConstraint('currency', 'rate_date', name=op.f('exchange_rates_pkey')),
    schema='backoffice',
    comment='Units of a currency to the euro by day, as a source published them.'
    )
    op.create_table('oss_turnover',
    sa.Column('year', sa.Integer(), nullable=False, comment='calendar year of the orders'),
    sa.Column('seller_country', sa.CHAR(length=2), nullable=False, comment='where the shop is taxed'),
    sa.Column('country', sa.CHAR(length=2), nullable=False, comment='where the goods went'),
    sa.Column('currency', sa.CHAR(length=3), nullable=False, comment='ISO 4217 code of net_minor'),
    sa.Column('orders', sa.Integer(), nullable=False, comment='orders'),
    sa.Column('net_minor', sa.BigInteger(), nullable=False, comment='sales without tax, in the currency'),
    sa.Column('eur_minor', sa.BigInteger(), nullable=True, comment='the same in euro cents; empty where a day has no exchange rate'),
    sa.Column('unconverted', sa.Integer(), nullable=False, comment='orders of days without an exchange rate'),
    sa.Column('counted_as_of', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='orders until then are in it'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint('(eur_minor IS NULL) = (unconverted > 0)', name=op.f('oss_turnover_euros_only_if_all_convert_check')),
    sa.CheckConstraint('orders >= 1 AND unconverted BETWEEN 0 AND orders', name=op.f('oss_turnover_orders_counted_check')),
    sa.PrimaryKeyConstraint('year', 'seller_country', 'country', 'currency', name=op.f('oss_turnover_pkey')),
    schema='backoffice',
    comment='Sales to consumers in other countries of the EU by calendar year, country and currency.'
    )
    op.create_table('business_rules',
    sa.Column('rule_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('kind', sa.Text(), nullable=False, comment='which decision it governs, such as risk or routing'),
    sa.Column('version', sa.Integer(), nullable=False, comment='counts from 1 per kind'),
    sa.Column('label', sa.Text(), nullable=False, comment='what the ledger names, such as risk/2'),
    sa.Column('parameters', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment="settings, checked by the kind's policy"),
    sa.Column('examples', postgresql.JSONB(astext_type=sa.Text()), server_default=sa.text("'[]'::jsonb"), nullable=False, comment='its own tests: given and expected, by name'),
    sa.Column('based_on', sa.Text(), nullable=True, comment='label of the version in force when it was drafted; empty for the first'),
    sa.Column('note', sa.Text(), server_default='', nullable=False, comment='why it was drafted'),
    sa.Column('state', sa.Text(), nullable=False, comment='draft, tested, proposed, approved, shadow, in_force, superseded, rejected or withdrawn'),
    sa.Column('created_by', sa.Text(), nullable=False, comment='who drafted it'),
    sa.Column('created_at', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='when it was drafted'),
    sa.Column('proposed_by', sa.Text(), nullable=True, comment='who proposed it'),
    sa.Column('proposed_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='when it was proposed'),
    sa.Column('decided_by', sa.Text(), nullable=True, comment='who approved or rejected it; never who drafted or proposed it'),
    sa.Column('decided_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='when it was approved or rejected'),
    sa.Column('comment', sa.Text(), server_default='', nullable=False, comment='why it was approved or rejected'),
    sa.Column('shadow_from_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='from when it decides beside the version in force'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("state IN ('draft', 'tested', 'proposed', 'approved', 'shadow', 'in_force', 'superseded', 'rejected', 'withdrawn')", name=op.f('business_rules_state_known_check')),
    sa.CheckConstraint("state NOT IN ('approved', 'shadow', 'in_force', 'superseded') OR decided_by IS NOT NULL", name=op.f('business_rules_approved_before_force_check')),
    sa.CheckConstraint('lower(decided_by) <> lower(created_by) AND lower(decided_by) <> lower(proposed_by)', name=op.f('business_rules_four_eyes_check')),
    sa.CheckConstraint('version >= 1', name=op.f('business_rules_version_positive_check')),
    sa.PrimaryKeyConstraint('rule_id', name=op.f('business_rules_pkey')),
    sa.UniqueConstraint('kind', 'version', name=op.f('business_rules_kind_version_key')),
    sa.UniqueConstraint('label', name=op.f('business_rules_label_key')),
    sa.UniqueConstraint('rule_id', 'kind', name=op.f('business_rules_rule_id_kind_key')),
    schema='backoffice',
    comment='Business rules by version. What a version says never changes, only how far it has come.'
    )
    op.create_table('tax_categories',
    sa.Column('product_category', sa.Text(), nullable=False, comment="category as in catalog.products; '' is any"),
    sa.Column('sku', sa.Text(), nullable=False, comment="product; '' is any"),
    sa.Column('tax_category', sa.Text(), nullable=False, comment='tax category, as in backoffice.tax_rates'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("(product_category = '') <> (sku = '')", name=op.f('tax_categories_one_scope_check')),
    sa.PrimaryKeyConstraint('product_category', 'sku', name=op.f('tax_categories_pkey')),
    schema='backoffice',
    comment='Which products are taxed otherwise than as standard.'
    )
    op.create_table('tax_rates',
    sa.Column('tax_rate_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('country', sa.CHAR(length=2), nullable=False, comment='ISO 3166-1 alpha-2'),
    sa.Column('region', sa.Text(), server_default='', nullable=False, comment="part of the country with rates of its own; '' is all of it"),
    sa.Column('tax_category', sa.Text(), nullable=False, comment='what is taxed alike, such as standard or books'),
    sa.Column('rate_bps', sa.Integer(), nullable=False, comment='rate in basis points of the net price'),
    sa.Column('valid_from_date', sa.Date(), nullable=False, comment='first day'),
    sa.Column('valid_to_date', sa.Date(), nullable=True, comment='end, excluded; open, if empty'),
    sa.Column('source', sa.Text(), nullable=False, comment='where it is from: a file, a law'),
    sa.Column('created_by', sa.Text(), nullable=False, comment='who entered it'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    postgresql.ExcludeConstraint((sa.column('country'), '='), (sa.column('region'), '='), (sa.column('tax_category'), '='), (sa.text('daterange(valid_from_date, valid_to_date)'), '&&'), using='gist', name='tax_rates_never_overlap'),
    sa.CheckConstraint('rate_bps BETWEEN 0 AND 10000', name=op.f('tax_rates_rate_in_range_check')),
    sa.CheckConstraint('valid_to_date > valid_from_date', name=op.f('tax_rates_ends_after_start_check')),
    sa.PrimaryKeyConstraint('tax_rate_id', name=op.f('tax_rates_pkey')),
    schema='backoffice',
    comment='Rates of tax on sales by country, region, tax category and date.'
    )
    op.create_table('tax_settings',
    sa.Column('channel', sa.Text(), nullable=False, comment='sales channel'),
    sa.Column('seller_country', sa.CHAR(length=2), nullable=False, comment='where the shop is taxed'),
    sa.Column('is_tax_in_prices', sa.Boolean(), nullable=False, comment='whether prices contain tax; else it is added to them'),
    sa.Column('rounding', sa.Text(), nullable=False, comment='line or document: what is rounded'),
    sa.Column('rounding_mode', sa.Text(), nullable=False, comment='half_up, half_even or down'),
    sa.Column('tax_point', sa.Text(), nullable=False, comment='order or invoice: whose date finds the rate'),
    sa.Column('is_in_oss', sa.Boolean(), server_default=sa.text('false'), nullable=False, comment='whether sales to other countries of the EU are taxed there whatever their sum'),
    sa.Column('tolerance_minor', sa.BigInteger(), server_default='1', nullable=False, comment='difference per line that is taken for rounding'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("rounding IN ('line', 'document')", name=op.f('tax_settings_rounding_known_check')),
    sa.CheckConstraint("rounding_mode IN ('half_up', 'half_even', 'down')", name=op.f('tax_settings_rounding_mode_known_check')),
    sa.CheckConstraint("tax_point IN ('order', 'invoice')", name=op.f('tax_settings_tax_point_known_check')),
    sa.CheckConstraint('tolerance_minor >= 0', name=op.f('tax_settings_tolerance_minor_not_negative_check')),
    sa.PrimaryKeyConstraint('channel', name=op.f('tax_settings_pkey')),
    schema='backoffice',
    comment='How each channel states tax; a channel without a row is not judged.'
    )
    op.create_table('vat_checks',
    sa.Column('vat_check_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('vat_id', sa.Text(), nullable=False, comment='VAT id with its country, without blanks'),
    sa.Column('state', sa.Text(), nullable=False, comment='pending, valid, invalid or malformed'),
    sa.Column('asked_as_of', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='when somebody wanted to know'),
    sa.Column('answered_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='when the register answered; pending, if empty'),
    sa.Column('attempts', sa.Integer(), server_default='0', nullable=False, comment='how often the register was asked'),
    sa.Column('next_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='when it is asked again; never, if empty'),
    sa.Column('detail', sa.Text(), server_default='', nullable=False, comment='why there is no answer, or what is wrong with the id'),
    sa.Column('consultation', sa.Text(), nullable=True, comment='number by which the register proves its answer'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("(state = 'pending') = (next_at IS NOT NULL)", name=op.f('vat_checks_pending_is_asked_check')),
    sa.CheckConstraint("(state IN ('valid', 'invalid')) = (answered_at IS NOT NULL)", name=op.f('vat_checks_answer_has_moment_check')),
    sa.CheckConstraint("state IN ('pending', 'valid', 'invalid', 'malformed')", name=op.f('vat_checks_state_known_check')),
    sa.PrimaryKeyConstraint('vat_check_id', name=op.f('vat_checks_pkey')),
    schema='backoffice',
    comment="What the EU's register said of VAT ids, and what it was asked and has not answered."
    )
    op.create_index('vat_checks_due_idx', 'vat_checks', ['next_at'], unique=False, schema='backoffice', postgresql_where=sa.text("state = 'pending'"))
    op.create_index(op.f('vat_checks_vat_id_asked_as_of_idx'), 'vat_checks', ['vat_id', 'asked_as_of'], unique=False, schema='backoffice')
    op.create_table('rule_periods',
    sa.Column('rule_period_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('kind', sa.Text(), nullable=False, comment='kind of the rule'),
    sa.Column('rule_id', sa.BigInteger(), nullable=False, comment='the version'),
    sa.Column('valid_from_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='first moment of deciding; for ever before, if empty'),
    sa.Column('valid_to_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='end, excluded; open, if empty'),
    sa.Column('begun_by', sa.Text(), nullable=False, comment='who put it in force'),
    sa.Column('ended_because', sa.Text(), nullable=True, comment='superseded or rolled_back; open, if empty'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    postgresql.ExcludeConstraint((sa.column('kind'), '='), (sa.text('tstzrange(valid_from_at, valid_to_at)'), '&&'), using='gist', name='rule_periods_one_at_a_time'),
    sa.CheckConstraint("(valid_to_at IS NULL) = (ended_because IS NULL) AND ended_because IN ('superseded', 'rolled_back')", name=op.f('rule_periods_end_has_cause_check')),
    sa.CheckConstraint('valid_to_at > valid_from_at', name=op.f('rule_periods_ends_after_start_check')),
    sa.ForeignKeyConstraint(['rule_id', 'kind'], ['backoffice.business_rules.rule_id', 'backoffice.business_rules.kind'], name=op.f('rule_periods_rule_id_kind_fkey')),
    sa.PrimaryKeyConstraint('rule_period_id', name=op.f('rule_periods_pkey')),
    schema='backoffice',
    comment='When each version of a rule was in force; one at a time per kind, without a gap.'
    )
    op.create_index(op.f('rule_periods_rule_id_idx'), 'rule_periods', ['rule_id'], unique=False, schema='backoffice')
    op.create_table('rule_trials',
    sa.Column('rule_trial_id', sa.BigInteger(), sa.Identity(always=False), nullable=False, comment='surrogate key'),
    sa.Column('rule_id', sa.BigInteger(), nullable=False, comment='the version'),
    sa.Column('stage', sa.Text(), nullable=False, comment='test, backtest or shadow'),
    sa.Column('from_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='first moment of deciding; empty for a test'),
    sa.Column('to_at', postgresql.TIMESTAMP(timezone=True), nullable=True, comment='end, excluded; empty for a test'),
    sa.Column('compared_with', sa.Text(), nullable=True, comment='label of the version in force at the end of the range; empty for a test'),
    sa.Column('replay_id', sa.BigInteger(), nullable=True, comment='row of decisions.replays it was made by; empty for a test'),
    sa.Column('subjects', sa.Integer(), nullable=False, comment='examples of a test, orders of a range'),
    sa.Column('changed', sa.Integer(), nullable=False, comment='examples that failed, orders decided differently'),
    sa.Column('summary', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment="what failed, or the replay's figures with money per currency"),
    sa.Column('tried_as_of', postgresql.TIMESTAMP(timezone=True), nullable=False, comment='business moment of the trial'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("(stage = 'test') = (replay_id IS NULL) AND (stage = 'test') = (from_at IS NULL) AND (from_at IS NULL) = (to_at IS NULL)", name=op.f('rule_trials_range_has_replay_check')),
    sa.CheckConstraint("stage IN ('test', 'backtest', 'shadow')", name=op.f('rule_trials_stage_known_check')),
    sa.CheckConstraint('changed BETWEEN 0 AND subjects', name=op.f('rule_trials_changed_within_subjects_check')),
    sa.ForeignKeyConstraint(['rule_id'], ['backoffice.business_rules.rule_id'], name=op.f('rule_trials_rule_id_fkey')),
    sa.PrimaryKeyConstraint('rule_trial_id', name=op.f('rule_trials_pkey')),
    schema='backoffice',
    comment='What versions not in force would have decided: tests, backtests and shadow runs.'
    )
    op.create_index(op.f('rule_trials_rule_id_stage_idx'), 'rule_trials', ['rule_id', 'stage'], unique=False, schema='backoffice')
    op.create_table('order_taxes',
    sa.Column('order_id', sa.BigInteger(), nullable=False, comment='order'),
    sa.Column('revision', sa.Integer(), nullable=False, comment='revision of the order that was judged'),
    sa.Column('channel', sa.Text(), nullable=False, comment='sales channel'),
    sa.Column('country', sa.CHAR(length=2), nullable=False, comment='country whose rates are asked'),
    sa.Column('tax_date', sa.Date(), nullable=False, comment='day whose rates hold'),
    sa.Column('treatment', sa.Text(), nullable=False, comment='domestic, origin, destination, reverse_charge or outside; see backoffice.taxation'),
    sa.Column('outcome', sa.Text(), nullable=False, comment='agrees, differs, not_stated or no_rate'),
    sa.Column('stated_minor', sa.BigInteger(), nullable=False, comment='tax the order came with, goods only'),
    sa.Column('expected_minor', sa.BigInteger(), nullable=True, comment='tax by the rates; empty where one is missing'),
    sa.Column('currency', sa.CHAR(length=3), nullable=False, comment='ISO 4217 code'),
    sa.Column('lines', postgresql.JSONB(astext_type=sa.Text()), nullable=False, comment='per line: tax category, rate, its row, and tax'),
    sa.Column('run_id', sa.Text(), nullable=False, comment='Dagster run that wrote the row'),
    sa.Column('recorded_at', postgresql.TIMESTAMP(timezone=True), server_default=sa.text('clock_timestamp()'), nullable=False, comment='when the row was written; audit only, never an input to a rule'),
    sa.CheckConstraint("(outcome = 'no_rate') = (expected_minor IS NULL)", name=op.f('order_taxes_expected_unless_no_rate_check')),
    sa.CheckConstraint("outcome IN ('agrees', 'differs', 'not_stated', 'no_rate')", name=op.f('order_taxes_outcome_known_check')),
    sa.CheckConstraint("treatment IN ('domestic', 'origin', 'destination', 'reverse_charge', 'outside')", name=op.f('order_taxes_treatment_known_check')),
    sa.ForeignKeyConstraint(['order_id'], ['orders.orders.order_id'], name=op.f('order_taxes_order_id_fkey')),
    sa.PrimaryKeyConstraint('order_id', name=op.f('order_taxes_pkey')),
    schema='backoffice',
    comment='The tax orders came with beside what the rates say; received orders are never changed.'
    )
    op.create_index(op.f('order_taxes_outcome_idx'), 'order_taxes', ['outcome'], unique=False, schema='backoffice')
    for kind, (label, parameters) in FIRST.items():
        op.get_bind().execute(SEED, {"kind": kind, "label": label, "parameters": json.dumps(parameters)})
    op.execute(KEEP_RULE)
    op.execute(ROUNDED)
    for statement in KEPT:
        op.execute(statement)
    for table, names in AUDITED.items():
        arguments = ", ".join(f"'{name}'" for name in names)
        op.execute(
            f"CREATE TRIGGER audited AFTER INSERT OR UPDATE OR DELETE ON {table} FOR EACH ROW"
            f" EXECUTE FUNCTION backoffice.audit_change({arguments})"
        )


def downgrade() -> None:
    """Take the schema back to the revision before."""
    op.drop_index(op.f('order_taxes_outcome_idx'), table_name='order_taxes', schema='backoffice')
    op.drop_table('order_taxes', schema='backoffice')
    op.drop_index(op.f('rule_trials_rule_id_stage_idx'), table_name='rule_trials', schema='backoffice')
    op.drop_table('rule_trials', schema='backoffice')
    op.drop_index(op.f('rule_periods_rule_id_idx'), table_name='rule_periods', schema='backoffice')
    op.drop_table('rule_periods', schema='backoffice')
    op.drop_index(op.f('vat_checks_vat_id_asked_as_of_idx'), table_name='vat_checks', schema='backoffice')
    op.drop_index('vat_checks_due_idx', table_name='vat_checks', schema='backoffice', postgresql_where=sa.text("state = 'pending'"))
    op.drop_table('vat_checks', schema='backoffice')
    op.drop_table('tax_settings', schema='backoffice')
    op.drop_table('tax_rates', schema='backoffice')
    op.drop_table('tax_categories', schema='backoffice')
    op.drop_table('business_rules', schema='backoffice')
    op.drop_table('oss_turnover', schema='backoffice')
    op.drop_table('exchange_rates', schema='backoffice')
    op.execute("DROP FUNCTION backoffice.keep_rule()")
    op.execute("DROP FUNCTION backoffice.rounded(numeric, numeric, text)")
