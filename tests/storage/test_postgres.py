"""What is particular to the PostgreSQL store: its lock, lost connections, exact numbers for other programs."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import trio
from cgrserver.commit import Committer
from cgrserver.storage.migrations import Migration, migrate, migrations
from cgrserver.storage.postgres import PostgresStore, conninfo_of, migrate_postgres
from cgrserver.storage.rows import CDR_COLUMNS, cdr_row
from cgrserver.storage.tables import Codecs

from cgrcore.cdrs.filter import CdrFilter
from cgrcore.cdrs.records import Cdr
from cgrcore.errors import Unavailable
from cgrcore.ports import Batch
from cgrcore.world import World

pytestmark = pytest.mark.live


@pytest.fixture
def pg(postgres: str, codecs: Codecs) -> Iterator[PostgresStore]:
    made = PostgresStore(postgres, codecs)
    yield made
    made.close()


def end_connections(conninfo: str) -> None:
    with psycopg.connect(conninfo, autocommit=True) as admin:
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")


def test_a_second_server_on_the_same_schema_is_refused(pg: PostgresStore, postgres: str, codecs: Codecs) -> None:
    with pytest.raises(Unavailable, match="another process serves"):
        PostgresStore(postgres, codecs, lock_wait_s=0.1)


def test_the_configuration_says_how_to_connect() -> None:
    section = {"db_host": "/run/pg", "db_port": 5433, "db_name": "cgrates", "db_user": "me", "db_password": ""}
    assert conninfo_of(section) == "dbname=cgrates host=/run/pg port=5433 user=me"


def test_a_server_that_is_not_there_says_so(codecs: Codecs) -> None:
    with pytest.raises(Unavailable, match="PostgreSQL"):
        PostgresStore("host=/nowhere port=5599 user=x", codecs)


def test_a_dry_run_leaves_the_schema_as_it_was(postgres: str) -> None:
    assert migrate_postgres(postgres, is_dry_run=True) == ["0001_initial", "0002_cdrs_by_time"]
    assert migrate_postgres(postgres, is_dry_run=False) == ["0001_initial", "0002_cdrs_by_time"]
    assert migrate_postgres(postgres, is_dry_run=True) == []


def run(connection: psycopg.Connection[Any], sql: str) -> Any:
    cursor = connection.execute(sql)
    return cursor if cursor.description else ()


def test_a_step_that_fails_leaves_the_schema_as_it_was_before_it(postgres: str) -> None:
    broken = [*migrations("postgres"), Migration(9000, "broken", ("CREATE TABLE more (x int)", "nonsense"))]
    with psycopg.connect(postgres, autocommit=True) as connection:
        with pytest.raises(psycopg.Error):
            migrate(lambda sql: run(connection, sql), "postgres", steps=broken)
        connection.execute("ROLLBACK")
        versions = connection.execute("SELECT version FROM schema_version ORDER BY version").fetchall()
        assert versions == [(step.version,) for step in migrations("postgres")]
        assert connection.execute("SELECT to_regclass('more')").fetchone() == (None,)


def test_cdrs_of_the_first_schema_are_kept_and_their_order_goes_on(postgres: str, codecs: Codecs) -> None:
    names = ", ".join(CDR_COLUMNS)
    row = cdr_row(Cdr(cgrid="old", cost_nano=5), 1)
    with psycopg.connect(postgres, autocommit=True) as connection:
        migrate(lambda sql: run(connection, sql), "postgres", steps=migrations("postgres")[:1])
        connection.execute(f"INSERT INTO cdrs ({names}) VALUES ({', '.join(['%s'] * len(row))})", row)
    store = PostgresStore(postgres, codecs)
    store.commit(Batch(cdrs=[Cdr(cgrid="new")], at=2))
    assert [(cdr.cgrid, cdr.order_id) for cdr in store.find_cdrs(CdrFilter())] == [("old", 1), ("new", 3)]
    store.close()


def test_cdrs_may_lie_in_partitions_by_time(pg: PostgresStore, postgres: str) -> None:
    with psycopg.connect(postgres, autocommit=True) as admin:
        admin.execute("CREATE TABLE cdrs_early PARTITION OF cdrs FOR VALUES FROM (0) TO (100)")
        admin.execute("CREATE TABLE cdrs_late PARTITION OF cdrs FOR VALUES FROM (100) TO (200)")
    pg.commit(Batch(cdrs=[Cdr(cgrid="a", cost_nano=1), Cdr(cgrid="b")], at=50))
    pg.commit(Batch(cdrs=[Cdr(cgrid="a", cost_nano=2), Cdr(cgrid="c")], at=150))
    pg.commit(Batch(cdrs=[Cdr(cgrid="d")], at=250))
    with psycopg.connect(postgres, autocommit=True) as admin:
        sql = "SELECT tableoid::regclass::text, cgrid, cost::text FROM cdrs ORDER BY order_id"
        assert admin.execute(sql).fetchall() == [
            ("cdrs_early", "a", "0.000000002"),
            ("cdrs_early", "b", None),
            ("cdrs_late", "c", None),
            ("cdrs_rest", "d", None),
        ]
        admin.execute("ALTER TABLE cdrs DETACH PARTITION cdrs_early")
    assert [cdr.cgrid for cdr in pg.find_cdrs(CdrFilter())] == ["c", "d"]
    pg.commit(Batch(removed_cdrs=[("c", "*default")], at=260))
    assert [cdr.cgrid for cdr in pg.find_cdrs(CdrFilter())] == ["d"]


def test_migrating_a_schema_that_a_server_has_is_refused(pg: PostgresStore, postgres: str) -> None:
    with pytest.raises(Unavailable, match="another process serves"):
        migrate_postgres(postgres, is_dry_run=True)


def test_costs_are_exact_numbers_for_other_programs(pg: PostgresStore, postgres: str) -> None:
    pg.commit(Batch(cdrs=[Cdr(cgrid="c", cost_nano=10**30 + 1)]))
    with psycopg.connect(postgres) as other:
        row = other.execute("SELECT cost, pg_typeof(cost)::text FROM cdrs_readable").fetchone()
    assert row is not None and (str(row[0]), row[1]) == ("1000000000000000000000.000000001", "numeric")


def test_a_nul_in_an_extra_field_becomes_a_mark_and_its_neighbours_stay(pg: PostgresStore) -> None:
    given = {"a": "x\0y", "b": "\\u0000", "c": "\\\0", "d": "\\\\\0"}
    pg.commit(Batch(cdrs=[Cdr(cgrid="c", extra_fields=given)]))
    (found,) = pg.find_cdrs(CdrFilter())
    assert found.extra_fields == {"a": "x\ufffdy", "b": "\\u0000", "c": "\\\ufffd", "d": "\\\\\ufffd"}


async def test_a_lost_connection_fails_the_commit_and_the_next_one_works(
    pg: PostgresStore, postgres: str, codecs: Codecs
) -> None:
    world = World({}, new_id=lambda: "")
    committer = Committer(pg, world, codecs)
    recovered = trio.Event()
    committer.on_recovery(recovered.set)

    def mark(key: str) -> None:
        world.state.begin()
        world.state.table("marks").put(key, 1)
        committer.add(world.state.take(), now_at=1)

    with trio.fail_after(30):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(committer.run)
            mark("before")
            await committer.drain()
            await trio.to_thread.run_sync(end_connections, postgres)
            mark("lost")
            with pytest.raises(Unavailable):
                await committer.drain()
            await recovered.wait()
            assert world.state.table("marks").records == {"before": 1}
            mark("after")
            await committer.drain()
            nursery.cancel_scope.cancel()


def test_a_read_whose_connection_was_cut_is_made_on_another(pg: PostgresStore, postgres: str) -> None:
    pg.commit(Batch(cdrs=[Cdr(cgrid="c")]))
    assert pg.count_cdrs(CdrFilter()) == 1
    end_connections(postgres)
    assert pg.count_cdrs(CdrFilter()) == 1
