"""The database's clock: the one that every server and worker agrees on."""

from datetime import datetime

from django.db import connection


def now() -> datetime:
    """The instant of the database. Read once per action, after its locks."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]
