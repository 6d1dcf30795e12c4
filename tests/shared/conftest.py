"""The tests of the shared kernel use one database; what each does is undone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from resources.database import DatabaseResource


@pytest.fixture
def conn(module_database: DatabaseResource) -> Iterator[sa.Connection]:
    """A transaction that is rolled back at the end of the test."""
    with module_database.engine.connect() as connection:
        yield connection
        connection.rollback()
