"""The benchmark of plans: it plans what it says, and its floor compares the same rows."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.catalogue import Measured, fill, measure, report, variants, write_file
from resources.database import DatabaseResource


def test_a_hundredth_changes_or_all_are_new(
    database: DatabaseResource, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fill(database, 300)
    path = tmp_path / "rows.csv"
    write_file(database, path, 100)
    measured = measure(database, path, None)
    plan = measured.plan
    assert (plan.rows_update, plan.rows_skip, plan.rows_error) == (3, 297, 0)
    assert isinstance(measured, Measured)
    assert measured.floor_seconds > 0
    report("some", measured)
    assert "300 rows = 0 create + 3 update + 297 skip" in capsys.readouterr().out
    write_file(database, path, 1, is_new=True)
    assert measure(database, path, None).plan.rows_create == 300


def test_all_variants_are_planned_applied_and_reverted(
    database: DatabaseResource, tmp_path: Path
) -> None:
    assert all(seconds > 0 for seconds in variants(database, tmp_path))
