"""A screen of the admin library over the REST API: list, show, add, change, and further actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, ClassVar

from anyio import to_thread
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette_admin.exceptions import ActionFailed, FormValidationError
from starlette_admin.fields import StringField
from starlette_admin.flash import flash
from starlette_admin.views import BaseModelView

from ecom_assets.backoffice.roles import Right
from gateway.screens.exports import SafeCsv
from gateway.screens.fields import sent, told
from gateway.screens.inner import Inner, Reply, at
from gateway.screens.listing import Listing, reading
from resources.database import DatabaseResource

_CHANGED = (
    "Somebody changed this since you opened it. Open it again to see what it is now;"
    " nothing of yours was kept."
)

_ENDS = ("remove", "take_back")
"""Actions after which the thing is gone."""


@dataclass
class SeenField(StringField):
    """What the form was made from: the ETag, which comes back with it."""

    input_type: str = "hidden"
    label: str | None = ""
    label_template: str = "fields/form/no_label.html"
    form_template: str = "fields/form/hidden.html"
    exclude_from_list: bool | None = True
    exclude_from_detail: bool | None = True
    exclude_from_create: bool | None = True
    searchable: bool | None = False


SEEN = "seen_etag"


class ApiView(BaseModelView):
    """One kind of thing.

    Attributes:
        resource: path of the API below its prefix, such as `/users`.
        area: area whose `read` right the screen needs.
        right: right that lets people see it.
        listing: where its rows come from.
        change: method of the API that changes one; empty where nothing does.
        one: path of one thing below the resource's.
        fixed: fields that are entered once and only shown from then on.
        named: field that people know a thing by.
    """

    resource: ClassVar[str]
    area: ClassVar[str]
    right: ClassVar[Right] = Right.READ
    listing: ClassVar[Listing]
    change: ClassVar[str] = "PATCH"
    one: ClassVar[str] = "/{}"
    fixed: ClassVar[tuple[str, ...]] = ()
    named: ClassVar[str] = ""
    importers: Sequence[Any] = ()
    exporters: Sequence[Any] = (SafeCsv(),)
    column_visibility: bool = False
    page_size: int = 25
    show_pk_in_forms: bool = True

    def __init__(self, inner: Inner, database: DatabaseResource) -> None:
        """A screen over the API and the tables."""
        self.inner, self.database = inner, database
        self.pk_attr = self.listing.key
        self.fields = [*self.fields, SeenField(SEEN)]
        listed = set(self.listing.rows.selected_columns.keys())
        self.sortable_fields = [each.name for each in self.fields if each.name in listed]
        # The library sorts by the key otherwise, which shows the oldest entries of a log first.
        self.fields_default_sort = [(name.lstrip("-"), name.startswith("-"))
                                    for name in self.listing.order] or None  # fmt: skip
        self.searchable_fields = list(self.listing.searched)
        # What names a thing is entered once and shown, not changed, from then on.
        self.exclude_fields_from_edit = [*self.exclude_fields_from_edit, *self.fixed]
        super().__init__()

    def is_accessible(self, request: Request) -> bool:
        """Whether the user may see the screen."""
        return bool(request.state.principal.may(self.right, self.area))

    def can_create(self, request: Request) -> bool:
        """Whether the API would let the user add one."""
        return self.inner.may(request, "POST", self.resource)

    def can_edit(self, request: Request) -> bool:
        """Whether the API would let the user change one."""
        return bool(self.change) and self.inner.may(request, self.change, self._at("0"))

    def can_delete(self, request: Request) -> bool:
        """Things are archived by an action of their own, not deleted in bulk."""
        return False

    def can_export(self, request: Request) -> bool:
        """Whether the user may take tables away."""
        return bool(request.state.principal.may(Right.EXPORT, self.area))

    def can_import(self, request: Request) -> bool:
        """Files come in by plans, which show what they would do."""
        return False

    async def find_all(
        self, request: Request, skip: int = 0, limit: int = 100, q: str | None = None,
        sorts: Sequence[tuple[str, str]] | None = None, filters: Any = None,
    ) -> Sequence[Any]:  # fmt: skip
        """Rows of a page of the list."""
        page = self.listing.page
        found: Sequence[Any] = await self._read(page, q, list(sorts or ()), skip, limit)
        return found

    async def count(self, request: Request, q: str | None = None, filters: Any = None) -> int:
        """How many rows there are, up to a bound."""
        counted: int = await self._read(self.listing.count, q)
        return counted

    async def find_by_pk(self, request: Request, pk: Any) -> Any:
        """One thing, as the API shows it."""
        reply = await self.inner.ask(request, "GET", self._at(pk))
        if not reply.is_good:
            return None
        return SimpleNamespace(**self.shown(reply.body), **{SEEN: reply.etag})

    async def find_by_pks(self, request: Request, pks: list[Any]) -> Sequence[Any]:
        """Several things."""
        found = [await self.find_by_pk(request, pk) for pk in pks]
        return [each for each in found if each is not None]

    async def create(self, request: Request, data: dict[str, Any]) -> Any:
        """Add one through the API."""
        body = self.body(data, is_new=True)
        reply = await self.inner.ask(request, "POST", self.resource, body=body)
        self.require(request, reply)
        self.added(request, reply)
        return SimpleNamespace(**self.shown(self.made(reply)), **{SEEN: reply.etag})

    async def edit(self, request: Request, pk: Any, data: dict[str, Any]) -> Any:
        """Change one through the API, if it is still what the user saw."""
        etag = data.pop(SEEN, None) or ""
        body = self.body(data, is_new=False)
        reply = await self.inner.ask(request, self.change, self._at(pk), body=body, etag=etag)
        self.require(request, reply)
        return SimpleNamespace(**self.shown(reply.body), **{SEEN: reply.etag})

    async def delete(self, request: Request, pks: list[Any]) -> int | None:
        """Never asked for, see `can_delete`."""
        raise ActionFailed("this is archived, not deleted")

    async def repr(self, obj: Any, request: Request) -> str:
        """A thing in words, such as `user vera`."""
        name = getattr(obj, self.named or self.listing.key, "")
        return f"{self.display_name} {name}"

    def body(self, data: Mapping[str, Any], *, is_new: bool) -> dict[str, Any]:
        """What the API is sent of a form.

        Raises:
            FormValidationError: something that was entered cannot be sent.
        """
        given = {name: value for name, value in data.items() if name != SEEN}
        body, faults = sent(self.fields, given)
        if faults:
            refused: dict[str | int, Any] = {}
            refused.update(faults)
            raise FormValidationError(refused)
        return body

    def shown(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """What the form shows of what the API tells."""
        return told(self.fields, body)

    def made(self, reply: Reply) -> Mapping[str, Any]:
        """The thing that an answer to adding tells."""
        body: Mapping[str, Any] = reply.body
        return body

    def added(self, request: Request, reply: Reply) -> None:
        """Say more about what was added."""

    def require(self, request: Request, reply: Reply) -> None:
        """Show what the API refused where it belongs.

        Raises:
            FormValidationError: with what is wrong, by field.
        """
        if reply.is_good:
            return
        names = {each.name for each in self.get_fields_list(request)}
        faults = {name: said for name, said in reply.faults.items() if name in names}
        others = [f"{name}: {said}" for name, said in reply.faults.items() if name not in names]
        if not faults or others:
            said = _CHANGED if reply.status == 412 else "; ".join([reply.detail, *others])
            flash(request, said, "error")
        refused: dict[str | int, Any] = {} if faults else {"": reply.detail}
        refused.update(faults)
        raise FormValidationError(refused)

    async def handle_row_action(self, request: Request, pk: Any, name: str) -> Any:
        """Do an action and say what it says; what is gone has no page to go back to."""
        said: Any = await super().handle_row_action(request, pk, name)
        if not isinstance(said, str):
            return said
        flash(request, said, "success")
        return JSONResponse({"redirect": f"/screens/{self.key}/list"}) if name in _ENDS else None

    async def act(
        self, request: Request, pk: Any, path: str, body: Any = None, method: str = "POST"
    ) -> Any:
        """Do something with one thing, which is still as it is now.

        Raises:
            ActionFailed: the API refused it.
        """
        etag = None
        if method != "POST":
            etag = (await self.inner.ask(request, "GET", self._at(pk))).etag
        reply = await self.inner.ask(request, method, at(self.resource + path, pk), body=body,
                                     etag=etag)  # fmt: skip
        if not reply.is_good:
            raise ActionFailed("; ".join([reply.detail, *reply.faults.values()]))
        return reply.body

    def _at(self, pk: Any) -> str:
        return at(self.resource + self.one, pk)

    async def _read(self, work: Any, *args: Any) -> Any:
        return await to_thread.run_sync(reading, self.database, work, *args)
