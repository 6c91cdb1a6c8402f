"""Clients at a door: each thread one connection that stays open. Started as a program, so that it costs the server little.

Reads a file of JSON: `port`, `rate` (requests a second of all threads together, 0 for as many as they can), `cut` (after
how many requests a connection breaks before its answer is read, and the request is sent again; 0 for never) and for each
thread its requests, `[token, path, body]`. Writes the latencies in milliseconds, the statuses and the count of admissions.
"""

import json
import socket
import sys
import threading
import time
from pathlib import Path


def asked(token: str, path: str, body: str) -> bytes:
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(body.encode())}\r\n\r\n{body}".encode()


def answer(connection: socket.socket) -> tuple[int, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65_536)
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    length = int(lengths[0].split(b":")[1])
    while len(body) < length:
        body += connection.recv(65_536)
    return int(head[9:12]), body


def connect(port: int) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def client(plan: dict, requests: list[bytes], gap: float, begin: threading.Barrier, found: list) -> None:
    connection = connect(plan["port"])
    begin.wait()
    due = time.perf_counter()
    for index, request in enumerate(requests, start=1):
        if gap:
            due += gap
            time.sleep(max(0.0, due - time.perf_counter()))
        began = time.perf_counter()
        connection.sendall(request)
        if plan["cut"] and index % plan["cut"] == 0:
            connection.close()
            connection = connect(plan["port"])
            connection.sendall(request)
        status, body = answer(connection)
        found.append(((time.perf_counter() - began) * 1000, status, body.count(b'"admitted"')))
    connection.close()


def main() -> None:
    plan = json.loads(Path(sys.argv[1]).read_text())
    threads = [[asked(*request) for request in requests] for requests in plan["threads"]]
    gap = len(threads) / plan["rate"] if plan["rate"] else 0.0
    begin, found = threading.Barrier(len(threads) + 1), []
    running = [threading.Thread(target=client, args=(plan, requests, gap, begin, found)) for requests in threads]
    for thread in running:
        thread.start()
    begin.wait()
    began = time.perf_counter()
    for thread in running:
        thread.join()
    seconds = time.perf_counter() - began
    statuses: dict[int, int] = {}
    for _, status, _ in found:
        statuses[status] = statuses.get(status, 0) + 1
    done = {"seconds": seconds, "ms": sorted(ms for ms, _, _ in found), "statuses": statuses, "admitted": sum(n for _, _, n in found)}
    print(json.dumps(done))


if __name__ == "__main__":
    main()
