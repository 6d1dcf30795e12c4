"""The fraud area's SQL, one module per table; nothing else writes the schema `fraud`."""

from ecom_assets.fraud.store.labels import take_labels
from ecom_assets.fraud.store.order_scores import one_at_a_time, score_alone, score_orders
from ecom_assets.fraud.store.overviews import histogram, model_figures
from ecom_assets.fraud.store.replays import model_versions, score_anew, score_by_rules_anew
from ecom_assets.fraud.store.sightings import record_waiting

__all__ = [
    "histogram",
    "model_figures",
    "model_versions",
    "one_at_a_time",
    "record_waiting",
    "score_alone",
    "score_anew",
    "score_by_rules_anew",
    "score_orders",
    "take_labels",
]
