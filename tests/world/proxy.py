"""proxy - lets apt in a world fetch packages while the world keeps its own network.

A listening socket inside the host's network, answered by a thread outside: plain HTTP GET only,
which is what apt needs for Debian's sources.  An HTTPS source (CONNECT) is tunnelled.
"""
import http.server
import select
import socket
import socketserver
import urllib.error
import urllib.request

import threading

PORT = 3128
APT_CONF = ('Acquire::http::Proxy "http://127.0.0.1:%d";\n'
            'Acquire::https::Proxy "http://127.0.0.1:%d";\n')


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.0'

    def do_GET(self):
        headers = {name: self.headers[name] for name in ('If-Modified-Since', 'Range', 'If-Range')
                   if name in self.headers}
        try:
            answer = urllib.request.urlopen(
                urllib.request.Request(self.path, headers=headers), timeout=60)
        except urllib.error.HTTPError as error:
            answer = error
        except OSError as error:
            self.send_error(502, str(error))
            return
        with answer:
            self.send_response(answer.status)
            for name in ('Content-Length', 'Last-Modified', 'Content-Range', 'Content-Type'):
                if answer.headers.get(name):
                    self.send_header(name, answer.headers[name])
            self.end_headers()
            while block := answer.read(1 << 16):
                self.wfile.write(block)

    def do_CONNECT(self):
        name, _, port = self.path.rpartition(':')
        with socket.create_connection((name, int(port)), timeout=60) as other:
            self.send_response(200)
            self.end_headers()
            ends = [self.connection, other]
            while True:
                for one in select.select(ends, [], [])[0]:
                    block = one.recv(1 << 16)
                    if not block:
                        return
                    ends[1 - ends.index(one)].sendall(block)

    def log_message(self, *_):
        pass


class _Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def handle_error(self, *_):         # a client that went away is no news
        pass


def serve(mail_host):
    """Answer on 127.0.0.1:PORT of the host; ends with this process.  Also configures its apt."""
    with mail_host.network():
        server = _Server(('127.0.0.1', PORT), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    mail_host.write('/etc/apt/apt.conf.d/99proxy', APT_CONF % (PORT, PORT))
