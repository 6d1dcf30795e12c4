"""Pricing: what a unit costs whom and since when, by which rule, within which limits.

Tables: `pricing.price_lists`, `pricing.prices`, `pricing.costs`, `pricing.feeds`,
`pricing.competitor_offers`, `pricing.rules`, `pricing.constraints`, `pricing.promotions`,
`pricing.coupons`, `pricing.price_plans`, `pricing.plan_lines`, `pricing.approvals`,
`pricing.elasticities`, `pricing.price_tests`, `pricing.markdown_plans`, `pricing.backtests`. Read
by channels, catalog and analysts; only `pricing.store` writes them. A price changes in one way
only: a plan with its reasons, checked, approved where that is asked, applied in one transaction.
"""
