"""How the platform is: what `ecom status` says, for machines."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import Field

from ecom.status import degraded, facts
from ecom_assets.backoffice.roles import Right
from gateway.api.calls import Call, needs
from gateway.api.values import Told

ROUTER = APIRouter(tags=["status"])

Reader = Annotated[Call, needs(Right.READ, "backoffice")]


class ChecksTold(Told):
    """Checks of the last runs."""

    run: int
    failed: int
    failed_names: list[str]
    warned_names: list[str]


class RunsTold(Told):
    """Runs."""

    last: dict[str, str] = Field(description="Status of the last run of each job.")
    running_or_queued: int


class StatusTold(Told):
    """How the platform is."""

    is_degraded: bool
    degraded: list[str] = Field(description="Which parts do not work as they should, and why.")
    messages: dict[str, int] = Field(description="Messages by what became of them.")
    waiting: dict[str, int] = Field(description="Orders that wait, by stage.")
    quarantine: dict[str, int] = Field(description="Parked rows by reason.")
    effects: dict[str, int] = Field(description="What leaves the platform and is not settled.")
    workers: list[Any]
    imports: list[Any]
    checks: ChecksTold
    runs: RunsTold


_MESSAGES = (
    "received", "accepted", "cancellations_applied", "cancellations_waiting", "parked",
    "superseded", "pending", "decided", "allocated", "shipped", "documents",
)  # fmt: skip


@ROUTER.get("/status", summary="Show how the platform is", response_model=StatusTold)
def show_status(call: Reader, request: Request) -> Any:
    """Where orders stand, how the last runs went, what is degraded and why."""
    found = facts(call.database, request.app.state.instance) | {"is_up": True}
    reasons = degraded(found)
    counting = request.app.state.counter.degraded
    if counting:
        reasons.append(counting)
    kept = {name: found[name] for name in ("waiting", "quarantine", "effects", "workers",
                                           "imports", "checks", "runs")}  # fmt: skip
    return {**kept, "is_degraded": bool(reasons), "degraded": reasons,
            "messages": {name: found[name] for name in _MESSAGES}}  # fmt: skip
