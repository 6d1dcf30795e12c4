"""Broken rows of business rules and taxes."""

from __future__ import annotations

from quality.broken_rows.broken import Broken

ROWS = (
    Broken("backoffice.business_rules", "business_rules_four_eyes",
           "UPDATE backoffice.business_rules SET decided_by = 'Platform' WHERE rule_id = 2",
           ({"rule_id": "2"},), without="business_rules_four_eyes_check"),
    Broken("backoffice.business_rules", "business_rules_in_force_has_open_period",
           "UPDATE backoffice.business_rules SET state = 'superseded' WHERE rule_id = 3",
           ({"rule_id": "3"},)),
    Broken("backoffice.business_rules", "business_rules_approved_before_force",
           "UPDATE backoffice.business_rules SET decided_by = NULL WHERE rule_id = 4",
           ({"rule_id": "4"},), without="business_rules_approved_before_force_check"),
    Broken("backoffice.rule_periods", "rule_periods_without_gap",
           "UPDATE backoffice.rule_periods SET valid_from_at = '2018-01-01Z'"
           " WHERE rule_period_id = 2", ({"rule_period_id": "2"},)),
    Broken("backoffice.rule_periods", "rule_periods_end_has_cause",
           "UPDATE backoffice.rule_periods SET ended_because = NULL WHERE rule_period_id = 1",
           ({"rule_period_id": "1"},), without="rule_periods_end_has_cause_check"),
    Broken("backoffice.rule_trials", "rule_trials_changed_within_subjects",
           "UPDATE backoffice.rule_trials SET changed = 2", ({"rule_trial_id": "1"},),
           without="rule_trials_changed_within_subjects_check"),
    Broken("backoffice.tax_rates", "tax_rates_never_overlap",
           "UPDATE backoffice.tax_rates SET valid_to_date = NULL WHERE tax_rate_id = 1",
           ({"tax_rate_id": "1"}, {"tax_rate_id": "2"}), without="tax_rates_never_overlap"),
    Broken("backoffice.tax_rates", "tax_rates_country_well_formed",
           "UPDATE backoffice.tax_rates SET country = 'br' WHERE tax_rate_id = 1",
           ({"tax_rate_id": "1"},)),
    Broken("backoffice.tax_categories", "tax_categories_one_scope",
           "UPDATE backoffice.tax_categories SET product_category = 'toys'",
           ({"product_category": "toys", "sku": "B"},), without="tax_categories_one_scope_check"),
    Broken("backoffice.tax_settings", "tax_settings_rounding_known",
           "UPDATE backoffice.tax_settings SET rounding = 'never'", ({"channel": "web"},),
           without="tax_settings_rounding_known_check"),
    Broken("backoffice.exchange_rates", "exchange_rates_per_eur_positive",
           "UPDATE backoffice.exchange_rates SET per_eur = 0",
           ({"currency": "BRL", "rate_date": "2018-01-02"},),
           without="exchange_rates_per_eur_positive_check"),
    Broken("backoffice.vat_checks", "vat_checks_answer_has_moment",
           "UPDATE backoffice.vat_checks SET answered_at = NULL", ({"vat_check_id": "1"},),
           without="vat_checks_answer_has_moment_check"),
    Broken("backoffice.order_taxes", "order_taxes_as_the_rates_say",
           "UPDATE backoffice.order_taxes SET outcome = 'differs' WHERE order_id = 1",
           ({"order_id": "1"},)),
    Broken("backoffice.order_taxes", "order_taxes_has_rates",
           "UPDATE backoffice.order_taxes SET outcome = 'no_rate', expected_minor = NULL"
           " WHERE order_id = 2", ({"order_id": "2"},)),
    Broken("backoffice.oss_turnover", "oss_turnover_converted",
           "UPDATE backoffice.oss_turnover SET eur_minor = NULL, unconverted = 1",
           ({"year": "2018", "seller_country": "DE", "country": "FR", "currency": "EUR"},)),
)  # fmt: skip
