"""Rules of safety that a reader could miss, held over the whole tree by its syntax."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ecom.settings import ROOT

CODE = ("ecom", "ecom_assets", "gateway", "importers", "jobs", "resources", "sensors")
UNSAFE_CALLS = {
    "eval", "exec", "pickle.load", "pickle.loads", "marshal.loads", "yaml.load", "yaml.unsafe_load",
    "os.system", "os.popen", "Markup", "markupsafe.Markup", "tempfile.mktemp",
    "ssl._create_unverified_context",
}  # fmt: skip
SQL_CALLS = {"sa.text", "text", "sqlalchemy.text"}


def _trees(*folders: str) -> Iterator[tuple[Path, ast.Module]]:
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield path.relative_to(ROOT), ast.parse(path.read_text())


def _name(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{_name(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else ""


def _calls(*folders: str) -> Iterator[tuple[str, ast.Call]]:
    for path, tree in _trees(*folders):
        for node in ast.walk(tree):
            if isinstance(node, ast.Call):
                yield f"{path}:{node.lineno}", node


def test_nothing_is_evaluated_or_deserialised_unsafely() -> None:
    assert not [place for place, call in _calls(*CODE) if _name(call.func) in UNSAFE_CALLS]


def test_no_process_is_started_through_a_shell() -> None:
    shells = [place for place, call in _calls(*CODE)
              for given in call.keywords if given.arg == "shell"]  # fmt: skip
    assert not shells


def test_certificates_are_always_checked() -> None:
    unchecked = [
        place for place, call in _calls(*CODE) for given in call.keywords
        if given.arg in ("verify", "check_hostname")
        and isinstance(given.value, ast.Constant) and given.value.value is False
    ]  # fmt: skip
    assert not unchecked


def test_no_request_becomes_sql() -> None:
    """In the entrance no SQL is put together, not even from names."""
    calls = [
        (place, call.args[0])
        for place, call in _calls("gateway")
        if _name(call.func) in SQL_CALLS and call.args
    ]
    assert calls
    assert not [place for place, sql in calls if not isinstance(sql, ast.Constant)]


def test_answers_with_a_body_of_their_own_come_from_templates() -> None:
    """HTML that no template made is not escaped by anything."""
    made = [place for place, call in _calls("gateway") if _name(call.func) == "HTMLResponse"]
    allowed = {"gateway/rendering.py", "gateway/dagster_ui/server.py"}  # the last: Dagster's own
    assert {place.partition(":")[0] for place in made} <= allowed


def test_redirects_lead_to_own_paths_only() -> None:
    """A target from outside passes `own_path`, or is the login, or comes from the provider."""
    allowed = {
        "gateway/accounts/pages.py", "gateway/accounts/identity.py",
        "gateway/api/app.py", "gateway/app.py",  # to the reference, to the start
        "gateway/screens/pages/page.py", "gateway/screens/pages/account.py",  # to constants
    }  # fmt: skip
    made = {place.partition(":")[0] for place, call in _calls("gateway")
            if _name(call.func) == "RedirectResponse"}  # fmt: skip
    assert made <= allowed


@pytest.mark.parametrize("path", sorted((ROOT / "gateway" / "templates").rglob("*.html")),
                         ids=lambda path: path.name)  # fmt: skip
def test_templates_escape_everything_and_hold_no_code(path: Path) -> None:
    text = path.read_text()
    assert not re.search(
        r"\|\s*safe\b|autoescape\s+false|<script(?![^>]*\bsrc=\"(/static/|\{\{ prefix \}\}/))", text
    )
    assert not re.search(r"\son[a-z]+\s*=|javascript:|\sstyle\s*=", text)


@pytest.mark.parametrize("suffix", ["html", "css", "js", "svg"])
def test_pages_load_nothing_from_elsewhere(suffix: str) -> None:
    elsewhere = {
        str(path.relative_to(ROOT)): found
        for path in (ROOT / "gateway").rglob(f"*.{suffix}")
        if (found := re.findall(r"(?:src|href|url|import|@import)\W{1,3}(?:https?:)?//[^\s\"')]+",
                                path.read_text()))
    }  # fmt: skip
    assert not elsewhere


def test_comparisons_of_secrets_take_the_same_time() -> None:
    """What is compared with == cannot be a secret's hash or a token."""
    words = re.compile(r"(secret|token|password)(_hash)?$")
    compared = [
        f"{path}:{node.lineno}"
        for path, tree in _trees("gateway", "ecom_assets/backoffice")
        for node in ast.walk(tree)
        if isinstance(node, ast.Compare) and isinstance(node.ops[0], ast.Eq | ast.NotEq)
        and words.search(_name(node.left).rpartition(".")[2])
        and not _name(node.left).startswith(("SESSIONS", "LINKS", "USERS", "API_KEYS"))
    ]  # fmt: skip
    # the two passwords of one form
    assert {place.partition(":")[0] for place in compared} <= {"gateway/accounts/pages.py"}
