"""Broken rows of price lists, plans and what they are made from."""

from __future__ import annotations

from quality.broken_rows.broken import Broken

ROWS = (
    Broken(
        "pricing.price_lists",
        "price_lists_channel_currency_customer_group_unique",
        "INSERT INTO pricing.price_lists (channel, currency, customer_group, tax_bps,"
        " offer_max_age_hours, approve_above_bps, most_moved_bps, is_automatic)"
        " SELECT channel, currency, customer_group, 0, 72, 500, 2000, true"
        " FROM pricing.price_lists",
        ({"price_list_id": "1"}, {"price_list_id": "2"}),
        without="price_lists_channel_currency_customer_group_key",
    ),
    Broken(
        "pricing.prices",
        "prices_never_overlap",
        "UPDATE pricing.prices SET valid_to_at = NULL WHERE price_id = 1",
        ({"price_id": "1"}, {"price_id": "3"}),
        without="prices_never_overlap",
    ),
    Broken(
        "pricing.prices",
        "prices_not_below_cost",
        "UPDATE pricing.costs SET cost_minor = 819 WHERE cost_id = 2",
        ({"price_id": "3"},),
    ),
    Broken(
        "pricing.costs",
        "costs_never_overlap",
        "UPDATE pricing.costs SET valid_to_at = '2018-02-02Z' WHERE cost_id = 1",
        ({"cost_id": "1"}, {"cost_id": "2"}),
        without="costs_never_overlap",
    ),
    Broken(
        "pricing.feeds",
        "feeds_balanced",
        "UPDATE pricing.feeds SET parked = 0 WHERE feed_id = 2",
        ({"feed_id": "2"},),
        without="feeds_balanced_check",
    ),
    Broken(
        "pricing.competitor_offers",
        "competitor_offers_reason_when_flagged",
        "UPDATE pricing.competitor_offers SET state = 'accepted' WHERE offer_id = 2",
        ({"offer_id": "2"},),
        without="competitor_offers_reason_when_flagged_check",
    ),
    Broken(
        "pricing.rules",
        "rules_name_version_unique",
        "UPDATE pricing.rules SET version = 1 WHERE rule_id = 2",
        ({"rule_id": "1"}, {"rule_id": "2"}),
        without="rules_name_version_key",
    ),
    Broken(
        "pricing.constraints",
        "constraints_charm_whole",
        "UPDATE pricing.constraints SET charm_ending = 199",
        ({"constraint_id": "1"},),
        without="constraints_charm_whole_check",
    ),
    Broken(
        "pricing.promotions",
        "promotions_discount_in_range",
        "UPDATE pricing.promotions SET discount_bps = 10000",
        ({"promotion_id": "1"},),
        without="promotions_discount_in_range_check",
    ),
    Broken(
        "pricing.coupons",
        "coupons_one_discount",
        "UPDATE pricing.coupons SET discount_bps = 1000",
        ({"code": "HELLO"},),
        without="coupons_one_discount_check",
    ),
    Broken(
        "pricing.price_plans",
        "price_plans_approved_before_effect",
        "UPDATE pricing.price_plans SET approved_by = NULL WHERE plan_id = 2",
        ({"plan_id": "2"},),
        without="price_plans_approved_before_effect_check",
    ),
    Broken(
        "pricing.price_plans",
        "price_plans_lines_as_counted",
        "DELETE FROM pricing.plan_lines WHERE plan_id = 2 AND sku = 'B'",
        ({"plan_id": "2"},),
    ),
    Broken(
        "pricing.plan_lines",
        "plan_lines_moved_by_a_rule",
        "UPDATE pricing.plan_lines SET rule = '', reasons = '{}' WHERE outcome = 'change'",
        ({"plan_id": "2", "sku": "A", "min_quantity": "1"},),
    ),
    Broken(
        "pricing.plan_lines",
        "plan_lines_held_for_a_reason",
        "UPDATE pricing.plan_lines SET reasons = '{}' WHERE outcome = 'hold'",
        ({"plan_id": "2", "sku": "B", "min_quantity": "1"},),
    ),
    Broken(
        "pricing.approvals",
        "approvals_asked_for_approval",
        "UPDATE pricing.price_plans SET requested_by = 'carl' WHERE plan_id = 2",
        ({"plan_id": "2"},),
    ),
    Broken(
        "pricing.elasticities",
        "elasticities_usable_only_if_caused",
        "UPDATE pricing.elasticities SET method = 'association'",
        (
            {
                "channel": "web",
                "currency": "BRL",
                "sku": "A",
                "estimated_as_of": "2018-02-01 00:00:00+00:00",
            },
        ),
    ),
    Broken(
        "pricing.price_tests",
        "price_tests_arm_small",
        "UPDATE pricing.price_tests SET arm_bps = -5000",
        (
            {
                "name": "spring",
                "price_list_id": "1",
                "sku": "A",
                "starts_at": "2018-03-01 00:00:00+00:00",
            },
        ),
        without="price_tests_arm_small_check",
    ),
    Broken(
        "pricing.markdown_plans",
        "markdown_plans_automated_only_without_doubt",
        "UPDATE pricing.markdown_plans SET is_automated = true WHERE sku = 'B'",
        ({"markdown_plan_id": "2"},),
    ),
    Broken(
        "pricing.backtests",
        "backtests_ends_after_start",
        "UPDATE pricing.backtests SET to_at = from_at",
        ({"backtest_id": "1"},),
        without="backtests_ends_after_start_check",
    ),
)
