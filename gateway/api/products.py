"""Products: found, read and changed; every change is a plan that can be reverted."""

from __future__ import annotations

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Query
from starlette.responses import Response

from ecom_assets.backoffice.roles import Right
from ecom_assets.catalog.store import listing
from ecom_assets.catalog.store.plans import lineage
from ecom_assets.catalog.store.staging import lock_products
from ecom_assets.catalog.wishes import Wish
from gateway.api.answers import Answer, require_match, sent, tag_of
from gateway.api.calls import Call, IfMatch, OnceKey, needs
from gateway.api.catalogue_changes import change_at_once, changed, taking_turns
from gateway.api.cursors import BY_NAME, Cursor, Limit, Page, paging
from gateway.api.faults import Fault, missing, unfit
from gateway.api.product_models import (
    ChangedTold,
    ChangeGiven,
    LineagesTold,
    LineageTold,
    ProductGiven,
    ProductTold,
    SkusGiven,
    Status,
    ValuesGiven,
    WholeProductTold,
)
from gateway.api.values import MOST_BIGINT, Named, Wanted

ROUTER = APIRouter(prefix="/products", tags=["products"])

Reader = Annotated[Call, needs(Right.READ, "catalog")]
Author = Annotated[Call, needs(Right.CONFIGURE, "catalog")]
Beginning = Annotated[
    str | None,
    Query(min_length=1, max_length=200,
          description="Beginning of the SKU, of the name (in any case) or of the GTIN."),
]  # fmt: skip
CategoryId = Annotated[int | None, Query(ge=1, le=MOST_BIGINT)]


@ROUTER.get("", summary="List products", response_model=Page[ProductTold])
def list_products(
    call: Reader,
    q: Beginning = None,
    family: Wanted = None,
    category: Wanted = None,
    category_id: CategoryId = None,
    status: Status | None = None,
    brand: Wanted = None,
    supplier_key: Wanted = None,
    group_key: Wanted = None,
    limit: Limit = 100,
    cursor: Cursor = None,
) -> Any:
    """By SKU."""
    if q is not None and "\x00" in q:
        raise unfit("q", "not_storable", "must not hold NUL")
    wanted = listing.ProductFilter(
        q, family, category, category_id, status, brand, supplier_key, group_key
    )
    asked = paging(limit, cursor, BY_NAME, "products", wanted)
    after = asked.after[0] if asked.after else None
    rows = call.read(lambda conn: listing.products(conn, wanted, after, limit + 1))
    return asked.page(rows, lambda row: ProductTold(**row), ("sku",))


@ROUTER.get("/lineage/{sku:path}", summary="Show where a product's values came from",
            response_model=LineagesTold)  # fmt: skip
def show_lineage(call: Reader, sku: Named) -> Any:
    """The file, request or feed that stated each value, and its plan."""

    def work(conn: sa.Connection) -> LineagesTold:
        if listing.unknown_products(conn, [sku]):
            raise missing(f"product {sku}")
        return LineagesTold(items=[LineageTold(**row) for row in lineage(conn, sku)])

    return call.read(work)


@ROUTER.get("/item/{sku:path}", summary="Show a product", response_model=WholeProductTold)
def show_product(call: Reader, sku: Named) -> Response:
    """With attributes, media, the components of a kit, and what it lacks for each channel.

    Its ETag is what a change needs.
    """
    row = call.read(lambda conn: listing.product(conn, sku))
    if row is None:
        raise missing(f"product {sku}")
    return sent(200, {"ETag": _tag(row)}, WholeProductTold(**row).model_dump_json())


@ROUTER.post("", summary="Make a product", status_code=201, response_model=WholeProductTold)
def make_product(call: Author, given: ProductGiven, key: OnceKey = None) -> Response:
    """`sku`, `name` and, unless all products have one, `currency` are needed.

    It is judged by the same rules as a row of a file.
    """
    wish = wish_of(given, given.sku)

    def work(conn: sa.Connection) -> Answer:
        with taking_turns(conn):
            lock_products(conn)
        if not listing.unknown_products(conn, [given.sku]):
            raise unfit("sku", "exists", "there is such a product", 409)
        changed(conn, call, [wish])
        answer = _answer(conn, given.sku)
        place = {"Location": f"/api/v1/products/item/{given.sku}"} if given.sku.isascii() else {}
        return Answer(answer.model, 201, {**answer.headers, **place})

    return call.write_once(key, work)


@ROUTER.patch("/item/{sku:path}", summary="Change a product", response_model=WholeProductTold)
def change_product(
    call: Author, sku: Named, given: ChangeGiven, if_match: IfMatch = None
) -> Response:
    """What is not named stays; null empties a member. `status` archives it or takes it back."""
    wish = wish_of(given, sku)

    def work(conn: sa.Connection) -> Answer:
        with taking_turns(conn):
            lock_products(conn)
        row = listing.product(conn, sku)
        if row is None:
            raise missing(f"product {sku}")
        require_match(if_match, _tag(row))
        _refuse_untellable(sku)
        changed(conn, call, [wish])
        return _answer(conn, sku)

    return call.write(work)


@ROUTER.post("/archive", summary="Archive products", response_model=ChangedTold)
def archive(call: Author, given: SkusGiven, key: OnceKey = None) -> Response:
    """What is archived may not be sold; it stays on record and can be taken back."""
    return _statuses(call, given, "archived", key)


@ROUTER.post("/unarchive", summary="Take products back into the range",
             response_model=ChangedTold)  # fmt: skip
def unarchive(call: Author, given: SkusGiven, key: OnceKey = None) -> Response:
    """They may be sold again."""
    return _statuses(call, given, "active", key)


@ROUTER.post("/values", summary="Set values of attributes", response_model=ChangedTold)
def set_values(call: Author, given: ValuesGiven, key: OnceKey = None) -> Response:
    """Of many products, per channel and locale; null takes a value away. All of it or nothing."""
    values: dict[str, dict[str, str | None]] = {}
    for place, row in enumerate(given.rows):
        if row.key in values.setdefault(row.sku, {}):
            raise unfit(f"rows.{place}", "repeated_row", "stands in a row before")
        values[row.sku][row.key] = row.value

    def wishes(conn: sa.Connection) -> list[Wish]:
        _refuse_unknown(conn, [row.sku for row in given.rows], "rows")
        return [
            Wish(sku, attributes={key: value for key, value in of.items() if value is not None},
                 emptied=tuple(key for key, value in of.items() if value is None))
            for sku, of in values.items()
        ]  # fmt: skip

    return change_at_once(call, key, wishes)


def _statuses(call: Call, given: SkusGiven, status: str, key: str | None) -> Response:
    def wishes(conn: sa.Connection) -> list[Wish]:
        _refuse_unknown(conn, given.skus, "skus")
        return [Wish(sku, {"status": status}) for sku in dict.fromkeys(given.skus)]

    return change_at_once(call, key, wishes)


def wish_of(given: ChangeGiven, sku: str) -> Wish:
    """What is wanted of a product.

    Raises:
        Fault: a member that a product needs is to be empty.
    """
    try:
        return given.wish(sku)
    except ValueError as error:
        raise unfit(str(error), "needed", "must not be null") from error


def _refuse_unknown(conn: sa.Connection, skus: list[str], field: str) -> None:
    unknown = listing.unknown_products(conn, skus)
    for place, sku in enumerate(skus):
        if sku in unknown:
            raise unfit(f"{field}.{place}", "unknown_sku", f"there is no product {sku}")


def _refuse_untellable(sku: str) -> None:
    # A plan reads such a name otherwise, and would make another product.
    if sku != sku.strip() or sku.startswith("'"):
        raise Fault(409, "untellable_sku", "products whose SKU begins with an apostrophe or has"
                    " blanks around it cannot be changed")  # fmt: skip


def _answer(conn: sa.Connection, sku: str) -> Answer:
    row = listing.product(conn, sku)
    assert row is not None  # noqa: S101 - it was written just now
    return Answer(WholeProductTold(**row), headers={"ETag": _tag(row)})


def _tag(row: dict[str, Any]) -> str:
    # What is judged of it changes by itself, and nobody's change must fail for that.
    judged = ("completeness", "score", "shipping_weight_g")
    return tag_of("product", {name: row[name] for name in row if name not in judged})
