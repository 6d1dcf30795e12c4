"""Stock: what people and machines say has happened to it or is to come."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter
from starlette.responses import Response

from ecom_assets.backoffice.roles import Right
from ecom_assets.inventory.store import (
    hold_stock,
    listing,
    post_adjustments,
    release_hold,
    send_transfers,
    take_arrivals,
    take_counts,
    take_expected_receipts,
)
from ecom_assets.shared.given_rows import Columns, given_rows
from gateway.api.answers import Answer
from gateway.api.calls import Call, OnceKey, needs
from gateway.api.faults import Fault, unfit
from gateway.api.stock_models import (
    AdjustedTold,
    AdjustmentGiven,
    AdjustmentsTold,
    ArrivalGiven,
    ChangedTold,
    CountGiven,
    CountsTold,
    ExpectedGiven,
    MovedTold,
    ReleasedTold,
    ReleaseHoldGiven,
    RowsGiven,
    StockHeldTold,
    StockHoldGiven,
    TransferGiven,
)
from gateway.api.values import Given

ROUTER = APIRouter(prefix="/inventory", tags=["inventory"])

Operator = Annotated[Call, needs(Right.OPERATE, "inventory")]

_TEXT, _UNITS, _AT = sa.Text(), sa.BigInteger(), sa.DateTime(timezone=True)
_ADJUSTMENTS: Columns = {
    "row_no": _UNITS, "sku": _TEXT, "site_code": _TEXT, "quantity": _UNITS, "moved_at": _AT,
    "reference": _TEXT,
}  # fmt: skip
_COUNTS: Columns = {
    "reference": _TEXT, "site_code": _TEXT, "sku": _TEXT, "counted_at": _AT, "counted": _UNITS,
}  # fmt: skip
_WAY: Columns = {"reference": _TEXT, "sku": _TEXT, "from_site": _TEXT, "to_site": _TEXT}
_TRANSFERS: Columns = {**_WAY, "quantity": _UNITS, "sent_at": _AT, "due_at": _AT}
_ARRIVALS: Columns = {**_WAY, "arrived": _UNITS, "arrived_at": _AT}
_EXPECTED: Columns = {
    "reference": _TEXT, "sku": _TEXT, "site_code": _TEXT, "due_at": _AT, "quantity": _UNITS,
}  # fmt: skip

_WHY = {
    "unknown_site": ("site_code", "there is no such site"),
    "unknown_sku": ("sku", "the catalogue does not know it"),
    "contradicting_rows": ("reference", "named by several rows of this SKU and site"),
    "changed_adjustment": ("quantity", "differs from the adjustment on record"),
    "negative_balance": ("quantity", "more than the site has and has not promised"),
}


@ROUTER.post("/adjustments", summary="Adjust stock", response_model=AdjustedTold)
def adjust(call: Operator, given: AdjustmentGiven, key: OnceKey = None) -> Response:
    """Put right what is on hand; told again by the same reference it changes nothing."""

    def work(conn: sa.Connection) -> Answer:
        outcome: Any = _post(conn, call, [given])[1]
        if outcome in _WHY:
            field, why = _WHY[outcome]
            raise unfit(field, outcome, why)
        return Answer(AdjustedTold(row=1, outcome=outcome))

    return call.write_once(key, work)


@ROUTER.post("/adjustments/bulk", summary="Adjust stock of many SKUs",
             response_model=AdjustmentsTold)  # fmt: skip
def adjust_many(call: Operator, given: RowsGiven[AdjustmentGiven], key: OnceKey = None) -> Response:
    """Good rows are posted, the others named, in one transaction."""

    def work(conn: sa.Connection) -> Answer:
        found = _post(conn, call, given.rows)
        rows = [AdjustedTold(row=row, outcome=_any(outcome)) for row, outcome in found.items()]
        of = Counter("refused" if outcome in _WHY else outcome for outcome in found.values())
        return Answer(AdjustmentsTold(posted=of["posted"], repeated=of["repeated"],
                                      refused=of["refused"], rows=rows))  # fmt: skip

    return call.write_once(key, work)


def _post(conn: sa.Connection, call: Call, given: Sequence[AdjustmentGiven]) -> dict[int, str]:
    rows = [
        {**row.model_dump(mode="json"), "row_no": number,
         "moved_at": (row.moved_at or call.at).isoformat()}
        for number, row in enumerate(given, start=1)
    ]  # fmt: skip
    return post_adjustments(conn, given_rows(_ADJUSTMENTS, rows))


def _any(outcome: str) -> Any:
    return outcome


@ROUTER.post("/counts", summary="Bring counts", response_model=CountsTold)
def bring_counts(call: Operator, given: RowsGiven[CountGiven], key: OnceKey = None) -> Response:
    """Those within the tolerance are posted, the others wait for an approval of somebody else."""
    _refuse_repeated(given.rows, ("reference", "site_code", "sku"))

    def work(conn: sa.Connection) -> Answer:
        _refuse_unknown(conn, given.rows, ("site_code",))
        rows = given_rows(_COUNTS, _plain(given.rows))
        return Answer(CountsTold(states=take_counts(conn, rows, call.run, by=call.principal.name)))

    return call.write_once(key, work)


@ROUTER.post("/holds", summary="Keep stock for a while", response_model=StockHeldTold)
def keep_stock(call: Operator, given: StockHoldGiven, key: OnceKey = None) -> Response:
    """All of it or nothing; what the holder has already is replaced."""
    wishes = Counter[str]()
    for item in given.items:
        wishes[item.sku] += item.units
    if given.expires_at <= call.at:
        raise unfit("expires_at", "too_early", "must lie ahead")

    def work(conn: sa.Connection) -> Answer:
        short = hold_stock(conn, given.holder, wishes, call.at, given.expires_at)
        if short:
            raise _too_little(short)
        return Answer(StockHeldTold(holder=given.holder, expires_at=given.expires_at,
                                    units=wishes.total()))  # fmt: skip

    return call.write_once(key, work)


def _too_little(short: Mapping[str, int]) -> Fault:
    fields = [{"field": sku, "code": "too_little_stock", "message": f"{free} units are free"}
              for sku, free in short.items()]  # fmt: skip
    return Fault(409, "too_little_stock", "stock does not cover all of it; nothing is kept", fields)


@ROUTER.post("/holds/release", summary="Give kept stock back", response_model=ReleasedTold)
def give_back(call: Operator, given: ReleaseHoldGiven, key: OnceKey = None) -> Response:
    """All that a holder has; nothing is no error, for holds also end by themselves."""

    def work(conn: sa.Connection) -> Answer:
        units = release_hold(conn, given.holder, call.at)
        return Answer(ReleasedTold(holder=given.holder, units=units))

    return call.write_once(key, work)


@ROUTER.post("/transfers", summary="Send units to another site", response_model=MovedTold)
def send_units(call: Operator, given: RowsGiven[TransferGiven], key: OnceKey = None) -> Response:
    """What stock does not cover goes to the quarantine; told again it changes nothing."""
    _refuse_repeated(given.rows, ("reference", "sku", "from_site", "to_site"))

    def work(conn: sa.Connection) -> Answer:
        rows = given_rows(_TRANSFERS, _plain(given.rows))
        found = send_transfers(conn, rows, call.run)
        return _moved(found["sent"], found["parked"], len(given.rows))

    return call.write_once(key, work)


@ROUTER.post("/transfers/arrivals", summary="Take units of transfers in", response_model=MovedTold)
def take_units_in(call: Operator, given: RowsGiven[ArrivalGiven], key: OnceKey = None) -> Response:
    """What is missing is written off at the site it should have come to."""
    _refuse_repeated(given.rows, ("reference", "sku", "from_site", "to_site"))

    def work(conn: sa.Connection) -> Answer:
        rows = given_rows(_ARRIVALS, _plain(given.rows))
        found = take_arrivals(conn, rows, call.run)
        return _moved(found["arrived"], found["parked"], len(given.rows))

    return call.write_once(key, work)


@ROUTER.post("/expected-receipts", summary="Say what is to come", response_model=ChangedTold)
def expect(call: Operator, given: RowsGiven[ExpectedGiven], key: OnceKey = None) -> Response:
    """New or changed; what has come already of a reference is kept."""
    _refuse_repeated(given.rows, ("reference", "sku", "site_code"))

    def work(conn: sa.Connection) -> Answer:
        _refuse_unknown(conn, given.rows, ("site_code", "sku"))
        rows = given_rows(_EXPECTED, _plain(given.rows))
        return Answer(ChangedTold(changed=take_expected_receipts(conn, rows)))

    return call.write_once(key, work)


def _moved(taken: int, parked: int, given: int) -> Answer:
    return Answer(MovedTold(taken=taken, parked=parked, known=given - taken - parked))


def _plain(rows: Iterable[Given]) -> list[dict[str, Any]]:
    return [row.model_dump(mode="json") for row in rows]


def _refuse_repeated(rows: Sequence[Given], names: Sequence[str]) -> None:
    seen: set[tuple[Any, ...]] = set()
    for number, row in enumerate(rows):
        named = tuple(getattr(row, name) for name in names)
        if named in seen:
            raise unfit(
                f"rows.{number}", "repeated_row", f"{', '.join(names)} stand in a row before"
            )
        seen.add(named)


def _refuse_unknown(conn: sa.Connection, rows: Sequence[Any], names: Sequence[str]) -> None:
    asked = {"site_code": listing.unknown_sites, "sku": listing.unknown_skus}
    for name in names:
        unknown = asked[name](conn, [getattr(row, name) for row in rows])
        for number, row in enumerate(rows):
            if getattr(row, name) in unknown:
                raise unfit(f"rows.{number}.{name}", f"unknown_{name.removesuffix('_code')}",
                            "is not known")  # fmt: skip
