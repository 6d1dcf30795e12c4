"""`ecom rules` and `ecom taxes`: from a file to force, and rates from a file to an answer."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ecom import cli
from resources.database import DatabaseResource

Run = Callable[..., tuple[int, str, str]]

DRAFT = """
kind = "payment_match"
note = "coins"
[settings]
per_tender_minor = 2
least_minor = 5
[[examples]]
name = "coins"
given = { due_minor = 100, authorised_minor = 95 }
expected = { outcome = "authorised" }
"""


@pytest.fixture
def ecom(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    database: DatabaseResource,
    tmp_path: Path,
) -> Run:
    """Run the command in this process; returns exit code, standard output and error."""
    for name in ("DAGSTER_HOME", "ECOM_DAGSTER_URL"):
        monkeypatch.setenv(name, "")
    monkeypatch.setenv("ECOM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ECOM_DATABASE_URL", database.url)

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["ecom", *arguments])
        code = cli.run()
        captured = capfd.readouterr()
        return code, captured.out, captured.err

    return run


def test_a_rule_goes_from_a_file_to_force_and_back(ecom: Run, tmp_path: Path) -> None:
    file = tmp_path / "draft.toml"
    file.write_text(DRAFT)
    case = tmp_path / "case.json"
    case.write_text(json.dumps({"due_minor": 100, "authorised_minor": 96}))
    label = "payment_match/2"
    assert ecom("rules", "draft", str(file), "--by", "ann")[:2] == (
        0, f"{label} is a draft, based on payment_match/1\n"
    )  # fmt: skip
    assert "payment_match/2: draft, by ann, coins" in ecom("rules", "list", "payment_match")[1]
    code, out, _ = ecom("rules", "test", label, "--case", str(case))
    assert code == 0
    assert out.startswith("1 of 1 examples pass\n")
    assert '"outcome": "underpaid"' in out
    assert f'{label}: {{"outcome": "authorised"' in out
    assert "has no backtest" in ecom("rules", "propose", label, "--by", "ann")[2]
    code, out, error = ecom("rules", "backtest", label, "--days", "30")
    assert code == 0, error
    assert "0 of 0 orders decided differently" in out
    assert ecom("rules", "propose", label, "--by", "ann")[0] == 0
    assert "another person must decide" in ecom("rules", "approve", label, "--by", "Ann")[2]
    assert ecom("rules", "approve", label, "--by", "bob", "--comment", "fine")[0] == 0
    assert ecom("rules", "shadow", label, "--by", "bob")[0] == 0
    assert ecom("rules", "promote", label, "--by", "bob")[0] == 0
    shown = json.loads(ecom("rules", "show", label, "--json")[1])
    assert (shown["rule"]["state"], shown["rule"]["decided_by"]) == ("in_force", "bob")
    told = ecom("rules", "roll-back", "payment_match", "--by", "carl")
    assert told[:2] == (0, "payment_match/1 is in force again\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("kind = 'weather'", "weather is no kind of rule"),
        ("kind = 'risk'\n[settings]\nreject_from = 1.0", "risk.review_from is missing"),
        ("kind = 'risk'\nspeed = 1", "speed is not known"),
        ("kind = ", "draft.toml: Invalid value"),
    ],
)
def test_a_file_that_says_no_rule_is_refused_in_one_line(
    ecom: Run, tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "draft.toml"
    file.write_text(text)
    code, out, error = ecom("rules", "draft", str(file))
    assert (code, out) == (1, "")
    assert said in error


def test_rates_come_from_a_file_and_are_looked_up(ecom: Run, tmp_path: Path) -> None:
    file = tmp_path / "rates.csv"
    file.write_text(
        "country,region,tax_category,rate_percent,valid_from_date,valid_to_date\n"
        "DE,,standard,19,2021-01-01,\nDE,,books,7,2021-01-01,\n"
    )
    assert ecom("taxes", "import", str(file))[1] == "2 rates entered, 0 were there\n"
    assert ecom("taxes", "import", str(file))[1] == "0 rates entered, 2 were there\n"
    told = ecom("taxes", "rate", "de", "books", "--on", "2024-01-01")[1]
    assert told == "7 % (books) in DE from 2021-01-01\n"
    assert (
        "no rate of DE holds on 2020-12-31" in ecom("taxes", "rate", "DE", "--on", "2020-12-31")[2]
    )
    assert ecom("taxes", "channel", "web", "--seller-country", "de")[1] == "web is set\n"
    assert (
        "--prices is gross"
        in ecom("taxes", "channel", "w", "--seller-country", "DE", "--prices", "x")[2]
    )
    assert ecom("taxes", "category", "books", "--of", "Media > Books")[0] == 0
    assert "DE  books: 7 % from 2021-01-01 to open" in ecom("taxes", "list")[1]
    assert "no sales to other countries" in ecom("taxes", "oss")[1]
    assert "there is no invoice INV-1" in ecom("taxes", "invoice", "INV-1")[2]
    exchange = tmp_path / "eur.csv"
    exchange.write_text("currency,date,per_eur\nUSD,2024-01-02,1.0956\n")
    assert "1 exchange rates entered" in ecom("taxes", "import-exchange-rates", str(exchange))[1]
