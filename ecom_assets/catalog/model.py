"""Values of the catalog area."""

from __future__ import annotations

FALLBACK_G = 500
"""Shipping weight in grams of a product of a shop that states no weight at all."""
