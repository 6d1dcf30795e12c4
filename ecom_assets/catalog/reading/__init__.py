"""Read catalogue files: CSV, TSV, XLSX, Shopify's product export, Google Merchant feeds.

Every format becomes rows of one shape (`staged.FIELDS`), as text. What the text means is judged
where the plan is made, by SQL; here stands only where a value is found.
"""

from __future__ import annotations

from ecom_assets.catalog.reading.files import FORMATS, CatalogueFile, open_catalogue
from ecom_assets.catalog.reading.problem import BadFile
from ecom_assets.catalog.reading.staged import FIELDS

__all__ = ["FIELDS", "FORMATS", "BadFile", "CatalogueFile", "open_catalogue"]
