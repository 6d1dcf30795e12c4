"""The whole database schema: importing this module declares every table of every area.

Migrations, the data dictionary and the structure tests read it. It holds no table of its own.
"""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

import sqlalchemy as sa

from ecom_assets.areas import AREAS
from ecom_assets.shared import (
    flow,
    holds,
    imports,
    journal,
    outbox,
    quarantine,
    states,
    workers,
)
from ecom_assets.shared.columns import METADATA

SHARED_MODULES = (flow, holds, imports, journal, outbox, quarantine, states, workers)
"""Modules of `shared` that declare tables."""


def schema() -> sa.MetaData:
    """The metadata with the tables of `shared` and of every area that has a `tables` module."""
    for area in AREAS:
        name = f"ecom_assets.{area.name}.tables"
        if find_spec(name) is not None:
            import_module(name)
    return METADATA


def schema_names() -> list[str]:
    """PostgreSQL schemas that hold tables of ours."""
    return sorted({table.schema for table in schema().tables.values() if table.schema})
