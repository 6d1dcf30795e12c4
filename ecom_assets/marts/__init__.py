"""Marts: the analysts' tables, built and tested by dbt in the schemas `staging` and `marts`."""
