"""tlspart - a TLS handshake of which the other side sees a part only.

    hang(sock, context, 1, 0.5)     it stops half through the second thing we say
"""
import ssl


def hang(sock, context, flight, part, server_side=False):
    """Our side of a handshake, up to this flight of ours, of which only that part is sent."""
    come, go = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context.wrap_bio(come, go, server_side, None if server_side else 'mx.example')
    while True:
        try:
            tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        data = go.read()
        if data and flight == 0:
            sock.sendall(data[:int(len(data) * part)])
            return
        if data:
            flight -= 1
            sock.sendall(data)
        piece = sock.recv(65536)
        if not piece:
            raise RuntimeError('the other side has hung up')
        come.write(piece)
