"""SQL of the customers area: customers and addresses, and the letters they get.

Locking order: the advisory lock of folding, customers, addresses; letters lock nothing of theirs.
"""

from ecom_assets.customers.store.folding import fold_orders, take_customers
from ecom_assets.customers.store.notifications import plan_confirmed, plan_shipped

__all__ = ["fold_orders", "plan_confirmed", "plan_shipped", "take_customers"]
