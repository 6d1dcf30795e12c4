"""A backlog that the decisions take first ends as one that the order path takes alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from ecom_assets.deciding import decide
from fixtures.final_state import differences, final_state
from resources.database import DatabaseResource
from scenarios.conftest import run_order_job, take_shop


@pytest.mark.timeout(600)
def test_a_backlog_ends_as_by_the_order_path_alone(
    database: DatabaseResource, decided_shop: DatabaseResource, shop_files: Path
) -> None:
    take_shop(database, shop_files)
    told: list[object] = []
    assert decide(database.begin, "run", told.append)
    assert told == []
    # What follows a decision is the order path's.
    assert run_order_job(database).success
    with database.begin() as conn, decided_shop.begin() as full:
        assert differences(final_state(full), final_state(conn)) == {}
