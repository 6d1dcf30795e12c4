"""What changes through the entrance's own account of the database, which may do little."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from fixtures.entrance import PASSWORD, House
from gateway.api.rule_models import CASE, SETTINGS
from resources.database import DatabaseResource

API = "/api/v1"
ANY = {"If-Match": "*"}

_ENTERED = "small"
_ACCOUNT = (
    "DROP ROLE IF EXISTS small_account",
    f"CREATE ROLE small_account LOGIN PASSWORD '{PASSWORD}' IN ROLE ecom_app",
)


@pytest.fixture
def small_house(shop: House) -> House:
    """The entrance over the same shop, with an account of the role `ecom_app`."""
    for statement in _ACCOUNT:
        with shop.database.begin() as conn:
            conn.execute(sa.text(statement))
    url = sa.engine.make_url(shop.database.url).set(username="small_account", password=PASSWORD)
    database = DatabaseResource(url=url.render_as_string(hide_password=False))
    return House(database, shop.workspace)


def test_the_account_does_what_the_api_does(shop: House, small_house: House) -> None:
    shop.add("operator", *_roles())
    caller = small_house.log_in("operator")
    cup = {"sku": "CUP", "name": "A cup", "currency": "EUR"}
    rule = {"settings": SETTINGS, "examples": [{"name": "x", "given": CASE,
                                                "expected": {"outcome": "review"}}]}  # fmt: skip
    rate = {"country": "DE", "rate_bps": 1900, "valid_from_date": "2007-01-01"}
    sent: list[tuple[str, str, Any, int]] = [
        ("POST", "/products", cup, 201),
        ("PATCH", "/products/item/CUP", {"brand": "B"}, 200),
        ("POST", "/products/bulk", [cup | {"sku": "D"}], 200),
        ("POST", "/catalogue/categories", {"name": "Own"}, 201),
        ("PUT", "/catalogue/attributes/colour", {"name": "Colour"}, 200),
        ("PUT", "/catalogue/requirements/web", {"rows": [{"attribute": "gtin"}]}, 200),
        ("POST", "/catalogue/plans/bulk", {"name": "a.csv", "text": "sku,name\nE,e\n"}, 201),
        ("POST", "/rules/risk", rule, 201),
        ("POST", "/rules/risk/2/test", None, 200),
        ("POST", "/rules/risk/try", {"version": 2, "case": CASE}, 200),
        ("POST", "/rules/routing/try", {"version": 1, "order_id": 1}, 409),
        ("POST", "/taxes/rates", rate, 201),
        ("PUT", "/settings/backoffice.vat_answer_days", {"value": 5}, 200),
    ]
    for method, path, body, status in sent:
        headers = ANY if method in ("PATCH", "PUT") else {}
        answer = caller.request(method, f"{API}{path}", json=body, headers=headers)
        assert answer.status_code == status, (path, answer.text)
    with shop.database.begin() as conn:
        by = sa.text("SELECT DISTINCT actor FROM backoffice.audit_entries WHERE action = 'insert'"
                     " AND subject LIKE '%settings%'")  # fmt: skip
        assert list(conn.scalars(by)) == ["operator"]


def _roles() -> Any:
    from ecom_assets.backoffice.roles import Role

    return [Role.OPERATOR]
