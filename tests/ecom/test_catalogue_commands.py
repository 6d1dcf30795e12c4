"""`ecom import catalog` and `ecom catalog`: a person plans, looks, applies and takes back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ecom import cli
from fixtures.catalogue import product, write
from resources.database import DatabaseResource

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def ecom(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    database: DatabaseResource,
    tmp_path: Path,
) -> Run:
    """Run the command in this process; returns exit code, standard output and error."""
    for name in ("DAGSTER_HOME", "ECOM_DAGSTER_URL", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("ECOM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ECOM_DATABASE_URL", database.url)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["ecom", *arguments])
        code = cli.run()
        captured = capfd.readouterr()
        return code, captured.out, captured.err

    return run


def done(result: tuple[int, str, str]) -> str:
    code, out, err = result
    assert code == 0, err
    return out


def problem(result: tuple[int, str, str]) -> str:
    code, out, err = result
    assert (code, out) == (1, "")
    (line,) = [line for line in err.splitlines() if line.startswith("ecom: ")]
    return line


def test_a_file_is_planned_applied_and_taken_back(ecom: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "p.csv", product("a", gtin="4006381333932"), product("b", brand="B"))
    told = done(ecom("import", "catalog", str(path)))
    assert "2 rows = 1 create + 0 update + 0 skip + 1 error" in told
    assert "row 1 a gtin: gtin_wrong_check_digit (04006381333932)" in told
    assert "row 2 b create brand: nothing -> B" in told
    name = told.splitlines()[-1].rpartition(" ")[2]
    shown = json.loads(done(ecom("catalog", "plan", "show", name, "--json")))
    assert shown["plan"]["state"] == "planned"
    assert "1 created" in done(ecom("catalog", "plan", "apply", name))
    assert "is applied, not planned" in problem(ecom("catalog", "plan", "apply", name))
    assert "field=brand  value=B  source=p.csv" in done(ecom("catalog", "lineage", "b"))
    assert "1 products written" in done(ecom("catalog", "export", str(tmp_path / "e.csv")))
    assert (tmp_path / "e.csv").read_text().splitlines()[1].startswith("b,Product b")
    assert "1 removed" in done(ecom("catalog", "plan", "revert", name))
    assert "state=reverted" in done(ecom("catalog", "plan", "list"))


def test_families_channels_and_categories_are_taken_from_files(ecom: Run, tmp_path: Path) -> None:
    rules = tmp_path / "demands.toml"
    rules.write_text('[channels.web]\nrequired = ["brand"]\n')
    assert "0 families, 1 demands of channels" in done(ecom("catalog", "demands", str(rules)))
    (tmp_path / "t.txt").write_text("1 - Arts\n")
    assert "1 categories" in done(ecom("catalog", "taxonomy", str(tmp_path / "t.txt")))
    path = write(tmp_path / "p.csv", product("a"), product("b", brand="B"))
    name = done(ecom("import", "catalog", str(path))).splitlines()[-1].rpartition(" ")[2]
    done(ecom("catalog", "plan", "apply", name))
    assert done(ecom("catalog", "channel", "web")) == "sku=a  held_back_by=brand\n"
    archived = done(ecom("catalog", "archive", "b"))
    assert "row 1 b update status: active -> archived" in archived


def test_copy_is_written_from_a_template_and_says_so(ecom: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "p.csv", product("a", colour="red"))
    name = done(ecom("import", "catalog", str(path))).splitlines()[-1].rpartition(" ")[2]
    done(ecom("catalog", "plan", "apply", name))
    told = done(ecom("catalog", "copy", "a"))
    assert "state=offered  writer=template  text=Product a. Colour: red." in told
    assert "degraded=no language model is configured" in told


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("import", "catalog", "none.csv"), "No such file"),
        (("catalog", "plan", "apply", "000000"), "there is no plan 000000"),
        (("catalog", "demands", "none.toml"), "No such file"),
        (("catalog", "taxonomy", "none.txt"), "No such file"),
    ],
)
def test_what_cannot_be_done_is_one_line(ecom: Run, arguments: tuple[str, ...], told: str) -> None:
    assert told in problem(ecom(*arguments))


def test_a_column_is_named_as_field_and_name(ecom: Run, tmp_path: Path) -> None:
    path = write(tmp_path / "p.csv", {"Ref": "a", "What": "A"})
    given = ["import", "catalog", str(path), "--currency", "EUR", "--column", "name=What"]
    assert "no column tells the SKU" in problem(ecom(*given))
    assert "write it as FIELD=NAME" in problem(ecom(*given, "--column", "sku"))
    assert "1 create" in done(ecom(*given, "--column", "sku=Ref"))
