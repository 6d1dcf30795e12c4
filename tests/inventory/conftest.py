"""Tests of the area share a database per module."""

from fixtures.rolled_back import conn

__all__ = ["conn"]
