"""Run the entrance: `python -m gateway --port 3000`; the platform's environment says the rest."""

from __future__ import annotations

import argparse
import gc

import dagster as dg
import uvicorn
from dagster._core.workspace.load_target import WorkspaceFileTarget

from ecom.platform import Platform
from ecom.settings import ROOT, load
from gateway.app import build_app
from gateway.dagster_ui.context import UserProcessContext
from gateway.serving import serving
from gateway.settings import GatewaySettings

_STATEMENT_MS, _RECYCLE_S, _OVERFLOW = 15_000, 3_600, 20


def main() -> None:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(prog="gateway", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=3000)
    given = parser.parse_args()
    settings = GatewaySettings.of_environment(given.port)
    platform = Platform.of_environment(load())
    target = WorkspaceFileTarget(paths=[str(ROOT / "workspace.yaml")])
    with dg.DagsterInstance.from_config(str(platform.settings.dagster_home)) as instance:
        instance.optimize_for_webserver(_STATEMENT_MS, _RECYCLE_S, _OVERFLOW)
        with UserProcessContext(
            instance, workspace_load_target=target, version=dg.__version__
        ) as workspace:
            app = build_app(settings, platform.database, workspace)
            # What is there now stays: looking through all of it again and again would hold
            # requests up by a quarter of a second each time.
            gc.collect()
            gc.freeze()
            uvicorn.run(app, host=given.host, port=given.port, **serving(settings))


if __name__ == "__main__":
    main()
