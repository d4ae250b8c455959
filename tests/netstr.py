"""netstr - netstrings, as bytes."""


def join(*texts):
    """Each as a netstring, one after the other.  Text stands for its latin-1 bytes."""
    out = b''
    for text in texts:
        data = text.encode('latin-1') if isinstance(text, str) else text
        out += b'%d:%s,' % (len(data), data)
    return out


def split(data):
    """What is in them; something else than netstrings is a ValueError."""
    found = []
    while data:
        length, _, rest = data.partition(b':')
        n = int(length)
        if rest[n:n + 1] != b',':
            raise ValueError('no netstring: %r' % data)
        found.append(rest[:n])
        data = rest[n + 1:]
    return found
