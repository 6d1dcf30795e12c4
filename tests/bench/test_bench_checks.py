"""The benchmark of checks evaluates what holds."""

from __future__ import annotations

from bench.checks import fill, measure
from resources.database import DatabaseResource


def test_every_expectation_of_the_filled_table_holds(database: DatabaseResource) -> None:
    fill(database, 200)
    measured = measure(database)
    assert measured.expectations > 10
    assert measured.failed == 0
    assert measured.ratio > 0
