"""Tables of the quality area."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.shared.columns import (
    area_table,
    document,
    moment,
    recorded_at,
    reference,
    run_id,
    text,
)

RECONCILIATIONS = area_table(
    "quality",
    "reconciliations",
    "The last comparison of each pair of areas: how much was compared, and what differs.",
    text("name", "what is compared, such as invoices_shipments", primary_key=True),
    reference("compared", "subjects compared"),
    reference("differences", "subjects on which the areas differ"),
    document("sample", "subject and detail of the first differences, a list"),
    moment("checked_as_of", "moment of the newest decided order; empty without any", nullable=True),
    run_id(),
    recorded_at(),
    sa.CheckConstraint("differences BETWEEN 0 AND compared", name="differences_among_compared"),
)
