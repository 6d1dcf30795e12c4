"""Rows that a caller brings, as a select that a store takes: one parameter, however many rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

Columns = Mapping[str, sa.types.TypeEngine[Any]]


def given_rows(columns: Columns, rows: Sequence[Mapping[str, Any]]) -> sa.Select[Any]:
    """A select of rows.

    Args:
        columns: type of each column, in their order.
        rows: values by column, as JSON knows them (moments as ISO 8601); what is left out is null.
    """
    declared = [sa.column(name, kind) for name, kind in columns.items()]
    source = (
        sa.func.jsonb_to_recordset(sa.bindparam(None, list(rows), type_=JSONB))
        .table_valued(*declared, name="given")
        .render_derived(name="given", with_types=True)
    )
    return sa.select(*(source.c[name] for name in columns))
