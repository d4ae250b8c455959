#!/usr/bin/python3
"""signals.t - every daemon is told to stop, to hurry, or killed, while mail flows; nothing is lost.

hosta.test sends a stream of messages to its own users and to hostb.test.  Between them each
daemon of both hosts gets its signals.  supervise starts again what has ended.  In the end every
message that qmail-queue accepted is in its Maildir (twice is allowed only where a delivery was
killed), and both queues are empty.
The same file, run inside the host as `signals.t --inject COUNT`, queues the messages.
"""
import contextlib
import glob
import os
import re
import signal
import sys
import time

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, os.path.join(TESTS, 'world')]
import hosts                            # noqa: E402
import tap                              # noqa: E402
from host import Trouble, wait_for      # noqa: E402
from tree import home                   # noqa: E402

# Makes each delivery to ann last until the gate has been open.
GATE = '|test ! -p /tmp/gate || cat /tmp/gate\n./Maildir/\n'
BODY = re.compile(rb'\n\nmessage (\d+)\n\Z')
QUEUE = home() + '/bin/qmail-queue'
SHARE = 12                              # messages between two signals
# host, signal, process name
SIGNALS = ('HUP', 'ALRM', 'TERM', 'KILL')
DAEMONS = ('qmail-send', 'qmail-todo', 'qmail-lspawn', 'qmail-rspawn', 'qmail-clean', 'multilog')
STEPS = [(0, how, name) for name in DAEMONS for how in SIGNALS] + [
    (0, 'KILL', 'qmail-local'), (0, 'KILL', 'qmail-remote'), (0, 'TERM', 'qmail-remote')] + [
    (1, how, 'tcpserver') for how in SIGNALS] + [
    (1, 'KILL', 'qmail-smtpd'), (1, 'KILL', 'qmail-send'), (1, 'TERM', 'qmail-send'),
    (1, 'KILL', 'qmail-lspawn'), (1, 'HUP', 'qmail-send')]
PASSING = ('qmail-local', 'qmail-remote', 'qmail-smtpd')    # live for one message only
EVERYTHING = ('qmail-send', 'qmail-todo', 'qmail-lspawn', 'qmail-rspawn', 'qmail-clean',
              'qmail-local', 'qmail-remote', 'qmail-queue', 'sh', 'cat')
# These go on; qmail-todo stops with qmail-send only.  All other signals end a daemon.
UNMOVED = [('HUP', 'qmail-send'), ('ALRM', 'qmail-send'), ('TERM', 'qmail-todo'),
           ('HUP', 'qmail-todo'), ('ALRM', 'qmail-todo'), ('ALRM', 'multilog')]


def inject(count):
    """Queue the messages one by one, as many as standard input has lines; one line on standard
    output for each that was accepted."""
    hosts.become('joe')
    for number, _ in zip(range(count), sys.stdin):
        to = 'ann@hosta.test' if number % 2 else 'ann@hostb.test'
        message, envelope = os.memfd_create('message'), os.memfd_create('envelope')
        os.write(message, b'Subject: stream\n\nmessage %d\n' % number)
        os.write(envelope, b'Fjoe@hosta.test\0T%s\0\0' % to.encode())
        child = os.fork()
        if child == 0:
            for target, source in enumerate((message, envelope)):
                os.lseek(source, 0, os.SEEK_SET)
                os.dup2(source, target)
            os.execv(QUEUE, ['qmail-queue'])
        os.close(message)
        os.close(envelope)
        if os.waitpid(child, 0)[1] == 0:
            os.write(1, b'%d\n' % number)
        else:
            os.write(2, b'message %d refused\n' % number)
    return 0


def kill(host, how, name):
    """Send a signal to all processes of this name; how many there were."""
    sent = 0
    for pid in host.processes(name):
        try:
            os.kill(pid, getattr(signal, 'SIG' + how))
            sent += 1
        except ProcessLookupError:
            pass
    return sent


@contextlib.contextmanager
def held(name, a, b):
    """Programs of this name last as long as the `with` block: they wait for something."""
    if name == 'qmail-local':           # for the program it runs
        a.dotqmail('ann', '', GATE)
        a.sh('mkfifo /tmp/gate')
        yield
        a.sh('exec 9<>/tmp/gate; rm /tmp/gate')
        a.dotqmail('ann', '', None)
    elif name == 'qmail-remote':        # for the other host's greeting
        kill(b, 'STOP', 'tcpserver')
        yield
        kill(b, 'CONT', 'tcpserver')
    else:
        yield


def signal_daemon(host, how, name):
    """Send it; wait until what ended is up again, in another process."""
    before = host.processes(name)
    if not before:
        raise Trouble('no process %s on %s' % (name, host.name))
    send = host.pid_of('qmail-send')
    kill(host, how, name)
    if (how, name) not in UNMOVED:
        wait_for(lambda: not set(before) & set(host.processes(name)), 'the end of ' + name)
        wait_for(lambda: set(host.processes(name)) - set(before), 'a new ' + name)
        if name.startswith('qmail-'):
            wait_for(lambda: host.pid_of('qmail-send') not in (0, send), 'a new qmail-send')


def signal_passing(host, how, name, more_mail):
    """Send it to a program that lives for one message, while it works on one."""
    for _ in range(30):
        more_mail()
        end = time.monotonic() + 1
        while time.monotonic() < end:
            if kill(host, how, name):
                return
    raise Trouble('no %s was ever seen' % name)


def signal_everything(host, more_mail):
    """TERM to all programs of the mail system at once, deliveries as well, as an init system does
    that stops a service by its control group."""
    send, failed = host.pid_of('qmail-send'), host.count_log('^delivery .*: failure')
    more_mail()
    wait_for(lambda: host.processes('cat'), 'a delivery to ann')
    for name in EVERYTHING:
        kill(host, 'TERM', name)
    wait_for(lambda: host.pid_of('qmail-send') not in (0, send), 'a new qmail-send')
    tap.equal(host.count_log('^delivery .*: failure'), failed, 'no delivery has failed by that')


def numbers(host):
    """Message number -> how often it is in ann's Maildir."""
    seen = {}
    for name in glob.glob(host.path('/home/ann/Maildir/new/*')):
        with open(name, 'rb') as file:
            found = BODY.search(file.read())
        number = int(found[1]) if found else -1
        seen[number] = seen.get(number, 0) + 1
    return seen


def arrived(*both):
    return sum(len(os.listdir(host.path('/home/ann/Maildir/new'))) for host in both)


def waiting(host):
    """Files of messages that still have to be delivered.  A message file alone is garbage of a
    killed qmail-queue or qmail-clean; the sweep removes it when it is 36 hours old."""
    return [name for name in host.queue() if not name.startswith('mess/')]


def drain(a, b):
    """Wake both queues until they are empty: kills leave deferred deliveries."""
    def empty():
        for one in (a, b):
            if waiting(one):
                one.svc('-a')
        return not waiting(a) and not waiting(b)
    wait_for(empty, 'two empty queues', 120)


def main():
    with hosts.pair() as (a, b):
        a.start(('qmail-send',))
        b.start(('qmail-send', 'qmail-smtpd'))
        stream = a.popen([os.path.abspath(__file__), '--inject', str(1 << 20)],
                         stdin=-1, stdout=-1)
        accepted = []

        def more_mail():
            stream.stdin.write(b'one\n' * SHARE)
            stream.stdin.flush()
            accepted.extend(int(stream.stdout.readline()) for _ in range(SHARE))
        for which, how, name in STEPS:
            title, host = 'SIG%s to %s on %s' % (how, name, (a, b)[which].name), (a, b)[which]
            with held(name, a, b):
                if name in PASSING:
                    tap.attempt(title, signal_passing, host, how, name, more_mail)
                else:
                    more_mail()
                    tap.attempt(title, signal_daemon, host, how, name)
            tap.equal(host.queue_faults(), '', 'and leaves a legal queue')
        with held('qmail-local', a, b):
            tap.attempt('SIGTERM to everything on ' + a.name, signal_everything, a, more_mail)
        tap.equal(a.queue_faults(), '', 'and leaves a legal queue')
        more_mail()
        stream.stdin.close()
        tap.equal(stream.wait(), 0, 'the stream went on to its end')
        tap.ok(len(accepted) > SHARE * len(STEPS), 'qmail-queue accepted every message')
        tap.attempt('both queues get empty', drain, a, b)
        for one, rest in ((a, 1), (b, 0)):
            seen = numbers(one)
            wanted = {number for number in accepted if number % 2 == rest}
            tap.equal(sorted(wanted - set(seen)), [], 'nothing is lost on ' + one.name)
            tap.equal(sorted(set(seen) - wanted), [], 'nothing strange is on ' + one.name)
            again = sum(times - 1 for times in seen.values())
            tap.ok(again <= 8 * len(STEPS), 'at %s few came twice: %d' % (one.name, again))
            tap.equal(one.queue_faults(), '', 'the queue of %s is legal' % one.name)
    return tap.done()


if __name__ == '__main__':
    if sys.argv[1:2] == ['--inject']:
        sys.exit(inject(int(sys.argv[2])))
    sys.exit(main())
