"""A catalogue file taken into a plan, for the command and the asset alike."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from ecom_assets.catalog.model import Plan, PlanSource
from ecom_assets.catalog.reading import BadFile, open_catalogue
from ecom_assets.catalog.reading.staged import FIELDS, Item, encode
from ecom_assets.catalog.store.planning import make_plan
from ecom_assets.shared.money import CURRENCIES


def plan_file(
    conn: sa.Connection,
    path: Path,
    at: datetime,
    run: str,
    form: str | None = None,
    columns: Mapping[str, str] | None = None,
    currency: str | None = None,
    digest: str | None = None,
) -> Plan:
    """Plan what a file would change.

    Args:
        conn: connection inside a transaction.
        path: the file.
        at: when the plan is asked for.
        run: Dagster run or command.
        form: one of `reading.FORMATS`; recognised without it.
        columns: column by field, where the names of the columns do not say it.
        currency: ISO 4217 code of prices that state none.
        digest: SHA-256 the file must have, as the one who asks saw it.

    Raises:
        BadFile: the file is empty, corrupt, unknown, or not the one that was seen.
    """
    if currency is not None and currency not in CURRENCIES:
        raise BadFile(f"{currency!r} is no ISO 4217 code of a currency")
    file = open_catalogue(path, form, columns)
    if digest and file.digest != digest:
        raise BadFile(f"{path.name} is no longer the file that was seen")
    settings: dict[str, Any] = {}
    source = PlanSource(path.name, file.format, file.digest, settings)
    plan = make_plan(conn, source, file.rows(settings), at, run, currency)
    # What was read is what the digest says, or the plan is undone with the transaction.
    if open_catalogue(path, form, columns).digest != file.digest:
        raise BadFile(f"{path.name} changed while it was read")
    if not plan.rows_read:
        raise BadFile(f"{path.name}: the file holds a header and no rows")
    return plan


def plan_statuses(
    conn: sa.Connection, skus: list[str], status: str, at: datetime, run: str
) -> Plan:
    """Plan to archive products, or to take them back into the range.

    Args:
        conn: connection inside a transaction.
        skus: the products.
        status: `active` or `archived`.
        at: when it is asked for.
        run: Dagster run or command.
    """
    rows = [Item(at_row, {"sku": sku, "status": status}) for at_row, sku in enumerate(skus, 1)]
    data = encode([row.staged() for row in rows], FIELDS)
    source = PlanSource(f"{status} by command", "command")
    return make_plan(conn, source, [(len(rows), data)], at, run)
