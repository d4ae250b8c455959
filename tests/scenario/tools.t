#!/usr/bin/python3
"""tools.t - the programs around the mail system, on a running host with real deliveries.

Programs of .qmail lines, what stands in front of qmail-inject, mailboxes and their readers, what
shows and mends the queue, users and rcpthosts databases, QMTP and QMQP, the tools for names, and
every start script in boot/.
Usage: tools.t [NAME...]: only these functions.
"""
import os
import re
import signal
import socket
import sys
from subprocess import DEVNULL, PIPE

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, os.path.join(TESTS, 'world')]
import hosts                            # noqa: E402
import tap                              # noqa: E402
from host import read, wait_for         # noqa: E402
from tree import BUILD, home            # noqa: E402

JOE = hosts.USERS['joe']
BIN = home() + '/bin/'
ZONE = hosts.ZONE + 'ptr-record=1.2.0.192.in-addr.arpa,hosta.test\n' \
    'cname=alias.test,hosta.test\nhost-record=blackhole.test,192.0.2.50\n'


def settle(a):
    """Wait until all mail has gone its way."""
    a.wait_empty()
    a.sync()
    a.wait_empty()


def send(a, to, text=b'Subject: test\n\nhello\n', sender='ann@hosta.test'):
    """Queue one message, wait for the end of it and of what it causes."""
    tap.equal(a.deliver(sender, [to], text), 0, 'a message to %s' % to)
    settle(a)


def take(a, user, box='Maildir'):
    """The messages of a user, which are removed."""
    found = a.mail(user, box)
    a.clear_mail(user)
    return found


def serve(a, port, *argv):
    """tcpserver on a port of the host."""
    a.popen(['tcpserver', '-RHl0', '-u%d' % hosts.QMAILD[0], '-g%d' % hosts.QMAILD[1], '127.0.0.1',
             str(port), *argv], stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL)
    wait_for(lambda: a.listening(port), 'port %d' % port)


def kill(a, name):
    """End all processes of this name; nsenter, which started them, ends with them."""
    for pid in a.processes(name):
        os.kill(pid, signal.SIGTERM)


def talk(a, port, data):
    """Send data to a port, close; all that is answered."""
    with a.connect('127.0.0.1', port) as connection:
        connection.sendall(data)
        connection.shutdown(socket.SHUT_WR)
        answer = b''
        while piece := connection.recv(65536):
            answer += piece
    return answer


def netstring(*parts):
    """Each of the parts as a netstring."""
    return b''.join(b'%d:%s,' % (len(part), part) for part in parts)


def dot_qmail(a):
    """forward, condredirect, bouncesaying, except, preline, qsmhook, qreceipt, qbiff."""
    a.dotqmail('joe', 'forward', '|forward ann@hosta.test\n')
    send(a, 'joe-forward@hosta.test')
    got = take(a, 'ann')
    tap.ok(len(got) == 1 and b'Delivered-To: joe-forward@hosta.test\n' in got[0], 'forward', got)

    a.dotqmail('joe', 'cond', '|condredirect ann@hosta.test grep -q magic\n./Maildir/\n')
    send(a, 'joe-cond@hosta.test', b'Subject: magic\n\nhello\n')
    send(a, 'joe-cond@hosta.test')
    tap.equal((len(take(a, 'ann')), len(take(a, 'joe'))), (1, 1), 'condredirect: there and here')

    a.dotqmail('joe', 'say', "|bouncesaying 'No thanks.' grep -q magic\n./Maildir/\n")
    send(a, 'joe-say@hosta.test', b'Subject: magic\n\nhello\n')
    send(a, 'joe-say@hosta.test')
    got = take(a, 'ann')
    tap.ok(len(got) == 1 and b'<joe-say@hosta.test>:\nNo thanks.\n' in got[0], 'bouncesaying', got)
    tap.equal(len(take(a, 'joe')), 1, '  and the other message is delivered')

    a.dotqmail('joe', 'except', '|except grep -q magic\n./Maildir/\n')
    send(a, 'joe-except@hosta.test', b'Subject: magic\n\nhello\n')
    send(a, 'joe-except@hosta.test')
    got = take(a, 'ann')
    tap.ok(len(got) == 1 and b'Subject: failure notice' in got[0], 'except: refused', got)
    tap.equal(len(take(a, 'joe')), 1, '  and the other message is delivered')

    a.dotqmail('joe', 'lines', '|preline cat >preline.out\n|qsmhook -lP sh -c \'cat >hook.out; '
               'echo "$1 $2" >>hook.out\' sh %g %u\n')
    send(a, 'joe-lines@hosta.test')
    text = read(a.path('/home/joe/preline.out'))
    tap.ok(re.match(r'From ann@hosta.test \w{3} \w{3} [ \d]\d [\d:]{8} \d{4}\n'
                    r'Return-Path: <ann@hosta.test>\nDelivered-To: joe-lines@hosta.test\n'
                    r'Received: ', text) and text.endswith('\n\nhello\n'), 'preline', text)
    text = read(a.path('/home/joe/hook.out'))
    tap.ok(text.startswith('From ann@hosta.test ') and '\nDelivered-To: joe-lines@' in text and
           text.endswith('\n\nhello\nann@hosta.test joe-lines\n'), 'qsmhook', text)

    a.dotqmail('joe', 'receipt', '|qreceipt joe-receipt@hosta.test\n|qbiff\n./Maildir/\n')
    send(a, 'joe-receipt@hosta.test', b'Subject: s\nMessage-ID: <1@x>\n'
         b'Notice-Requested-Upon-Delivery-To: joe-receipt@hosta.test\n\nhello\n')
    got = take(a, 'ann')
    tap.ok(len(got) == 1 and b'\nAuto-Submitted: auto-replied\n' in got[0] and b'1@x' in got[0],
           'qreceipt: the sender is told', got)
    tap.equal(len(take(a, 'joe')), 1, '  once, and qbiff stops nothing')


def senders(a):
    """datemail, mailsubj, predate: sent by joe, read by ann."""
    for argv, text, want in (
            (['datemail', '-f', 'joe@hosta.test', 'ann'], b'Subject: d\n\nhi\n',
             rb'\nDate: \d+ \w{3} \d{4} [\d:]{8} \+0530\nSubject: d\n'),
            (['mailsubj', "it's $(id) %s", 'ann', 'ann@hosta.test'], b'.\nhi\n',
             rb"\nSubject: it's \$\(id\) %s\nTo: ann@hosta.test, ann@hosta.test\n"),
            (['predate', BIN + 'qmail-inject', 'ann'], b'Subject: p\n\nhi\n',
             rb'\nDate: \d+ \w{3} \d{4} [\d:]{8} \+0530\nSubject: p\n')):
        code, out, err = a.call([BIN + argv[0], *argv[1:]], text, user=JOE,
                                env={'TZ': 'XXX-5:30', 'USER': 'joe'})
        tap.equal((code, out + err), (0, b''), argv[0])
        settle(a)
        got = take(a, 'ann')
        tap.ok(got and re.search(want, got[0]) and got[0].endswith(b'hi\n') and
               b'Return-Path: <joe@hosta.test>' in got[0], '  is read by ann', got)


def readers(a):
    """maildirwatch, maildir2mbox; elq, pinq, qail with readers of our own.  Blanks in names."""
    env = {'MAILDIR': '/home/joe/my mail', 'MAIL': '/home/joe/m box', 'USER': 'joe',
           'MAILTMP': '/home/joe/m box.tmp', 'PATH': '/tmp/readers:/usr/bin:/bin'}
    a.sh('mkdir /tmp/readers; for name in elm pine Mail; do cp /bin/cat /tmp/readers/$name; done')
    a.sh(BIN + 'maildirmake "$MAILDIR"', user=JOE, env=env)
    a.dotqmail('joe', 'box', './my mail/\n')
    count = 0
    for program, argv in (('maildir2mbox', ()), ('elq', ('/home/joe/m box',)),
                          ('pinq', ('/home/joe/m box',)), ('qail', ('/home/joe/m box',))):
        send(a, 'joe-box@hosta.test', b'Subject: to be read\n\nFrom here\n')
        a.sh('touch -d @1000000000 "$MAILDIR"/new/*', env=env)  # mail of this second is left
        if not count:
            watch = a.popen([BIN + 'maildirwatch'], user=JOE, env=env, stdout=PIPE, stderr=PIPE)
            shown = b''
            while b'to be read' not in shown:
                piece = os.read(watch.stdout.fileno(), 4096)
                if not piece:
                    break
                shown += piece
            tap.ok(b'FROM <ann@hosta.test> TO <joe-box@hosta.test>' in shown, 'maildirwatch', shown)
            kill(a, 'maildirwatch')
            watch.communicate()
        count += 1
        code, out, err = a.call([BIN + program, *argv], user=JOE, env=env)
        text = read(a.path(env['MAIL']))
        tap.equal((code, err, text.count('\nSubject: to be read\n'), text.count('\n>From here\n'),
                   out.decode()), (0, b'', count, count, text if argv else ''), program)
        tap.equal(a.mail('joe', 'my mail'), [], '  the Maildir is empty')


def fronts(a):
    """qmail-qmtpd, qmail-qmqpd with qmail-qmqpc in front of it, tcp-env and qmail-smtpd."""
    message = b'\nSubject: front\n\nhello\n'
    serve(a, 209, BIN + 'qmail-qmtpd')
    serve(a, 628, BIN + 'qmail-qmqpd')
    serve(a, 2526, 'env', '-i', 'RELAYCLIENT=', BIN + 'tcp-env', '-R', BIN + 'qmail-smtpd')
    answer = talk(a, 209, netstring(message, b'joe@hosta.test', netstring(
        b'ann@hosta.test', b'x@elsewhere.test')))
    tap.ok(re.fullmatch(rb'\d+:Kok [^,]*,\d+:Dnot relayed.*,', answer), 'QMTP: one answer for each',
           answer)
    settle(a)
    got = take(a, 'ann')
    tap.ok(len(got) == 1 and b'with QMTP' in got[0], '  ann has it', got)
    for text in (b'-1:', b'99999999999999999999:x', b'007:\nab', b'x', b'\x00' * 100):
        tap.ok(b'K' not in talk(a, 209, text), '  not a netstring: %r' % text[:30])
        tap.ok(b'K' not in talk(a, 628, text), '  nor for QMQP')
    a.control('qmqpservers', '192.0.2.50\n127.0.0.1\n')
    code, _, err = a.call([BIN + 'qmail-inject', 'ann'], b'Subject: by qmqp\n\nhi\n', user=JOE,
                          env={'USER': 'joe', 'QMAILQUEUE': BIN + 'qmail-qmqpc'})
    tap.equal((code, err), (0, b''), 'qmail-qmqpc: the second server takes it')
    settle(a)
    got = take(a, 'ann')
    tap.ok(len(got) == 1 and b'with QMQP' in got[0] and b'Subject: by qmqp' in got[0],
           '  ann has it', got)
    a.control('qmqpservers', None)
    with a.smtp(port=2526) as client:
        client.sendmail('joe@hosta.test', ['ann@hosta.test'], 'Subject: tcp-env\r\n\r\nhi\r\n')
    settle(a)
    got = take(a, 'ann')
    tap.ok(len(got) == 1 and b'(127.0.0.1)' in got[0], 'tcp-env tells the address', got)


def queue_tools(a):
    """A message to a host that never answers: qread, qstat, tcpto, tcpok; then upq, and off."""
    a.sh('''ip link add hole type veth peer name bottom
        ip addr add 192.0.2.51/24 dev hole; ip link set hole up; ip link set bottom up
        ip neigh add 192.0.2.50 lladdr 02:00:00:00:00:01 dev hole''')
    a.control('timeoutconnect', '1\n')
    a.deliver('joe@hosta.test', ['x@blackhole.test'], b'Subject: wait\n\nhello\n')
    a.wait_log('^delivery .*: deferral: ')
    read_out = a.sh(BIN + 'qmail-qread')
    tap.ok(re.fullmatch(r'\d+ \w{3} \d{4} [\d:]{8} GMT  #\d+  \d+  <joe@hosta.test> *\n'
                        r'\tremote\tx@blackhole.test\n', read_out), 'qmail-qread', read_out)
    tap.equal(a.sh(BIN + 'qmail-qstat'),
              'messages in queue: 1\nmessages in queue but not yet preprocessed: 0\n',
              'qmail-qstat')
    shown = a.sh(BIN + 'qmail-tcpto')
    tap.ok(shown.startswith('192.0.2.50 timed out '), 'qmail-tcpto', shown)
    a.sh(BIN + 'qmail-tcpok')
    tap.equal(a.sh(BIN + 'qmail-tcpto'), '', 'qmail-tcpok: forgotten')

    a.svc('-d')
    wait_for(lambda: not a.pid_of() and not a.processes('qmail-send'), 'the end of qmail-send')
    moved = a.sh('''cd %s/queue
        for kind in mess info remote; do mv $kind/*/[0-9]* $kind; done
        ls -d mess/[0-9]*''' % home())
    tap.ok(a.queue_faults(), 'qmail-qcheck sees a queue without directories', moved)
    a.sh(BUILD + '/bin/qmail-upq')
    tap.equal(a.queue_faults(), '', 'qmail-upq puts all in place')
    a.control('timeoutconnect', None)
    a.control('smtproutes', 'blackhole.test:127.0.0.1\n')
    a.sh('svc -u /service/qmail-send')
    wait_for(a.pid_of, 'qmail-send')
    wait_for(lambda: a.processes('qmail-todo'), 'its peers')
    a.svc('-a')
    settle(a)
    got = take(a, 'joe')
    tap.ok(len(got) == 1 and b'<x@blackhole.test>:' in got[0], '  it goes on, and bounces', got)
    a.control('smtproutes', None)


def databases(a):
    """qmail-pw2u and qmail-newu, qmail-getpw, qmail-newmrh."""
    a.sh('%s/bin/qmail-pw2u -/ </etc/passwd >%s/users/assign; %s/bin/qmail-newu'
         % (home(), home(), home()))
    send(a, 'JOE@hosta.test')
    tap.equal(len(take(a, 'joe')), 1, 'qmail-pw2u and qmail-newu: joe by the database')
    a.sh('cd %s/users; sed -i "s/^=joe:/=only:/; /^+/d" assign; ../bin/qmail-newu' % home())
    send(a, 'only@hosta.test')
    tap.equal(len(take(a, 'joe')), 1, '  by another name')
    a.sh('rm %s/users/cdb %s/users/assign' % (home(), home()))
    tap.equal(a.sh('cd %s; %sqmail-getpw joe | tr "\\0" "|"' % (home(), BIN)),
              'joe|5001|5001|/home/joe|||', 'qmail-getpw')

    def accepted():
        with a.smtp('192.0.2.1') as client:
            client.ehlo()
            client.mail('x@x.test')
            return client.rcpt('u@more.test')[0]
    tap.equal(accepted(), 553, 'morercpthosts: not yet')
    a.control('morercpthosts', 'more.test\n')
    a.sh(BIN + 'qmail-newmrh')
    tap.equal(accepted(), 250, '  after qmail-newmrh')
    a.sh('rm %s/control/morercpthosts*' % home())


def names(a):
    """hostname, ipmeprint, the tools for DNS, config."""
    for command, want in (('hostname', 'hosta.test\n'), ('dnsip hosta.test', '192.0.2.1\n'),
                          ('dnsptr 192.0.2.1', 'hosta.test\n'),
                          ('dnsfq hosta.test', 'hosta.test\n'),
                          ('dnsmxip hostb.test', '192.0.2.2 10\n'),
                          ('dnscname alias.test', 'hosta.test\n')):
        tap.equal(a.sh('%s/bin/%s' % (BUILD, command)), want, command)
    tap.ok({'127.0.0.1', '192.0.2.1'} <= set(a.sh(BUILD + '/bin/ipmeprint').split()), 'ipmeprint')
    a.sh('cd %s; mkdir /tmp/kept; cp -a control/. /tmp/kept; rm -f control/*' % home())
    out = a.sh(home() + '/configure/config')
    tap.equal([read(a.path('%s/control/%s' % (home(), name))) for name in (
        'me', 'defaultdomain', 'plusdomain')], ['hosta.test\n'] * 3, 'config')
    tap.ok('hosta.test' in read(a.path(home() + '/control/locals')).split(), '  locals', out)
    a.sh('cd %s; rm -f control/*; cp -a /tmp/kept/. control' % home())


# What takes mail in the start scripts' defaults: each leaves its arguments and what it was given.
TAKER = '''#!/bin/sh
{ echo "taken by ${0##*/}: $*"; cat; } >>/home/joe/taken
'''


def boot(a):
    """Each script in boot/, as rc: one message to joe; the log goes to syslog."""
    a.svc('-d')         # with x, svscan would start both anew within seconds
    wait_for(lambda: not a.processes('qmail-send'), 'the end of qmail-send')
    for path in ('/usr/libexec/mail.local', '/bin/mail', '/usr/lib/mail.local', '/usr/bin/procmail',
                 '/usr/libexec/mail', '/bin/rmail'):
        a.sh('mkdir -p %s; rm -f %s' % (os.path.dirname(path), path))
        a.write(path, TAKER, mode=0o755)
    a.write(BIN + 'dot-forward', '#!/bin/sh\necho asked >>/home/joe/asked\n', mode=0o755)
    log = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    a.sh('rm -f /dev/log')
    log.bind(a.path('/dev/log'))
    a.sh('chmod 666 /dev/log')
    log.settimeout(30)
    scripts = sorted(os.listdir(a.path(home() + '/boot')))
    tap.ok(len(scripts) >= 11, 'eleven scripts', scripts)
    for name in scripts:
        a.sh('cp %s/boot/%s %s/rc; rm -f /home/joe/taken /home/joe/asked /home/joe/Mailbox'
             % (home(), name, home()))
        argv = [home() + '/rc'] + (['start'] if name == 'maildir' else [])
        daemon = a.popen(argv, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL)
        a.deliver('ann@hosta.test', ['joe@hosta.test'], b'Subject: boot\n\nhello\n')
        seen = ''
        while 'end msg' not in seen:
            seen += log.recv(65536).decode() + '\n'
        tap.ok(': success: ' in seen and 'qmail: ' in seen, name + ': delivered, and logged', seen)
        where = 'Maildir' if name == 'maildir' else 'Mailbox' if 'home' in name else 'taken'
        text = take(a, 'joe')[0].decode() if where == 'Maildir' else read(a.path('/home/joe/'
                                                                                 + where))
        tap.ok(text.endswith('\n\nhello\n') or text.endswith('\n\nhello\n\n'), '  ' + where, text)
        tap.equal(read(a.path('/home/joe/asked')), 'asked\n' if 'df' in name else '',
                  '  dot-forward is asked where it should be')
        if name == 'maildir':
            a.sh(home() + '/rc stop')
        else:
            kill(a, 'qmail-send')
        daemon.wait()
        wait_for(lambda: not any(a.processes(one) for one in ('qmail-send', 'splogger')), 'the end')
    log.close()


CASES = [dot_qmail, senders, readers, fronts, queue_tools, databases, names, boot]


def main():
    wanted = sys.argv[1:]
    with hosts.single(zone=ZONE) as a:
        a.start()
        for step in CASES:
            if not wanted or step.__name__ in wanted:
                tap.note(step.__name__)
                tap.attempt(step.__name__ + ' went through', step, a)
                a.clear_mail()
        tap.equal(a.queue_faults(), '', 'the queue is legal')
    return tap.done()


if __name__ == '__main__':
    sys.exit(main())
