"""Families of products, and what channels ask for."""

from __future__ import annotations

from typing import Annotated, Any

import sqlalchemy as sa
from fastapi import APIRouter
from pydantic import Field, TypeAdapter
from starlette.responses import Response

from ecom_assets.catalog.model import TermRefused
from ecom_assets.catalog.store import requirements, terms
from gateway.api.answers import Answer, require_match, sent, tag_of
from gateway.api.calls import IfMatch
from gateway.api.catalogue import refusal
from gateway.api.catalogue_models import (
    FamilyGiven,
    FamilyTold,
    RequirementsGiven,
    RequirementsTold,
    RequirementTold,
)
from gateway.api.cursors import BY_NAME, Cursor, Limit, Page, paging
from gateway.api.faults import missing, unfit
from gateway.api.products import Author, Reader
from gateway.api.values import Named, Wanted

ROUTER = APIRouter(prefix="/catalogue", tags=["catalogue"])

_Plain = Annotated[str, Field(max_length=200)]
_BY_PLACE: TypeAdapter[tuple[Any, ...]] = TypeAdapter(tuple[_Plain, _Plain, _Plain, _Plain])
_MOST = 5_000


@ROUTER.get("/families", summary="List families", response_model=Page[FamilyTold])
def list_families(call: Reader, limit: Limit = 100, cursor: Cursor = None) -> Any:
    """With their attributes, by key."""
    asked = paging(limit, cursor, BY_NAME, "families")
    after = asked.after[0] if asked.after else None
    rows = call.read(lambda conn: terms.families(conn, after, limit + 1))
    return asked.page(rows, lambda row: FamilyTold(**row), ("family",))


@ROUTER.get("/families/{family:path}", summary="Show a family", response_model=FamilyTold)
def show_family(call: Reader, family: Named) -> Response:
    """Its ETag is what a change needs."""
    row = call.read(lambda conn: terms.family(conn, family))
    if row is None:
        raise missing(f"family {family}")
    return sent(200, {"ETag": _tag(row)}, FamilyTold(**row).model_dump_json())


@ROUTER.put("/families/{family:path}", summary="Set a family", response_model=FamilyTold)
def put_family(
    call: Author, family: Named, given: FamilyGiven, if_match: IfMatch = None
) -> Response:  # fmt: skip
    """New, with `If-Match: *`, or changed; its attributes are those named and no others.

    Products are judged by it with the next run of `catalog_completeness`, or when they change.
    """
    names = [row.attribute for row in given.attributes]
    _refuse_repeated("attributes", names)

    def work(conn: sa.Connection) -> Answer:
        terms.lock_term(conn, f"family/{family}")
        require_match(if_match, _tag(terms.family(conn, family)))
        _refuse_archived(conn, "attributes", names)
        attributes = [{"family": family, **row.model_dump()} for row in given.attributes]
        requirements.set_families(conn, [{"family": family, "name": given.name}], attributes)
        row = terms.family(conn, family)
        assert row is not None  # noqa: S101 - it was written just now
        return Answer(FamilyTold(**row), headers={"ETag": _tag(row)})

    return call.write(work)


@ROUTER.delete("/families/{family:path}", summary="Remove a family", status_code=204,
               response_model=None)  # fmt: skip
def forget_family(call: Author, family: Named, if_match: IfMatch = None) -> Response:
    """Only one that no product is of and no channel asks something of."""

    def work(conn: sa.Connection) -> Answer:
        terms.lock_term(conn, f"family/{family}")
        row = terms.family(conn, family)
        if row is None:
            raise missing(f"family {family}")
        require_match(if_match, _tag(row))
        try:
            terms.forget_family(conn, family)
        except TermRefused as refused:
            raise refusal(refused) from refused
        return Answer(None, 204)

    return call.write(work)


def _tag(row: sa.RowMapping | None) -> str:
    return tag_of("family", dict(row) if row else None)


def _refuse_repeated(field: str, names: list[Any]) -> None:
    seen: set[Any] = set()
    for place, name in enumerate(names):
        if name in seen:
            raise unfit(f"{field}.{place}", "repeated_row", "stands in a row before")
        seen.add(name)


def _refuse_archived(conn: sa.Connection, field: str, names: list[str]) -> None:
    archived = terms.archived_attributes(conn, names)
    for place, name in enumerate(names):
        if name in archived:
            raise unfit(f"{field}.{place}.attribute", "archived", f"{name} is archived")


@ROUTER.get("/requirements", summary="List what channels ask for",
            response_model=Page[RequirementTold])  # fmt: skip
def list_requirements(
    call: Reader, channel: Wanted = None, limit: Limit = 100, cursor: Cursor = None
) -> Any:
    """By channel, locale, family and attribute."""
    asked = paging(limit, cursor, _BY_PLACE, "requirements", channel)
    rows = call.read(lambda conn: terms.requirements(conn, channel, asked.after, limit + 1))
    keys = ("channel", "locale", "family", "attribute")
    return asked.page(rows, lambda row: RequirementTold(**row), keys)


@ROUTER.get("/requirements/{channel:path}", summary="Show what a channel asks for",
            response_model=RequirementsTold)  # fmt: skip
def show_requirements(call: Reader, channel: Named) -> Response:
    """All of it; nothing, for a channel that asks for nothing. Its ETag is what a change needs."""
    answer = call.read(lambda conn: _requirements(conn, channel))
    return sent(200, answer.headers, answer.body())


@ROUTER.put("/requirements/{channel:path}", summary="Set what a channel asks for",
            response_model=RequirementsTold)  # fmt: skip
def put_requirements(
    call: Author, channel: Named, given: RequirementsGiven, if_match: IfMatch = None
) -> Response:
    """All of it; what is not named is asked for no more.

    Products are judged by it with the next run of `catalog_completeness`, or when they change.
    """
    _refuse_repeated("rows", [(row.locale, row.family, row.attribute) for row in given.rows])

    def work(conn: sa.Connection) -> Answer:
        terms.lock_term(conn, f"channel/{channel}")
        require_match(if_match, _requirements(conn, channel).headers["ETag"])
        _refuse_archived(conn, "rows", [row.attribute for row in given.rows])
        for place, row in enumerate(given.rows):
            if row.family and terms.family(conn, row.family) is None:
                raise unfit(f"rows.{place}.family", "unknown_family", "there is no such family")
        rows = [{"channel": channel, **row.model_dump()} for row in given.rows]
        requirements.set_requirements(conn, [channel], rows)
        return _requirements(conn, channel)

    return call.write(work)


@ROUTER.delete("/requirements/{channel:path}", summary="Let a channel ask for nothing",
               status_code=204, response_model=None)  # fmt: skip
def forget_requirements(call: Author, channel: Named, if_match: IfMatch = None) -> Response:
    """Every product that is for sale may go there then."""

    def work(conn: sa.Connection) -> Answer:
        terms.lock_term(conn, f"channel/{channel}")
        require_match(if_match, _requirements(conn, channel).headers["ETag"])
        requirements.set_requirements(conn, [channel], [])
        return Answer(None, 204)

    return call.write(work)


def _requirements(conn: sa.Connection, channel: str) -> Answer:
    rows = terms.requirements(conn, channel, None, _MOST)
    model = RequirementsTold(items=[RequirementTold(**row) for row in rows])
    return Answer(model, headers={"ETag": tag_of("requirements", [dict(row) for row in rows])})
