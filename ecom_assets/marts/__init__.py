"""Marts: the analysts' tables, built and tested by dbt in the schemas `staging` and `marts`.

The dbt project stands in `dbt/`. `models.json` says what it makes, so that definitions load without
dbt; `assets.describe` writes that file. Analysts read both schemas as role `analyst`.
"""
