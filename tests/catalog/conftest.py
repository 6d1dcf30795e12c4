"""A shared database for the tests of the catalog area."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from fixtures.scratch import rolled_back
from resources.database import DatabaseResource


@pytest.fixture
def scratch(module_database: DatabaseResource) -> Iterator[sa.Connection]:
    """A connection to the module's database whose work is undone after the test."""
    with rolled_back(module_database) as conn:
        yield conn
