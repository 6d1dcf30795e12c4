"""The workspace as each user sees it: Dagster's own, with the user's permissions."""

from __future__ import annotations

from collections.abc import Mapping

from dagster._core.workspace.context import WorkspaceProcessContext, WorkspaceRequestContext
from dagster._core.workspace.permissions import PermissionResult
from starlette.requests import HTTPConnection

from ecom_assets.backoffice.roles import Principal
from gateway.dagster_ui.permissions import UserPermissions


class UserRequestContext(WorkspaceRequestContext):
    """A request's view of the workspace; without a user it may change nothing."""

    @property
    def principal(self) -> Principal | None:
        """Who makes the request."""
        if not isinstance(self.source, HTTPConnection):
            return None
        found = self.source.scope.get("state", {}).get("principal")
        return found if isinstance(found, Principal) else None

    @property
    def permissions(self) -> Mapping[str, PermissionResult]:
        """What the user may do in the whole deployment."""
        return UserPermissions(self.principal)

    def permissions_for_location(self, *, location_name: str) -> Mapping[str, PermissionResult]:
        """What the user may do in a code location: the same in each."""
        return UserPermissions(self.principal, only_location=True)

    def permissions_for_owner(self, *, owner: str) -> Mapping[str, PermissionResult]:
        """Owning a definition gives nothing beyond the roles."""
        return {}


class UserProcessContext(WorkspaceProcessContext):
    """The webserver's workspace, which makes a context of each request's own user."""

    def create_request_context(self, source: object | None = None) -> UserRequestContext:
        """The workspace for a request; for nobody, where Dagster itself asks for one."""
        return UserRequestContext(
            instance=self.instance,
            current_workspace=self.get_current_workspace(),
            process_context=self,
            version=self.version,
            source=source,
            read_only=True,
        )
