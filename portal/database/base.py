"""PostgreSQL as Django speaks to it, with a cheaper look at a kept connection before a request uses it."""

import select

from django.db.backends.postgresql import base


class DatabaseWrapper(base.DatabaseWrapper):
    def is_usable(self):
        """Whether the server still listens: it is asked only when the socket has something to say, as when it was closed.

        To ask each time, as Django does, costs a queue at a door a tenth of its pace.
        """
        if self.connection is not None and not self.connection.closed:
            socket = select.poll()
            socket.register(self.connection.fileno(), select.POLLIN)
            if not socket.poll(0):
                return True
        return super().is_usable()
