"""Assets of the backoffice area."""

from ecom_assets.backoffice.assets.purges import purges
from ecom_assets.backoffice.assets.rules import rule_trials, rules

__all__ = ["ASSETS", "purges"]

ASSETS = [purges, rules, rule_trials]
