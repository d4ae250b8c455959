#!/usr/bin/python3
# world: --fs ext4
"""send-startup.t - what qmail-send does with the messages that are there when it starts, beside new
ones; its peers are played by the test."""
import os
import re
import subprocess
import sys
import time

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS]
import queuerig                                                                   # noqa: E402
import tap                                                                        # noqa: E402
from queuerig import (QUEUE, SPLIT, Send, Stuck, control, exists, message,        # noqa: E402
                      mtime, path, put)

MANY = 5000                     # several slices of qmail-send's loop
NOW = int(time.time())


def waiting(count=MANY, due=None):
    """Messages with one remote recipient each."""
    return [message(info='s@x', birth=NOW, remote=['Tr%d@y' % n], due=due) for n in range(count)]


def last_of(numbers):
    """The one that is scheduled last: by subdirectory, then by number."""
    return max(numbers, key=lambda n: (n % SPLIT, n))


def mark_last(numbers):
    """The last one gets no recipients, so that its end tells when all are scheduled."""
    last = last_of(numbers)
    os.unlink(QUEUE + path('remote', last))
    return last


def started(send):
    """Wait until qmail-todo is told to start."""
    send.until(lambda: b'S' in send.input[7], 'the order to qmail-todo')


def finish(send):
    """The end, by order; the exit code."""
    send.signal('TERM')
    send.until(lambda: b'X' in send.input[7])
    send.write(8, b'X\0')
    return send.ended()


def recipients(send):
    return sorted(command[4] for command in send.commands)


# ---- new mail and old mail ----

def one_look():
    """qmail-todo starts before anything is scheduled, and that costs one stat for each message."""
    control(concurrencyremote='0\n')
    numbers = waiting(due=NOW + 9999)
    last = mark_last(numbers)
    trace = '/tmp/startup.trace'
    wrap = ['/usr/bin/strace', '-u', 'qmails', '-o', trace, '-e', 'trace=%%stat,write']
    with Send(fds=Send.with_todo, wrap=wrap) as send:
        send.wait('^end msg %d$' % last)
        child = int(subprocess.run(['pgrep', '-P', str(send.pid)], stdout=subprocess.PIPE,
                                   check=True).stdout)
        os.kill(child, 15)
        send.until(lambda: b'X' in send.input[7])
        send.write(8, b'X\0')
        send.ended()
    with open(trace) as file:
        lines = file.read().splitlines()
    start = next((i for i, line in enumerate(lines) if re.match(r'write\(\d+, "S", 1\)', line)),
                 len(lines))
    of_file = re.compile(r'\w+\(.*"(info|mess|todo|local|remote|bounce)/\d+/(\d+)"')
    looks = [(i, m.group(1), int(m.group(2))) for i, m in
             ((i, of_file.match(line)) for i, line in enumerate(lines)) if m]
    tap.equal([look for look in looks if look[0] < start], [], 'no message is looked at before')
    tap.equal(sorted(n for _, kind, n in looks if n != last and kind == 'remote'),
              sorted(n for n in numbers if n != last), 'then each channel file, once')
    tap.equal([look for look in looks if look[1] != 'remote' and look[2] != last], [],
              'and no other file of it')


def new_mail_first():
    """Without qmail-todo: a new message is preprocessed while old ones wait to be scheduled."""
    control()
    numbers = waiting(due=NOW + 9999)
    last = mark_last(numbers)
    new = message(todo=['u1', 'p2', 'Fs@x', 'Tr@y'])
    with Send() as send:
        send.wait('^end msg %d$' % last)
        send.wait('^end msg %d$' % new)
        log = send.log.splitlines()
        tap.ok(log.index('new msg %d' % new) < log.index('end msg %d' % last),
               'a new message comes before the last of the old ones')
        tap.equal(recipients(send), ['r@y'], 'and is delivered')
        tap.equal(send.stop(), 0, 'exit 0')


def announced_meanwhile():
    """Records for messages that wait to be scheduled, whatever sends them: one delivery each."""
    control(concurrencyremote='100\n')
    numbers = waiting()
    with Send(fds=Send.with_todo) as send:
        started(send)
        for first in range(0, MANY, 500):
            some = numbers[first:first + 500]
            send.write(8, b''.join(b'DR%d\0' % n for n in some))
            send.pump(0)
        send.wait('^end msg', MANY)
        tap.equal(recipients(send), sorted('r%d@y' % n for n in range(MANY)),
                  'every message goes out once')
        tap.equal(finish(send), 0, 'exit 0')


def half_preprocessed():
    """In todo as well: nothing is done before qmail-todo announces it."""
    control()
    envelope = ['u1', 'p2', 'Fs@x', 'Tr@y']
    number = message(todo=envelope, info='old@x', birth=NOW, local=['Told@host.test'])
    fresh = message(todo=envelope, local=['Told@host.test'])
    other = message(info='s@x', birth=NOW, remote=['Tother@y'])
    with Send(fds=Send.with_todo) as send:
        started(send)
        send.wait('^end msg %d$' % other)
        send.settle()
        tap.equal(recipients(send), ['other@y'], 'what is in todo is not delivered')
        tap.ok(exists('local', number) and exists('local', fresh), 'its files stay')
        for n in (number, fresh):       # as qmail-todo does
            os.unlink(QUEUE + path('local', n))
            put(QUEUE + path('info', n), 'Fs@x\0')
            put(QUEUE + path('remote', n), 'Tr@y\0')
            os.unlink(QUEUE + path('todo', n))
            send.write(8, b'DR%d\0' % n)
        send.wait('^end msg', 3)
        tap.equal(recipients(send), ['other@y', 'r@y', 'r@y'], 'then it is, once')
        tap.equal(finish(send), 0, 'exit 0')


def half_preprocessed_big():
    """The same where todo is split."""
    control()
    for name in ('todo', 'intd'):
        for sub in range(SPLIT):
            place = QUEUE + '%s/%d' % (name, sub)
            os.mkdir(place, 0o750 if name == 'todo' else 0o700)
            os.chown(place, *queuerig.ids('qmailq'))
    try:
        numbers = [message(info='old@x', birth=NOW, local=['Told@host.test'])
                   for _ in range(2 * SPLIT)]
        for n in numbers[:SPLIT]:
            put(QUEUE + 'todo/%d/%d' % (n % SPLIT, n), 'Fs@x\0Tr@y\0', 'qmailq', 0o644)
        with Send(fds=Send.with_todo) as send:
            started(send)
            send.wait('^end msg', SPLIT)
            send.settle()
            tap.equal(sorted(int(line.split()[2]) for line in send.lines('^end msg')),
                      sorted(numbers[SPLIT:]), 'split todo: what is in it is not delivered')
            tap.equal(finish(send), 0, 'exit 0')
    finally:
        subprocess.run('rm -r %stodo/[0-9]* %sintd/[0-9]*' % (QUEUE, QUEUE), shell=True, check=True)


def without_message():
    """Before qmail-todo starts, what belongs to no message is gone, and nothing else is."""
    control()
    info = message(mess=None, info='ghost@x', birth=NOW, remote=['Tghost@y'], bounce='x',
                   due=NOW + 3600)
    kept = message(todo=['u1', 'p2', 'Fs@x', 'Tr@y'], local=['Told@y'], bounce='old')
    good = message(info='s@x', birth=NOW, local=['Ta@y'], remote=['Tb@y'], bounce='<a@y>:\nno\n\n',
                   due=NOW + 3600)
    alone = message()
    for kind in ('local', 'remote', 'bounce'):
        put(QUEUE + path(kind, alone), 'Tstale@y\0')
    with Send(fds=Send.with_todo) as send:
        started(send)
        gone = [(kind, n) for n in (info, alone) for kind in ('info', 'local', 'remote', 'bounce')
                if exists(kind, n)]
        tap.equal(gone, [], 'files without a message, messages without a text are gone')
        stay = [('todo', kept), ('local', kept), ('bounce', kept), ('info', good), ('local', good),
                ('remote', good), ('bounce', good), ('mess', good), ('mess', alone)]
        tap.equal([one for one in stay if not exists(*one)], [], 'all others stay')
        tap.equal(finish(send), 0, 'exit 0')
        tap.equal(send.lines('^warning'), ['warning: unable to stat ' + path('mess', info)],
                  'a warning for the missing text')


# ---- trouble ----

def unreadable_lists():
    """Directories that can be searched but not listed: looked at message by message."""
    control()
    numbers = waiting(100)
    places = [QUEUE + 'todo', QUEUE + 'mess/%d' % (numbers[0] % SPLIT)]
    modes = [os.stat(place).st_mode & 0o7777 for place in places]
    half = message(todo=['u1', 'p2', 'Fs@x', 'Tr@y'], info='old@x', remote=['Thalf@y'])
    ghost = message(mess=None, info='ghost@x', remote=['Tghost@y'])
    alone = message()
    put(QUEUE + path('remote', alone), 'Tstale@y\0')
    for place in places:
        os.chmod(place, 0o311)
    try:
        with Send(fds=Send.with_todo) as send:
            started(send)
            send.wait('^end msg', 100)
            tap.equal(recipients(send), sorted('r%d@y' % n for n in range(100)),
                      'each message is delivered once')
            tap.equal((exists('remote', half), exists('info', ghost), exists('remote', alone)),
                      (True, False, False), 'what is in todo stays, what is not whole goes')
            tap.equal(send.lines('^alert'), [], 'that is no reason to wait')
            tap.equal(finish(send), 0, 'exit 0')
    finally:
        for place, mode in zip(places, modes):
            os.chmod(place, mode)


def unreadable_info():
    """Part of info cannot be read: the rest is delivered; new mail waits."""
    control()
    numbers = waiting(100)
    bad = numbers[50] % SPLIT
    alone = message()
    put(QUEUE + path('remote', alone), 'Tstale@y\0')
    os.chmod(QUEUE + 'info/%d' % bad, 0)
    try:
        with Send(fds=Send.with_todo) as send:
            seen = sorted('r%d@y' % i for i, n in enumerate(numbers) if n % SPLIT != bad)
            send.wait('^alert: unable to opendir info/%d, sleeping...$' % bad)
            send.wait('^end msg', len(seen))
            send.settle()
            tap.equal(recipients(send), seen, 'what can be read is delivered')
            tap.equal((send.input[7], exists('remote', alone)), (b'', True),
                      'nothing else is begun')
            os.chmod(QUEUE + 'info/%d' % bad, 0o700)
            started(send)
            send.wait('^end msg', 100)
            tap.equal(recipients(send), sorted('r%d@y' % n for n in range(100)),
                      'then the rest, each message once')
            tap.ok(not exists('remote', alone), 'and what belongs to no message goes')
            tap.equal(finish(send), 0, 'exit 0')
    finally:
        os.chmod(QUEUE + 'info/%d' % bad, 0o700)


# ---- signals ----

def alarm():
    """ALRM before all are scheduled concerns all of them."""
    control(concurrencyremote='0\n')
    numbers = waiting(due=NOW + 9999)
    last = mark_last(numbers)
    with Send(fds=Send.with_todo) as send:
        send.wait('^status')
        send.signal('ALRM')
        send.wait('^end msg %d$' % last)
        tap.equal(finish(send), 0, 'exit 0')
    late = [n for n in numbers if n != last and mtime('remote', n) > NOW + 5000]
    tap.equal(late, [], 'every message is due')


def term():
    """TERM at any time of it: the times of all messages stay."""
    control()
    numbers = waiting(due=NOW + 9999)
    kept = []
    for where in ('^status', None):
        with Send(fds=Send.with_todo) as send:
            if where:
                send.wait(where)
            else:
                started(send)
            kept.append((finish(send), send.commands, send.lines('^status: exiting$')))
    tap.equal(kept, [(0, [], ['status: exiting'])] * 2, 'it ends at once')
    tap.equal({mtime('remote', n) for n in numbers}, {NOW + 9999}, 'all wait as long as before')


def hup():
    """HUP meanwhile is passed on."""
    control()
    waiting()
    with Send(fds=Send.with_todo) as send:
        send.wait('^status')
        send.signal('HUP')
        send.until(lambda: set(send.input[7]) == set(b'HS'), 'both orders')
        tap.equal(finish(send), 0, 'exit 0')


tap.run((one_look, new_mail_first, announced_meanwhile, half_preprocessed,
         half_preprocessed_big, without_message, unreadable_lists, unreadable_info, alarm,
         term, hup), Stuck)
