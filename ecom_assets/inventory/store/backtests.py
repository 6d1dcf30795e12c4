"""`inventory.forecast_backtests` and the methods that are decided by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import TYPE_CHECKING

import sqlalchemy as sa

from ecom_assets.inventory.tables import FORECAST_BACKTESTS, FORECAST_METHODS

if TYPE_CHECKING:
    from ecom_assets.inventory.forecasting.judging import Judged, Result, Verdict

ORIGINS = 4
"""Newest backtests that decide about methods."""

_B = FORECAST_BACKTESTS.c
_M = FORECAST_METHODS.c


def save_backtest(
    conn: sa.Connection,
    origin: date,
    judged: Sequence[Judged],
    horizon: int,
    version: str,
    run: str,
) -> int:
    """Put the backtest of an origin in the place of an earlier one of it.

    Returns:
        How many rows, one per method and segment.
    """
    conn.execute(sa.delete(FORECAST_BACKTESTS).where(_B.origin_date == origin))
    stamps = {
        "origin_date": origin, "horizon_weeks": horizon, "version": version, "run_id": run,
    }  # fmt: skip
    if judged:
        rows = [{**asdict(each), **stamps} for each in judged]
        conn.execute(sa.insert(FORECAST_BACKTESTS), rows)
    return len(judged)


def newest_results(
    conn: sa.Connection, decided: date, horizon_weeks: int, origins: int = ORIGINS
) -> list[Result]:
    """Results of the newest backtests whose truth was known at a Monday.

    Args:
        conn: connection to read with.
        decided: Monday; backtests must have ended by it.
        horizon_weeks: weeks that a backtest forecasts.
        origins: how many backtests.
    """
    from ecom_assets.inventory.forecasting.judging import Result

    latest = decided - timedelta(weeks=horizon_weeks)
    newest = (
        sa.select(_B.origin_date)
        .distinct()
        .where(_B.origin_date <= latest)
        .order_by(_B.origin_date.desc())
        .limit(origins)
    )
    columns = (_B.segment, _B.method, _B.series, _B.weighted_rmsse, _B.bias, _B.coverage_miss)
    rows = conn.execute(
        sa.select(_B.origin_date, *columns)
        .where(_B.origin_date.in_(newest))
        .order_by(_B.origin_date, _B.segment, _B.method)
    )
    return [Result(str(origin), *rest) for origin, *rest in rows]


def save_methods(
    conn: sa.Connection, decided: date, verdicts: Sequence[Verdict], version: str, run: str
) -> int:
    """Put the methods decided at a Monday in the place of earlier decisions of that Monday."""
    conn.execute(sa.delete(FORECAST_METHODS).where(_M.decided_date == decided))
    stamps = {"decided_date": decided, "version": version, "run_id": run}
    if verdicts:
        rows = [{**asdict(each), "reasons": list(each.reasons), **stamps} for each in verdicts]
        conn.execute(sa.insert(FORECAST_METHODS), rows)
    return len(verdicts)


def methods_at(conn: sa.Connection, origin: date) -> Mapping[str, tuple[str, bool]]:
    """The method of each segment at a Monday, and whether purchases may rely on it."""
    rows = conn.execute(
        sa.select(_M.segment, _M.method, _M.is_passed)
        .distinct(_M.segment)
        .where(_M.decided_date <= origin)
        .order_by(_M.segment, _M.decided_date.desc())
    )
    return {segment: (method, passed) for segment, method, passed in rows}


def by_method(
    origin: date | None = None,
) -> sa.Select[tuple[str, float, float, float, float, float]]:
    """Errors per method over all segments of one origin, or of all; best first."""
    weight = sa.func.sum(_B.series)

    def mean(column: sa.ColumnElement[float]) -> sa.ColumnElement[float]:
        return sa.func.sum(column * _B.series) / weight

    statement = sa.select(
        _B.method,
        mean(_B.weighted_rmsse).label("weighted_rmsse"),
        mean(_B.rmsse).label("rmsse"),
        mean(_B.mase).label("mase"),
        mean(_B.pinball).label("pinball"),
        mean(_B.bias).label("bias"),
    ).group_by(_B.method)
    if origin:
        statement = statement.where(_B.origin_date == origin)
    return statement.order_by(sa.text("weighted_rmsse"), _B.method)
