"""The tools of bench/migrate.py: how each lays out so many trivial migrations, and its commands."""

from __future__ import annotations

import sys
import textwrap
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path

from peers import node_peer, node_version, python_peer, python_version

PYTHON = sys.executable
SRC = Path(__file__).resolve().parents[1] / "src"
#: Indexes of one collection in the MongoDB histories (the server allows 64).
PER_COLLECTION = 50


def up_sql(n: int) -> str:
    return f"CREATE TABLE t{n:04d} (id int PRIMARY KEY, name text NOT NULL);"


def down_sql(n: int) -> str:
    return f"DROP TABLE t{n:04d};"


def collection(n: int) -> str:
    return f"c{n // PER_COLLECTION}"


class Tool(ABC):
    """One tool: `write` lays a history out, the rest are argument lists, None where it has no such command."""

    name: str
    version = ""
    #: What PYTHONPATH must hold.
    path: Path | None = None

    @abstractmethod
    def write(self, folder: Path, count: int) -> None: ...

    @abstractmethod
    def up(self, url: str) -> Sequence[str]: ...

    @abstractmethod
    def down(self, url: str) -> Sequence[str] | None: ...

    def environment(self, url: str) -> Mapping[str, str]:
        return {"BENCH_URL": url}


class Dbtrust(Tool):
    name = "dbtrust"
    path = SRC
    option = "--postgres"

    def write(self, folder: Path, count: int) -> None:
        (folder / "dbtrust.toml").write_text(
            '[project]\nname = "bench"\n[postgres]\n[migrations]\nfolder = "migrations"\n'
        )
        write_pairs(folder / "migrations", count)

    def up(self, url: str) -> Sequence[str]:
        return [PYTHON, "-m", "dbtrust", "migrate", "up", ".", self.option, url]

    def down(self, url: str) -> Sequence[str]:
        return [PYTHON, "-m", "dbtrust", "migrate", "down", ".", "--to", "0", self.option, url]


def write_pairs(folder: Path, count: int) -> None:
    folder.mkdir()
    for n in range(1, count + 1):
        (folder / f"{n:04d}_t.sql").write_text(up_sql(n) + "\n")
        (folder / f"{n:04d}_t.down.sql").write_text(down_sql(n) + "\n")


RAW_POSTGRES = """
import sys
from pathlib import Path
import psycopg

down = sys.argv[1] == "down"
with psycopg.connect(sys.argv[2], autocommit=True) as connection:
    connection.execute("CREATE TABLE IF NOT EXISTS ledger (number int PRIMARY KEY, at timestamptz DEFAULT now())")
    done = {row[0] for row in connection.execute("SELECT number FROM ledger")}
    for file in sorted(Path("migrations").glob("*_t.down.sql" if down else "*_t.sql"), reverse=down):
        number = int(file.name[:4])
        if (number in done) != down:
            continue
        with connection.transaction():
            connection.execute(file.read_bytes())
            if down:
                connection.execute("DELETE FROM ledger WHERE number = %s", [number])
            else:
                connection.execute("INSERT INTO ledger (number) VALUES (%s)", [number])
"""


class RawPostgres(Tool):
    name = "psycopg"

    def write(self, folder: Path, count: int) -> None:
        write_pairs(folder / "migrations", count)
        (folder / "raw.py").write_text(RAW_POSTGRES)

    def up(self, url: str) -> Sequence[str]:
        return [PYTHON, "raw.py", "up", url]

    def down(self, url: str) -> Sequence[str]:
        return [PYTHON, "raw.py", "down", url]


ALEMBIC_ENV = """
import os
import sqlalchemy
from alembic import context

engine = sqlalchemy.create_engine(os.environ["BENCH_URL"].replace("postgresql:", "postgresql+psycopg:"))
with engine.connect() as connection:
    context.configure(connection=connection, transaction_per_migration=True)
    with context.begin_transaction():
        context.run_migrations()
"""


class Alembic(Tool):
    name = "alembic"

    def __init__(self) -> None:
        self.path = python_peer("alembic==1.18.4", "sqlalchemy==2.0.44")
        if self.path:
            self.version = python_version(self.path, "alembic")

    def write(self, folder: Path, count: int) -> None:
        (folder / "alembic.ini").write_text("[alembic]\nscript_location = scripts\n")
        versions = folder / "scripts" / "versions"
        versions.mkdir(parents=True)
        (folder / "scripts" / "env.py").write_text(ALEMBIC_ENV)
        for n in range(1, count + 1):
            before = f'"{n - 1:04d}"' if n > 1 else "None"
            (versions / f"{n:04d}_t.py").write_text(
                f'from alembic import op\nrevision = "{n:04d}"\ndown_revision = {before}\n\n\n'
                f'def upgrade():\n    op.execute("{up_sql(n)}")\n\n\ndef downgrade():\n    op.execute("{down_sql(n)}")\n'
            )

    def up(self, url: str) -> Sequence[str]:
        return [PYTHON, "-m", "alembic", "upgrade", "head"]

    def down(self, url: str) -> Sequence[str]:
        return [PYTHON, "-m", "alembic", "downgrade", "base"]


DJANGO_SETTINGS = """
import os
from psycopg.conninfo import conninfo_to_dict
_url = conninfo_to_dict(os.environ["BENCH_URL"])
SECRET_KEY = "x"
INSTALLED_APPS = ["app"]
USE_TZ = True
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": _url["dbname"], "USER": _url["user"],
                         "HOST": _url["host"], "PORT": _url["port"]}}
"""


class Django(Tool):
    name = "django"

    def __init__(self) -> None:
        self.path = python_peer("django==5.2.8")
        if self.path:
            self.version = python_version(self.path, "django")

    def write(self, folder: Path, count: int) -> None:
        (folder / "settings.py").write_text(DJANGO_SETTINGS)
        versions = folder / "app" / "migrations"
        versions.mkdir(parents=True)
        for place in (folder / "app", versions):
            (place / "__init__.py").touch()
        for n in range(1, count + 1):
            needs = f'[("app", "{n - 1:04d}_t")]' if n > 1 else "[]"
            (versions / f"{n:04d}_t.py").write_text(
                "from django.db import migrations\n\n\nclass Migration(migrations.Migration):\n"
                f'    dependencies = {needs}\n    operations = [migrations.RunSQL("{up_sql(n)}", "{down_sql(n)}")]\n'
            )

    def up(self, url: str) -> Sequence[str]:
        return [PYTHON, "-m", "django", "migrate", "app", "--settings=settings", "--pythonpath=."]

    def down(self, url: str) -> Sequence[str]:
        return [PYTHON, "-m", "django", "migrate", "app", "zero", "--settings=settings", "--pythonpath=."]


class Yoyo(Tool):
    name = "yoyo"

    def __init__(self) -> None:
        self.path = python_peer("yoyo-migrations==9.0.0", "setuptools<81")
        if self.path:
            self.version = python_version(self.path, "yoyo-migrations")

    def write(self, folder: Path, count: int) -> None:
        (folder / "migrations").mkdir()
        for n in range(1, count + 1):
            (folder / "migrations" / f"{n:04d}_t.sql").write_text(up_sql(n) + "\n")
            (folder / "migrations" / f"{n:04d}_t.rollback.sql").write_text(down_sql(n) + "\n")

    def _command(self, verb: str, url: str) -> Sequence[str]:
        url = url.replace("postgresql:", "postgresql+psycopg:")
        return [PYTHON, "-m", "yoyo", verb, "--batch", "--no-config-file", "--database", url, "migrations"]

    def up(self, url: str) -> Sequence[str]:
        return self._command("apply", url)

    def down(self, url: str) -> Sequence[str]:
        return self._command("rollback", url)


class Dbmate(Tool):
    """The program of the npm package, without its JavaScript wrapper."""

    name = "dbmate"

    def __init__(self) -> None:
        modules = node_peer("dbmate@2.36.0")
        self.path = None
        found = sorted(modules.glob("@dbmate/*/bin/dbmate")) if modules else []
        if modules and found:
            self.path, self.version = found[0], node_version(modules, "dbmate")

    def write(self, folder: Path, count: int) -> None:
        (folder / "migrations").mkdir()
        for n in range(1, count + 1):
            text = f"-- migrate:up\n{up_sql(n)}\n\n-- migrate:down\n{down_sql(n)}\n"
            (folder / "migrations" / f"{n:04d}_t.sql").write_text(text)

    def up(self, url: str) -> Sequence[str]:
        return [
            str(self.path),
            "--url",
            self._url(url),
            "--migrations-dir",
            "migrations",
            "--no-dump-schema",
            "migrate",
        ]

    @staticmethod
    def _url(url: str) -> str:
        """lib/pq's way to name a unix socket."""
        address, _, options = url.partition("?")
        host, port = (part.partition("=")[2] for part in options.split("&"))
        return f"{address}?socket={host}&port={port}&sslmode=disable"

    def down(self, url: str) -> None:
        """It takes one migration back a call."""
        return


MONGO_STEPS = """from dbtrust.migrations import create_index

steps = [create_index("{collection}", [("a{n}", 1)], name="i{n}")]
"""


class DbtrustMongo(Dbtrust):
    option = "--mongo"

    def write(self, folder: Path, count: int) -> None:
        (folder / "dbtrust.toml").write_text(
            '[project]\nname = "bench"\n[mongo]\nversion = "6.0"\n[migrations]\nfolder = "migrations"\n'
        )
        (folder / "migrations").mkdir()
        for n in range(1, count + 1):
            text = MONGO_STEPS.format(n=n, collection=collection(n))
            (folder / "migrations" / f"{n:04d}_t.py").write_text(text)


RAW_MONGO = """
import runpy
import sys
from datetime import UTC, datetime
from pathlib import Path
import pymongo

verb = sys.argv[1]
with pymongo.MongoClient(sys.argv[2]) as client:
    db = client.get_default_database()
    done = {row["_id"] for row in db.ledger.find()}
    for file in sorted(Path("migrations").glob("*.py"), reverse=verb == "down"):
        number = int(file.name[:4])
        if (number in done) != (verb == "down"):
            continue
        runpy.run_path(str(file))[verb](db)
        if verb == "down":
            db.ledger.delete_one({"_id": number})
        else:
            db.ledger.insert_one({"_id": number, "at": datetime.now(UTC)})
"""


class RawMongo(Tool):
    name = "pymongo"

    def write(self, folder: Path, count: int) -> None:
        (folder / "raw.py").write_text(RAW_MONGO)
        (folder / "migrations").mkdir()
        for n in range(1, count + 1):
            (folder / "migrations" / f"{n:04d}_t.py").write_text(
                f'def up(db):\n    db.{collection(n)}.create_index([("a{n}", 1)], name="i{n}")\n\n\n'
                f'def down(db):\n    db.{collection(n)}.drop_index("i{n}")\n'
            )

    def up(self, url: str) -> Sequence[str]:
        return [PYTHON, "raw.py", "up", url]

    def down(self, url: str) -> Sequence[str]:
        return [PYTHON, "raw.py", "down", url]


class MigrateMongo(Tool):
    name = "migrate-mongo"

    def __init__(self) -> None:
        self.path = node_peer("migrate-mongo@14.0.7", "mongodb@7.0.0")
        if self.path:
            self.version = node_version(self.path, "migrate-mongo")

    def write(self, folder: Path, count: int) -> None:
        (folder / "migrations").mkdir()
        (folder / "node_modules").symlink_to(str(self.path))
        (folder / "migrate-mongo-config.js").write_text(
            textwrap.dedent("""
            module.exports = {
              mongodb: { url: process.env.BENCH_URL },
              migrationsDir: "migrations", changelogCollectionName: "changelog",
              lockCollectionName: "changelog_lock", lockTtl: 0,
              migrationFileExtension: ".js", useFileHash: false, moduleSystem: "commonjs",
            };
            """)
        )
        for n in range(1, count + 1):
            (folder / "migrations" / f"{20240101000000 + n}-t.js").write_text(
                "module.exports = {\n"
                f'  async up(db) {{ await db.collection("{collection(n)}").createIndex({{a{n}: 1}}, {{name: "i{n}"}}); }},\n'
                f'  async down(db) {{ await db.collection("{collection(n)}").dropIndex("i{n}"); }},\n}};\n'
            )

    def _command(self, *words: str) -> Sequence[str]:
        return ["node", str(self.path) + "/migrate-mongo/bin/migrate-mongo.js", *words]

    def up(self, url: str) -> Sequence[str]:
        return self._command("up")

    def down(self, url: str) -> Sequence[str]:
        """--block takes back all that was applied in one call of up."""
        return self._command("down", "--block")
