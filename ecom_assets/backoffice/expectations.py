"""What must hold of the backoffice tables."""

from __future__ import annotations

from ecom_assets.backoffice.tables import PURGES
from ecom_assets.shared.expectations import TableExpectations
from ecom_assets.shared.structure import structure

EXPECTATIONS = (TableExpectations(PURGES, structure(PURGES)),)
