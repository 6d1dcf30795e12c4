"""Backoffice: who may do what, what was changed by whom, and the platform's own upkeep.

Tables: `backoffice.users`, `sessions`, `links`, `api_keys`, `audit_entries`,
`idempotency_keys`, `purges`. The web entrance asks it who somebody is; operators
read who changed what, and how run history grows.
"""
