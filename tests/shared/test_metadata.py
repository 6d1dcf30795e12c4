"""What assets show: previews no value can break, money per currency, plots that are pictures."""

from __future__ import annotations

import base64
import struct
from datetime import date

import dagster as dg
import pytest
import sqlalchemy as sa
from hypothesis import given as drawn
from hypothesis import strategies as st

from ecom_assets.shared.flow import PENDING, Stage, hand_on
from ecom_assets.shared.metadata import (
    PREVIEW_ROWS,
    advanced,
    as_table,
    bar_plot,
    image,
    money,
    preview,
)
from fixtures.given import given, waits


def test_a_preview_is_a_table_with_a_header(conn: sa.Connection) -> None:
    rows = given(("sku", "order_id"), [("A", 1), ("B", 2)])
    assert preview(conn, rows).value == ("| sku | order_id |\n| --- | --- |\n| A | 1 |\n| B | 2 |")


def test_no_rows_are_said(conn: sa.Connection) -> None:
    assert preview(conn, given(("sku",), [])).value == "*no rows*"


def test_a_preview_keeps_the_order_of_the_select_and_is_short(conn: sa.Connection) -> None:
    rows = given(("order_id",), [(number,) for number in range(50)])
    last_first = rows.order_by(sa.literal_column("order_id").desc())
    shown = preview(conn, last_first).value.splitlines()[2:]
    assert shown == [f"| {number} |" for number in range(49, 49 - PREVIEW_ROWS, -1)]
    assert len(preview(conn, rows, most=3).value.splitlines()) == 5


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        ("", ""),
        ("a|b", "a\\|b"),
        ("two\nlines", "two lines"),
        ("carriage\r\nreturn\rtoo", "carriage return too"),
        ("日本語", "日本語"),
        (0, "0"),
        (False, "False"),
        (0.6457696400764679, "0.646"),
        (1200.0, "1200"),
        (-0.00004, "0"),
        (date(2020, 2, 29), "2020-02-29"),
        (["a", "b"], "['a', 'b']"),
        ("x" * 80, "x" * 80),
        ("x" * 81, "x" * 79 + "…"),
        ("x" * 78 + "|||", "x" * 78 + "\\|…"),
    ],
)
def test_a_cell_shows_its_value_on_one_line(value: object, cell: str) -> None:
    assert as_table(["name"], [(value,)]).splitlines()[2:] == [f"| {cell} |"]


@drawn(st.lists(st.text(), min_size=2, max_size=2))
def test_no_text_breaks_the_table(values: list[str]) -> None:
    table = as_table(["first", "second"], [values])
    _, _, *rows = table.split("\n")
    assert len(rows) == 1
    # a bar that no backslash escapes parts two cells
    assert rows[0].replace("\\|", "").count("|") == 3
    assert "\r" not in rows[0]


def test_money_is_written_per_currency_with_its_own_decimals(conn: sa.Connection) -> None:
    totals = given(("currency", "amount_minor"), [("EUR", 123_450), ("JPY", 500), ("KWD", 1)])
    assert money(conn, totals).value == "1,234.50 EUR, 500 JPY, 0.001 KWD"


@pytest.mark.parametrize("rows", [[], [("EUR", None)]], ids=["no rows", "a sum over nothing"])
def test_no_money_is_said(conn: sa.Connection, rows: list[tuple[str, int | None]]) -> None:
    assert money(conn, given(("currency", "amount_minor"), rows)).value == "none"


def test_sums_larger_than_a_bigint_are_exact(conn: sa.Connection) -> None:
    big = given(("currency", "amount_minor"), [("EUR", 2**63 - 1), ("EUR", 2**63 - 1)]).subquery()
    total = sa.select(big.c.currency, sa.func.sum(big.c.amount_minor)).group_by(big.c.currency)
    assert money(conn, total).value == "184,467,440,737,095,516.14 EUR"


def _size(shown: dg.MarkdownMetadataValue) -> tuple[int, int]:
    """Width and height of an embedded PNG, from its header."""
    encoded = shown.value.split("base64,")[1].rstrip(")")
    png = base64.b64decode(encoded, validate=True)
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    width, height = struct.unpack(">II", png[16:24])
    return width, height


@pytest.mark.parametrize(
    ("labels", "values"),
    [
        ([], []),
        (["only"], [1.0]),
        (["zero", "zero"], [0, 0]),
        (["below", "above"], [-5, 5]),
        ([date(2020, 1, day) for day in range(1, 32)], list(range(31))),
        ([f"日{number}" for number in range(3)], [10**12, 1, 10**-9]),
    ],
    ids=["empty", "one", "zeros", "negative", "a month", "wide range"],
)
@pytest.mark.filterwarnings("ignore:Glyph:UserWarning")
def test_a_plot_is_a_picture_whatever_the_values(labels: list[object], values: list[float]) -> None:
    shown = bar_plot(labels, values, "Orders", "orders")
    assert shown.value.startswith("![Orders](data:image/png;base64,")
    assert _size(shown) == (700, 260)


def test_a_plot_of_many_bars_stays_small_enough_for_an_event(conn: sa.Connection) -> None:
    shown = bar_plot([f"2020-W{week}" for week in range(60)], range(60), "Sales", "EUR")
    assert len(shown.value) < 60_000


def test_bars_without_a_label_are_a_programming_error() -> None:
    with pytest.raises(ValueError, match="shape mismatch"):
        bar_plot(["a", "b", "c"], [1.0, 2.0], "Odd", "orders")


def test_an_image_holds_its_bytes() -> None:
    assert image(b"\x00\xff", "dot").value == "![dot](data:image/png;base64,AP8=)"


def test_a_step_shows_the_size_of_its_table_and_its_counts(conn: sa.Connection) -> None:
    hand_on(conn, [Stage.SHIP], waits(1, 2))
    assert advanced(conn, PENDING, {"orders": 7, "held": 0}) == {
        "dagster/row_count": dg.MetadataValue.int(2),
        "orders": dg.MetadataValue.int(7),
        "held": dg.MetadataValue.int(0),
    }
