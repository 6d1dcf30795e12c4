"""What waits for a person, over all areas, as one list; each area decides about its own."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP


class Kind(StrEnum):
    """Kinds of things that wait."""

    PRICE_PLAN = "price_plan"
    PURCHASE_PROPOSAL = "purchase_proposal"
    STOCK_COUNT = "stock_count"
    CATALOGUE_PLAN = "catalogue_plan"
    BUSINESS_RULE = "business_rule"


AREA: dict[Kind, str] = {
    Kind.PRICE_PLAN: "pricing",
    Kind.PURCHASE_PROPOSAL: "inventory",
    Kind.STOCK_COUNT: "inventory",
    Kind.CATALOGUE_PLAN: "catalog",
    Kind.BUSINESS_RULE: "backoffice",
}
"""The area that decides about each."""

_WAITING = sa.text("""
    SELECT kind, number, requested_at, requested_by, subject, detail FROM (
        SELECT 'price_plan' AS kind, p.plan_id AS number, p.planned_as_of AS requested_at,
            p.requested_by,
            concat_ws(' ', l.channel, l.currency, l.customer_group) AS subject,
            jsonb_build_object('lines', p.lines, 'moved', p.moved, 'held', p.held,
                'effective_at', p.effective_at, 'findings', p.findings, 'kind', p.kind) AS detail
        FROM pricing.price_plans AS p JOIN pricing.price_lists AS l USING (price_list_id)
        WHERE p.state = 'awaiting' AND 'price_plan' = ANY(:kinds)
        UNION ALL
        SELECT 'purchase_proposal', p.proposal_id, p.proposed_as_of, '',
            concat_ws(' to ', nullif(p.supplier_key, ''), p.site_code),
            jsonb_build_object('currency', p.currency, 'total_minor', p.total_minor,
                'minimum_minor', p.minimum_minor, 'state', p.state, 'reasons', p.reasons,
                'lines', (
                    SELECT jsonb_agg(jsonb_build_object('sku', l.sku, 'quantity', l.quantity,
                        'explanation', l.explanation) ORDER BY l.line_total_minor DESC, l.sku)
                    FROM inventory.purchase_proposal_lines AS l
                    WHERE l.proposal_id = p.proposal_id))
        FROM inventory.purchase_proposals AS p
        WHERE p.state IN ('proposed', 'held') AND 'purchase_proposal' = ANY(:kinds)
        UNION ALL
        SELECT 'stock_count', c.count_id, c.counted_at, c.counted_by,
            concat_ws(' at ', c.sku, c.site_code),
            jsonb_build_object('reference', c.reference, 'counted', c.counted,
                'expected', c.expected, 'difference', c.difference, 'tolerance', c.tolerance)
        FROM inventory.counts AS c
        WHERE c.state = 'needs_approval' AND 'stock_count' = ANY(:kinds)
        UNION ALL
        SELECT 'catalogue_plan', p.plan_id, p.planned_at, p.requested_by, p.source,
            jsonb_build_object('hash', p.hash, 'format', p.format, 'create', p.rows_create,
                'update', p.rows_update, 'skip', p.rows_skip, 'error', p.rows_error)
        FROM catalog.import_plans AS p
        WHERE p.state = 'planned' AND 'catalogue_plan' = ANY(:kinds)
        UNION ALL
        SELECT 'business_rule', r.rule_id, r.proposed_at, r.proposed_by, r.label,
            jsonb_build_object('kind', r.kind, 'version', r.version, 'note', r.note,
                'drafted_by', r.created_by, 'settings', r.parameters, 'in_force', f.label,
                'settings_in_force', f.parameters,
                'backtest', (
                    SELECT jsonb_build_object('from_at', t.from_at, 'to_at', t.to_at,
                        'orders', t.subjects, 'changed', t.changed,
                        'totals', coalesce(t.summary -> 'totals', '[]'))
                    FROM backoffice.rule_trials AS t
                    WHERE t.rule_id = r.rule_id AND t.stage = 'backtest'
                    ORDER BY t.rule_trial_id DESC LIMIT 1))
        FROM backoffice.business_rules AS r
        JOIN backoffice.rule_periods AS p ON p.kind = r.kind AND p.valid_to_at IS NULL
        JOIN backoffice.business_rules AS f ON f.rule_id = p.rule_id
        WHERE r.state = 'proposed' AND 'business_rule' = ANY(:kinds)
    ) AS waiting
    WHERE (CAST(:number AS bigint) IS NULL OR number = :number)
        AND (CAST(:after_at AS timestamptz) IS NULL
            OR (requested_at, kind, number) > (:after_at, :after_kind, :after_number))
    ORDER BY requested_at, kind, number
    LIMIT :most
""").bindparams(
    sa.bindparam("kinds", type_=ARRAY(sa.Text)),
    sa.bindparam("number", type_=sa.BigInteger),
    sa.bindparam("after_at", type_=TIMESTAMP(timezone=True)),
    sa.bindparam("after_kind", type_=sa.Text),
    sa.bindparam("after_number", type_=sa.BigInteger),
)

After = tuple[datetime, str, int]
"""Moment, kind and number of what a page comes after."""


def waiting(
    conn: sa.Connection, kinds: Collection[Kind], after: After | None, most: int
) -> list[sa.RowMapping]:
    """What waits for a person, what has waited longest first.

    Args:
        conn: connection to read with.
        kinds: which kinds.
        after: the one before the first.
        most: rows.
    """
    at, kind, number = after or (None, None, None)
    given = {"kinds": [each.value for each in kinds], "number": None, "after_at": at,
             "after_kind": kind, "after_number": number, "most": most}  # fmt: skip
    return list(conn.execute(_WAITING, given).mappings())


def find(conn: sa.Connection, kind: Kind, number: int) -> sa.RowMapping | None:
    """One thing that waits; None where it does not, or not any more."""
    given = {"kinds": [kind.value], "number": number, "after_at": None, "after_kind": None,
             "after_number": None, "most": 1}  # fmt: skip
    return conn.execute(_WAITING, given).mappings().one_or_none()
