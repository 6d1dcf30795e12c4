"""`ecom explain`: why an order was decided as it was, from the message to the documents."""

from __future__ import annotations

from typing import Any

from ecom.platform import opened
from ecom.problems import Problem
from ecom.settings import Settings
from ecom_assets.decisions import store


def chain(settings: Settings, name: str) -> dict[str, Any]:
    """Everything that was decided about an order.

    Args:
        settings: what the environment says.
        name: order id, or `channel/external_id`.

    Raises:
        Problem: no order and no message goes by that name.
    """
    with opened(settings) as platform, platform.database.begin() as conn:
        found = store.chain_of(conn, name)
    if found is None:
        raise Problem(f"there is no order {name}; give its order id or channel/external_id")
    return found
