"""What the platform may use to reach sales channels: a folder, hosts, the key of their secrets.

ECOM_CHANNEL_FOLDERS         folder below which file feeds are; `channels` in ECOM_HOME by default
ECOM_CHANNEL_HOSTS_ALLOWED   hosts, by commas, that may be private or called by plain HTTP, such as
                             shop.internal or shop.internal:8080
"""

from __future__ import annotations

import os
from pathlib import Path

import dagster as dg

from resources.addresses import Allowed
from resources.sealing import Sealing

FOLDERS, HOSTS = "ECOM_CHANNEL_FOLDERS", "ECOM_CHANNEL_HOSTS_ALLOWED"


class ChannelsResource(dg.ConfigurableResource[None]):
    """Means of reaching channels; secrets are read from the environment when they are needed.

    Attributes:
        folders: folder below which file feeds are; empty where there is none.
        hosts: hosts that need not be public, by commas.
    """

    folders: str = ""
    hosts: str = ""

    @classmethod
    def of_environment(cls) -> ChannelsResource:
        """As the environment says."""
        home = os.environ.get("ECOM_HOME")
        usual = str(Path(home) / "channels") if home else ""
        return cls(folders=os.environ.get(FOLDERS) or usual, hosts=os.environ.get(HOSTS, ""))

    @property
    def root(self) -> Path | None:
        """Folder below which file feeds are."""
        return Path(self.folders) if self.folders else None

    @property
    def allowed(self) -> Allowed:
        """Hosts that need not be public."""
        return Allowed.of_text(self.hosts)

    @property
    def sealing(self) -> Sealing:
        """Opens credentials."""
        return Sealing.of_environment()
