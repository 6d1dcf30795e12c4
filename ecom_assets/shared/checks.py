"""Asset checks from declared expectations."""

from __future__ import annotations

from collections.abc import Sequence

import dagster as dg

from ecom_assets.shared.expectations import TableExpectations


def build_checks(tables: Sequence[TableExpectations]) -> list[dg.AssetChecksDefinition]:
    """One check definition per table, with one named check per expectation."""
    return []
