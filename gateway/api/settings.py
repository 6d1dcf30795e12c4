"""What the shop sets for itself, and what its server was started with."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Annotated, Any, Literal

import sqlalchemy as sa
from fastapi import APIRouter, Path
from pydantic import Field
from starlette.responses import Response

from ecom_assets.backoffice.roles import Right
from ecom_assets.backoffice.store import settings as store
from ecom_assets.shared.shop_settings import SETTINGS, InvalidSetting, Setting
from gateway.api.answers import Answer, require_match, sent, tag_of
from gateway.api.calls import Call, IfMatch, needs
from gateway.api.faults import missing, unfit
from gateway.api.values import Given, Told, Wanted
from gateway.environment import told as environment

ROUTER = APIRouter(prefix="/settings", tags=["settings"])

Reader = Annotated[Call, needs(Right.READ, "backoffice")]
Author = Annotated[Call, needs(Right.CONFIGURE, "backoffice")]
Admin = Annotated[Call, needs(Right.ADMINISTER, "backoffice")]
Name = Annotated[str, Path(
    min_length=1, max_length=100, json_schema_extra={"enum": list(SETTINGS)},
    description="Name of the setting, as `GET /settings` lists them.",
)]  # fmt: skip


class ValueGiven(Given):
    """What to set."""

    value: int | float | str = Field(
        description="As the setting's `form` says.", examples=[30, "Shop Ltd"]
    )


class SettingTold(Told):
    """A setting of the shop."""

    name: str
    area: str = Field(description="Area whose steps read it.")
    about: str
    type: Literal["whole number", "number", "text"]
    unit: str = Field(description="What a figure is counted in; empty for a text.")
    form: dict[str, Any] = Field(description="JSON Schema of its values.")
    most_lines: int = Field(description="Lines that a text may have.")
    default: int | float | str | None = Field(
        description="What holds where nothing is set; null where the server's environment says."
    )
    environment: str | None = Field(description="Variable of the server that says the default.")
    value: int | float | str | None = Field(description="What holds now.")
    is_set: bool = Field(description="Whether the shop set it.")
    set_by: str | None
    set_at: datetime | None
    right: Literal["configure", "administer"] = Field(description="Right that changing it needs.")


class SettingsTold(Told):
    """All settings."""

    items: list[SettingTold]


class VariableTold(Told):
    """A variable of the server's environment."""

    name: str
    about: str
    is_set: bool


class EnvironmentTold(Told):
    """What the server was started with; values are never told."""

    items: list[VariableTold]


def _told(setting: Setting, row: sa.RowMapping | None) -> SettingTold:
    kind: Any = setting.kind
    return SettingTold(
        name=setting.name, area=setting.area, about=setting.about, type=kind, unit=setting.unit,
        form=setting.schema, most_lines=setting.most_lines, default=setting.default,
        environment=setting.environment, value=row["value"] if row else setting.default,
        is_set=row is not None, set_by=row["set_by"] if row else None,
        set_at=row["set_at"] if row else None,
        right="administer" if setting.is_admins else "configure",
    )  # fmt: skip


def _tag(setting: Setting, row: sa.RowMapping | None) -> str:
    return tag_of("setting", setting.name, dict(row) if row else None)


def _named(name: str) -> Setting:
    if name not in SETTINGS:
        raise missing(f"setting {name!r}")
    return SETTINGS[name]


@ROUTER.get("", summary="List settings", response_model=SettingsTold)
def list_settings(call: Reader, area: Wanted = None) -> Any:
    """All there are, with what holds now, by name."""
    kept = call.read(store.kept)
    return SettingsTold(items=[
        _told(setting, kept.get(name)) for name, setting in sorted(SETTINGS.items())
        if area in (None, setting.area)
    ])  # fmt: skip


@ROUTER.get("/environment", summary="List what the server was started with",
            response_model=EnvironmentTold)  # fmt: skip
def list_environment(call: Admin) -> Any:
    """Variables that mean something here and whether they are set; values are never told."""
    del call
    return EnvironmentTold(items=[
        VariableTold(name=name, about=about, is_set=is_set)
        for name, about, is_set in environment(os.environ)
    ])  # fmt: skip


@ROUTER.get("/{name}", summary="Show a setting", response_model=SettingTold)
def show_setting(call: Reader, name: Name) -> Response:
    """Its ETag is what a change needs."""
    setting = _named(name)
    row = call.read(store.kept).get(name)
    return sent(200, {"ETag": _tag(setting, row)}, _told(setting, row).model_dump_json())


@ROUTER.put("/{name}", summary="Set a setting", response_model=SettingTold)
def put_setting(
    call: Author, name: Name, given: ValueGiven, if_match: IfMatch = None
) -> Response:  # fmt: skip
    """Effective with the next step that reads it; no restart is needed. Some only admins may."""
    setting = _allowed(call, name)
    try:
        setting.checked(given.value)
    except InvalidSetting as error:
        raise unfit("value", "invalid_setting", str(error)) from error

    def work(conn: sa.Connection) -> Answer:
        require_match(if_match, _tag(setting, store.held(conn, setting)))
        store.put(conn, setting, given.value, call.principal.name, call.at)
        return _answer(setting, store.held(conn, setting))

    return call.write(work)


@ROUTER.delete("/{name}", summary="Take a setting back", response_model=SettingTold)
def forget_setting(call: Author, name: Name, if_match: IfMatch = None) -> Response:
    """Its default holds again. The audit log keeps what was set."""
    setting = _allowed(call, name)

    def work(conn: sa.Connection) -> Answer:
        require_match(if_match, _tag(setting, store.held(conn, setting)))
        store.forget(conn, setting)
        return _answer(setting, None)

    return call.write(work)


def _allowed(call: Call, name: str) -> Setting:
    setting = _named(name)
    if setting.is_admins:
        call.require(Right.ADMINISTER, "backoffice")
    return setting


def _answer(setting: Setting, row: sa.RowMapping | None) -> Answer:
    return Answer(_told(setting, row), headers={"ETag": _tag(setting, row)})
