"""Price lists over the API: uploaded in every form, looked at, applied once."""

from __future__ import annotations

import io
from typing import Any

from starlette.testclient import TestClient

from ecom_assets.backoffice.roles import Role
from fixtures.api_shop import ask
from fixtures.entrance import House
from fixtures.kept_card import API, RATE, change, furnish
from gateway.api.before import FILE_KINDS, MOST_FILE_BYTES

LISTS = f"{API}/rate-lists"
XLSX = FILE_KINDS[-1]
CSV = """\
service;zone;from_kg;to_kg;price;currency;valid_from
NLN-STD;NEAR;0;5;5,20;EUR;2027-01-01
NLN-STD;NEAR;5;31,5;7,20;EUR;2027-01-01
"""


def upload(caller: TestClient, content: bytes | str, kind: str = "text/csv", **query: Any) -> Any:
    body = content.encode() if isinstance(content, str) else content
    return caller.post(LISTS, content=body, headers={"Content-Type": kind}, params=query)


def test_a_list_is_looked_at_and_then_applied_once(shop: House, operator: TestClient) -> None:
    furnish(operator)
    made = upload(operator, CSV, file_name="nln-2027.csv")
    assert made.status_code == 201, made.text
    told = made.json()
    assert (told["created"], told["changed"], told["failed"]) == (1, 1, 0)
    assert (told["file_name"], told["state"]) == ("nln-2027.csv", "previewed")
    path = made.headers["location"]
    assert operator.get(path).json() == told
    first, second = operator.get(f"{path}/rows").json()["items"]
    assert (first["outcome"], first["price_minor"], first["row_number"]) == ("change", 520, 2)
    assert [rate["price_minor"] for rate in first["replaces"]] == [RATE["price_minor"]]
    assert (second["outcome"], second["to_g"], second["replaces"]) == ("create", 31_500, [])
    assert len(operator.get(f"{API}/rates").json()["items"]) == 1
    body = {"plan_hash": told["plan_hash"]}
    applied = operator.post(f"{path}/apply", json=body, headers={"Idempotency-Key": "a"})
    assert (applied.status_code, applied.json()["decided_by"]) == (200, "operator")
    rates = operator.get(f"{API}/rates").json()["items"]
    assert [(rate["price_minor"], rate["valid_to_at"]) for rate in rates] == [
        (490, "2027-01-01T00:00:00Z"), (520, None), (720, None),
    ]  # fmt: skip
    again = operator.post(f"{path}/apply", json=body, headers={"Idempotency-Key": "a"})
    assert (again.status_code, again.headers["idempotent-replayed"]) == (200, "true")
    twice = operator.post(f"{path}/apply", json=body)
    assert (twice.status_code, twice.json()["code"]) == (409, "decided")
    assert operator.post(f"{path}/discard").status_code == 409
    assert len(operator.get(f"{API}/rates").json()["items"]) == 3
    known = upload(operator, CSV).json()
    assert (known["unchanged"], known["created"], known["changed"]) == (2, 0, 0)
    assert ask(
        shop.database, "SELECT count(*) FROM backoffice.audit_entries"
        " WHERE subject LIKE 'transport.rates/NLN-STD/NEAR/%' AND actor = 'operator'",
    ) == 4  # fmt: skip


def test_rates_that_changed_meanwhile_or_bad_rows_stop_it(operator: TestClient) -> None:
    furnish(operator)
    told = upload(operator, CSV).json()
    path, body = f"{LISTS}/{told['rate_list_id']}", {"plan_hash": told["plan_hash"]}
    (rate,) = operator.get(f"{API}/rates").json()["items"]
    change(operator, f"rates/{rate['rate_id']}", valid_to_at="2026-12-01T00:00:00Z")
    refused = operator.post(f"{path}/apply", json=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "rates_changed")
    other = operator.post(f"{path}/apply", json={"plan_hash": "0" * 64})
    assert (other.status_code, other.json()["code"]) == (409, "other_preview")
    assert operator.post(f"{path}/discard").json()["state"] == "discarded"
    bad = upload(operator, CSV.replace("7,20", "1,234").replace("NEAR;0", "MOON;0")).json()
    path = f"{LISTS}/{bad['rate_list_id']}"
    rows = operator.get(f"{path}/rows", params={"outcome": "error"}).json()["items"]
    assert [(row["row_number"], row["field"], row["problem"]) for row in rows] == [
        (2, "zone_code", "unknown_zone"), (3, "price", "not_a_number"),
    ]  # fmt: skip
    stopped = operator.post(f"{path}/apply", json={"plan_hash": bad["plan_hash"]})
    assert (stopped.status_code, stopped.json()["code"]) == (409, "has_errors")
    listed = operator.get(LISTS, params={"state": "previewed"}).json()["items"]
    assert [each["rate_list_id"] for each in listed] == [bad["rate_list_id"]]
    page = operator.get(f"{path}/rows", params={"limit": 1}).json()
    rest = operator.get(f"{path}/rows", params={"limit": 1, "cursor": page["next"]}).json()
    assert [row["row_number"] for row in page["items"] + rest["items"]] == [2, 3]


def test_every_kind_of_file_is_read(operator: TestClient) -> None:
    from openpyxl import Workbook

    furnish(operator)
    expected = [("change", 520), ("create", 720)]
    aligned = CSV.replace(";", "    ")
    book, stream = Workbook(), io.BytesIO()
    for line in CSV.splitlines():
        book.active.append(line.split(";"))
    book.save(stream)
    forms: list[tuple[bytes | str, str]] = [
        (CSV, "text/csv; charset=utf-8"), (CSV.replace(";", "\t"), "text/tab-separated-values"),
        (aligned, "text/plain"), (stream.getvalue(), XLSX),
    ]  # fmt: skip
    made = [upload(operator, content, kind) for content, kind in forms]
    made.append(operator.post(LISTS, json={"text": aligned}))
    for answer in made:
        assert answer.status_code == 201, answer.text
        rows = operator.get(f"{answer.headers['location']}/rows").json()["items"]
        assert [(row["outcome"], row["price_minor"]) for row in rows] == expected


def test_what_a_list_leaves_out_is_asked_for_in_the_query(operator: TestClient) -> None:
    furnish(operator)
    content = "service zone from_g to_g price\nNLN-STD NEAR 0 5000 5.20\n"
    unsaid = upload(operator, content, "text/plain").json()
    assert unsaid["failed"] == 1
    said = upload(operator, content, "text/plain", currency="EUR",
                  valid_from_at="2027-01-01T00:00:00Z")  # fmt: skip
    (row,) = operator.get(f"{said.headers['location']}/rows").json()["items"]
    assert (row["outcome"], row["valid_from_at"]) == ("change", "2027-01-01T00:00:00Z")


def test_bodies_that_are_no_rate_list_are_refused(clerk: TestClient) -> None:
    for content, kind, status in (
        (b"", "text/csv", 422), (b"hello", "text/csv", 422), (b"\xff", "text/plain", 422),
        (b"PK\x03\x04", XLSX, 422), (b"{}", "application/xml", 415),
        (b"x" * (MOST_FILE_BYTES + 1), "text/csv", 413), (b"{}", "application/json", 422),
        (b'{"text": "a", "more": 1}', "application/json", 422),
    ):  # fmt: skip
        answer = upload(clerk, content, kind)
        assert answer.status_code == status, (content[:20], answer.text)
    named = clerk.post(LISTS, json={"text": 1}).json()["errors"]
    assert named[0]["field"] == "text"
    assert upload(clerk, CSV, currency="XXX").json()["errors"][0]["field"] == "currency"


def test_a_viewer_sees_previews_and_makes_none(shop: House, operator: TestClient) -> None:
    furnish(operator)
    told = upload(operator, CSV).json()
    viewer = shop.someone(Role.VIEWER)
    assert viewer.get(f"{LISTS}/{told['rate_list_id']}/rows").status_code == 200
    assert upload(viewer, CSV).status_code == 403
    answer = viewer.post(f"{LISTS}/{told['rate_list_id']}/apply", json={"plan_hash": "x"})
    assert answer.status_code == 403
