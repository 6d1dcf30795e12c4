"""Categories and attributes of products."""

from __future__ import annotations

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter, Query
from pydantic import Field, TypeAdapter
from starlette.responses import Response

from ecom_assets.backoffice.store import audit
from ecom_assets.catalog.model import TermRefused
from ecom_assets.catalog.store import own_categories, terms
from gateway.api.answers import Answer, require_match, sent, tag_of
from gateway.api.calls import Call, IfMatch, OnceKey
from gateway.api.catalogue_models import (
    AttributeGiven,
    AttributeKey,
    AttributeTold,
    CategoryGiven,
    CategoryNameGiven,
    CategoryTold,
)
from gateway.api.cursors import BY_NAME, Cursor, Limit, Page, paging
from gateway.api.faults import Fault, missing, unfit
from gateway.api.product_models import RESERVED
from gateway.api.products import Author, Reader
from gateway.api.values import MOST_BIGINT, Key, Wanted

ROUTER = APIRouter(prefix="/catalogue", tags=["catalogue"])

_PATH = Annotated[str, Field(min_length=1, max_length=5000)]
_BY_PATH: TypeAdapter[tuple[Any, ...]] = TypeAdapter(tuple[_PATH])
_ParentId = Annotated[int | None, Query(ge=1, le=MOST_BIGINT, description="Roots, if not given.")]


def refusal(refused: TermRefused) -> Fault:
    """A refusal as an answer."""
    if refused.field:
        return unfit(refused.field, "refused", str(refused), 409)
    return Fault(409, "refused", str(refused))


@ROUTER.get("/categories", summary="List categories", response_model=Page[CategoryTold])
def list_categories(
    call: Reader, parent_id: _ParentId = None, q: Wanted = None, limit: Limit = 100,
    cursor: Cursor = None,
) -> Any:  # fmt: skip
    """Right below another one, or the roots; with `q` all whose path holds these words."""
    if q is not None and parent_id is not None:
        raise unfit("q", "one_of", "give q or parent_id, not both")
    asked = paging(limit, cursor, _BY_PATH, "categories", parent_id, q)
    after = asked.after[0] if asked.after else None

    def work(conn: sa.Connection) -> Any:
        if q is not None:
            return own_categories.search(conn, q, after, limit + 1)
        return own_categories.children(conn, parent_id, after, limit + 1)

    return asked.page(call.read(work), lambda row: CategoryTold(**row), ("path",))


@ROUTER.get("/categories/{category_id}", summary="Show a category", response_model=CategoryTold)
def show_category(call: Reader, category_id: Key) -> Response:
    """Its ETag is what a change needs."""
    answer = _category(call.read(lambda conn: _found(conn, category_id)))
    return sent(200, answer.headers, answer.body())


@ROUTER.post("/categories", summary="Add a category", status_code=201,
             response_model=CategoryTold)  # fmt: skip
def add_category(call: Author, given: CategoryGiven, key: OnceKey = None) -> Response:
    """One of the shop's own, below a published one or not; its number is 1,000,000,000 or more."""

    def work(conn: sa.Connection) -> Answer:
        try:
            made = own_categories.add(conn, given.name, given.parent_id)
        except TermRefused as refused:
            raise refusal(refused) from refused
        _record(conn, call, "insert", made, given.model_dump())
        answer = _category(_found(conn, made))
        place = {"Location": f"/api/v1/catalogue/categories/{made}"}
        return Answer(answer.model, 201, {**answer.headers, **place})

    return call.write_once(key, work)


@ROUTER.patch("/categories/{category_id}", summary="Rename a category",
              response_model=CategoryTold)  # fmt: skip
def rename_category(
    call: Author, category_id: Key, given: CategoryNameGiven, if_match: IfMatch = None
) -> Response:
    """One of the shop's own; the paths below it follow. Published ones are not changed."""

    def work(conn: sa.Connection) -> Answer:
        require_match(if_match, _tag(_found(conn, category_id)))
        try:
            own_categories.rename(conn, category_id, given.name)
        except TermRefused as refused:
            raise refusal(refused) from refused
        _record(conn, call, "update", category_id, given.model_dump())
        return _category(_found(conn, category_id))

    return call.write(work)


@ROUTER.delete("/categories/{category_id}", summary="Remove a category", status_code=204,
               response_model=None)  # fmt: skip
def forget_category(call: Author, category_id: Key, if_match: IfMatch = None) -> Response:
    """One of the shop's own that neither products nor categories are in."""

    def work(conn: sa.Connection) -> Answer:
        require_match(if_match, _tag(_found(conn, category_id)))
        try:
            own_categories.forget(conn, category_id)
        except TermRefused as refused:
            raise refusal(refused) from refused
        _record(conn, call, "delete", category_id, None)
        return Answer(None, 204)

    return call.write(work)


def _found(conn: sa.Connection, category_id: int) -> sa.RowMapping:
    row = own_categories.category(conn, category_id)
    if row is None:
        raise missing(f"category {category_id}")
    return row


def _record(conn: sa.Connection, call: Call, action: str, category_id: int, after: Any) -> None:
    # A published taxonomy has thousands of rows, so no trigger tells of them; people's changes do.
    audit.record(conn, call.actor, action, f"catalog.categories/{category_id}", after=after)


def _category(row: sa.RowMapping) -> Answer:
    return Answer(CategoryTold(**row), headers={"ETag": _tag(row)})


def _tag(row: sa.RowMapping) -> str:
    return tag_of("category", row["category_id"], row["path"])


@ROUTER.get("/attributes", summary="List attributes", response_model=Page[AttributeTold])
def list_attributes(
    call: Reader, is_archived: bool | None = None, limit: Limit = 100, cursor: Cursor = None
) -> Any:
    """Those that somebody described, or that a family or channel asks for, by name.

    Files may bring others; they are with the products.
    """
    asked = paging(limit, cursor, BY_NAME, "attributes", is_archived)
    after = asked.after[0] if asked.after else None
    rows = call.read(lambda conn: terms.attributes(conn, is_archived, after, limit + 1))
    return asked.page(rows, lambda row: AttributeTold(**row), ("attribute",))


@ROUTER.get("/attributes/{attribute}", summary="Show an attribute", response_model=AttributeTold)
def show_attribute(call: Reader, attribute: AttributeKey) -> Response:
    """Its ETag is what a change needs."""
    row = call.read(lambda conn: terms.attribute(conn, attribute))
    if row is None:
        raise missing(f"attribute {attribute}")
    return sent(200, {"ETag": _attribute_tag(row)}, AttributeTold(**row).model_dump_json())


@ROUTER.put("/attributes/{attribute}", summary="Describe an attribute",
            response_model=AttributeTold)  # fmt: skip
def put_attribute(
    call: Author, attribute: AttributeKey, given: AttributeGiven, if_match: IfMatch = None
) -> Response:
    """New, with `If-Match: *`, or changed.

    It is archived only where no family, channel or product uses it; then requests can set no values
    of it.
    """
    if attribute in RESERVED:
        raise unfit("attribute", "reserved", "is a member of products")

    def work(conn: sa.Connection) -> Answer:
        terms.lock_term(conn, f"attribute/{attribute}")
        require_match(if_match, _attribute_tag(terms.attribute(conn, attribute)))
        try:
            terms.describe_attribute(conn, attribute, **given.model_dump())
        except TermRefused as refused:
            raise unfit("is_archived", "in_use", str(refused), 409) from refused
        row = terms.attribute(conn, attribute)
        assert row is not None  # noqa: S101 - it was written just now
        return Answer(AttributeTold(**row), headers={"ETag": _attribute_tag(row)})

    return call.write(work)


def _attribute_tag(row: sa.RowMapping | None) -> str:
    kept = ("attribute", "name", "about", "unit", "is_archived", "is_described")
    return tag_of("attribute", [row[name] for name in kept] if row else None)
