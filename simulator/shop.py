"""Generate a whole sample shop as a folder of CSV files.

    suppliers, products, customers          who and what
    sites, carriers, services, zones, rates how it is shipped
    orders, order_lines, payments           what was ordered, with a few bad rows
    observed_events, labels                 what came of it
    movements                               opening stock and receipts
    truth.csv                               fraud and faults by order; not for importers
    manifest.json                           sizes and what is to become of the rows; written last

Money is in minor units of the row's currency, moments are UTC, text is UTF-8.
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from simulator import basefiles
from simulator.basefiles import Accounts
from simulator.mess import PARKED_BY_THE_INBOX
from simulator.orderfiles import OrderFiles
from simulator.spec import VERSION, ShopSpec
from simulator.stock import Suppliers
from simulator.world import World

__all__ = ["MANIFEST", "ShopSpec", "generate", "is_whole"]

MANIFEST = "manifest.json"
"""File that tells a finished shop; it is written last."""

BLOCK = 50_000
"""Orders made and written at a time; no file depends on it."""

Progress = Callable[[str], object] | None


@dataclass(frozen=True, slots=True)
class _Contents:
    accounts: Accounts
    faults: Counter[str]
    frauds: int


def generate(
    folder: Path, orders: int, seed: int, progress: Progress = None, block: int = BLOCK
) -> None:
    """Write a shop; equal `orders` and `seed` give equal files, byte for byte, at any time.

    The files are made in a folder beside and moved into place when they are whole. A folder that
    holds the very same shop is left as it is, one that holds another generated shop is replaced.

    Args:
        folder: where the shop is to be.
        orders: orders of the shop, from 1 to tens of millions; memory hardly grows with them.
        seed: chooses among shops of the same size.
        progress: told what is done, in short lines.
        block: orders made at a time.

    Raises:
        FileExistsError: the folder holds something that is no generated shop.
    """
    spec = ShopSpec(orders, seed)
    if is_whole(folder, spec):
        return
    if folder.exists() and any(folder.iterdir()) and not (folder / MANIFEST).exists():
        raise FileExistsError(f"{folder}: holds files that are no generated shop")
    # Beside the target, so that the move into place is a rename within one file system.
    part = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    contents = _write(part, World.build(spec), block, progress or (lambda line: None))
    (part / MANIFEST).write_text(_manifest(spec, contents), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)


def is_whole(folder: Path, spec: ShopSpec) -> bool:
    """Whether the folder holds the finished shop of this specification."""
    try:
        found = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return False
    return isinstance(found, dict) and bool(found.get("shop") == _identity(spec))


def _write(part: Path, world: World, block: int, tell: Callable[[str], object]) -> _Contents:
    suppliers = Suppliers.build(world)
    accounts = basefiles.write_suppliers(part, world, suppliers)
    accounts |= basefiles.write_products(part, world)
    accounts |= basefiles.write_customers(part, world, block)
    accounts |= basefiles.write_sites(part)
    accounts |= basefiles.write_rate_card(part, world)
    tell(f"shop: {world.spec.skus:,} products, {world.people.total:,} customers")
    with OrderFiles(world).open(part) as files:
        for start in range(0, world.spec.orders, block):
            stop = min(start + block, world.spec.orders)
            files.write(start, stop)
            tell(f"shop: {stop:,} of {world.spec.orders:,} orders")
    accounts |= files.accounts
    # Stock is planned from the demand, which is known only when the last order is written.
    accounts |= basefiles.write_movements(part, world, files.demand, suppliers)
    return _Contents(accounts, files.faults, files.frauds)


def _identity(spec: ShopSpec) -> dict[str, object]:
    return {"version": VERSION, "orders": spec.orders, "seed": spec.seed,
            "start": spec.start.isoformat(), "days": spec.days}  # fmt: skip


def _manifest(spec: ShopSpec, contents: _Contents) -> str:
    refused = {
        reason: contents.faults[fault.name.lower()] for fault, reason in PARKED_BY_THE_INBOX.items()
    }
    told = {
        "shop": _identity(spec),
        "frauds": contents.frauds,
        "faults": dict(sorted(contents.faults.items())),
        "inbox_parked": dict(sorted(refused.items())),
        "files": {name: each.as_dict() for name, each in sorted(contents.accounts.items())},
    }
    return json.dumps(told, indent=2) + "\n"
