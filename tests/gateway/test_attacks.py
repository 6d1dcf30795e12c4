"""What somebody who means harm tries with a login of their own, or with none."""

from __future__ import annotations

import csv
import importlib
import io
import logging
import pkgutil
import re
import statistics
import time
import zipfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

import ecom_assets
import gateway
from ecom_assets.backoffice.roles import Role
from ecom_assets.backoffice.store import api_keys
from ecom_assets.backoffice.tables import AUDIT_ENTRIES
from fixtures.entrance import ADDRESS, PASSWORD, House
from fixtures.screens import token_on
from gateway.accounts.identity import own_path
from gateway.limits import REFUSED_PER_ADDRESS

API = "/api/v1"
OWN = {"Origin": ADDRESS}
ANY_TAG = {"If-Match": "*"}


def test_keys_of_others_are_not_there(house: House) -> None:
    """Neither seen nor taken back, whatever number is asked for."""
    ann = house.add("ann", Role.VIEWER)
    with house.database.begin() as conn:
        number, _ = api_keys.make_key(
            conn, ann, "hers", ["*:read"], datetime.now(UTC), api_keys.LONGEST_LASTING
        )
    for other in (house.someone(Role.OPERATOR), house.someone(Role.ADMIN)):
        for method in ("GET", "DELETE"):
            answer = other.request(method, f"{API}/profile/keys/{number}", headers=ANY_TAG)
            assert answer.status_code == 404
        assert other.get(f"{API}/profile/keys").json()["items"] == []
    assert house.log_in("ann").get(f"{API}/profile/keys/{number}").status_code == 200


@pytest.mark.parametrize("body", [
    {"roles": ["admin"]}, {"user_id": 1}, {"full_name": "x", "roles": ["admin"]}, {"name": "root"},
    {"is_active": True}, {"password_hash": "x"}, {"version": 1}, {"issuer": "x"},
    {"__class__": "x"}, {"full_name": {"$ne": 1}}, {"full_name": ["x"]},
])  # fmt: skip
def test_nobody_gives_themselves_more_by_their_profile(house: House, body: dict[str, Any]) -> None:
    viewer = house.someone(Role.VIEWER)
    answer = viewer.patch(f"{API}/profile", json=body, headers=ANY_TAG)
    assert answer.status_code == 422, answer.text
    assert viewer.get(f"{API}/profile").json()["roles"] == ["viewer"]


def test_a_key_makes_no_keys_and_changes_no_profile(house: House) -> None:
    machine = house.with_key(house.add("root", Role.ADMIN), "*:read", "*:administer")
    given = {"purpose": "more", "scopes": ["*:approve"]}
    assert machine.post(f"{API}/profile/keys", json=given).status_code == 403
    assert (
        machine.patch(f"{API}/profile", json={"full_name": "x"}, headers=ANY_TAG).status_code == 403
    )


def test_a_key_for_more_than_its_user_may_gives_no_more(house: House) -> None:
    machine = house.with_key(house.add("ann", Role.VIEWER), "*:administer", "*:read", "*:operate")
    assert machine.get(f"{API}/users").status_code == 403
    assert machine.get(f"{API}/profile").status_code == 200


def test_a_key_dies_with_the_rights_of_its_user(house: House) -> None:
    house.add("root", Role.ADMIN)
    number = house.add("ann", Role.ADMIN)
    machine, root = house.with_key(number, "*:administer", "*:read"), house.log_in("root")
    assert machine.get(f"{API}/users").status_code == 200
    tag = root.get(f"{API}/users/{number}").headers["etag"]
    changed = root.patch(f"{API}/users/{number}", json={"roles": ["viewer"]},
                         headers={"If-Match": tag})  # fmt: skip
    assert changed.status_code == 200
    assert machine.get(f"{API}/users").status_code == 403


def test_bad_keys_are_counted_and_written_down(house: House) -> None:
    visitor = house.visitor()
    visitor.headers["Authorization"] = "Bearer ecom_0123456789abcdef_" + "x" * 43
    most = REFUSED_PER_ADDRESS.item.amount
    answers = [visitor.get(f"{API}/profile") for _ in range(most + 3)]
    assert {answer.status_code for answer in answers[:most]} == {401}
    assert {answer.status_code for answer in answers[most:]} == {429}
    assert int(answers[-1].headers["retry-after"]) > 0
    table = AUDIT_ENTRIES
    with house.database.begin() as conn:
        found = conn.execute(sa.select(table.c.actor, table.c.detail, table.c.subject)).all()
    assert set(map(tuple, found)) == {("(nobody)", "this key is not good", f"{API}/profile")}
    assert len(found) == most


def test_good_requests_from_the_same_address_go_on(house: House) -> None:
    ann = house.someone(Role.VIEWER)
    bad = house.visitor()
    for _ in range(REFUSED_PER_ADDRESS.item.amount + 1):
        bad.get("/", headers={"Authorization": "Bearer x"})
    assert ann.get(f"{API}/profile").status_code == 200


def test_an_unknown_name_takes_as_long_as_a_known_one(house: House) -> None:
    house.add("ann", Role.VIEWER)
    visitor = house.visitor()

    def taken(name: str) -> float:
        begun = time.perf_counter()
        visitor.post("/login", data={"name": name, "password": "wrong wrong"}, headers=OWN)
        return time.perf_counter() - begun

    taken("warm")
    pairs = [(taken("ann"), taken(f"nobody{number}")) for number in range(7)]
    known, unknown = (statistics.median(each) for each in zip(*pairs, strict=True))
    assert 0.5 < known / unknown < 2, pairs


def test_two_logins_are_two_sessions(house: House) -> None:
    house.add("ann", Role.VIEWER)
    first, second = house.log_in("ann"), house.log_in("ann")
    assert first.cookies["ecom"] != second.cookies["ecom"]
    assert first.post("/logout").status_code == 303
    assert second.get(f"{API}/profile").status_code == 200


@pytest.mark.parametrize("name", ["ann\r\nroot login done", "ann\x1b[2J", "ann\u2028x", "{0}%s%n"])
def test_a_name_of_several_lines_makes_no_lines_in_the_log(
    house: House, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answer = house.visitor().post(
            "/login", data={"name": name, "password": "wrong wrong"},
            headers={**OWN, "User-Agent": "x\ty"},
        )  # fmt: skip
    assert answer.status_code == 401
    logged = [record.getMessage() for record in caplog.records if record.name.startswith("gateway")]
    assert not [line for line in logged if "root login" in line or "\x1b" in line]
    with house.database.begin() as conn:
        assert conn.scalar(sa.select(sa.func.count()).select_from(AUDIT_ENTRIES)) == 1


FORMULAS = ["=cmd|'/c calc'!A1", "+1+1", "-2+3", "@SUM(A1)", " =1+1", '=HYPERLINK("http://x")']


def test_what_is_taken_away_as_csv_holds_no_formulas(house: House) -> None:
    root = house.someone(Role.ADMIN)
    for number, formula in enumerate(FORMULAS):
        user_id = house.add(f"eve{number}", Role.VIEWER)
        tag = root.get(f"{API}/users/{user_id}").headers["etag"]
        body = {"full_name": formula}
        answer = root.patch(f"{API}/users/{user_id}", json=body, headers={"If-Match": tag})
        assert answer.status_code == 200, answer.text
    answer = export_of(root, "users", {"filename": 'users"; x="\r\nSet-Cookie: a=b'})
    assert answer.status_code == 200, answer.text[:500]
    cells = [cell for row in csv.reader(io.StringIO(answer.text)) for cell in row]
    assert {f"'{formula}" for formula in FORMULAS} <= set(cells)
    assert not [cell for cell in cells if cell.lstrip()[:1] in set("=+-@")]
    named = answer.headers["content-disposition"]
    assert named.startswith("attachment; filename=")
    assert named.count('"') == 2
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("given", "named"),
    [("Kunden äöü 顧客", "Kunden ___ __"), ("x" * 300, "x" * 100)],
)
def test_a_table_is_taken_away_under_any_name(house: House, given: str, named: str) -> None:
    answer = export_of(house.someone(Role.ADMIN), "users", {"filename": given})
    assert answer.status_code == 200, answer.text[:500]
    assert answer.headers["content-disposition"] == f'attachment; filename="{named}.csv"'


def export_of(caller: TestClient, key: str, given: Mapping[str, str]) -> Any:
    token = token_on(caller.get("/screens/account"))
    data = {"scope": "page", "format": "csv", **given}
    return caller.post(f"/screens/_api/{key}/action?name=export", data=data,
                       headers={"X-CSRFToken": token})  # fmt: skip


def test_who_may_not_export_gets_no_file(house: House) -> None:
    """The right to take tables away is asked for, not only whether the button is shown."""
    analyst, viewer = house.someone(Role.ANALYST), house.someone(Role.VIEWER)
    assert export_of(analyst, "carriers", {}).status_code == 200
    assert export_of(analyst, "users", {}).status_code == 400
    for key in ("users", "carriers", "services"):
        answer = export_of(viewer, key, {})
        assert answer.status_code == 400, answer.text[:200]  # the library's word for it
        assert "content-disposition" not in answer.headers


@given(st.text(max_size=40) | st.from_regex(r"[/\\]{0,3}[\t\n\r :@.]{0,3}(evil\.example)?.{0,5}"))
def test_no_text_whatever_leads_elsewhere(target: str) -> None:
    """As a browser reads it: control characters dropped, a backslash taken for a slash."""
    found = own_path(target)
    read = re.sub(r"[\t\n\r]", "", found).strip(" \x00\x1f").replace("\\", "/")
    assert re.match(r"/(?!/)", read)


def test_an_error_of_the_provider_stays_on_its_line(
    caplog: pytest.LogCaptureFixture, house: House
) -> None:
    """The text of such an error may come from the address, which anybody may call."""
    from gateway.accounts.oidc import OidcPages, ProviderRefused

    visitor = house.visitor()
    visitor.get("/login")
    pages = OidcPages.__new__(OidcPages)
    request: Any = type("Asked", (), {"state": type("S", (), {"principal": None})(),
                                      "url": type("U", (), {"path": "/"})()})()  # fmt: skip
    with caplog.at_level(logging.WARNING, "gateway.oidc"):
        pages._no_way(request, ProviderRefused("no\r\n2026-01-01 root login done"))
    [record] = caplog.records
    assert "\n" not in record.getMessage()
    assert "\r" not in record.getMessage()


def patterns() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Every regular expression that a module keeps."""
    for package in (gateway, ecom_assets):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if found.name.endswith("__main__") or "simulat" in found.name:
                continue
            for name, value in vars(importlib.import_module(found.name)).items():
                if isinstance(value, re.Pattern) and isinstance(value.pattern, str):
                    yield f"{found.name}.{name}", value


def test_no_regular_expression_takes_for_ever() -> None:
    """Long texts of what patterns repeat, with an end that matches nothing."""
    pieces = ["a", "1", " ", "-", ".", "1,", "a-", "1.1", "a ", ", ", "'", "\u05d0 ", "/a", "0 ",
              "=",
              "\t", "_", "A", "1 - a", "http://"]  # fmt: skip
    slow = []
    known = list(patterns())
    assert len(known) > 20
    for name, pattern in known:
        begun = time.perf_counter()
        for piece in pieces:
            text = piece * (4_000 // len(piece)) + "\x00!"
            pattern.fullmatch(text)
            pattern.search(text)
        if time.perf_counter() - begun > 2:
            slow.append(name)
    assert not slow


def workbook(sheet: bytes, shared: bytes = b"") -> bytes:
    """A workbook whose only sheet is as given."""
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    kinds = "application/vnd.openxmlformats-officedocument.spreadsheetml"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml",
            '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
            f'<Override PartName="/xl/workbook.xml" ContentType="{kinds}.sheet.main+xml"/>'
            f'<Override PartName="/xl/s.xml" ContentType="{kinds}.worksheet+xml"/>'
            '</Types>')  # fmt: skip
        archive.writestr("_rels/.rels",
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            f'<Relationship Id="r1" Type="{rel}/officeDocument" Target="xl/workbook.xml"/>'
            '</Relationships>')  # fmt: skip
        archive.writestr("xl/workbook.xml",
            f'<workbook xmlns="{main}" xmlns:r="{rel}"><sheets>'
            '<sheet name="a" sheetId="1" r:id="r1"/></sheets></workbook>')  # fmt: skip
        archive.writestr("xl/_rels/workbook.xml.rels",
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            f'<Relationship Id="r1" Type="{rel}/worksheet" Target="s.xml"/>'
            '</Relationships>')  # fmt: skip
        archive.writestr("xl/s.xml", sheet)
        archive.writestr("xl/more.xml", shared)
    return packed.getvalue()


_LAUGHS = (
    b'<!DOCTYPE x [<!ENTITY a "%s">' % (b"ha" * 50)
    + b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
    + b"]>"
)
_HEAD = b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
_ROW = b'<row r="1"><c r="A1" t="inlineStr"><is><t>%s</t></is></c></row></sheetData></worksheet>'

BOMBS = {
    "entities": workbook(b'<?xml version="1.0"?>' + _LAUGHS + _HEAD + _ROW % b"&j;"),
    "file": workbook(
        b'<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]>' + _HEAD + _ROW % b"&f;"
    ),
    "zeros": workbook(_HEAD + _ROW % b"x", b"\x00" * 200_000_000),
    "no zip": b"PK\x03\x04" + b"\x00" * 1_000,
}


@pytest.mark.parametrize("bomb", BOMBS)
def test_a_workbook_that_is_a_trap_is_refused(house: House, bomb: str) -> None:
    operator = house.someone(Role.OPERATOR)
    begun = time.perf_counter()
    answer = operator.post(
        f"{API}/transport/rate-lists", content=BOMBS[bomb],
        headers={"Content-Type":
                 "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"},
    )  # fmt: skip
    assert answer.status_code in (404, 413, 422), answer.text[:500]
    assert "root:" not in answer.text
    assert "haha" not in answer.text
    assert time.perf_counter() - begun < 10


def test_a_session_is_found_by_its_token_only(house: House) -> None:
    """Neither its number nor the hash that the database keeps opens anything."""
    house.someone(Role.VIEWER)
    with house.database.begin() as conn:
        row = conn.execute(sa.text("SELECT session_id, token_hash FROM backoffice.sessions")).one()
    for value in (str(row.session_id), row.token_hash, "", "x" * 5_000, "%00", "' OR '1'='1"):
        visitor = house.visitor()
        visitor.cookies["ecom"] = value
        assert visitor.get(f"{API}/profile").status_code == 401


def test_the_password_is_nowhere_in_what_is_kept(house: House) -> None:
    house.someone(Role.VIEWER)
    with house.database.begin() as conn:
        kept = conn.execute(sa.text(
            "SELECT row_to_json(u)::text FROM backoffice.users u UNION ALL "
            "SELECT row_to_json(s)::text FROM backoffice.sessions s UNION ALL "
            "SELECT row_to_json(a)::text FROM backoffice.audit_entries a"
        )).scalars().all()  # fmt: skip
    assert not [row for row in kept if PASSWORD in row]
    assert sum("$argon2id$" in row for row in kept) == 1
