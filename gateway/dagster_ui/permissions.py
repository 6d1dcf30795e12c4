"""What each role may do in Dagster: its permissions and its mutations, by name.

Whatever is not named here is refused, so that what a release adds is closed until somebody has
decided about it; a compatibility test names what is new.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dagster._core.workspace.permissions import LOCATION_SCOPED_PERMISSIONS, PermissionResult

from ecom_assets.backoffice.roles import Principal, Right

AREA = "dagster"
"""What scopes of keys call Dagster's UI; it is no business area."""

REFUSAL = "Your role does not allow this"

PERMISSIONS: Mapping[str, Right | None] = {
    "launch_pipeline_execution": Right.OPERATE,
    "launch_pipeline_reexecution": Right.OPERATE,
    "start_schedule": Right.OPERATE,
    "stop_running_schedule": Right.OPERATE,
    "schedule_dry_run": Right.OPERATE,
    "edit_sensor": Right.OPERATE,
    "sensor_dry_run": Right.OPERATE,
    "update_sensor_cursor": Right.OPERATE,
    "terminate_pipeline_execution": Right.OPERATE,
    "launch_partition_backfill": Right.OPERATE,
    "cancel_partition_backfill": Right.OPERATE,
    "toggle_auto_materialize": Right.OPERATE,
    "reload_repository_location": Right.ADMINISTER,
    "reload_workspace": Right.ADMINISTER,
    "delete_pipeline_run": Right.ADMINISTER,
    "wipe_assets": Right.ADMINISTER,
    "report_runless_asset_events": Right.ADMINISTER,
    "edit_dynamic_partitions": Right.ADMINISTER,
    "edit_concurrency_limit": Right.ADMINISTER,
    # Parts of Dagster+ that this platform does not have.
    "edit_app_managed_components": None,
    "refresh_component_state": None,
}
"""The right that gives a permission; None where nobody gets it."""

MUTATIONS: Mapping[str, str | None] = {
    "addDynamicPartition": "edit_dynamic_partitions",
    "cancelPartitionBackfill": "cancel_partition_backfill",
    "deleteAppManagedComponent": "edit_app_managed_components",
    "deleteConcurrencyLimit": "edit_concurrency_limit",
    "deleteDynamicPartitions": "edit_dynamic_partitions",
    "deletePipelineRun": "delete_pipeline_run",
    "deleteRun": "delete_pipeline_run",
    "freeConcurrencySlots": "edit_concurrency_limit",
    "freeConcurrencySlotsForRun": "edit_concurrency_limit",
    "launchMultipleRuns": "launch_pipeline_execution",
    "launchPartitionBackfill": "launch_partition_backfill",
    "launchPipelineExecution": "launch_pipeline_execution",
    "launchPipelineReexecution": "launch_pipeline_reexecution",
    "launchRun": "launch_pipeline_execution",
    "launchRunReexecution": "launch_pipeline_reexecution",
    "reexecutePartitionBackfill": "launch_partition_backfill",
    "refreshComponentState": "refresh_component_state",
    "reloadRepositoryLocation": "reload_repository_location",
    "reloadWorkspace": "reload_workspace",
    "reportAssetCheckEvaluations": "report_runless_asset_events",
    "reportRunlessAssetEvents": "report_runless_asset_events",
    "resetSchedule": "start_schedule",
    "resetSensor": "edit_sensor",
    "resumePartitionBackfill": "launch_partition_backfill",
    "scheduleDryRun": "schedule_dry_run",
    "sensorDryRun": "sensor_dry_run",
    "setAppManagedComponent": "edit_app_managed_components",
    "setAutoMaterializePaused": "toggle_auto_materialize",
    "setConcurrencyLimit": "edit_concurrency_limit",
    "setSensorCursor": "update_sensor_cursor",
    "shutdownRepositoryLocation": "reload_repository_location",
    "startSchedule": "start_schedule",
    "startSensor": "edit_sensor",
    "stopRunningSchedule": "stop_running_schedule",
    "stopSensor": "edit_sensor",
    "terminatePipelineExecution": "terminate_pipeline_execution",
    "terminateRun": "terminate_pipeline_execution",
    "terminateRuns": "terminate_pipeline_execution",
    "wipeAssets": "wipe_assets",
    # Dagster asks for no permission: the first is off with telemetry, the second hides a hint.
    "logTelemetry": None,
    "setNuxSeen": None,
}
"""The permission each mutation needs; None where everybody who may look may do it too."""


class UserPermissions(Mapping[str, PermissionResult]):
    """The permissions of a user, as Dagster asks for them; what it does not know is refused."""

    def __init__(self, principal: Principal | None, *, only_location: bool = False) -> None:
        """Permissions of nobody, where there is no principal."""
        self._principal = principal
        self._names = [
            str(name) for name in PERMISSIONS
            if not only_location or name in LOCATION_SCOPED_PERMISSIONS
        ]  # fmt: skip

    def __getitem__(self, name: str) -> PermissionResult:
        right = PERMISSIONS.get(str(name))
        who = self._principal
        may = right is not None and who is not None and who.may(right, AREA)
        return PermissionResult(enabled=may, disabled_reason=None if may else REFUSAL)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        # Dagster stops with an error at a name it does not find; what is new is refused instead.
        return isinstance(name, str)


def may_mutate(principal: Principal, mutation: str) -> bool:
    """Whether a user may call a mutation, as far as is known before its arguments are read."""
    if mutation not in MUTATIONS:
        return False
    permission = MUTATIONS[mutation]
    if permission is None:
        return principal.may(Right.READ, AREA)
    right = PERMISSIONS[permission]
    return right is not None and principal.may(right, AREA)
