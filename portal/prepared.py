"""Statements that a queue waits for: the database plans each once for a connection, and not at every use."""

from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from django.db import DEFAULT_DB_ALIAS, connections


def first_row(sql: str, values: Mapping[str, Any] | Sequence[Any]) -> tuple | None:
    """The first row that the statement returns, if any; in the transaction that is open, or else in its own."""
    rows = all_rows(sql, values)
    return rows[0] if rows else None


def all_rows(sql: str, values: Mapping[str, Any] | Sequence[Any]) -> list[tuple]:
    """Every row that the statement returns."""
    database = connections[DEFAULT_DB_ALIAS]
    database.close_if_health_check_failed()
    database.ensure_connection()
    with database.wrap_database_errors, psycopg.Cursor(database.connection) as cursor:
        return cursor.execute(sql, values, prepare=True, binary=True).fetchall()
