"""What the API about categories, attributes, families, demands and plans takes and tells."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import Path
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from gateway.api.product_models import AttributeName, Locale
from gateway.api.values import MOST_BIGINT, Given, Name, Note, Reason, Told

PlanState = Literal["planned", "applied", "reverted", "rejected"]
Action = Literal["create", "update", "skip", "error"]
AttributeKey = Annotated[str, Path(min_length=1, max_length=100, pattern="^[a-z0-9_]+$")]
Hash = Annotated[str, Path(min_length=6, max_length=64, pattern="^[0-9a-f]+$",
                           description="The plan's hash, or its beginning.")]  # fmt: skip


def _part(text: str) -> str:
    if ">" in text or text != text.strip():
        raise PydanticCustomError("part_of_path", "must not hold > or have blanks around it")
    return text


Part = Annotated[Name, AfterValidator(_part)]


class CategoryGiven(Given):
    """A category of the shop's own."""

    name: Part
    parent_id: int | None = Field(
        None, ge=1, le=MOST_BIGINT, description="Category above; none for a root."
    )


class CategoryNameGiven(Given):
    """What a category is to be called."""

    name: Part


class CategoryTold(Told):
    """A category of the taxonomy."""

    category_id: int
    parent_id: int | None
    name: str
    path: str = Field(description="Names from the root down, parted by ' > '.")
    is_own: bool = Field(description="Whether it is the shop's own; others are published.")
    has_children: bool


class AttributeGiven(Given):
    """What an attribute is called and means."""

    name: Name = Field(description="Shown to people.", examples=["Colour"])
    about: Note = Field("", description="What it says of a product.")
    unit: Annotated[str, Field(max_length=50)] = Field(
        "", description="What figures are counted in; empty for a text."
    )
    is_archived: bool = Field(False, description="To be used no more; only where nothing uses it.")


class AttributeTold(Told):
    """An attribute."""

    attribute: str
    name: str
    about: str
    unit: str
    is_archived: bool
    is_described: bool = Field(description="Whether somebody said what it means.")
    families: list[str] = Field(description="Families that have it.")
    channels: list[str] = Field(description="Channels that ask for it.")


class FamilyAttribute(Given):
    """An attribute of a family."""

    attribute: AttributeName
    is_required: bool = Field(description="Whether products of the family must have it.")


class FamilyGiven(Given):
    """A family: all of its attributes."""

    name: Name
    attributes: Annotated[list[FamilyAttribute], Field(max_length=500)]


class FamilyAttributeTold(Told):
    """An attribute of a family."""

    attribute: str
    is_required: bool


class FamilyTold(Told):
    """A family of products that are described by the same attributes."""

    family: str
    name: str
    attributes: list[FamilyAttributeTold]


class RequirementGiven(Given):
    """Something a channel asks for."""

    attribute: AttributeName = Field(
        description="An attribute, a member of the product such as gtin, or `image`."
    )
    locale: Locale = ""
    family: Annotated[str, Field(max_length=200)] = Field(
        "", description="Of products of this family only; of all, if empty."
    )
    is_localised: bool = Field(False, description="Whether only a value in this locale counts.")
    is_blocking: bool = Field(True, description="Whether a product without it is held back.")


class RequirementsGiven(Given):
    """All that a channel asks for."""

    rows: Annotated[list[RequirementGiven], Field(max_length=2000)]


class RequirementTold(Told):
    """Something a channel asks for."""

    channel: str
    locale: str
    family: str
    attribute: str
    is_localised: bool
    is_blocking: bool


class RequirementsTold(Told):
    """All that a channel asks for; products are judged by it with the next run."""

    items: list[RequirementTold]


class FileGiven(Given):
    """A catalogue file."""

    name: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^/\\\x00-\x1f]+$")] = (
        Field(description="Name of the file, as people know it.", examples=["spring.csv"])
    )
    text: str | None = Field(
        None, max_length=32_000_000, description="The file, where it is text: CSV, TSV, XML.",
        examples=["sku,name,price\nSKU-9,A cup,9.90\n"],
    )  # fmt: skip
    base64: str | None = Field(
        None, max_length=32_000_000, description="The file otherwise, such as XLSX."
    )
    format: Literal["csv", "xlsx", "shopify", "merchant"] | None = Field(
        None, description="Recognised, if not given."
    )
    columns: Annotated[dict[str, Name], Field(max_length=200)] = Field(
        {}, description="Column by field, where names do not say it, as in docs/catalogue.md.",
        examples=[{"sku": "Article"}],
    )  # fmt: skip
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = Field(
        None, description="Of prices that state none."
    )


class PlanTold(Told):
    """What an import would change, or changed."""

    plan_id: int
    hash: str
    source: str
    format: str
    state: PlanState
    rows_read: int
    rows_create: int
    rows_update: int
    rows_skip: int
    rows_error: int
    planned_at: datetime
    applied_at: datetime | None
    reverted_at: datetime | None
    requested_by: str = Field(description="Who may not approve it; empty for a program.")
    decided_by: str
    decision_note: str
    settings: Any = Field(description="How the file was read: columns, currency.")


class FoundTold(Told):
    """How often something was found in the rows of a plan."""

    code: str
    field: str | None
    is_error: bool
    rows: int


class WholePlanTold(PlanTold):
    """A plan with what was found in its rows."""

    found: list[FoundTold]


class FindingTold(Told):
    """What was found of a row."""

    field: str | None
    code: str
    value: str | None
    is_error: bool


class PlanRowTold(Told):
    """A row of a plan."""

    row_no: int = Field(description="Record of the source, from 1 without the header.")
    sku: str | None
    action: Action
    before: dict[str, Any] | None = Field(description="Values the change replaces.")
    after: dict[str, Any] | None = Field(description="Values it sets.")
    findings: list[FindingTold]
    kept_because: str | None = Field(description="Why it outlived the plan's reversal.")


class ApprovalGiven(Given):
    """An approval."""

    note: Note = ""


class RejectionGiven(Given):
    """A rejection."""

    note: Reason


class AppliedTold(Told):
    """What applying or reverting a plan did."""

    plan: PlanTold
    created: int = Field(description="Products made, or removed again.")
    updated: int = Field(description="Products changed, or changed back.")
    kept: int = Field(description="Rows whose change outlives the reversal; see their rows.")
