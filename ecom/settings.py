"""Where the platform keeps its files and finds its database, read from the environment.

ECOM_HOME           folder for the embedded server, Dagster's files and the sample shop (.ecom)
ECOM_DATABASE_URL   a PostgreSQL 15 or newer to use instead of the embedded server
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
"""Folder of the project."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What the environment says.

    Attributes:
        home: folder that holds everything the platform writes outside PostgreSQL.
        database_url: address of an own PostgreSQL, or None for the embedded one.
    """

    home: Path
    database_url: str | None

    @property
    def postgres(self) -> Path:
        """Data folder of the embedded server."""
        return self.home / "postgres"

    @property
    def dagster_home(self) -> Path:
        """Folder of the Dagster instance."""
        return self.home / "dagster"

    @property
    def sample(self) -> Path:
        """Folder of the generated sample shop."""
        return self.home / "sample"

    @property
    def logs(self) -> Path:
        """Folder of the log files of what `ecom up` starts."""
        return self.home / "logs"


def load() -> Settings:
    """Read the settings from the environment."""
    home = os.environ.get("ECOM_HOME") or str(ROOT / ".ecom")
    return Settings(Path(home).expanduser().absolute(), os.environ.get("ECOM_DATABASE_URL") or None)
