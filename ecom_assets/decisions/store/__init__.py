"""The decisions area's SQL: replays and what they found, and the chain of decisions of an order."""

from ecom_assets.decisions.store.explanations import chain_of
from ecom_assets.decisions.store.outcomes import compare
from ecom_assets.decisions.store.ranges import fill_orders, fill_range, keep_promises
from ecom_assets.decisions.store.records import (
    find_replay,
    finish_replay,
    open_replay,
    remove_replay,
    replay_of_run,
)
from ecom_assets.decisions.store.summaries import cost_per_day, summarise

__all__ = [
    "chain_of",
    "compare",
    "cost_per_day",
    "fill_orders",
    "fill_range",
    "find_replay",
    "finish_replay",
    "keep_promises",
    "open_replay",
    "remove_replay",
    "replay_of_run",
    "summarise",
]
