#!/usr/bin/python3
"""attacks-input.t - input that is much too large: recipients by the hundred thousand, headers and
lines of megabytes, numbers and files beyond 32 and 64 bits.

Always: a defined answer, memory below the figures of qmail-limits(7), and other mail flows (see
attack.py).  DEPTH=full: 10^6 recipients and 4 GiB where less is sent otherwise.
"""
import itertools
import os
import re
import sys
import threading

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, os.path.join(TESTS, 'world')]
import attack                           # noqa: E402
import hosts                            # noqa: E402
import tap                              # noqa: E402
from dialogue import Dialogue           # noqa: E402
from host import wait_for               # noqa: E402
from tree import home                   # noqa: E402

MB, GB4 = 1 << 20, 1 << 32
MANY = attack.scale(10**5, 10**6)
SERVED = 2000                           # of them in the short form, to the end
COPY = rb'^Delivered-To: joe-count-(\d+)@hosta\.test$'
LONG = attack.scale(64 * MB, GB4 + MB)  # of a stream that is read to its end
CHUNK = b'a' * (4 * MB)
INJECT = ['-fann@hosta.test', 'joe-gone-1@hosta.test']
COUNT = '#!/bin/sh\nexec 3<&1\ncat >/dev/null\n' \
    'n=$(tr -cd "\\0" <&3 | wc -c)\necho $((n - 2)) >/tmp/count\n'
QMAILD = {'PROTO': 'TCP', 'TCPREMOTEIP': '192.0.2.7', 'TCPLOCALHOST': 'hosta.test'}


# ---- sending -----------------------------------------------------------------------------------

def stream(write, size, piece=CHUNK):
    """Call write with `size` bytes, or until the reader goes away; how many it took."""
    sent = 0
    try:
        while sent < size:
            write(piece[:size - sent])
            sent += len(piece)
    except (BrokenPipeError, ConnectionResetError):
        pass
    return sent


def feed(host, argv, head, size, **more):
    """Run argv on `head`, then `size` bytes of a; (exit code, output and errors, bytes taken)."""
    child = host.popen(argv, stdin=-1, stdout=-1, stderr=-2, **more)
    taken = []

    def pump():
        try:
            child.stdin.write(head)
            taken.append(stream(child.stdin.write, size))
            child.stdin.close()
        except BrokenPipeError:
            pass
    pumper = threading.Thread(target=pump)
    pumper.start()
    out = child.stdout.read()
    code = child.wait()
    pumper.join()
    child.stdout.close()
    return code, out, sum(taken)


def server(host, program, data, env=None):
    """What a network server says to `data`, and its exit code."""
    settings = {**QMAILD, **(env or {})}
    code, out, _ = host.call([home() + '/bin/' + program], data, user=hosts.QMAILD, env=settings)
    return out, code


def sparse(host, path, head=b'', size=GB4 + 10):
    """A file that begins with `head` and seems to have `size` bytes."""
    host.write(path, head)
    os.truncate(host.path(path), size)


# ---- attacks -----------------------------------------------------------------------------------

def served(host, count):
    """Test points: a copy for each of these recipients is in joe's mbox, no other; no bounce."""
    path = host.path('/home/joe/count')
    with open(path, 'rb') as file:
        got = [int(number) for number in re.findall(COPY, file.read(), re.M)]
    tap.ok(sorted(got) == list(range(count)), 'each of %d recipients is served, once' % count,
           '%d copies, for %d recipients' % (len(got), len(set(got))))
    tap.equal(host.mail('ann'), [], 'no bounce')
    os.unlink(path)


def recipients_queue(host):
    host.dotqmail('joe', 'count-default', './count\n')
    names = ['joe-count-%d@hosta.test' % n for n in range(MANY)]
    if not attack.FULL:                 # so many are served at once; the rest is thrown away
        tap.equal(host.deliver('ann@hosta.test', names[:SERVED], b'Subject: many\n\n'), 0,
                  'qmail-queue takes %d recipients' % SERVED)
        host.wait_empty()
        served(host, SERVED)
    started = host.count_log('^starting delivery .* to local joe-count-')
    tap.equal(host.deliver('ann@hosta.test', names, b'Subject: many\n\n'), 0,
              'qmail-queue takes %d recipients' % MANY)
    host.wait_log('^starting delivery .* to local joe-count-', started + 1, timeout=60)
    attack.probe(host, 'mail flows while they are served')
    if attack.FULL:
        host.wait_empty(7200)
        served(host, MANY)
        return
    host.svc('-d')
    wait_for(lambda: not host.processes('qmail-send'), 'the end of qmail-send')
    host.sh('cd %s/queue; find mess info local remote todo intd bounce -type f | xargs rm -f'
            % home())
    host.svc('-u')
    host.wait_log('^status: local 0/')
    host.sh('rm -f /home/joe/count')


def recipients_inject(host):
    host.write('/tmp/count.sh', COUNT, mode=0o755)
    env = {'QMAILQUEUE': '/tmp/count.sh', 'QMAILDEFAULTHOST': 'h' * 100}
    for count, code in ((10**6, 0), (10**6 + 1, 100)):
        got = host.call([home() + '/bin/qmail-inject', '-fann@hosta.test'],
                        (b'To: ' + b'a,' * (10**6 // 8 - 1) + b'a\n') * 8 +
                        b'Cc: a\n' * (count - 10**6) + b'\n', env=env, user=hosts.USERS['joe'])
        tap.ok(got[0] == code and (not code or b'too many recipients' in got[2]),
               'qmail-inject: %d recipients: exit %d' % (count, code), got)
        if not code:
            tap.equal(host.sh('cat /tmp/count; rm -f /tmp/count').strip(), str(count),
                      'all of them go to the queue')


def recipients_smtp(host):
    with Dialogue(host) as smtp:
        smtp.say('HELO x')
        smtp.say('MAIL FROM:<ann@hosta.test>')
        got = {}
        for start in range(0, MANY, 100):
            smtp.socket.sendall(b''.join(b'RCPT TO:<joe-gone-%d@hosta.test>\r\n' % n
                                         for n in range(start, start + 100)))
            for _ in range(100):
                code = smtp.reply()[:3]
                got[code] = got.get(code, 0) + 1
            if b'' in got or b'421' in got:
                break
        tap.ok(got.get(b'250') == 10**4 and set(got) <= {b'250', b'452', b'421', b''},
               'SMTP: 10000 recipients of %d' % MANY, got)
        tap.note(got)


def recipients_long(host):
    """Up to 8 MB of recipients in a transaction, and a .qmail that is as large as it may be."""
    with Dialogue(host) as smtp:
        smtp.say('HELO x')
        smtp.say('MAIL FROM:<ann@hosta.test>')
        name = 'joe-gone-' + 'x' * 850 + '%06d@hosta.test'
        got = {}
        while not set(got) & {b'452', b''}:
            code = smtp.say('RCPT TO:<%s>' % name % sum(got.values()))[:3]
            got[code] = got.get(code, 0) + 1
        tap.ok(b'452' in got and 9000 < got[b'250'] < 10000, 'SMTP: 8 MB of recipients', got)
    lines = b'#' * 63 + b'\n'
    host.dotqmail('joe', 'largest', lines * MB)
    host.deliver('ann@hosta.test', ['joe-largest@hosta.test'], b'\nx\n')
    host.wait_empty()
    tap.ok(host.count_log('success: did_0') > 0, 'a .qmail of 64 MB is read')


def databytes(host):
    host.control('databytes', '1000\n')
    for size, code in ((999, b'250'), (1000, b'250'), (1001, b'552')):
        with Dialogue(host) as smtp:
            smtp.say('EHLO x')
            body = b'Subject: x\n\n'
            body += b'x' * (size - len(body) - 1) + b'\n'
            got = smtp.message(['joe-gone-1@hosta.test'], body)
            tap.equal(got[:3], code, 'databytes 1000: %d bytes' % size)
    for size, code in ((999, b'250'), (1000, b'250'), (1001, b'552'), (GB4 + 5, b'552'),
                       ((1 << 64) + 5, b'552'), (10**19, b'552')):
        with Dialogue(host) as smtp:
            smtp.say('EHLO x')
            got = smtp.say('MAIL FROM:<ann@hosta.test> SIZE=%d' % size)
            tap.equal(got[:3], code, 'SIZE=%d' % size)
    host.control('databytes', None)


def mailbox(host):
    """A POP3 session that sees joe's messages; those of the same second are not shown."""
    host.sh('rm -f /home/joe/Maildir/cur/*; touch -d "1 minute ago" /home/joe/Maildir/new/*')
    pop = Dialogue(host, 110)
    pop.say('USER joe')
    pop.say('PASS joe-secret')
    return pop


def bomb(host, name, body, inject_code):
    """A message with this header through SMTP to a mailbox, forwards of all kinds and a bounce;
    then POP3."""
    with Dialogue(host) as smtp:
        smtp.say('HELO x')
        got = smtp.message(['joe@hosta.test', 'joe-onward@hosta.test', 'joe-programs@hosta.test',
                            'joe-nobody@hosta.test'], body)
    tap.equal(got[:3], b'250', name + ': SMTP takes it')
    host.wait_empty()
    tap.ok(len(host.mail('joe')) == 1 and body in host.mail('joe')[0], '  mailbox')
    sizes = sorted(len(mail) for mail in host.mail('ann'))
    tap.ok(len(sizes) == 4 and sizes[0] > len(body), '  forwards and bounce have all of it', sizes)
    with mailbox(host) as pop:
        if not tap.equal(pop.say('TOP 1 0')[:3], b'+OK', '  TOP'):
            return
        size = 0
        for line in iter(pop.lines.readline, b'.\r\n'):
            size += len(line)
        tap.ok(size > len(body), '  has the header', size)
        pop.say('QUIT')
    code, out, err = host.call([home() + '/bin/qmail-inject'] + INJECT, body)
    tap.ok(code == inject_code and (not code or b'header too large' in err),
           '  qmail-inject: exit %d' % inject_code, (code, out, err))
    host.wait_empty()
    host.clear_mail()
    host.sh('rm -f /home/joe/Maildir/cur/*')


def header_bombs(host):
    host.dotqmail('joe', 'onward', '&ann@hosta.test\n')
    host.dotqmail('joe', 'programs',
                  '|forward ann@hosta.test\n|condredirect ann@hosta.test true\n')
    bomb(host, '100,000 header fields',
         b''.join(b'X-Field-%d: something\n' % n for n in range(10**5)) + b'\nbody\n', 0)
    bomb(host, 'a header line of 50 MB', b'X-Long: ' + b'y' * (50 * MB) + b'\n\nbody\n', 100)


def received_bombs(host):
    for count, code in ((99, b'250'), (100, b'554'), (101, b'554'), (10**5, b'554')):
        with Dialogue(host) as smtp:
            smtp.say('HELO x')
            got = smtp.message(['joe-gone-1@hosta.test'],
                               b'Received: by x\n' * count + b'\nbody\n')
            tap.equal(got[:3], code, '%d Received lines' % count)
            if code == b'554':
                tap.ok(b'(#5.4.6)' in got, 'hop count', got)


def long_commands(host):
    for line in (b'', b'MAIL FROM:<', b'RCPT TO:<joe@hosta.test,', b'MAIL FROM:<> SIZE=', b'EHLO '):
        with Dialogue(host) as smtp:
            smtp.say('HELO x')
            smtp.socket.sendall(line)
            taken = stream(smtp.socket.sendall, LONG if line == b'MAIL FROM:<' else 8 * MB)
            if taken >= 8 * MB:
                smtp.socket.sendall(b'\r\n')
            got = smtp.reply()
        tap.ok(got[:3] in (b'500', b'555', b'421', b'501') or taken < LONG and not got,
               'SMTP command %r and %d MB' % (line, taken // MB), got)
    with Dialogue(host, 110) as pop:
        taken = stream(pop.socket.sendall, 8 * MB)
        got = b''
        if taken >= 8 * MB:
            pop.socket.sendall(b'\r\n')
            got = pop.reply()
        tap.ok(got[:4] in (b'-ERR', b''), 'POP3 command', got)


def netstrings(host):
    for program in ('qmail-qmtpd', 'qmail-qmqpd'):
        for head in (b'99999999999:', b'%d:hello,' % (GB4 + 5), b'%d:hello,' % ((1 << 64) + 5),
                     b'9' * 100 + b':', b'0' * MB, b'%d:' % (2000000009 - 1)):
            out, code = server(host, program, head + b'\nx' * 100)
            tap.ok(code in (100, 111, 0) and b'K' not in out,
                   '%s: %r: exit %d' % (program, head[:30], code), (out, code))
        inner = b'%d:joe@hosta.test,' % (GB4 + 14)
        body = b'5:\nbody,' + b'0:,' + inner
        out, code = server(host, program, body if program == 'qmail-qmtpd' else
                           b'%d:%s,' % (len(body), body))
        tap.ok(b'K' not in out, program + ': an inner length beyond 32 bits', (out, code))


def long_injections(host):
    code, out, taken = feed(host, [home() + '/bin/qmail-inject'] + INJECT, b'Subject: ', GB4 + MB,
                            user=hosts.USERS['joe'])
    tap.ok(code == 100 and b'header too large' in out, 'qmail-inject: a field of 4 GiB',
           (code, out))
    tap.ok(taken < 64 * MB, 'it stops reading after %d MB' % (taken // MB))
    code, out, taken = queue_feed(host)
    tap.equal((code, out), (11, b''), 'qmail-queue: an address of 4 GiB')
    tap.ok(taken < 64 * MB, 'it stops reading after %d MB' % (taken // MB))
    for program, name in itertools.product(('qmail-inject', 'sendmail'), ('-F', '-f')):
        code, out, err = host.call([home() + '/bin/' + program, name + 'x' * (128 * 1024 - 20),
                                    'joe-gone-1@hosta.test'], b'Subject: x\n\n',
                                   user=hosts.USERS['joe'])
        tap.ok(code in (0, 100), '%s %s with 128 KB: exit %d' % (program, name, code), err)
    for name in ('QMAILNAME', 'QMAILHOST', 'QMAILDEFAULTDOMAIN', 'QMAILINJECT'):
        code, out, err = host.call([home() + '/bin/qmail-inject'] + INJECT, b'Subject: x\n\n',
                                   env={name: 'x' * (128 * 1024 - 20)}, user=hosts.USERS['joe'])
        tap.ok(code in (0, 100), '%s with 128 KB: exit %d' % (name, code), err)


def queue_feed(host):
    """feed() for the envelope of qmail-queue."""
    return feed(host, ['sh', '-c', 'exec %s/bin/qmail-queue 3<&0 </dev/null 1<&3 3<&-' % home()],
                b'F', GB4 + MB, user=hosts.USERS['joe'])


def sizes_in_numbers(host):
    """Limits beyond 32 and 64 bits do not become small ones."""
    body = b'HELO x\r\nMAIL FROM:<ann@hosta.test>\r\nRCPT TO:<joe-gone-1@hosta.test>\r\nDATA\r\n' \
        b'Subject: x\r\n\r\nmore than ten bytes\r\n.\r\nQUIT\r\n'
    for value in (GB4 + 10, (1 << 64) + 10, 10**30):
        out, _ = server(host, 'qmail-smtpd', body, {'DATABYTES': str(value)})
        tap.ok(b'250 ok' in out and b'552' not in out, 'DATABYTES=%d is no small limit' % value,
               out)
        host.control('databytes', '%d\n' % value)
        out, _ = server(host, 'qmail-smtpd', body)
        tap.ok(b'552' not in out, 'control/databytes, too', out)
        host.control('databytes', None)
        host.control('timeoutsmtpd', '%d\n' % value)
        out, _ = server(host, 'qmail-smtpd', body)
        tap.ok(b'451' not in out and b' qp ' in out, 'and timeoutsmtpd', out)
        host.control('timeoutsmtpd', None)
    for name in ('queuelifetime', 'concurrencylocal', 'concurrencyremote', 'timeoutremote',
                 'timeoutconnect'):
        host.control(name, '%d\n' % (GB4 + 1))
    host.restart()
    lines = host.wait_log(r'^status: local 0/(?!10 )')
    tap.ok(re.match(r'status: local 0/(?!1 )\d+ remote 0/(?!1$)\d+', lines[-1]),
           'concurrencies above 2^32 are the largest possible', lines[-1])
    host.wait_empty()
    attack.probe(host, 'queuelifetime above 2^32')
    for name in ('queuelifetime', 'concurrencylocal', 'concurrencyremote', 'timeoutremote',
                 'timeoutconnect'):
        host.control(name, None)
    host.restart()


def giant_files(host):
    """Files that seem to have more than 4 GiB: all are refused by their size."""
    for head in (b'', b'#'):
        sparse(host, '/home/joe/.qmail-giant', head)
        host.sh('chown joe /home/joe/.qmail-giant')
        count = host.count_log('deferral: ')
        tap.equal(host.deliver('ann@hosta.test', ['joe-giant@hosta.test'], b'\nx\n'), 0, 'queued')
        host.wait_log('deferral: ', count + 1)
        host.write('/home/joe/.qmail-giant', '#\n', 'joe')
        host.svc('-a')
        host.wait_empty()
        tap.ok(True, '.qmail: a deferral, until it is mended')
    for name in ('rcpthosts', 'badmailfrom', 'databytes', 'me'):
        was = host.path('%s/control/%s' % (home(), name))
        old = open(was, 'rb').read() if os.path.exists(was) else None
        sparse(host, '%s/control/%s' % (home(), name), b'#')
        out, code = server(host, 'qmail-smtpd', b'QUIT\r\n')
        tap.ok(re.match(rb'4\d\d [^\r\n]*\r\n\Z', out), 'control/%s: refused for now' % name,
               (out, code))
        host.control(name, old.decode() if old else None)
    place = home() + '/control/locals'
    host.sh('cp %s %s.was' % (place, place))
    sparse(host, place, b'hosta.test\n')
    count = host.count_log('unable to reread control/locals')
    host.svc('-h')
    host.wait_log('unable to reread control/locals', count + 1)
    attack.probe(host, 'with a giant control/locals the old one counts')
    host.sh('mv %s.was %s' % (place, place))
    host.svc('-h')
    sparse(host, home() + '/users/assign', b'=x:')
    code, out, err = host.call([home() + '/bin/qmail-newu'])
    tap.ok(code == 111 and b'bad format' in out + err, 'qmail-newu: bad format', (code, out, err))
    host.sh('rm -f {0}/users/assign {0}/users/cdb.tmp'.format(home()))


def giant_messages(host):
    """A mailbox, a message in it, and one in the queue that are beyond 4 GiB."""
    sparse(host, '/home/joe/box', b'From x\n\n')
    host.sh('chown joe:joe /home/joe/box')
    host.dotqmail('joe', 'box', './box\n')
    host.deliver('ann@hosta.test', ['joe-box@hosta.test'], b'Subject: at the end\n\nat the end\n')
    host.wait_empty()
    with open(host.path('/home/joe/box'), 'rb') as file:
        file.seek(GB4 + 10)
        tap.ok(file.read().endswith(b'\n\nat the end\n\n'), 'delivery behind 4 GiB of an mbox')
    host.sh('rm /home/joe/box')
    host.clear_mail()
    sparse(host, '/home/joe/Maildir/new/1.giant', b'Subject: x\n\n')
    host.sh('chown joe:joe /home/joe/Maildir/new/1.giant')
    with mailbox(host) as pop:
        tap.equal(pop.say('STAT'), b'+OK 1 %d\r\n' % (GB4 + 14), 'POP3: its size, with CR')
        if not tap.equal(pop.say('TOP 1 0')[:3], b'+OK', 'TOP'):
            return
        got = list(iter(pop.lines.readline, b'.\r\n'))
        tap.equal(got[0], b'Subject: x\r\n', 'its header')
        pop.say('DELE 1')
        pop.say('QUIT')
    host.control('concurrencylocal', '0\n')
    host.restart()
    host.dotqmail('joe', 'noread', '|exit 0\n')
    host.deliver('ann@hosta.test', ['joe-noread@hosta.test'], b'Subject: x\n\n')
    name = wait_for(lambda: [name for name in host.queue() if name.startswith('mess/')], 'it')[0]
    wait_for(lambda: any(name.startswith('local/') for name in host.queue()), 'preprocessing')
    os.truncate(host.path('%s/queue/%s' % (home(), name)), GB4 + 10)
    code, out, _ = host.call([home() + '/bin/qmail-qread'])
    tap.ok(code == 0 and b'%d bytes' % (GB4 + 10) in out or b' %d ' % (GB4 + 10) in out,
           'qmail-qread: its size', out)
    host.control('concurrencylocal', None)
    host.restart()
    host.wait_empty()
    tap.ok(host.count_log('success: did_0') > 0, 'it is delivered')


def giant_content(host):
    """A message of just databytes, which are more than 32 bits can say."""
    size = attack.scale(200 * MB, GB4 + MB)
    host.control('databytes', '%d\n' % size)
    host.dotqmail('joe', 'size', '|wc -c >size\n')
    head = b'Subject: x\r\n\r\n'
    with Dialogue(host) as smtp:
        smtp.say('HELO x')
        for command in ('MAIL FROM:<ann@hosta.test>', 'RCPT TO:<joe-size@hosta.test>', 'DATA'):
            smtp.say(command)
        smtp.socket.sendall(head)
        stream(smtp.socket.sendall, size - len(head) + 1)   # as stored, with LF
        smtp.socket.settimeout(600)
        smtp.socket.sendall(b'\r\n.\r\n')
        tap.equal(smtp.reply()[:3], b'250', 'a message of %d MB' % (size // MB))
    host.wait_empty(600)
    tap.ok(int(host.sh('cat /home/joe/size')) > size, 'is delivered whole')
    host.control('databytes', None)


CASES = [recipients_inject, recipients_smtp, recipients_long, databytes,
         header_bombs, received_bombs, long_commands, netstrings, long_injections, sizes_in_numbers,
         giant_files,
         giant_messages, giant_content, recipients_queue]


if __name__ == '__main__':
    sys.exit(attack.alone(CASES, hosts.single))
