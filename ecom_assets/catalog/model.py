"""Values of the catalog area."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

FALLBACK_G = 500
"""Shipping weight in grams of a product of a shop that states no weight at all."""


class PlanRefused(Exception):
    """A plan cannot be applied or reverted; the message says why and names rows."""


class TermRefused(ValueError):
    """A change of a category, attribute or family that is refused; says why.

    Attributes:
        field: what is wrong; empty where it is the whole.
    """

    def __init__(self, message: str, field: str = "") -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class PlanSource:
    """Where the rows of a plan come from and how they are read.

    Attributes:
        name: name of the file, or what else it is.
        format: csv, xlsx, shopify, merchant, feed or command.
        digest: SHA-256 of the file, hexadecimal; empty where there is none.
        settings: what else decides how rows are understood.
    """

    name: str
    format: str
    digest: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan as people see it.

    Attributes:
        plan_id: surrogate key.
        hash: SHA-256 it is applied by.
        source: name of the file or feed.
        format: csv, xlsx, shopify, merchant, feed or command.
        state: planned, applied, reverted or rejected.
        rows_read: records of the source; the next four add up to it.
        rows_create: rows that make a product.
        rows_update: rows that change a product.
        rows_skip: rows that change nothing.
        rows_error: rows that cannot be used.
        planned_at: when it was asked for.
    """

    plan_id: int
    hash: str
    source: str
    format: str
    state: str
    rows_read: int
    rows_create: int
    rows_update: int
    rows_skip: int
    rows_error: int
    planned_at: datetime


@dataclass(frozen=True, slots=True)
class Applied:
    """What applying or reverting a plan did.

    Attributes:
        plan: the plan afterwards.
        created: products made, or removed again.
        updated: products changed, or changed back.
        kept: rows whose change outlives the reversal.
    """

    plan: Plan
    created: int
    updated: int
    kept: int = 0
