"""`ecom replay` and `ecom explain`: what they take, and one line where they cannot."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from ecom import cli
from ecom.problems import Problem
from ecom.replay import read_rules
from resources.database import DatabaseResource

Run = Callable[..., tuple[int, str, str]]
RANGE = ("--from", "2026-01-01", "--to", "2026-02-01")


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


def problem(result: tuple[int, str, str]) -> str:
    code, out, err = result
    assert (code, out) == (1, "")
    assert "Traceback" not in err
    (line,) = [line for line in err.splitlines() if line.startswith("ecom: ")]
    return line


def written(folder: Path, name: str, text: str) -> Path:
    file = folder / name
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("r.toml", '[routing]\nranking = ["nearest"]\n[risk]\nreview_from = 0.1\n'),
        ("r.json", '{"routing": {"ranking": ["nearest"]}, "risk": {"review_from": 0.1}}'),
    ],
)
def test_rules_are_read_from_toml_and_json(tmp_path: Path, name: str, text: str) -> None:
    assert read_rules(written(tmp_path, name, text)) == {
        "routing": {"ranking": ["nearest"]}, "risk": {"review_from": 0.1}
    }  # fmt: skip


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("r.toml", "[risk]\nreviw_from = 1", "r.toml: risk.reviw_from is not a setting; known are"),
        ("r.toml", "risk = ", "r.toml: Invalid value"),
        ("r.json", "[1]", "r.json: the document must be a table of sections"),
        ("r.json", "{", "r.json: Expecting property name"),
        ("r.toml", "[risk]\nreject_from = 2", "r.toml: risk.reject_from is a probability and must"),
    ],
)
def test_wrong_rules_are_named_with_their_file(
    tmp_path: Path, name: str, text: str, said: str
) -> None:
    with pytest.raises(Problem) as caught:
        read_rules(written(tmp_path, name, text))
    assert str(caught.value).startswith(said)


def test_a_file_that_is_missing_or_no_text(tmp_path: Path) -> None:
    with pytest.raises(Problem, match="No such file or directory"):
        read_rules(tmp_path / "none.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(Problem, match=r"binary\.toml: .*decode"):
        read_rules(tmp_path / "binary.toml")


def test_an_empty_shop_is_replayed_and_the_replay_removed(
    ecom: Run, database: DatabaseResource
) -> None:
    code, out, err = ecom("replay", *RANGE, "--json")
    assert code == 0, err
    found = json.loads(out)
    assert (found["state"], found["orders"]) == ("finished", 0)
    assert "range: 0 orders" in err
    assert ecom("replay", "--delete", str(found["replay_id"]))[0] == 0
    assert "there is no replay" in problem(ecom("replay", "--delete", str(found["replay_id"])))
    said = problem(ecom("replay", *RANGE, "--model", "best"))
    assert said.endswith("no fraud model best; known are none, no model was trained yet")
    with database.begin() as conn:
        assert conn.execute(sa.text("SELECT count(*) FROM decisions.replays")).scalar_one() == 0
    assert "there is no order web/1" in problem(ecom("explain", "web/1"))


def test_a_range_must_be_given_and_make_sense(ecom: Run) -> None:
    assert "give the range: --from DATE --to DATE" in problem(ecom("replay"))
    assert "from: 'soon' is not a date" in problem(ecom("replay", "--from", "soon", "--to", "x"))
