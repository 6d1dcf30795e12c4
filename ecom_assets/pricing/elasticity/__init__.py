"""How demand answers to price: from what was observed to estimates with honest intervals.

Pure functions over NumPy arrays of products by weeks. Prices are set by people who see demand
coming, so that a regression of units on prices mistakes their foresight for an answer of buyers.
Only what moves prices for reasons buyers do not share, cost shifts and small tests drawn by lot, is
used to learn (instruments); each product's estimate is then drawn towards its category as far as it
is uncertain. Where there is no such movement an estimate is only an association, and says so.
"""

from __future__ import annotations

from ecom_assets.pricing.elasticity.estimating import Estimates, estimate
from ecom_assets.pricing.elasticity.panel import Panel
from ecom_assets.pricing.elasticity.proposing import best_prices

__all__ = ["Estimates", "Panel", "best_prices", "estimate"]
