"""Connections to the shop's database: one engine per address, in UTC, alive after a restart."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Barrier, Thread

import dagster as dg
import pytest
import sqlalchemy as sa

from resources.database import DatabaseResource, engine_for

NOTES = sa.Table("notes", sa.MetaData(), sa.Column("note", sa.Text), schema="flow")


@pytest.fixture
def notes(module_database: DatabaseResource) -> Iterator[DatabaseResource]:
    """A database with an empty table."""
    with module_database.begin() as conn:
        NOTES.create(conn)
    yield module_database
    with module_database.begin() as conn:
        NOTES.drop(conn)


def _count(database: DatabaseResource) -> int:
    with database.begin() as conn:
        return conn.execute(sa.select(sa.func.count()).select_from(NOTES)).scalar_one()


@pytest.mark.parametrize("scheme", ["postgresql", "postgresql+psycopg2", "postgresql+psycopg"])
def test_an_address_needs_no_driver_and_any_is_replaced(scheme: str) -> None:
    engine = engine_for(f"{scheme}://reader:p%40ss@db.example:6432/shop?sslmode=require")
    assert engine.driver == "psycopg"
    assert (engine.url.password, engine.url.query["sslmode"]) == ("p@ss", "require")
    assert "p@ss" not in repr(engine)


def test_resources_of_one_address_share_the_pool(module_database: DatabaseResource) -> None:
    again = DatabaseResource(url=module_database.url)
    assert again.engine is module_database.engine
    assert (
        DatabaseResource(url=module_database.url + "?connect_timeout=5").engine is not again.engine
    )


@pytest.mark.parametrize(
    ("setting", "value"), [("timezone", "UTC"), ("jit", "off"), ("application_name", "ecom")]
)
def test_every_session_is_set_up_alike(
    module_database: DatabaseResource, setting: str, value: str
) -> None:
    with module_database.begin() as conn:
        assert conn.exec_driver_sql(f"SHOW {setting}").scalar_one() == value


def test_a_block_that_ends_is_kept(notes: DatabaseResource) -> None:
    with notes.begin() as conn:
        conn.execute(sa.insert(NOTES).values(note="kept"))
    assert _count(notes) == 1


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_a_block_that_fails_leaves_nothing(
    notes: DatabaseResource, error: type[BaseException]
) -> None:
    def fail() -> None:
        with notes.begin() as conn:
            conn.execute(sa.insert(NOTES).values(note="lost"))
            raise error

    with pytest.raises(error):
        fail()
    assert _count(notes) == 0


def test_a_failed_statement_does_not_spoil_the_next_block(notes: DatabaseResource) -> None:
    with pytest.raises(sa.exc.ProgrammingError), notes.begin() as conn:
        conn.exec_driver_sql("SELECT no_such_column")
    assert _count(notes) == 0


def test_rows_written_from_a_select_are_counted(notes: DatabaseResource) -> None:
    # The driver knows, and SQLAlchemy would say -1.
    source = sa.text("SELECT n::text FROM generate_series(1, 7) AS n").columns(sa.column("n"))
    with notes.begin() as conn:
        assert conn.execute(sa.insert(NOTES).from_select(["note"], source)).rowcount == 7


def test_a_server_that_dropped_every_connection_is_survived(
    notes: DatabaseResource, server: sa.URL
) -> None:
    _count(notes)  # so that the pool holds a connection
    admin = sa.create_engine(server.set(drivername="postgresql+psycopg"))
    kill = sa.text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name")
    with admin.begin() as conn:
        conn.execute(kill, {"name": sa.make_url(notes.url).database})
    admin.dispose()
    assert _count(notes) == 0


def test_ten_blocks_may_be_open_at_once(module_database: DatabaseResource) -> None:
    together = Barrier(10)
    seen: list[int] = []

    def work() -> None:
        with module_database.begin() as conn:
            together.wait(20)
            seen.append(conn.execute(sa.text("SELECT pg_backend_pid()")).scalar_one())

    threads = [Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(seen)) == 10


def test_an_asset_gets_its_address_from_the_environment(
    module_database: DatabaseResource, monkeypatch: pytest.MonkeyPatch
) -> None:
    from ecom_assets.definitions import default_resources

    monkeypatch.setenv("ECOM_DATABASE_URL", module_database.url)
    named: list[str] = []

    @dg.asset
    def probe(database: DatabaseResource) -> None:
        with database.begin() as conn:
            named.append(conn.exec_driver_sql("SELECT current_database()").scalar_one())

    with dg.DagsterInstance.ephemeral() as instance:
        assert dg.materialize([probe], resources=default_resources(), instance=instance).success
    assert named == [sa.make_url(module_database.url).database]


def test_a_database_that_is_not_there_is_named_without_the_password(
    module_database: DatabaseResource,
) -> None:
    address = sa.make_url(module_database.url).set(database="no_such_shop")
    missing = DatabaseResource(url=address.render_as_string(hide_password=False))
    with pytest.raises(sa.exc.OperationalError, match="no_such_shop") as caught, missing.begin():
        pass
    assert str(address.password) not in str(caught.value)
