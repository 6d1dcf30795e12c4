"""Secrets at rest: sealed with a key that is not in the database.

The key is `ECOM_SECRETS_KEY`, or the file `secrets.key` in `ECOM_HOME` that `ecom up` makes.
Several keys, by commas or one a line, are a rotation: the first seals, all of them open.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from cryptography.fernet import MultiFernet

VARIABLE = "ECOM_SECRETS_KEY"
FILE = "secrets.key"


class SealingFailed(Exception):
    """A secret can neither be sealed nor opened; the message says why and names no secret."""


def make_key_file(home: Path) -> None:
    """Make a key of this platform's own, readable by its account only, where there is none."""
    from cryptography.fernet import Fernet

    try:
        handle = os.open(home / FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return
    with os.fdopen(handle, "wb") as file:
        file.write(Fernet.generate_key() + b"\n")


@dataclass(frozen=True, slots=True)
class Sealing:
    """Seals and opens secrets.

    Attributes:
        keys: keys, the one that seals first; none, if nothing can be sealed.
        problem: why there is no key; empty where there is one.
    """

    keys: tuple[str, ...] = field(default=(), repr=False)
    problem: str = ""

    @classmethod
    def of_environment(cls) -> Self:
        """As the environment says; what is wrong is in `problem`."""
        if given := os.environ.get(VARIABLE):
            return cls._of_keys(given, VARIABLE)
        home = os.environ.get("ECOM_HOME")
        if not home:
            return cls(problem=f"no key for secrets: set {VARIABLE}")
        path = Path(home) / FILE
        try:
            mode = path.stat().st_mode
            text = path.read_text()
        except OSError as error:
            return cls(problem=f"no key for secrets: {FILE} in ECOM_HOME: {error.strerror}")
        if stat.S_IMODE(mode) & 0o077:
            return cls(problem=f"others may read {FILE} in ECOM_HOME; its mode must be 0600")
        return cls._of_keys(text, FILE)

    @classmethod
    def _of_keys(cls, text: str, place: str) -> Self:
        found = tuple(part.strip() for part in text.replace("\n", ",").split(",") if part.strip())
        made = cls(found)
        try:
            made._box()
        except (ValueError, SealingFailed):
            return cls(problem=f"{place} holds no Fernet key (32 bytes in URL-safe base64)")
        return made

    def seal(self, secrets: Mapping[str, str]) -> str:
        """Secrets as a text that only a key opens.

        Raises:
            SealingFailed: there is no key.
        """
        return self._box().encrypt(json.dumps(dict(secrets)).encode()).decode()

    def open(self, sealed: str) -> dict[str, str]:
        """What was sealed.

        Raises:
            SealingFailed: no key opens it.
        """
        from cryptography.fernet import InvalidToken

        try:
            opened: dict[str, str] = json.loads(self._box().decrypt(sealed.encode()))
        except (InvalidToken, ValueError):
            text = f"no key in use opens the credentials; enter them again or restore {VARIABLE}"
            raise SealingFailed(text) from None
        return opened

    def resealed(self, sealed: str) -> str | None:
        """The same secrets by the newest key; None where it sealed them.

        Raises:
            SealingFailed: no key opens it.
        """
        if len(self.keys) < 2 or Sealing(self.keys[:1])._opens(sealed):
            return None
        return self.seal(self.open(sealed))

    def _opens(self, sealed: str) -> bool:
        try:
            self.open(sealed)
        except SealingFailed:
            return False
        return True

    def _box(self) -> MultiFernet:
        if not self.keys:
            raise SealingFailed(self.problem or f"no key for secrets: set {VARIABLE}")
        # Here and not above: importing it takes a while, and most processes need it never.
        from cryptography.fernet import Fernet, MultiFernet

        return MultiFernet([Fernet(key) for key in self.keys])
