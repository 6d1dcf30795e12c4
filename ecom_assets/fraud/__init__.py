"""Fraud: how likely an order is fraudulent, on what was known at its moment.

Tables: `fraud.labels`, `fraud.sightings`, `fraud.models`, `fraud.order_scores`. Read by risk and
analysts; only `fraud.store` writes them.
"""
