"""The fraud area's SQL, one module per table; nothing else writes the schema `fraud`."""

from ecom_assets.fraud.store.labels import take_labels

__all__ = ["take_labels"]
