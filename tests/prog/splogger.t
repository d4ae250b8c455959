#!/usr/bin/python3
"""splogger.t - splogger with a syslog of our own on /dev/log; in a world."""
import os
import re
import select
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, 'tests')
import tap

SPLOGGER = '/var/qmail/bin/splogger'


def open_log():
    if os.path.lexists('/dev/log'):
        os.unlink('/dev/log')
    log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    log.bind('/dev/log')
    os.chmod('/dev/log', 0o666)
    log.settimeout(5)
    return log


ENTRY = re.compile(rb'<(\d+)>\w+ +\d+ [\d:]+ (?:\S+ )?(\w+): (\d+\.\d{6})([ +])(.*?)\0?$', re.S)


def entries(log, text, *arguments):
    """Exit code, and (priority, tag, stamp, separator, text) of each entry for this input."""
    process = subprocess.Popen([SPLOGGER] + list(arguments), stdin=subprocess.PIPE,
                               user='qmaill', group='nofiles', extra_groups=[])
    found, ended = [], threading.Event()

    def collect():
        """Reads all the time: syslog(3) waits for a reader.  What was sent is there at the end."""
        while True:
            over = ended.is_set()
            if select.select([log], [], [], 0 if over else 0.1)[0]:
                data = log.recv(65536)
                match = ENTRY.match(data)
                found.append((int(match[1]), match[2].decode()) + match.groups()[2:]
                             if match else data)
            elif over:
                return

    reader = threading.Thread(target=collect)
    reader.start()
    process.stdin.write(text)
    process.stdin.close()
    code = process.wait(30)
    ended.set()
    reader.join()
    return code, found


def main():
    log = open_log()
    code, found = entries(log, b'hello\nalert: a\nwarning: b\n\nlast')
    tap.equal(code, 0, 'exit code at the end')
    tap.equal([(e[0], e[1], e[3], e[4]) for e in found],
              [(2 << 3 | 6, 'splogger', b' ', b'hello'),
               (2 << 3 | 1, 'splogger', b' ', b'alert: a'),
               (2 << 3 | 4, 'splogger', b' ', b'warning: b'),
               (2 << 3 | 6, 'splogger', b' ', b'last')],
              'priorities, empty line left out, last line without newline')
    tap.ok(abs(float(found[0][2]) - time.time()) < 60, 'the stamp is the time')
    code, found = entries(log, b'x\n', 'qmail', '3')
    tap.equal([(e[0], e[1]) for e in found], [(3 << 3 | 6, 'qmail')], 'tag and facility')
    code, found = entries(log, b'%s%n' * 10 + b'\t\x00\xff\n', 'qmail')
    tap.equal([e[4] for e in found], [b'%s%n' * 10 + b'???'], 'odd bytes and percent signs')
    code, found = entries(log, b'alert:' + b'x' * 793 + b'y' * 799 + b'z\n', 'q')
    tap.equal([(e[0] & 7, e[3], len(e[4])) for e in found],
              [(1, b' ', 799), (1, b'+', 799), (1, b'+', 1)], 'a long line goes in pieces')
    tap.equal(len({e[2] for e in found}), 1, 'with the same stamp')
    code, found = entries(log, b'x' * 1000000 + b'\n', 'q')
    tap.equal((code, sum(len(e[4]) for e in found), {e[3] for e in found[1:]}),
              (0, 1000000, {b'+'}), 'a line of 1 MB')
    for facility in ('', 'mail', '24', '-1', '2x'):
        code, found = entries(log, b'x\n', 'q', facility)
        tap.equal((code, [e[0] for e in found]), (0, [2 << 3 | 6]), 'facility %r' % facility)
    code, found = entries(log, b'x\n', 'q', '23')
    tap.equal((code, [e[0] for e in found]), (0, [23 << 3 | 6]), 'highest facility')
    directory = os.open('/', os.O_RDONLY)
    tap.equal(subprocess.run([SPLOGGER], stdin=directory, check=False).returncode, 111,
              'input cannot be read')
    os.close(directory)
    log.close()
    reader, writer = os.pipe()
    process = subprocess.Popen([SPLOGGER, 'q'], stdin=reader)
    os.close(reader)
    os.write(writer, b'nobody listens\n')
    log = open_log()
    os.write(writer, b'somebody does\n')
    first = log.recv(65536)             # the line before may have waited for us
    tap.ok(b'somebody does' in (first if b'nobody' not in first else log.recv(65536)),
           'finds a restarted syslog again')
    with open('/proc/%d/status' % process.pid) as file:
        tap.ok('NoNewPrivs:\t1' in file.read(), 'no new privileges')
    os.close(writer)
    tap.equal(process.wait(10), 0, 'and ends')
    return tap.done()


sys.exit(main())
