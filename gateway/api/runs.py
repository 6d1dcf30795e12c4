"""Runs that requests start: the platform's own jobs, as the person who asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dagster import DagsterError
from dagster._core.definitions.selector import JobSubsetSelector
from dagster_graphql.implementation.execution.run_lifecycle import create_valid_pipeline_run
from dagster_graphql.implementation.utils import ExecutionMetadata, ExecutionParams
from starlette.requests import Request

from gateway.api.calls import Call
from gateway.api.faults import Fault
from gateway.dagster_ui.context import UserProcessContext, UserRequestContext
from gateway.dagster_ui.schema import STARTED_BY


def start(request: Request, call: Call, job: str, config: Mapping[str, Any]) -> str:
    """Queue a run of a job.

    Args:
        request: who asks, and the application.
        call: the same, with the moment.
        job: name of the job.
        config: run config.

    Returns:
        Id of the run.

    Raises:
        Fault: 503 while the platform's code is not loaded or takes no runs.
    """
    workspace: UserProcessContext = request.app.state.workspace
    context = workspace.create_request_context(request)
    try:
        return _submitted(context, call, job, config)
    except DagsterError as error:
        raise _away(f"the run could not be started: {str(error).splitlines()[0]}") from error


def _submitted(context: UserRequestContext, call: Call, job: str, config: Mapping[str, Any]) -> str:
    selector = _selector(context, job)
    if selector is None:
        raise _away(f"the code with the job {job} is not loaded now")
    params = ExecutionParams(
        selector=selector, run_config=config, mode=None, step_keys=None,
        execution_metadata=ExecutionMetadata(
            run_id=None, tags={STARTED_BY: call.principal.name}, root_run_id=None,
            parent_run_id=None,
        ),
    )  # fmt: skip
    run = create_valid_pipeline_run(context, context.get_full_job(selector), params)
    return context.instance.submit_run(run.run_id, context).run_id


def _selector(context: UserRequestContext, job: str) -> JobSubsetSelector | None:
    for location in context.code_locations:
        for repository in location.get_repositories().values():
            if repository.has_job(job):
                return JobSubsetSelector(
                    location_name=location.name, repository_name=repository.name, job_name=job,
                    op_selection=None,
                )  # fmt: skip
    return None


def _away(said: str) -> Fault:
    return Fault(503, "runs_away", said, headers={"Retry-After": "10"})
