"""Assets of the pricing area."""

from ecom_assets.pricing.assets.analysis import backtests, elasticities, markdown_plans
from ecom_assets.pricing.assets.plans import price_plans, prices
from ecom_assets.pricing.assets.sources import SOURCES

ASSETS = [price_plans, prices, elasticities, markdown_plans, backtests, *SOURCES]
