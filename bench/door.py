"""Clients at a door: each a connection that stays open. Started as a program of one thread, so that it costs the server little.

Reads a file of JSON: `port`, `rate` (requests a second of all clients together, 0 for as many as they can), `cut` (after
how many requests a connection breaks before its answer is read, and the request is sent again; 0 for never) and for each
client its requests, `[token, path, body]`. Writes the latencies in milliseconds, the statuses and the count of admissions.
"""

import json
import select
import socket
import sys
import time
from pathlib import Path


def asked(token: str, path: str, body: str) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body.encode())}\r\n\r\n{body}".encode()


def connect(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


class Client:
    """One connection with its requests, one at a time."""

    def __init__(self, port: int, cut: int, requests: list[bytes]) -> None:
        self.port, self.cut, self.requests = port, cut, requests
        self.connection = connect(port)
        self.sent, self.began, self.due = 0, 0.0, 0.0
        self.heard, self.expected = b"", 0

    def send(self, poll: select.epoll, clients: dict[int, "Client"]) -> None:
        request = self.requests[self.sent]
        self.sent += 1
        self.began, self.heard, self.expected = time.perf_counter(), b"", 0
        self.connection.sendall(request)
        if self.cut and self.sent % self.cut == 0:
            del clients[self.connection.fileno()]
            self.connection.close()
            self.connection = connect(self.port)
            clients[self.connection.fileno()] = self
            poll.register(self.connection.fileno(), select.EPOLLIN)
            self.connection.sendall(request)

    def hear(self) -> bytes | None:
        """The whole answer, once it is here."""
        self.heard += self.connection.recv(262_144)
        if not self.expected:
            head, end, _body = self.heard.partition(b"\r\n\r\n")
            if not end:
                return None
            length = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
            self.expected = len(head) + len(end) + int(length)
        return self.heard if len(self.heard) >= self.expected else None


def run(plan: dict) -> tuple[list[tuple[float, bytes]], float]:
    """What each request was answered, with its latency, and how many seconds all took."""
    found: list[tuple[float, bytes]] = []
    all_of_them = [Client(plan["port"], plan["cut"], [asked(*request) for request in requests]) for requests in plan["clients"] if requests]
    clients = {client.connection.fileno(): client for client in all_of_them}
    poll = select.epoll()
    for descriptor in clients:
        poll.register(descriptor, select.EPOLLIN)
    gap = len(all_of_them) / plan["rate"] if plan["rate"] else 0.0
    began = time.perf_counter()
    waiting = []
    for place, client in enumerate(all_of_them):
        client.due = began + gap * place / len(all_of_them)
        waiting.append(client)
    left = sum(len(client.requests) for client in all_of_them)
    while left:
        at = time.perf_counter()
        for client in [client for client in waiting if client.due <= at]:
            waiting.remove(client)
            client.send(poll, clients)
        pause = max(0.0, min(client.due for client in waiting) - at) if waiting else -1
        for descriptor, _event in poll.poll(pause):
            client = clients[descriptor]
            if answer := client.hear():
                left -= 1
                found.append(((time.perf_counter() - client.began) * 1000, answer))
                if client.sent < len(client.requests):
                    client.due += gap
                    if gap:
                        waiting.append(client)
                    else:
                        client.send(poll, clients)
    return found, time.perf_counter() - began


def main() -> None:
    found, seconds = run(json.loads(Path(sys.argv[1]).read_text()))
    statuses: dict[int, int] = {}
    for _ms, answer in found:
        status = int(answer[9:12])
        statuses[status] = statuses.get(status, 0) + 1
    admitted = sum(answer.count(b'"admitted"') for _ms, answer in found)
    print(json.dumps({"seconds": seconds, "ms": sorted(ms for ms, _ in found), "statuses": statuses, "admitted": admitted}))


if __name__ == "__main__":
    main()
