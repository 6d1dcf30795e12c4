"""Secrets at rest: sealed by the newest key, opened by any in use, never by a missing one."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from resources.sealing import FILE, VARIABLE, Sealing, SealingFailed, make_key_file

SECRETS = {"consumer_secret": "cs_4711"}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ECOM_HOME", str(tmp_path))
    monkeypatch.delenv(VARIABLE, raising=False)
    return tmp_path


def test_a_key_file_is_made_once_for_its_account_only(home: Path) -> None:
    make_key_file(home)
    before = (home / FILE).read_bytes()
    make_key_file(home)
    assert (home / FILE).read_bytes() == before
    assert stat.S_IMODE((home / FILE).stat().st_mode) == 0o600
    sealing = Sealing.of_environment()
    sealed = sealing.seal(SECRETS)
    assert "4711" not in sealed
    assert sealing.open(sealed) == SECRETS
    assert before.decode().strip() not in repr(sealing)


def test_without_a_key_it_is_said_why(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "No such file" in Sealing.of_environment().problem
    make_key_file(home)
    os.chmod(home / FILE, 0o644)
    assert "0600" in Sealing.of_environment().problem
    monkeypatch.setenv(VARIABLE, "short")
    found = Sealing.of_environment()
    assert "no Fernet key" in found.problem
    with pytest.raises(SealingFailed, match="no Fernet key"):
        found.seal(SECRETS)
    monkeypatch.delenv(VARIABLE)
    monkeypatch.delenv("ECOM_HOME")
    assert VARIABLE in Sealing.of_environment().problem


def test_keys_are_rotated_without_entering_secrets_again(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    monkeypatch.setenv(VARIABLE, old)
    sealed = Sealing.of_environment().seal(SECRETS)
    assert Sealing.of_environment().resealed(sealed) is None
    monkeypatch.setenv(VARIABLE, f"{new},{old}")
    renewed = Sealing.of_environment().resealed(sealed)
    assert renewed
    assert Sealing.of_environment().resealed(renewed) is None
    monkeypatch.setenv(VARIABLE, new)
    assert Sealing.of_environment().open(renewed) == SECRETS
    with pytest.raises(SealingFailed, match="enter them again"):
        Sealing.of_environment().open(sealed)
