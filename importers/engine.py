"""Take a folder of a foreign shop into ours: all of it in one transaction, or nothing.

The same files are taken once; given again they cost the hashing and change nothing. What became of
every row of every file is on record in `flow.import_accounts` and the quarantine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fnmatch import fnmatch
from importlib import import_module
from pathlib import Path
from typing import cast

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from ecom.problems import Problem
from ecom_assets.catalog.store import fill_shipping_weights, take_products, take_suppliers
from ecom_assets.customers.store import take_customers
from ecom_assets.fraud.store import take_labels
from ecom_assets.inventory.store import take_movements
from ecom_assets.orders.store import take_observed_events, take_orders
from ecom_assets.shared import feeds
from ecom_assets.shared.imports import IMPORTS
from ecom_assets.transport.store import take_rate_card
from ecom_assets.warehouse.store import take_sites
from importers.source import Source
from importers.staging import (
    FileAccount,
    Found,
    accounts_of,
    analyze,
    require_fates,
    settle,
    stage,
)

FORMATS = ("olist", "sample", "uci")
"""The sources that can be imported; `importers.<format>` offers `SOURCE`."""

Begin = Callable[[], AbstractContextManager[sa.Connection]]
Progress = Callable[[str], object] | None
Take = Callable[[sa.Connection, int | None], int]

_TAKES_BEFORE_ORDERS: tuple[Take, ...] = (
    take_suppliers,
    take_products,
    take_sites,
    take_rate_card,
    take_customers,
    take_movements,
)
"""What orders refer to is there before them."""
_TAKES_BEHIND_ORDERS: tuple[Take, ...] = (take_observed_events, take_labels)

_SESSION = sa.text("""
    SELECT set_config('jit', 'off', true), set_config('work_mem', '64MB', true)
""")
"""For this transaction only: compiling a statement costs more than it saves on these sizes."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did.

    Attributes:
        format: importer used.
        import_id: key in `flow.imports`; that of the first import where `is_repeat`.
        is_repeat: whether the same files had been taken before, so that nothing changed.
        orders_received: order messages that are new to the inbox; 0 where `is_repeat`.
        accounts: what became of the rows of each file.
        ignored: names of files in the folder that the importer does not read.
    """

    format: str
    import_id: int
    is_repeat: bool
    orders_received: int
    accounts: tuple[FileAccount, ...]
    ignored: tuple[str, ...]


def run_import(
    begin: Begin, source_name: str, folder: Path, run: str, progress: Progress = None
) -> ImportReport:
    """Import a folder.

    Args:
        begin: opens a transaction that commits on success (`DatabaseResource.begin`).
        source_name: one of `FORMATS`.
        folder: folder that holds the files of the source.
        run: name of this very import: parked rows are counted against it.
        progress: told what is done, in short lines.

    Raises:
        Problem: the format is unknown, or the folder, a file or a column is missing or corrupt.
    """
    source = find_source(source_name)
    files = find_files(source, folder)
    ignored = _ignored(files, folder)
    if progress and ignored:
        progress(f"not read: {', '.join(ignored)}")
    # Hashed before the transaction: it takes longest for a repeat and needs no connection.
    digest = digest_of([path for _, path in files if path])
    with begin() as conn:
        import_id = _open_import(conn, source.format, digest, run)
        if import_id is None:
            return _repeat(conn, source.format, digest, ignored)
        received = _take(conn, source, files, import_id, run, progress)
        accounts = accounts_of(conn, import_id)
    return ImportReport(source.format, import_id, False, received, accounts, ignored)


def find_source(name: str) -> Source:
    """The source of that name.

    Raises:
        Problem: there is none.
    """
    if name not in FORMATS:
        raise Problem(f"unknown format {name!r}; known: {', '.join(FORMATS)}")
    return cast(Source, import_module(f"importers.{name}").SOURCE)


def find_files(source: Source, folder: Path) -> list[Found]:
    """Where each file of the source is in the folder.

    Raises:
        Problem: the folder or required files are missing, or two files match one pattern.
    """
    present = _files_in(folder)
    found: list[Found] = []
    missing = []
    for file in source.files:
        paths = [path for path in present if any(fnmatch(path.name, p) for p in file.patterns)]
        if len(paths) > 1:
            names = ", ".join(path.name for path in paths)
            raise Problem(f"{folder}: several files for {file.name}, leave one: {names}")
        if file.is_required and not paths:
            missing.append(" or ".join(file.patterns))
        found.append((file, paths[0] if paths else None))
    if missing:
        raise Problem(f"{folder}: missing {'; '.join(missing)}")
    return found


def _files_in(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise Problem(f"{folder}: no such folder")
    try:
        return sorted(path for path in folder.iterdir() if path.is_file())
    except OSError as error:
        raise Problem(f"{folder}: {error.strerror or error}") from error


def _ignored(files: list[Found], folder: Path) -> tuple[str, ...]:
    read = {path for _, path in files}
    return tuple(path.name for path in _files_in(folder) if path not in read)


def digest_of(paths: list[Path]) -> str:
    """SHA-256 over the names and contents of files, in order of their names, hexadecimal."""
    whole = hashlib.sha256()
    for path in sorted(paths, key=lambda path: path.name):
        try:
            with path.open("rb") as stream:
                content = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError as error:
            raise Problem(f"{path}: {error.strerror or error}") from error
        whole.update(f"{path.name}\0{content}\0".encode())
    return whole.hexdigest()


def _open_import(conn: sa.Connection, source_name: str, digest: str, run: str) -> int | None:
    """Register the import; None if the same files were taken before.

    Of two imports of the same files at once the second waits here for the first to commit.
    """
    values = {"format": source_name, "digest": digest, "run_id": run}
    return conn.scalar(
        insert(IMPORTS).values(values).on_conflict_do_nothing().returning(IMPORTS.c.import_id)
    )


def _repeat(
    conn: sa.Connection, source_name: str, digest: str, ignored: tuple[str, ...]
) -> ImportReport:
    import_id = conn.execute(
        sa.select(IMPORTS.c.import_id).where(
            IMPORTS.c.format == source_name, IMPORTS.c.digest == digest
        )
    ).scalar_one()
    return ImportReport(source_name, import_id, True, 0, accounts_of(conn, import_id), ignored)


def _take(
    conn: sa.Connection,
    source: Source,
    files: list[Found],
    import_id: int,
    run: str,
    progress: Progress,
) -> int:
    """Stage, map, take; returns how many order messages are new."""
    conn.execute(_SESSION)
    stage(conn, files, progress)
    feeds.open_feeds(conn)
    source.map(conn)
    require_fates(conn, files)
    # The planner takes a new temporary table for tiny and would join the feeds row by row.
    for feed in feeds.FEEDS.sorted_tables:
        analyze(conn, feed)
    for take in _TAKES_BEFORE_ORDERS:
        take(conn, import_id)
    # Now, not with the next run of the catalog: the orders may be decided before it.
    fill_shipping_weights(conn)
    received = take_orders(conn, import_id)
    for take in _TAKES_BEHIND_ORDERS:
        take(conn, import_id)
    settle(conn, files, import_id, run)
    _close_import(conn, import_id)
    if progress:
        progress(f"{received:,} orders received")
    return received


def _close_import(conn: sa.Connection, import_id: int) -> None:
    received_at = feeds.ORDERS.c.received_at
    first, last = conn.execute(sa.select(sa.func.min(received_at), sa.func.max(received_at))).one()
    conn.execute(
        sa.update(IMPORTS)
        .where(IMPORTS.c.import_id == import_id)
        .values(first_at=first, last_at=last)
    )
