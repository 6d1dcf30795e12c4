"""Login by an OIDC provider, against a provider in a program of its own kind."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import oidc_provider_mock
import pytest

from ecom_assets.backoffice.roles import Role
from ecom_assets.backoffice.store import users
from fixtures.entrance import ADDRESS, House
from gateway.settings import Oidc

PEOPLE = (
    oidc_provider_mock.User(
        sub="007", claims={"name": "Ann Other", "email": "ann@shop.example",
                           "preferred_username": "Ann", "groups": ["ops", "all"]},
    ),
    oidc_provider_mock.User(sub="008", claims={"preferred_username": "bob", "groups": ["all"]}),
)  # fmt: skip
ROLES = {"ops": Role.OPERATOR, "bosses": Role.ADMIN}
Journey = Callable[..., Any]


@pytest.fixture(scope="module")
def provider() -> Iterator[str]:
    """Address of a provider that knows two people."""
    with oidc_provider_mock.run_server_in_thread(user_claims=PEOPLE) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
def company(house: House, provider: str) -> House:
    """An entrance where the company's people log in by its provider."""
    oidc = Oidc(provider, "shop", "hush", ROLES)
    return house.with_settings(replace(house.settings, oidc=oidc))


def at_provider(location: str, who: str) -> str:
    """What a person's browser does at the provider; returns where it is sent back to."""
    answer = httpx2.post(location, data={"sub": who})
    assert answer.status_code == 302, answer.text
    return str(answer.headers["location"])


def journey(house: House, who: str, visitor: Any = None) -> Any:
    visitor = visitor or house.visitor()
    left = visitor.get("/login/oidc/?next=/dagster/runs")
    assert left.status_code == 302, left.text
    back = at_provider(left.headers["location"], who)
    assert back.startswith(f"{ADDRESS}/login/oidc/back?")
    return visitor, visitor.get(back.removeprefix(ADDRESS))


def test_a_person_comes_in_with_the_roles_of_the_groups(company: House) -> None:
    visitor, answer = journey(company, "007")
    assert (answer.status_code, answer.headers["location"]) == (303, "/dagster/runs")
    assert "Ann Other" in visitor.get("/screens/").text
    with company.database.begin() as conn:
        ann = users.user_named(conn, "ann")
    assert (ann.roles, ann.email, ann.has_password) == ((Role.OPERATOR,), "ann@shop.example", False)


def test_the_second_login_finds_the_same_user(company: House) -> None:
    journey(company, "007")
    _, answer = journey(company, "007")
    assert answer.status_code == 303
    with company.database.begin() as conn:
        assert len(users.all_users(conn)) == 1


def test_the_request_proves_itself_by_pkce_state_and_nonce(company: House) -> None:
    left = company.visitor().get("/login/oidc/")
    asked = parse_qs(urlsplit(left.headers["location"]).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["state"][0]
    assert asked["nonce"][0]
    assert asked["redirect_uri"] == [f"{ADDRESS}/login/oidc/back"]


def test_who_has_no_group_with_a_role_is_told_so(company: House) -> None:
    visitor, answer = journey(company, "008")
    assert answer.status_code == 403
    assert "None of your groups has a role here" in answer.text
    assert visitor.get("/screens/").status_code == 401


def test_a_local_user_of_the_same_name_is_not_taken_over(company: House) -> None:
    company.add("ann", Role.ADMIN)
    visitor, answer = journey(company, "007")
    assert answer.status_code == 403
    assert "already" in answer.text
    assert visitor.get("/screens/").status_code == 401


def test_who_is_disabled_here_stays_out(company: House) -> None:
    company.add("root", Role.ADMIN)
    journey(company, "007")
    with company.database.begin() as conn:
        ann = users.user_named(conn, "ann")
        users.change_user(conn, ann.user_id, ann.created_at, is_active=False)
    assert journey(company, "007")[1].status_code == 403


def test_an_answer_to_another_browser_is_refused(company: House) -> None:
    left = company.visitor().get("/login/oidc/")
    back = at_provider(left.headers["location"], "007")
    other = company.visitor()
    other.get("/login/oidc/")
    assert other.get(back.removeprefix(ADDRESS)).status_code == 502
    assert other.get("/screens/").status_code == 401


def test_an_answer_counts_once(company: House) -> None:
    visitor = company.visitor()
    left = visitor.get("/login/oidc/")
    back = at_provider(left.headers["location"], "007").removeprefix(ADDRESS)
    assert visitor.get(back).status_code == 303
    assert visitor.get(back).status_code == 502


def test_a_provider_that_calls_itself_otherwise_is_not_believed(
    house: House, provider: str
) -> None:
    # it names itself by the host of the request, which is in small letters there
    oidc = Oidc(provider.replace("localhost", "LOCALHOST"), "shop", "hush", ROLES)
    strange = house.with_settings(replace(house.settings, oidc=oidc))
    answer = strange.visitor().get("/login/oidc/")
    assert answer.status_code == 403
    assert "calls itself by another name" in answer.text


def test_a_provider_that_is_away_is_said_plainly(house: House) -> None:
    oidc = Oidc("http://localhost:9", "shop", "hush", ROLES)
    answer = house.with_settings(replace(house.settings, oidc=oidc)).visitor().get("/login/oidc/")
    assert answer.status_code == 502
    assert "could not be used" in answer.text
