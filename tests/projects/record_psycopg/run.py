"""A program that is no test suite: psycopg in every way that reaches a server."""

from __future__ import annotations

import os
import threading

import psycopg

URL = os.environ["DBTRUST_POSTGRES"]


def reads(connection: psycopg.Connection) -> None:
    for code in ("code-1", "code-2", "code-2"):
        connection.execute("SELECT id, price FROM item WHERE code = %s", (code,)).fetchall()
    for place in (3, 4):  # constants in the text: one query all the same
        connection.execute(f"SELECT id FROM item WHERE place = {place} AND price > -1 ORDER BY price LIMIT 5")  # noqa: S608
    connection.execute("SELECT id FROM item WHERE labels && %s AND changed > %s::timestamptz - interval '1 day'", (["l1"], "2024-01-01"))
    connection.execute("SELECT 'price' AS kind, count(*) FROM item WHERE about @> %s GROUP BY 1 ORDER BY 1", ('{"a": 1}',))


def odd_texts(connection: psycopg.Connection) -> None:
    connection.execute("SELECT id /* -- name: evil */ FROM item -- name: worse\nWHERE code = 'x\n-- name: worst\n-- claim: no sort\n'")
    connection.execute("SELECT id FROM item WHERE code IN (%s, 'it''s', E'a\\nb', $q$dollar\n:p1$q$)", ("quote ' back\\slash \n-- name: x",))
    connection.execute('SELECT id AS "a :b ""c"" {d}" FROM item WHERE id = %s', (7,))


def several_at_once(connection: psycopg.Connection) -> None:
    connection.execute("UPDATE item SET price = 1 WHERE id = 1; SELECT code FROM item WHERE id = 1; DELETE FROM item WHERE id = 10001")


def cursors(connection: psycopg.Connection) -> None:
    with connection.transaction(), connection.cursor("walk") as cursor:
        cursor.execute("SELECT code FROM item WHERE place = %s ORDER BY price", (5,))
        cursor.fetchmany(10)


def prepared(connection: psycopg.Connection) -> None:
    for number in range(8):
        connection.execute("SELECT price FROM item WHERE id = %s", (number,), prepare=True).fetchall()
    connection.execute("PREPARE one (integer) AS SELECT place FROM item WHERE id = $1")
    connection.execute("EXECUTE one (12)")


def not_claimed(connection: psycopg.Connection) -> None:
    with connection.cursor() as cursor:
        with cursor.copy("COPY stock.shelf (id, note) FROM STDIN") as copy:
            copy.write_row((1, "a"))
        with cursor.copy("COPY (SELECT * FROM item WHERE id < 3) TO STDOUT") as copy:
            list(copy)
    connection.execute("CREATE TEMP TABLE short AS SELECT id FROM item WHERE id < 5")
    connection.execute("SELECT * FROM short").fetchall()
    connection.execute("SELECT relname FROM pg_class WHERE relname = 'item'").fetchall()
    connection.execute("SELECT note FROM stock.shelf WHERE id = 1").fetchall()
    connection.execute("CREATE TABLE made (id int PRIMARY KEY)")
    connection.execute("SELECT id FROM made WHERE id = 1").fetchall()
    try:
        connection.execute("SELECT 1 / (id - id) FROM item")
    except psycopg.errors.DivisionByZero:
        pass


def in_parallel() -> None:
    def one(number: int) -> None:
        with psycopg.connect(URL, autocommit=True) as connection:
            for step in range(10):
                connection.execute("SELECT changed FROM item WHERE id = %s AND place < %s", (number * 10 + step, 50))

    threads = [threading.Thread(target=one, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


with psycopg.connect(URL, autocommit=True) as opened:
    for part in (reads, odd_texts, several_at_once, cursors, prepared, not_claimed):
        part(opened)
in_parallel()
print("done, on stdout")
