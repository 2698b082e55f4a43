"""Files as aiosql's documentation shows them (users and blogs), written anew, load unchanged and run."""

from __future__ import annotations

from typing import Any

import psycopg

SQL = """
-- name: create_schema#
-- Makes both tables.
CREATE TABLE users (
    userid integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    username text NOT NULL UNIQUE,
    firstname text NOT NULL, -- a comment: with a colon
    lastname text NOT NULL
);
CREATE TABLE blogs (
    blogid integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    userid integer NOT NULL REFERENCES users,
    title text NOT NULL,
    content text NOT NULL,
    published date NOT NULL DEFAULT current_date
);

-- name: get-all-users
-- record_class: User
/* Every user,
   by name. */
SELECT * FROM users ORDER BY username;

-- name: get_user_by_username(username)^
-- Get user with the given username field.
SELECT userid, username, firstname, lastname
  FROM users
 WHERE username = :username;

-- name: count_users$
SELECT count(*) FROM users;

-- name: add_user(username, firstname, lastname)<!
INSERT INTO users (username, firstname, lastname) VALUES (:username, :firstname, :lastname) RETURNING userid;

-- name: bulk_publish *!
-- Insert many blogs at once
INSERT INTO blogs (userid, title, content, published) VALUES (:userid, :title, :content, :published);

-- name: remove_blog!
-- Remove a blog from the database
DELETE FROM blogs WHERE blogid = :blogid;

-- name: get_user_blogs
-- Get blogs with a fancy formatted published date
  select blogid, title, to_char(published, 'YYYY-MM-DD HH24:MI') as published
    from blogs
   where userid = :userid
order by published desc;
"""
CODE = """
from __future__ import annotations
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple
from dbtrust import Affected, SqlQueries

class User(NamedTuple):
    userid: int
    username: str
    firstname: str
    lastname: str

class Queries(SqlQueries, file="q.sql"):
    def create_schema(self) -> None: ...
    def get_all_users(self) -> list[User]: ...
    def get_user_by_username(self, username: str) -> User | None: ...
    def count_users(self) -> int: ...
    def add_user(self, username: str, firstname: str, lastname: str) -> int: ...
    def bulk_publish(self, blogs: Iterable[dict[str, Any]]) -> Affected: ...
    def remove_blog(self, blogid: int) -> Affected: ...
    def get_user_blogs(self, userid: int) -> Iterator[tuple[int, str, str]]: ...
"""


def test_every_operator(module: Any, pg: psycopg.Connection[Any]) -> None:
    code = module(SQL, CODE)
    queries = code.Queries(pg)
    queries.create_schema()
    assert queries.count_users() == 0
    first = queries.add_user("bobsmith", "Bob", "Smith")
    assert queries.add_user("janedoe", "Jane", "Doe") == first + 1
    assert queries.get_user_by_username("bobsmith") == code.User(first, "bobsmith", "Bob", "Smith")
    assert queries.get_user_by_username("nobody") is None
    assert [user.username for user in queries.get_all_users()] == ["bobsmith", "janedoe"]
    blogs = [{"userid": first, "title": t, "content": "…", "published": "2018-01-01"} for t in ("one", "two")]
    assert queries.bulk_publish(blogs) == 2
    assert [row[1:] for row in queries.get_user_blogs(first)] == [
        ("one", "2018-01-01 00:00"),
        ("two", "2018-01-01 00:00"),
    ]
    assert queries.remove_blog(1) == 1
    assert queries.remove_blog(99) == 0
