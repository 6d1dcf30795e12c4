"""Feeds of costs, offers and prices with their accounts, and what competitors ask."""

from __future__ import annotations

import sqlalchemy as sa

from ecom_assets.shared.columns import (
    area_table,
    currency,
    identity,
    minor,
    moment,
    recorded_at,
    reference,
    run_id,
    text,
)

FEEDS = area_table(
    "pricing",
    "feeds",
    "Files and tables of costs, offers and prices that came, and what became of their entries.",
    identity("feed_id", "surrogate key"),
    text("kind", "prices, costs or offers"),
    text("source", "file or table it came from"),
    text("digest", "SHA-256 of its contents and how it was read, hexadecimal"),
    text("state", "taken, or held back as a whole by a gate"),
    text("reason", "why it was held back", nullable=True),
    reference("entries", "amounts in the source; a row of a wide file holds several"),
    reference("accepted", "entries that took effect or wait in a plan"),
    reference("unchanged", "entries that say what was known"),
    reference("flagged", "entries that a gate of sanity set apart"),
    reference("parked", "entries in the quarantine"),
    moment("taken_as_of", "business moment it was taken at"),
    moment("repriced_as_of", "moment of the repricing that saw it; waits, if empty", nullable=True),
    run_id(),
    recorded_at(),
    sa.UniqueConstraint("kind", "digest"),
    sa.CheckConstraint("kind IN ('prices', 'costs', 'offers')", name="kind_known"),
    sa.CheckConstraint("state IN ('taken', 'held')", name="state_known"),
    sa.CheckConstraint("(state = 'held') = (reason IS NOT NULL)", name="reason_when_held"),
    # Held by the database, so that a feed that loses an entry cannot commit.
    sa.CheckConstraint("entries = accepted + unchanged + flagged + parked", name="balanced"),
    # The sensor asks which feeds wait for a repricing.
    sa.Index(
        "feeds_waiting_idx",
        "feed_id",
        postgresql_where=sa.text("repriced_as_of IS NULL AND state = 'taken'"),
    ),
)

COMPETITOR_OFFERS = area_table(
    "pricing",
    "competitor_offers",
    "What competitors asked for a product; flagged ones are seen and never followed.",
    identity("offer_id", "surrogate key"),
    text("competitor", "who asks"),
    text("sku", "our product it is compared with"),
    currency(),
    minor("price_minor", "price of one unit, delivery included"),
    moment("observed_at", "when it was seen"),
    text("state", "accepted or flagged"),
    text("reason", "gate that flagged it and what it saw", nullable=True),
    reference("feed_id", "feed that brought it", "pricing.feeds.feed_id"),
    recorded_at(),
    sa.UniqueConstraint("competitor", "sku", "currency", "observed_at"),
    sa.CheckConstraint("price_minor > 0", name="price_minor_positive"),
    sa.CheckConstraint("state IN ('accepted', 'flagged')", name="state_known"),
    sa.CheckConstraint("(state = 'flagged') = (reason IS NOT NULL)", name="reason_when_flagged"),
    # The fresh offers of all products in one range.
    sa.Index(
        "competitor_offers_fresh_idx",
        "currency",
        "observed_at",
        postgresql_where=sa.text("state = 'accepted'"),
    ),
)
