"""Letters: every template can be written, nothing given can break out of its place."""

from __future__ import annotations

from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ecom_assets.customers.notices import Letter, template
from ecom_assets.effects.mailing import compose
from ecom_assets.effects.model import Effect
from ecom_assets.shared.letters import AREAS_FOLDER, UnwritableLetter, one_line, write
from fixtures.mail import FACTS, letter

NOON = datetime(2024, 5, 1, 12, tzinfo=UTC)
SHIPPED: dict[str, Any] = {
    "order": "A-1", "name": None, "carrier": "Post & Co", "service": "Parcel", "units": 2,
    "shipped_at": "2024-05-02T08:00:00+00:00", "eta_at": "2024-05-04T08:00:00+00:00",
    "lines": [{"name": "Mug", "quantity": 2}],
}  # fmt: skip
EVIL = "Eve\r\nBcc: all@b.example\r\n\r\n<b>&\u2028"


def effect(**payload: Any) -> Effect:
    return Effect(1, "email", "<a@shop.example>", payload, NOON, 1, 0)


def test_a_confirmation_adds_up_in_words() -> None:
    written = write("customers/order_confirmed/1", {**FACTS, "discount_minor": 100})
    assert written.subject == "Your order A-1 is confirmed"
    assert "of 1 May 2024" in written.text
    assert "    2 x Mug: 20.00 EUR" in written.text
    assert "Discount: -1.00 EUR" in written.text
    assert written.text.endswith("Shipping: 4.90 EUR\nTotal: 24.90 EUR\n")
    assert "Discount" not in write("customers/order_confirmed/1", FACTS).text


def test_a_shipping_notice_says_who_carries_it_and_when_it_comes() -> None:
    written = write("customers/order_shipped/1", SHIPPED)
    assert written.text.startswith("Hello,\n")
    assert "left us on 2 May 2024 with Post & Co\n(Parcel)" in written.text
    assert "around 4 May 2024" in written.text
    assert "Post &amp; Co" in written.html


@pytest.mark.parametrize("which", Letter)
def test_every_letter_in_use_has_its_template(which: Letter) -> None:
    write(template(which), SHIPPED | FACTS)


@pytest.mark.parametrize(
    "name", ["customers/order_confirmed/0", "customers/order_confirmed", "a/b/1", "/etc/passwd/1"]
)
def test_no_other_file_is_read(name: str) -> None:
    with pytest.raises(UnwritableLetter):
        write(name, FACTS)
    assert AREAS_FOLDER.name == "ecom_assets"


def test_html_is_escaped() -> None:
    html = write("customers/order_confirmed/1", {**FACTS, "name": "<script>alert(1)</script>"}).html
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


@given(st.text(max_size=200), st.text(max_size=200))
def test_nothing_given_adds_a_header(order: str, name: str) -> None:
    payload = letter("a@a.example", name=name, facts={**FACTS, "order": order, "name": name})
    message = message_from_bytes(compose(effect(**payload), "S <s@s.example>", NOON).as_bytes())
    expected = ["Message-ID", "Date", "From", "To", "Subject", "Auto-Submitted", "MIME-Version"]
    assert message.keys() == [*expected, "Content-Type"]
    assert message["Message-ID"] == "<a@shop.example>"


def test_a_smuggled_header_is_part_of_the_name() -> None:
    payload = letter("a@a.example", name=EVIL, facts={**FACTS, "order": EVIL, "name": EVIL})
    sent = compose(effect(**payload), "S <s@s.example>", NOON).as_bytes()
    message = message_from_bytes(sent, policy=default)
    (to,) = message["To"].addresses
    assert (to.addr_spec, to.display_name) == ("a@a.example", "Eve Bcc: all@b.example <b>&")
    assert message["Bcc"] is None
    assert message["Subject"] == "Your order Eve Bcc: all@b.example <b>& is confirmed"


@pytest.mark.parametrize("address", ["a@a.example\nBcc: b@b.example", "a@a.example, b@b.example"])
def test_an_address_is_one_address(address: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        compose(effect(**letter(address)), "S <s@s.example>", NOON)


@given(st.text())
def test_one_line_is_one_line(text: str) -> None:
    assert len(one_line(text).splitlines()) <= 1


def test_a_long_reference_comes_back_as_it_was() -> None:
    reference = f"<{'a' * 40}@{'b' * 60}.example>"
    one = Effect(1, "email", reference, letter("a@a.example"), NOON, 1, 0)
    message = message_from_bytes(compose(one, "S <s@s.example>", NOON).as_bytes())
    assert message["Message-ID"].strip() == reference
