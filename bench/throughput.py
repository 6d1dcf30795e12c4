"""A backlog drained through the whole order path: orders per second, by stage and by size.

    python -m bench.throughput                          1,000 and 10,000 orders
    python -m bench.throughput --orders 1000 100000
    python -m bench.throughput --orders 1000000 --home DIR      keeps the databases there

A simulated shop of each size lies in the inbox; then every stage is drained by the steps its asset
calls. Deciding and documents are told apart: no decision waits for a document. The floor is
measured in the same run, see `bench.floor`.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bench.floor import Floor, floor_seconds
from bench.memory import Peak, watched
from ecom.migrate import ensure_database, migrate
from ecom.postgres import EmbeddedPostgres
from ecom_assets.customers.notices import NoticePolicy
from ecom_assets.customers.store import fold_orders, plan_confirmed, plan_shipped
from ecom_assets.documents.pdf import invoice_pdf, packing_slip_pdf, press
from ecom_assets.documents.store import issue_invoices, print_packing_slips
from ecom_assets.documents.store.invoices import CHUNK as DOCUMENTS_CHUNK
from ecom_assets.fraud.store import one_at_a_time, record_waiting, score_orders
from ecom_assets.inventory.store import call_backorders, post_sales, reserve
from ecom_assets.orders.store import accept_pending, claim_revised, settle_revisions
from ecom_assets.payments.store import match_payments
from ecom_assets.risk.store import decide_orders
from ecom_assets.shared.abreast import drain_abreast
from ecom_assets.shared.flow import Stage, drain, waiting
from ecom_assets.transport.store import choose_carriers, ship_parcels
from ecom_assets.warehouse.store import allocate
from importers.engine import run_import
from resources.database import DatabaseResource
from simulator.shop import generate

SIZES = (1_000, 10_000)
"""Orders of the shops that are drained if none are named."""

TARGET_PER_S = 2_000
"""Orders per second that deciding a backlog of 100,000 is to reach."""

RUN = "bench"
SEED = 7
MB = 1_000_000

Step = Callable[[DatabaseResource], object]
"""Drains one stage."""

_OUTCOMES = sa.text("""
    SELECT kind, outcome, count(*) FROM decisions.ledger GROUP BY kind, outcome
    ORDER BY kind, outcome
""")


@dataclass(frozen=True)
class Drained:
    """What draining a backlog took.

    Attributes:
        orders: orders accepted.
        deciding: seconds by stage, up to the sale's posting and the letters.
        documents: seconds by kind of document.
        floor: seconds that moving the same rows takes.
        peak: most memory that was taken, in bytes.
        outcomes: decisions by kind and outcome.
    """

    orders: int
    deciding: Mapping[str, float]
    documents: Mapping[str, float]
    floor: Floor
    peak: Peak
    outcomes: Mapping[tuple[str, str], int]

    @property
    def deciding_s(self) -> float:
        """Seconds until the last order was decided, shipped, booked, and its letters planned."""
        return sum(self.deciding.values())

    @property
    def documents_s(self) -> float:
        """Seconds that printing took."""
        return sum(self.documents.values())


def _in_turn(stage: Stage, step: Callable[..., Mapping[str, int]], **given: Any) -> Step:
    return lambda database: drain(database.begin, stage, partial(step, **given))


def _abreast(stage: Stage, step: Callable[..., Mapping[str, int]], **given: Any) -> Step:
    return lambda database: drain_abreast(database.begin, stage, partial(step, **given))


def _settle_inbox(database: DatabaseResource) -> None:
    with database.begin() as conn:
        claim_revised(conn)
        settle_revisions(conn, RUN)


def _score(database: DatabaseResource) -> None:
    record_waiting(database.begin)
    begin = partial(one_at_a_time, database.begin)
    drain(begin, Stage.SCORE, partial(score_orders, run=RUN))


def _reserve(database: DatabaseResource) -> None:
    # As its asset does: when nobody waits any more, those whose stock came since are called.
    called = 1
    while called:
        drain(database.begin, Stage.RESERVE, partial(reserve, run=RUN))
        with database.begin() as conn:
            called = call_backorders(conn)


def _packing_slips(database: DatabaseResource) -> None:
    with press(packing_slip_pdf) as printer:
        step = partial(print_packing_slips, run=RUN, printer=printer)
        drain(database.begin, Stage.PACKING_SLIP, step, chunk=DOCUMENTS_CHUNK)


def _invoices(database: DatabaseResource) -> None:
    with press(invoice_pdf) as printer:
        step = partial(issue_invoices, run=RUN, printer=printer)
        drain(database.begin, Stage.INVOICE, step, chunk=DOCUMENTS_CHUNK)


# Imported orders get no letters unless a run is told so; here they count.
_LETTERS: dict[str, Any] = {
    "domain": "bench.invalid", "run": RUN, "policy": NoticePolicy(tells_imported=True),
}  # fmt: skip

DECIDING: dict[str, Step] = {
    "inbox": _settle_inbox,
    "accept": lambda database: accept_pending(database.begin, RUN),
    "customer": _in_turn(Stage.CUSTOMER, fold_orders),
    "payment": _abreast(Stage.PAYMENT, match_payments, run=RUN),
    "score": _score,
    "risk": _abreast(Stage.RISK, decide_orders, run=RUN),
    "reserve": _reserve,
    "allocate": _in_turn(Stage.ALLOCATE, allocate, run=RUN),
    "carrier": _abreast(Stage.CARRIER, choose_carriers, run=RUN),
    "ship": _abreast(Stage.SHIP, ship_parcels, run=RUN),
    "post_sale": _in_turn(Stage.POST_SALE, post_sales),
    "notify_confirmed": _abreast(Stage.NOTIFY_CONFIRMED, plan_confirmed, **_LETTERS),
    "notify_shipped": _abreast(Stage.NOTIFY_SHIPPED, plan_shipped, **_LETTERS),
}
"""What decides about an order and follows at once, in the order of the path."""

DOCUMENTS: dict[str, Step] = {"packing_slip": _packing_slips, "invoice": _invoices}
"""What is printed of an order that has shipped."""


def fill(database: DatabaseResource, orders: int) -> None:
    """Lay the messages of a simulated shop into the inbox, with all that they refer to."""
    with tempfile.TemporaryDirectory() as folder:
        generate(Path(folder), orders, SEED)
        run_import(database.begin, "sample", Path(folder), RUN)


def drain_all(database: DatabaseResource, steps: Mapping[str, Step]) -> dict[str, float]:
    """Seconds of each step."""
    seconds = {}
    for name, step in steps.items():
        begun = time.perf_counter()
        step(database)
        seconds[name] = time.perf_counter() - begun
    return seconds


def measure(database: DatabaseResource, server: int | None = None) -> Drained:
    """Drain what lies in the inbox, then move the same rows by SQL alone.

    Args:
        database: a filled database.
        server: process id of its server, if that is a child of ours.
    """
    with watched(server) as peak:
        deciding, documents = drain_all(database, DECIDING), drain_all(database, DOCUMENTS)
    with database.begin() as conn:
        if left := waiting(conn):
            raise SystemExit(f"the path was not drained: {left}")
        orders = conn.execute(sa.text("SELECT count(*) FROM orders.orders")).scalar_one()
        outcomes = {(row[0], row[1]): row[2] for row in conn.execute(_OUTCOMES)}
    return Drained(orders, deciding, documents, floor_seconds(database.url), peak, outcomes)


def report(drained: Drained) -> None:
    """Print a line per stage, the sums and their ratio to the floor."""
    print(f"\n{drained.orders:,} orders")
    print(f"{'stage':28}{'seconds':>9}{'orders/s':>11}{'us/order':>10}{'share':>8}")
    whole = drained.deciding_s + drained.documents_s
    sums = {"deciding": drained.deciding_s, "documents": drained.documents_s, "all": whole}
    for name, taken in [*drained.deciding.items(), *drained.documents.items(), *sums.items()]:
        print(
            f"{name:28}{taken:9.2f}{drained.orders / taken:11,.0f}"
            f"{taken / drained.orders * 1e6:10.0f}{taken / whole:8.1%}"
        )
    floor = drained.floor
    print(
        f"floor, the same {floor.deciding_rows:,} rows by SQL alone: {floor.deciding_s:.2f} s,"
        f" ratio {drained.deciding_s / floor.deciding_s:.1f}; the documents' rows:"
        f" {floor.documents_s:.2f} s, ratio {drained.documents_s / floor.documents_s:.1f}"
    )
    print(
        f"most memory: this process {drained.peak.own / MB:,.0f} MB, its printers"
        f" {drained.peak.printers / MB:,.0f} MB, the server {drained.peak.server / MB:,.0f} MB"
        " beside its shared buffers"
    )


def report_curve(drained: Sequence[Drained]) -> None:
    """Print how the cost of an order changes with the size of the backlog, stage by stage."""
    print(f"\n{'us per order at':28}" + "".join(f"{each.orders:>12,}" for each in drained))
    for name in drained[0].deciding:
        print(f"{name:28}" + "".join(_cost(each.deciding[name], each.orders) for each in drained))
    sums = {
        "deciding": [each.deciding_s for each in drained],
        "documents": [each.documents_s for each in drained],
        "floor of deciding": [each.floor.deciding_s for each in drained],
    }
    for title, seconds in sums.items():
        costs = (_cost(taken, each.orders) for taken, each in zip(seconds, drained, strict=True))
        print(f"{title:28}" + "".join(costs))
    print(f"{'deciding, orders/s':28}" + "".join(f"{_rate(each):12,.0f}" for each in drained))


def _cost(seconds: float, orders: int) -> str:
    return f"{seconds / orders * 1e6:12,.0f}"


def _rate(drained: Drained) -> float:
    return drained.orders / drained.deciding_s


def run(home: Path, sizes: Sequence[int]) -> list[Drained]:
    """Drain a shop of each size, in a database of its own."""
    found = []
    with EmbeddedPostgres(home / "data") as server:
        for orders in sizes:
            url = server.url(f"backlog_{orders}")
            ensure_database(url)
            database = DatabaseResource(url=url)
            migrate(database.engine)
            fill(database, orders)
            found.append(measure(database, server.pid))
            report(found[-1])
            database.engine.dispose()
    return found


def main() -> None:
    """Run the benchmark the command line asks for; fails where the target is missed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--orders", type=int, nargs="+", default=SIZES)
    parser.add_argument("--home", type=Path, help="keeps the databases, one per size, here")
    parser.add_argument("--outcomes", action="store_true", help="also count what was decided")
    given = parser.parse_args()
    with ExitStack() as stack:
        home = given.home or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        home.mkdir(parents=True, exist_ok=True)
        found = run(home, given.orders)
    report_curve(found)
    if given.outcomes:
        for (kind, outcome), count in found[-1].outcomes.items():
            print(f"{kind:28}{outcome:28}{count:12,}")
    if any(each.orders >= 90_000 and _rate(each) < TARGET_PER_S for each in found):
        raise SystemExit(f"fewer than {TARGET_PER_S:,} orders/s")


if __name__ == "__main__":
    with suppress(BrokenPipeError):
        main()
