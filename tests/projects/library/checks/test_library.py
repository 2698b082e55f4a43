import os

import psycopg
import pymongo


def test_books():
    with psycopg.connect(os.environ["DBTRUST_POSTGRES"]) as connection:
        assert connection.execute("SELECT count(*) FROM book").fetchone() == (20000,)


def test_readings():
    with pymongo.MongoClient(os.environ["DBTRUST_MONGO"]) as client:
        assert client.get_default_database().readings.count_documents({}) == 4000
