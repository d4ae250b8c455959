#!/usr/bin/python3
"""exchange.t - two hosts send each other 1,000 messages at the same time; usage: exchange.t [COUNT]

Sizes from nothing to 20 MB: plain lines, bytes above 127 and NUL, lines of 1 MB, lines of dots, no
final newline.  Each must arrive once, byte for byte, with exact trace fields in front.
The same file, run inside a host as `exchange.t --inject HOST COUNT`, queues the messages.
"""
import glob
import os
import random
import re
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, os.path.join(TESTS, 'world')]
import hosts                            # noqa: E402
import tap                              # noqa: E402
from host import wait_for               # noqa: E402
from tree import home                   # noqa: E402

QUEUE = home() + '/bin/qmail-queue'
TRACE = re.compile(
    rb'Return-Path: <joe@(?P<from>host[ab].test)>\n'
    rb'Delivered-To: joe-(?P<n>\d+)@(?P<to>host[ab].test)\n'
    rb'Received: \(qmail \d+ invoked from network\); [^\n]* -0000\n'
    rb'Received: from [^\n]*\n  by [^\n]*\n'
    rb'Received: \(qmail \d+ invoked by uid 5001\); [^\n]* -0000\n')
OTHER_BYTES = bytes(value for value in range(256) if value != 13)   # CR cannot cross SMTP as it is
MB = 1 << 20


def message(number):
    """The message of this number: always the same bytes."""
    dice = random.Random(number)
    kind = number % 10
    size = int(10 ** dice.uniform(1, 4.5))
    if number == 3:
        return b'Subject: largest\n\n' + 20 * MB // 16 * b'fifteen letters\n'
    if number == 503:
        return b'\n'
    if kind == 0:
        return b''
    if kind == 1:
        return b'Subject: octets\n\n' + bytes(dice.choices(OTHER_BYTES, k=size)) + b'\n'
    if kind == 2:
        return b'\n' + b''.join(b'.' * dice.randrange(4) + b'\n' for _ in range(size // 20))
    if kind == 3:
        return b'Subject: no newline at the end\n\n' + b'.x' * (size // 2)
    if number % 100 == 4:
        return b'Subject: long lines\n\n' + (b'.' + b'L' * MB + b'\n') * 2
    if number % 250 == 5:
        return b'Subject: large\n\n' + 4 * MB // 8 * b'seven..\n'
    return b'Subject: text %d\n\n' % number + b'From a line\n.\n..\nwords\n' * (size // 24)


def arrived(number):
    """What the other side has of it: the last line is complete."""
    sent = message(number)
    return sent if not sent or sent.endswith(b'\n') else sent + b'\n'


def queue(sender, recipient, text):
    """Run qmail-queue; its exit code."""
    message_file = os.memfd_create('message')
    with open(message_file, 'wb', closefd=False) as file:
        file.write(text)
    os.lseek(message_file, 0, os.SEEK_SET)
    envelope, tell = os.pipe()
    os.write(tell, b'F%s\0T%s\0\0' % (sender.encode(), recipient.encode()))
    os.close(tell)
    child = os.fork()
    if child == 0:
        os.dup2(message_file, 0)
        os.dup2(envelope, 1)
        os.execv(QUEUE, ['qmail-queue'])
    os.close(message_file)
    os.close(envelope)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def inject(own, count):
    """Queue messages 1 to count for the other host; exit 1 at the first refusal."""
    hosts.become('joe')
    other = 'hostb.test' if own == 'hosta.test' else 'hosta.test'
    for number in range(1, count + 1):
        code = queue('joe@' + own, 'joe-%d@%s' % (number, other), message(number))
        if code:
            print('message %d: qmail-queue exits %d' % (number, code))
            return 1
    return 0


def check(one, other, count):
    """Compare everything in joe's Maildir with what was sent."""
    seen, wrong = {}, []
    for name in glob.glob(one.path('/home/joe/Maildir/new/*')):
        with open(name, 'rb') as file:
            text = file.read()
        trace = TRACE.match(text)
        if not trace or trace['from'].decode() != other.name or trace['to'].decode() != one.name:
            wrong.append(text[:600])
            continue
        number = int(trace['n'])
        seen[number] = seen.get(number, 0) + 1
        if text[trace.end():] != arrived(number):
            wrong.append('message %d: %d bytes, wanted %d' % (
                number, len(text) - trace.end(), len(arrived(number))))
    tap.equal(wrong[:5], [], 'all at %s are byte-exact, with exact trace' % one.name)
    tap.equal([n for n in range(1, count + 1) if seen.get(n) != 1][:20], [],
              'each of %d arrived at %s once' % (count, one.name))


def main():
    count = int(sys.argv[1]) if sys.argv[1:] else 1000
    with hosts.pair() as (a, b):
        for one in (a, b):
            one.dotqmail('joe', 'default', './Maildir/\n')
            one.start(('qmail-send', 'qmail-smtpd'))
        senders = [one.popen([os.path.abspath(__file__), '--inject', one.name, str(count)])
                   for one in (a, b)]
        for one, sender in zip((a, b), senders):
            tap.equal(sender.wait(), 0, '%s queues %d messages' % (one.name, count))

        def progress():
            return sum(len(os.listdir(one.path('/home/joe/Maildir/new'))) for one in (a, b))
        # A deadline without progress, so that a slow machine is no failure and a stuck queue is.
        while progress() < 2 * count:
            before = progress()
            if not tap_wait(lambda: progress() > before or not (a.queue() or b.queue())):
                break
        for one, other in ((a, b), (b, a)):
            tap.attempt('the queue of %s gets empty' % one.name, one.wait_empty)
            check(one, other, count)
        for one in (a, b):
            tap.equal(one.count_log('^delivery .*(failure|deferral)'), 0,
                      'no delivery of %s failed or was deferred' % one.name)
            tap.equal(one.queue_faults(), '', 'the queue of %s is legal' % one.name)
    return tap.done()


def tap_wait(condition):
    """Whether the condition became true within a minute."""
    try:
        return wait_for(condition, 'progress', 60)
    except hosts.Trouble as trouble:
        tap.note(trouble)
        return False


if __name__ == '__main__':
    if sys.argv[1:2] == ['--inject']:
        sys.exit(inject(sys.argv[2], int(sys.argv[3])))
    sys.exit(main())
