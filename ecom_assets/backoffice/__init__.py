"""Backoffice: the platform's own upkeep, such as how long the history of its runs is kept.

Tables: `backoffice.purges`. Operators read it to see how Dagster's database grows.
"""
