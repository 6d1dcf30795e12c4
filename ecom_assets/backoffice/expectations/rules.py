"""Expectations of business rules: one version in force per kind, at every moment."""

from __future__ import annotations

from ecom_assets.backoffice.tables import RULE_PERIODS, RULE_TRIALS, RULES
from ecom_assets.shared.expectations import TableExpectations, no_rows
from ecom_assets.shared.structure import structure

_IN_FORCE = no_rows(
    "in_force_has_open_period",
    "SELECT rule.rule_id FROM {batch} AS rule LEFT JOIN backoffice.rule_periods AS p"
    " ON p.rule_id = rule.rule_id AND p.valid_to_at IS NULL"
    " WHERE (rule.state = 'in_force') <> (p.rule_id IS NOT NULL)",
    "A version is in force exactly while its period is open.",
    is_blocking=True,
)
_BEGINS = no_rows(
    "without_gap",
    "SELECT later.rule_period_id FROM {batch} AS later LEFT JOIN backoffice.rule_periods AS before"
    " ON before.kind = later.kind AND before.valid_to_at = later.valid_from_at"
    " WHERE later.valid_from_at IS NOT NULL AND before.rule_period_id IS NULL",
    "Each period begins where one of its kind ended, so that every moment has its rule.",
    is_blocking=True,
)
_OVERLAPS = no_rows(
    "one_at_a_time",
    "SELECT mine.rule_period_id FROM {batch} AS mine JOIN backoffice.rule_periods AS other"
    " ON other.kind = mine.kind AND other.rule_period_id <> mine.rule_period_id"
    " AND tstzrange(other.valid_from_at, other.valid_to_at)"
    " && tstzrange(mine.valid_from_at, mine.valid_to_at)",
    "No two versions of a kind are in force at once.",
    is_blocking=True,
)

RULE_TABLES = (
    TableExpectations(RULES, (*structure(RULES), _IN_FORCE)),
    TableExpectations(
        RULE_PERIODS,
        (*structure(RULE_PERIODS), _BEGINS, _OVERLAPS),
        asset=("backoffice", "business_rules"),
    ),
    TableExpectations(RULE_TRIALS, structure(RULE_TRIALS)),
)
