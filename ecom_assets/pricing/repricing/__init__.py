"""The pipeline of rules and limits over many products at once.

Pure functions over NumPy columns; `pricing.rules` and `pricing.limits` are the plain reference, and
a property test holds both equal. Whole numbers only, -1 stands for what is not known.
"""

from __future__ import annotations

from ecom_assets.pricing.repricing.columns import NONE, Columns, Lines
from ecom_assets.pricing.repricing.pipeline import reprice_all

__all__ = ["NONE", "Columns", "Lines", "reprice_all"]
