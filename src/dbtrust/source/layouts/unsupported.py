"""Layouts that dbtrust knows by sight and cannot run: each is named, none is passed over in silence."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from dbtrust.source.layouts.folder import Folder


@dataclass(frozen=True, slots=True)
class Unsupported:
    """A folder of a layout that is not read, and what would show its migrations."""

    layout: str
    folder: str
    file: str
    next: str


_SQL = "write its SQL to numbered files and prove those"


def recognise(folder: Folder) -> Unsupported | None:
    """The layout of a folder, by names and first words of its files; None for what looks like none."""
    for layout, matches, step in _KINDS:
        if (file := matches(folder)) is not None:
            return Unsupported(layout, folder.path, folder.place(file), step)
    return None


def _named(pattern: str, *, parent: str = "", text: str = "") -> Callable[[Folder], str | None]:
    """The first file whose name matches, in a folder whose path ends in `parent`, whose text matches."""

    def matches(folder: Folder) -> str | None:
        if parent and not re.search(rf"(^|/){parent}$", folder.path or folder.name):
            return None
        for file in folder.files:
            if re.fullmatch(pattern, file) and (not text or re.search(text, folder.try_text(file))):
                return file
        return None

    return matches


_KINDS: tuple[tuple[str, Callable[[Folder], str | None], str], ...] = (
    ("Django", _named(r"\d{4}_\w+\.py", text=r"\bmigrations\.Migration\b"), "python manage.py sqlmigrate shows a migration's SQL"),
    ("Rails", _named(r"\d{14}_\w+\.rb", text=r"ActiveRecord::Migration"), _SQL),
    ("Liquibase", _named(r".+\.(xml|ya?ml|json)", text=r"databaseChangeLog"), "liquibase update-sql shows the SQL"),
    ("Liquibase", _named(r".+\.sql", text=r"(?i)\A\s*--\s*liquibase formatted sql"), "liquibase update-sql shows the SQL"),
    ("Sqitch", _named(r"sqitch\.plan"), "its deploy and revert scripts are scripts of psql"),
    ("Ecto", _named(r"\d{14}_\w+\.exs", text=r"use Ecto\.Migration"), _SQL),
    ("Laravel", _named(r"\d{4}_\d\d_\d\d_\d{6}_\w+\.php", text=r"extends Migration"), "php artisan migrate --pretend shows the SQL"),
    ("Phinx", _named(r"\d{14}_\w+\.php", text=r"AbstractMigration"), _SQL),
    ("Doctrine", _named(r"Version\d{14}\.php", text=r"AbstractMigration"), _SQL),
    ("Entity Framework", _named(r"\d{14}_\w+\.Designer\.cs"), "dotnet ef migrations script shows the SQL"),
    ("TypeORM", _named(r"\d{13}-\w+\.(ts|js)", text=r"MigrationInterface"), _SQL),
    ("Sequelize", _named(r"\d{14}-[\w-]+\.(ts|js|cjs)", text=r"queryInterface"), _SQL),
    ("Knex", _named(r"\d{14}_[\w-]+\.(ts|js|mjs|cjs)", text=r"\bknex\b|\bexports\.up\b"), _SQL),
    ("node-pg-migrate", _named(r"\d{13}_[\w-]+\.(ts|js|mjs|cjs)", text=r"\bpgm\b"), _SQL),
    ("db-migrate", _named(r"\d{14}-[\w-]+\.(ts|js)", text=r"\bdb\."), _SQL),
    ("yoyo", _named(r".+\.py", text=r"(?m)^(from|import) yoyo\b"), _SQL),
    ("Aerich", _named(r"\d+_\w+\.py", text=r"BaseDBAsyncClient"), _SQL),
)  # fmt: skip
