"""Dagster's UI behind the login, with each user's own permissions inside Dagster's own layer."""
