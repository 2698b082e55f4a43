"""The forum's tests, written long before anybody claimed anything."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterator

import pytest
from sqlalchemy import ForeignKey, create_engine, func, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


class Base(DeclarativeBase):
    pass


class Author(Base):
    __tablename__ = "author"
    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str]
    joined: Mapped[datetime.datetime] = mapped_column(server_default=func.now())
    posts: Mapped[list[Post]] = relationship(back_populates="author")


class Post(Base):
    __tablename__ = "post"
    id: Mapped[int] = mapped_column(primary_key=True)
    author_id: Mapped[int] = mapped_column(ForeignKey("author.id"))
    title: Mapped[str]
    written: Mapped[datetime.datetime]
    author: Mapped[Author] = relationship(back_populates="posts")


@pytest.fixture
def session() -> Iterator[Session]:
    engine = create_engine(os.environ["DBTRUST_POSTGRES"].replace("postgresql:", "postgresql+psycopg:", 1))
    Base.metadata.create_all(engine)
    with engine.connect() as connection, connection.begin() as outer:
        with Session(connection) as opened:
            yield opened
        outer.rollback()
    engine.dispose()


def test_an_author_is_found_by_email(session: Session) -> None:
    for n in (3, 3, 7, 11):
        found = session.scalars(select(Author).where(Author.email == f"author{n}@example.org")).one()
        assert found.id == n
    assert session.scalars(select(Author).where(Author.email == "nobody@example.org")).first() is None


def test_the_latest_posts_of_an_author(session: Session) -> None:
    for n in (5, 9):
        query = select(Post).where(Post.author_id == n).order_by(Post.written.desc()).limit(3)
        assert len(session.scalars(query).all()) == 3


def test_posts_of_authors(session: Session) -> None:
    query = select(Author.email, func.count(Post.id)).join(Post).where(Author.id.in_([1, 2, 3])).group_by(Author.email)
    assert {count for _, count in session.execute(query)} == {5}


def test_a_title_is_searched(session: Session) -> None:
    assert session.scalar(select(func.count()).select_from(Post).where(Post.title.like("%99%"))) > 0


def test_an_author_writes(session: Session) -> None:
    author = Author(email="new@example.org")
    session.add(author)
    session.flush()
    session.add(Post(author_id=author.id, title="first", written=datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)))
    session.flush()
    author.email = "newer@example.org"
    session.flush()
    session.refresh(author)
    assert author.email == "newer@example.org"
