"""Broken rows of demand, forecasts and what is to be ordered again."""

from __future__ import annotations

from quality.broken_rows.broken import Broken

ROWS = (
    Broken(
        "inventory.demand_history",
        "demand_history_censored_by_stockout",
        "UPDATE inventory.demand_history SET stockout_share = 0",
        ({"sku": "A", "site_code": "N", "week_date": "2018-01-01"},),
        without="demand_history_censored_by_stockout_check",
    ),
    Broken(
        "inventory.forecast_backtests",
        "forecast_backtests_miss_in_range",
        "UPDATE inventory.forecast_backtests SET coverage_miss = 1.5",
        ({"origin_date": "2018-01-01", "segment": "smooth/core", "method": "ets"},),
        without="forecast_backtests_miss_in_range_check",
    ),
    Broken(
        "inventory.forecast_methods",
        "forecast_methods_decided_with_reasons",
        "UPDATE inventory.forecast_methods SET reasons = '{}'",
        ({"decided_date": "2018-01-08", "segment": "smooth/core"},),
        without="forecast_methods_decided_with_reasons_check",
    ),
    Broken(
        "inventory.forecasts",
        "forecasts_has_policy",
        "UPDATE inventory.reorder_policies SET site_code = 'S'",
        ({"sku": "A", "site_code": "N", "origin_date": "2018-01-08", "week_date": "2018-01-08"},),
    ),
    Broken(
        "inventory.forecasts",
        "forecasts_not_all_intervals_broken",
        "UPDATE inventory.demand_history SET week_date = '2018-01-08', sold_units = 141",
        ({"sku": "A", "site_code": "N", "origin_date": "2018-01-08", "week_date": "2018-01-08"},),
    ),
    Broken(
        "inventory.reorder_terms",
        "reorder_terms_sku_exists",
        "UPDATE inventory.reorder_terms SET sku = 'GONE'",
        ({"sku": "GONE"},),
    ),
    Broken(
        "inventory.reorder_policies",
        "reorder_policies_levels_ordered",
        "UPDATE inventory.reorder_policies SET order_up_to = 4",
        ({"sku": "A", "site_code": "N"},),
        without="reorder_policies_levels_ordered_check",
    ),
    Broken(
        "inventory.purchase_proposals",
        "purchase_proposals_total_equals_lines",
        "UPDATE inventory.purchase_proposals SET total_minor = 5001",
        ({"proposal_id": "1"},),
    ),
    Broken(
        "inventory.purchase_proposal_lines",
        "purchase_proposal_lines_methods_passed",
        "UPDATE inventory.forecast_methods SET is_passed = false",
        ({"proposal_id": "1", "sku": "A"},),
    ),
    Broken(
        "inventory.policy_simulations",
        "policy_simulations_rates_in_range",
        "UPDATE inventory.policy_simulations SET fill_rate = 1.2",
        ({"origin_date": "2018-01-08", "policy": "quantile", "service_level": "0.95"},),
        without="policy_simulations_rates_in_range_check",
    ),
)
