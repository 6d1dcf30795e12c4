"""How dbt is started: where it connects, what it may write, what is said when it cannot run."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from dbt.cli.main import dbtRunner

from ecom.settings import ROOT
from ecom_assets.marts.assets.specs import check_specs
from resources import dbt as resource
from resources.dbt import DbtFailed, connection, home, invoke, parse
from resources.dbt_translator import _SENTENCES, _sentence

NOWHERE = "postgresql://localhost/nowhere"


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ECOM_HOME", str(tmp_path))


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        (
            "postgresql://ann:secret@db.example:6432/shop?sslmode=require",
            ("db.example", "6432", "ann", "secret", "shop", "require"),
        ),
        ("postgresql://db.example/shop", ("db.example", "5432", "", "", "shop", "prefer")),
        ("postgresql:///shop", ("localhost", "5432", "", "", "shop", "prefer")),
        (
            "postgresql+psycopg://a%40b:p%2Fw%3A%25@[::1]/shop",
            ("::1", "5432", "a@b", "p/w:%", "shop", "prefer"),
        ),
    ],
    ids=["full", "no account", "no host", "escaped"],
)
def test_an_address_becomes_what_the_profile_reads(url: str, expected: tuple[str, ...]) -> None:
    names = (
        "DBT_HOST", "DBT_PORT", "DBT_USER", "DBT_ENV_SECRET_PASSWORD", "DBT_DATABASE",
        "DBT_SSLMODE",
    )  # fmt: skip
    variables = connection(url)
    assert tuple(variables[name] for name in names) == expected
    assert variables["DO_NOT_TRACK"] == "1"


def test_the_profile_reads_every_variable_and_no_other() -> None:
    profile = (ROOT / "dbt" / "profiles.yml").read_text()
    read = {part.split("'")[0] for part in profile.split("env_var('")[1:]}
    assert read - {"DBT_THREADS"} == set(connection(NOWHERE)) - {"DO_NOT_TRACK"}


@pytest.mark.parametrize(
    ("given", "folder"),
    [("/srv/ecom", Path("/srv/ecom/dbt")), ("", ROOT / ".ecom" / "dbt"),
     ("~/shop", Path.home() / "shop" / "dbt"), ("here", Path.cwd() / "here" / "dbt")],
    ids=["absolute", "empty", "home", "relative"],
)  # fmt: skip
def test_what_dbt_writes_goes_to_the_home(
    given: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ECOM_HOME", given)
    assert home() == folder


def test_the_project_is_read_without_a_database(tmp_path: Path) -> None:
    manifest = parse("postgresql://nobody@no-such-host.invalid/nowhere")
    assert "model.ecom.orders" in manifest.nodes
    assert (tmp_path / "dbt" / "target" / "partial_parse.msgpack").exists()


def test_the_environment_is_as_before_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DBT_HOST", "before")
    monkeypatch.delenv("DBT_PORT", raising=False)
    seen: dict[str, str | None] = {}

    def look(_: list[str]) -> SimpleNamespace:
        seen.update({name: os.environ.get(name) for name in ("DBT_HOST", "DBT_PORT")})
        raise OSError("dbt broke")

    runner: Any = SimpleNamespace(invoke=look)
    with pytest.raises(OSError, match="dbt broke"):
        invoke(runner, "postgresql://inside:1234/shop", "build")
    assert seen == {"DBT_HOST": "inside", "DBT_PORT": "1234"}
    assert os.environ["DBT_HOST"] == "before"
    assert "DBT_PORT" not in os.environ


def _ends_with(exception: BaseException | None) -> Any:
    return SimpleNamespace(invoke=lambda _: SimpleNamespace(exception=exception, result="done"))


def test_an_error_of_dbt_says_why_and_keeps_its_cause() -> None:
    cause = ValueError("model orders: no such column")
    with pytest.raises(DbtFailed, match="no such column") as caught:
        invoke(_ends_with(cause), NOWHERE, "build")
    assert caught.value.__cause__ is cause


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_an_interrupt_is_no_failure_of_dbt(error: type[BaseException]) -> None:
    # dbt catches what ends the process; it must still end
    with pytest.raises(error):
        invoke(_ends_with(error()), NOWHERE, "build")


def test_what_dbt_found_is_handed_back() -> None:
    assert invoke(_ends_with(None), NOWHERE, "build").result == "done"


def test_a_project_with_a_mistake_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "project"
    (folder / "models").mkdir(parents=True)
    (folder / "dbt_project.yml").write_text("name: broken\nprofile: ecom\nmodel-paths: [models]\n")
    (folder / "profiles.yml").write_bytes((ROOT / "dbt" / "profiles.yml").read_bytes())
    (folder / "models" / "odd.sql").write_text("select * from {{ ref('no_such_model') }}")
    monkeypatch.setattr(resource, "PROJECT", folder)
    with pytest.raises(DbtFailed, match="no_such_model"):
        parse(NOWHERE)


def test_an_unknown_command_is_no_silent_success() -> None:
    with pytest.raises(DbtFailed, match="No such command"):
        invoke(dbtRunner(), NOWHERE, "no-such-command")


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("unique", {"column_name": "sku"}, "No two rows have the same sku."),
        ("not_null", {"column_name": "sku"}, "sku is never empty."),
        (
            "accepted_values",
            {"column_name": "state", "values": ["open", "closed"]},
            "state is one of open, closed.",
        ),
        (
            "relationships",
            {"column_name": "sku", "to": "ref('products')", "field": "sku"},
            "sku exists in ref('products') as sku.",
        ),
        (
            "primary_key",
            {"columns": ["day", "channel"]},
            "No two rows have the same day, channel, and none is empty.",
        ),
        ("never_null", {"columns": ["a"]}, "a are never empty."),
    ],
)
def test_a_generic_test_is_a_sentence(name: str, arguments: dict[str, Any], sentence: str) -> None:
    test = {"test_metadata": {"name": name, "kwargs": {"model": "{{ m }}", **arguments}}}
    assert _sentence(test) == sentence
    assert name in _SENTENCES


def test_no_check_is_described_by_a_template() -> None:
    for check in check_specs():
        assert check.description
        assert not {"{", "}"} & set(check.description), check.name
