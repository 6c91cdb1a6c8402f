"""PostgreSQL as Django speaks to it, with a cheaper look at a pooled connection before it is used."""

import select

import psycopg
from django.db.backends.postgresql import base
from psycopg_pool import ConnectionPool


class DatabaseWrapper(base.DatabaseWrapper):
    def get_new_connection(self, conn_params):
        connection = super().get_new_connection(conn_params)
        while self.pool and not is_alive(connection):
            self.pool.putconn(connection)
            connection = super().get_new_connection(conn_params)
        return connection


def is_alive(connection: psycopg.Connection) -> bool:
    """Whether the server still listens: it is asked only when its socket has something to say, as when it was closed.

    To ask each time (CONN_HEALTH_CHECKS) costs a queue at a door a tenth of its pace.
    """
    try:
        socket = select.poll()
        socket.register(connection.fileno(), select.POLLIN)
        if socket.poll(0):
            ConnectionPool.check_connection(connection)
    except psycopg.OperationalError:
        return False
    return True
