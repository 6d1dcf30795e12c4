"""Which tables are configuration: every change of a row of theirs is in the audit log.

A trigger writes the entry, so it is there whoever changes the row and by whatever way. Tables that
hold a shop's daily work are on record in other ways: the ledger, movements, plans, the timeline.
"""

from __future__ import annotations

from collections.abc import Mapping

AUDITED: Mapping[str, tuple[str, ...]] = {
    "backoffice.users": ("name",),
    "backoffice.api_keys": ("key_name",),
    "backoffice.exchange_rates": ("currency", "rate_date"),
    "backoffice.rule_periods": ("kind", "valid_from_at"),
    "backoffice.business_rules": ("label",),
    "backoffice.settings": ("name",),
    "backoffice.tax_categories": ("product_category", "sku"),
    "backoffice.tax_rates": ("country", "region", "tax_category", "valid_from_date"),
    "backoffice.tax_settings": ("channel",),
    "catalog.attributes": ("attribute",),
    "catalog.channel_requirements": ("channel", "locale", "family", "attribute"),
    "catalog.families": ("family",),
    "catalog.family_attributes": ("family", "attribute"),
    "catalog.suppliers": ("supplier_key",),
    "inventory.channel_buffers": ("channel", "sku"),
    "inventory.reorder_terms": ("sku",),
    "marketplace.connections": ("name",),
    "pricing.constraints": ("constraint_id",),
    "pricing.coupons": ("code",),
    "pricing.price_lists": ("channel", "currency", "customer_group"),
    "pricing.promotions": ("name",),
    "pricing.rules": ("name", "version"),
    "transport.carriers": ("carrier_code",),
    "transport.rates": ("service_code", "zone_code", "from_g", "valid_from_at"),
    "transport.services": ("service_code",),
    "transport.zones": ("zone_code",),
    "warehouse.site_closures": ("site_code", "closed_date"),
    "warehouse.site_hours": ("site_code", "weekday"),
    "warehouse.sites": ("site_code",),
}
"""Names of tables, and the columns that name a row in the log."""

UNSAID: tuple[str, ...] = (
    "password_hash", "secret_hash", "credentials", "seen_at", "used_at", "recorded_at", "run_id",
)  # fmt: skip
"""Columns that no entry shows: secrets, and what changes without a decision of anybody."""
