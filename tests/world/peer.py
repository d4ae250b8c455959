"""peer - a TCP server in a host of hosts.py, of which a test decides what it says.

    with peer.serving(host, ('127.0.0.3', 25), talk):
        ...                     talk(connection) in a thread of its own for each connection

What goes wrong in talk, other than that the other side hangs up, is raised in the end.
"""
import contextlib
import socket
import threading


class Server:
    """The server, at work from the beginning to close()."""

    def __init__(self, host, address, talk):
        self.talk, self.connections, self.troubles = talk, [], []
        with host.network():
            self.listener = socket.create_server(address, backlog=200)
        self.threads = [threading.Thread(target=self._accept)]
        self.threads[0].start()

    def _accept(self):
        while True:
            try:
                connection = self.listener.accept()[0]
            except OSError:             # from close()
                return
            self.connections.append(connection)
            self.threads.append(threading.Thread(target=self._talk, args=(connection,)))
            self.threads[-1].start()

    def _talk(self, connection):
        try:
            with contextlib.suppress(OSError), connection:  # the other side may hang up
                self.talk(connection)
        except Exception as trouble:
            self.troubles.append(trouble)

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.threads[0].join()
        for connection in self.connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self.threads:
            thread.join()
        self.listener.close()
        for trouble in self.troubles:
            raise trouble


@contextlib.contextmanager
def serving(host, address, talk):
    server = Server(host, address, talk)
    try:
        yield
    finally:
        server.close()
