"""Dagster's own layer by itself: its stock schema and stock request handling, our permissions.

The guard in front of the schema refuses every mutation a role may not do before Dagster sees it.
Here that guard is left away, as if it had a hole, and Dagster has to refuse by itself; what it does
not is named, and rests on the guard alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from dagster_webserver.webserver import DagsterWebserver
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from ecom_assets.backoffice.roles import Principal, Role
from gateway.dagster_ui.context import UserProcessContext
from gateway.dagster_ui.permissions import MUTATIONS
from tests_of_dagster import EVERY_MUTATION, REFUSED, call_of, may

MAY_NOT = [None, Role.VIEWER, Role.ANALYST, Role.APPROVER]
"""Those who may change nothing of Dagster."""

GUARD_ALONE: Mapping[str, str] = {
    "logTelemetry": "asks for no permission; telemetry is off, and nothing is stored",
    "setNuxSeen": "asks for no permission; it hides a hint of the UI",
}
"""Mutations that Dagster itself lets everybody call, and why that does no harm."""
