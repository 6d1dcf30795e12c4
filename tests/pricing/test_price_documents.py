"""Documents of lists, limits and rules: what makes no sense is named by its table and place."""

from __future__ import annotations

import tomllib

import pytest
import sqlalchemy as sa

from ecom_assets.pricing.model import InvalidRule
from ecom_assets.pricing.store.documents import take_document
from fixtures.stock_shop import day

_LISTS = sa.text("SELECT channel, currency, customer_group, tax_bps FROM pricing.price_lists")


def take(conn: sa.Connection, text: str) -> list[str]:
    return take_document(conn, tomllib.loads(text), day(0), "ann")


def test_a_list_is_opened_by_its_name(conn: sa.Connection) -> None:
    told = take(conn, '[[list]]\nlist = "web/EUR/club"\ntax_bps = 700\n')
    assert len(told) == 1
    assert told[0].endswith("is open")
    assert conn.execute(_LISTS).tuples().all() == [("web", "EUR", "club", 700)]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('[[list]]\nchannel = "web"\ncurrency = "EUR"\n', "list 1: a list is named as in list ="),
        ('[[list]]\nlist = "web/EUR"\ncolour = "red"\n', "list 1: .* has no colour"),
        ('[[list]]\nlist = "web"\n', "list 1: 'web' names no list"),
        ('[[list]]\nlist = "web/EUR"\n[[limit]]\nminimum_minor = 1\n', "limit 1: .* needs a list"),
        ('[[rules]]\nname = "x"\n', "no table is called rules"),
        ('[[rule]]\nname = "x"\nkind = "guess"\n', "rule 1: "),
    ],
)
def test_what_makes_no_sense_is_named(conn: sa.Connection, text: str, problem: str) -> None:
    with pytest.raises(InvalidRule, match=problem):
        take(conn, text)
