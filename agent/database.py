"""Open a database, bring its tables up to date, and say in plain words what is wrong with it."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sql
from sqlalchemy.engine import URL, Connection, Engine, make_url

from agent.errors import StoreError

HEAD: Final = "0002"  # the newest of migrations/versions; a test compares them
PATIENCE_MS: Final = 10_000  # how long a writer waits for another one
MIGRATION_LOCK: Final = 7_323_672  # any number, the same for every process (PostgreSQL)

_PLAIN: Final = {
    "disk is full": "The disk is full. What came before is kept, this was not stored. Free some "
    "space and send it again.",
    "locked": "The database is in use by another process. What came before is kept, this was not "
    "stored. Try again in a moment.",
    "readonly": "The database cannot be written: its file or folder is read-only. What came before "
    "is kept, this was not stored. Make it writable, or set REHEARSAL_DATA_DIR.",
    "unable to open": "The database cannot be opened. Nothing was changed. Check that its folder "
    "exists and can be written, or set REHEARSAL_DATA_DIR.",
    "not a database": "The file is not a database, or it is damaged. Nothing was changed. Restore "
    "a copy, or set REHEARSAL_DATA_DIR to a new folder.",
    "malformed": "The database is damaged. Nothing was changed. Restore a copy, or set "
    "REHEARSAL_DATA_DIR to a new folder.",
}


def open_engine(database: str | Path) -> Engine:
    """Return an engine on a database whose tables are up to date. Raises StoreError."""
    with explained():
        url = _url(database)
        if url.get_backend_name() != "sqlite":
            engine = sql.create_engine(url, pool_pre_ping=True)
        else:
            engine = sql.create_engine(url)
            sql.event.listen(engine, "connect", _configure_sqlite)
            sql.event.listen(engine, "begin", _begin_sqlite)
        if _version(engine) != HEAD:
            _migrate(engine)
        return engine


@contextmanager
def explained() -> Iterator[None]:
    """Turn what a database driver raises into a StoreError in plain words."""
    try:
        yield
    except ImportError as error:
        raise StoreError(
            f"The driver of this database is not installed ({error}). For PostgreSQL: "
            "pip install 'executive-rehearsal[postgres]'. Nothing was changed."
        ) from error
    except (sql.exc.SQLAlchemyError, sqlite3.Error, OSError, UnicodeError) as error:
        cause = str(getattr(error, "orig", None) or error).strip() or type(error).__name__
        for sign, message in _PLAIN.items():
            if sign in cause:
                raise StoreError(message) from error
        first = cause.splitlines()[0]
        raise StoreError(f"The database failed: {first}. This was not stored.") from error


def problems(db: Connection) -> tuple[str, ...]:
    """Return what the database itself finds wrong; nothing when it is sound."""
    if db.dialect.name != "sqlite":
        db.exec_driver_sql("SELECT 1")
        return ()
    found = [row[0] for row in db.exec_driver_sql("PRAGMA integrity_check") if row[0] != "ok"]
    orphans = db.exec_driver_sql("PRAGMA foreign_key_check").all()
    return (*found, *(f"a row of {row[0]} has lost what it belongs to" for row in orphans))


def _url(database: str | Path) -> URL:
    if isinstance(database, str):
        url = make_url(database)
        plain = url.drivername in ("postgres", "postgresql")
        return url.set(drivername="postgresql+psycopg") if plain else url
    database.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    return URL.create("sqlite", database=str(database))


def _configure_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # SQLAlchemy's begin event opens the transactions
    for pragma in (f"busy_timeout={PATIENCE_MS}", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    """Take the write lock at once: reading first and writing later loses what others wrote.

    What `passing` writes store survives the end of the process, not that of the machine: they do
    not wait for the disk.
    """
    options = connection.get_execution_options()
    connection.exec_driver_sql(
        f"PRAGMA synchronous={'NORMAL' if options.get('passing') else 'FULL'}"
    )
    connection.exec_driver_sql("BEGIN IMMEDIATE" if options.get("writes") else "BEGIN")


def _version(source: Engine | Connection) -> str | None:
    """Return the stored version of the tables. Costs no import of alembic."""
    if isinstance(source, Engine):
        with source.connect() as connection, connection.begin():
            return _version(connection)
    if not sql.inspect(source).has_table("alembic_version"):
        return None
    found: str | None = source.exec_driver_sql("SELECT version_num FROM alembic_version").scalar()
    return found


def _migrate(engine: Engine) -> None:
    """Bring the tables to HEAD in one transaction; a second process waits, then finds it done."""
    _use_wal(engine)
    with engine.connect().execution_options(writes=True) as connection, connection.begin():
        if engine.dialect.name == "postgresql":
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({MIGRATION_LOCK})")
        if _version(connection) != HEAD:
            _upgrade(connection)


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util import CommandError

    config = Config()
    config.set_main_option("script_location", "agent:migrations")
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise StoreError(
            "The database was made by a newer version of the product. Nothing was changed. "
            "Install that version, or set REHEARSAL_DATA_DIR to a new folder."
        ) from error


def _use_wal(engine: Engine) -> None:
    """Let readers go on while one process writes. Kept in the file, so it is set once.

    SQLite does not wait for its lock here, so this does.
    """
    if engine.dialect.name != "sqlite":
        return
    deadline = time.monotonic() + PATIENCE_MS / 1000
    connection = engine.raw_connection()
    try:
        while True:
            try:
                connection.cursor().execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
    finally:
        connection.close()
