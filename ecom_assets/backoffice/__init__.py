"""Backoffice: rules and taxes, who may do what, what was changed by whom, and upkeep.

Tables: `backoffice.business_rules`, `rule_periods`, `rule_trials`, `tax_rates`, `tax_categories`,
`tax_settings`, `exchange_rates`, `vat_checks`, `order_taxes`, `oss_turnover`, `users`, `sessions`,
`links`, `api_keys`, `audit_entries`, `idempotency_keys`, `purges`.
The steps that decide orders read the rules by `shared.versions`; the web entrance asks who
somebody is; operators read who changed what.
"""
