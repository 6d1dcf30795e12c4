"""How requests change the catalogue: by plans, one at a time, with errors that name members."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import sqlalchemy as sa
from starlette.responses import Response

from ecom_assets.catalog.model import PlanRefused
from ecom_assets.catalog.store.changing import Change, change_products
from ecom_assets.catalog.store.terms import archived_attributes
from ecom_assets.catalog.wishes import Wish, member_of
from gateway.api.answers import Answer
from gateway.api.calls import Call
from gateway.api.faults import Fault, unfit
from gateway.api.product_models import ChangedTold, RowErrorTold

MOST_NAMED = 100
"""Wrong members that a refusal names."""

MOST_ERRORS = 1_000
"""Wrong rows that an answer tells."""

_WAIT = sa.text("SET LOCAL lock_timeout = '5s'")
_GO_ON = sa.text("SET LOCAL lock_timeout = 0")
_LOCK_TIMEOUT = "55P03"


@contextmanager
def taking_turns(conn: sa.Connection) -> Iterator[None]:
    """Wait only shortly where somebody else changes products, such as an import of all of them.

    Raises:
        Fault: 503 while that goes on; 409 where a plan is refused.
    """
    conn.execute(_WAIT)
    try:
        yield
    except sa.exc.OperationalError as error:
        if getattr(error.orig, "sqlstate", None) != _LOCK_TIMEOUT:
            raise
        raise Fault(503, "catalogue_busy", "products are being imported; nothing was changed",
                    headers={"Retry-After": "10"}) from None  # fmt: skip
    except PlanRefused as refused:
        raise Fault(409, "refused", str(refused)) from refused
    conn.execute(_GO_ON)


def changed(
    conn: sa.Connection, call: Call, wishes: Sequence[Wish], is_partial: bool = False
) -> Change:
    """Change products as wished.

    Raises:
        Fault: names what is wrong, unless good rows are wanted all the same.
    """
    _refuse_archived(conn, wishes)
    with taking_turns(conn):
        found = change_products(
            conn, wishes, call.at, call.run, call.principal.name, is_partial
        )  # fmt: skip
    if found.errors and not is_partial:
        raise _unfit(found.errors, is_one=len(wishes) == 1)
    return found


def _refuse_archived(conn: sa.Connection, wishes: Sequence[Wish]) -> None:
    named = {key: re.split("[@#]", key)[0] for wish in wishes for key in wish.attributes}
    archived = archived_attributes(conn, list(named.values())) if named else set()
    for key, name in named.items():
        if name in archived:
            raise unfit(f"attributes.{key}", "archived", f"the attribute {name} is archived")


def _unfit(errors: Sequence[Mapping[str, Any]], is_one: bool) -> Fault:
    fields = [
        {"field": _place(error, is_one), "code": error["code"], "message": _message(error)}
        for error in errors[:MOST_NAMED]
    ]
    first = fields[0]
    return Fault(422, "not_valid", f"{first['field']}: {first['message']}", fields)


def _place(error: Mapping[str, Any], is_one: bool) -> str:
    member = member_of(error["field"] or "")
    return member if is_one else f"{error['row']}.{member}".rstrip(".")


def _message(error: Mapping[str, Any]) -> str:
    said = error["code"].replace("_", " ")
    return f"{said} ({error['value']})" if error["value"] else said


def told(found: Change, rejected: Sequence[RowErrorTold] = ()) -> ChangedTold:
    """What became of a change."""
    errors = [
        RowErrorTold(row=error["row"], sku=error["sku"], field=member_of(error["field"] or ""),
                     code=error["code"], value=error["value"])
        for error in found.errors
    ]  # fmt: skip
    both = sorted([*errors, *rejected], key=lambda error: (error.row, error.field))
    return ChangedTold(
        plan=found.plan.hash if found.plan else None, created=found.created,
        updated=found.updated, unchanged=found.unchanged,
        rejected=len({error.row for error in both}), errors=both[:MOST_ERRORS],
    )  # fmt: skip


def change_at_once(
    call: Call, key: str | None, wishes: Callable[[sa.Connection], Sequence[Wish]]
) -> Response:
    """Change products as wished and tell what became of it."""

    def work(conn: sa.Connection) -> Answer:
        return Answer(told(changed(conn, call, wishes(conn))))

    return call.write_once(key, work)
