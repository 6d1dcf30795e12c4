"""Tables of what is told about stock: feeds of a location and counts of people."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.shared.columns import (
    area_table,
    identity,
    integer,
    moment,
    number,
    recorded_at,
    reference,
    run_id,
    text,
    texts,
)

FEED_SYNCS = area_table(
    "inventory",
    "feed_syncs",
    "Feeds of stock levels or changes that a location sent, with their exact accounts.",
    identity("sync_id", "surrogate key; movements of the feed are named feed:<sync_id>"),
    text("site_code", "location that the feed speaks of"),
    text("kind", "snapshot (every SKU), delta (some SKUs) or changes (units more or less)"),
    text("feed_key", "what makes a feed the same feed: its id, or the digest of its content"),
    integer("attempt", "1, or one more where a feed came again for the sake of parked rows"),
    moment("observed_as_of", "moment at which the levels were so", nullable=True),
    text("state", "applied, or refused as a whole"),
    text("reason", "why it was refused", nullable=True),
    texts("origins", "files or tables it came from, with what tells one version from another"),
    reference("rows_read", "rows of the feed, without the header"),
    reference("rows_applied", "rows that moved stock"),
    reference("rows_unchanged", "rows that say what the ledger says"),
    reference("rows_parked", "rows in the quarantine"),
    integer("skus_absent", "SKUs with stock that a snapshot does not name", server_default="0"),
    integer("absent_parked", "of those, the ones whose stock is promised", server_default="0"),
    reference("units_in", "units that the feed added", server_default="0"),
    reference("units_out", "units that the feed took away", server_default="0"),
    run_id(),
    recorded_at(),
    sa.ForeignKeyConstraint(["site_code"], ["warehouse.sites.site_code"]),
    sa.UniqueConstraint("site_code", "feed_key", "attempt"),
    sa.CheckConstraint("kind IN ('snapshot', 'delta', 'changes')", name="kind_known"),
    sa.CheckConstraint(
        "(state = 'applied' AND reason IS NULL AND observed_as_of IS NOT NULL)"
        " OR (state = 'refused' AND reason IS NOT NULL)",
        name="state_explained",
    ),
    # A refused feed parks nothing and applies nothing: its rows are told by its reason.
    sa.CheckConstraint(
        "(state = 'refused' AND rows_applied + rows_unchanged + rows_parked = 0)"
        " OR rows_read = rows_applied + rows_unchanged + rows_parked",
        name="balanced",
    ),
    sa.CheckConstraint(
        "attempt > 0 AND rows_read >= 0 AND units_in >= 0 AND units_out >= 0"
        " AND absent_parked BETWEEN 0 AND skus_absent",
        name="counts_in_range",
    ),
    # A sensor asks at every tick which files were dealt with.
    sa.Index(None, "origins", postgresql_using="gin"),
)

COUNTS = area_table(
    "inventory",
    "counts",
    "What people counted, beside what the ledger said for that moment.",
    identity("count_id", "surrogate key"),
    text("reference", "counting session; with site and SKU it makes a count happen once"),
    text("site_code", "where was counted"),
    text("sku", "what was counted"),
    moment("counted_at", "moment of the count: what moved afterwards is taken into account"),
    integer("counted", "units found"),
    integer("expected", "units the ledger says there were at that moment"),
    integer("difference", "units found beyond those expected; negative where some are missing"),
    number("tolerance", "units by which a count may differ without an approval"),
    text("state", "equal, posted, needs_approval, rejected or refused (promised to orders)"),
    text("decided_by", "who approved or rejected; the rule itself within its tolerance"),
    moment("decided_at", "business moment of that, if it was decided", nullable=True),
    text("counted_by", "who brought it; empty for a file or a program", server_default=""),
    run_id(),
    recorded_at(),
    sa.CheckConstraint("counted_by = '' OR decided_by <> counted_by", name="four_eyes"),
    sa.ForeignKeyConstraint(["site_code"], ["warehouse.sites.site_code"]),
    sa.UniqueConstraint("reference", "site_code", "sku"),
    sa.CheckConstraint("counted >= 0 AND tolerance >= 0", name="counts_not_negative"),
    sa.CheckConstraint("difference = counted - expected", name="difference_adds_up"),
    sa.CheckConstraint(
        "state IN ('equal', 'posted', 'needs_approval', 'rejected', 'refused')", name="state_known"
    ),
    sa.CheckConstraint("(state = 'needs_approval') = (decided_at IS NULL)", name="decided_once"),
    sa.CheckConstraint("state <> 'equal' OR difference = 0", name="equal_is_equal"),
    sa.Index(
        "counts_waiting_idx",
        "site_code",
        postgresql_where=sa.text("state = 'needs_approval'"),
    ),
)

UNITS = area_table(
    "inventory",
    "units",
    "How many pieces other units of a SKU hold; stock is always kept in pieces.",
    text("sku", "what", primary_key=True),
    text("unit", "unit as feeds write it, in lower case, such as carton", primary_key=True),
    integer("pieces", "pieces in one of it"),
    recorded_at(),
    sa.CheckConstraint("pieces > 0", name="pieces_positive"),
    sa.CheckConstraint("unit = lower(unit) AND unit <> ''", name="unit_lower_case"),
)
