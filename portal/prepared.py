"""Statements that a queue waits for: the database plans each once for a connection, and not at every use."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from django.db import connection


def first_row(sql: str, values: Mapping[str, Any] | Sequence[Any]) -> tuple | None:
    """The first row that the statement returns, if any; in the transaction that is open, or else in its own."""
    connection.ensure_connection()
    with connection.wrap_database_errors, psycopg.Cursor(connection.connection) as cursor:
        return cursor.execute(sql, values, prepare=True).fetchone()
