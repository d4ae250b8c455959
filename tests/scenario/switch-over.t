#!/usr/bin/python3
"""switch-over.t - a host with a full queue of qmail-1.03 is switched over, stopped, started again.

The tree that is there has control files, aliases, assigned users, service directories, programs
that do not work (so that none of them can have helped), and a queue with messages in every legal
state, flat or with the big-todo layout.  `make setup check` keeps all of it.  Then the messages are
delivered, bounced or expired as their state demands; qmail-send is stopped in the middle several
times, and each time the queue is legal, with arrival and schedule of what is left unchanged.
Usage: switch-over.t [COUNT]        messages for each layout, default 5000
"""
import collections
import glob
import hashlib
import os
import re
import sys
import time

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, os.path.join(TESTS, 'world')]
import accounts                         # noqa: E402
import hosts                            # noqa: E402
import oldqueue                         # noqa: E402
import tap                              # noqa: E402
from host import wait_for               # noqa: E402
from tree import BUILD, TOP, home       # noqa: E402

WEEK, HOUR = 604800, 3600
IDS = {row[0]: row[1] for row in accounts.SYSTEM}
IDS['qmail'] = dict(accounts.GROUPS)['qmail']
BACK = 'joe-back@hosta.test'
FIRST = b'<gone@x.test>:\nno such thing\n\n'
LONG = b"I'm not going to try again; this message has been in the queue too long.\n"
KEPT = ('control', 'alias', 'users', 'queue', 'rc', 'service')
STOPS, SHARE = 3, 15                    # times it is stopped, deliveries to joe until then
# Each delivery to joe takes a byte from here.
GATE = '|dd bs=1 count=1 status=none </tmp/gate >/dev/null\n./Maildir/\n'
LOCAL = 7                               # concurrencylocal

# What must become of a message: who gets it, what its failure notice says, who gets its double
# bounce; later = not before its time has come; stays = no qmail-send may touch it.
Fate = collections.namedtuple('Fate', 'boxes report stays later')


def fate(*boxes, report=None, stays=False, later=False):
    return Fate(boxes, report, stays, later)


# ---- one message of each kind ----

def arriving(q, text, now):
    q.arriving(text)
    return fate(stays=True)


def envelope_arriving(q, text, now):
    q.envelope_arriving(text)
    return fate(stays=True)


def queued_local(q, text, now):
    q.queued(text, BACK, ['joe@hosta.test'])
    return fate('joe')


def queued_remote(q, text, now):
    q.queued(text, BACK, ['ann@hostb.test', 'x@virtual.test'], intd=False)
    return fate('remote', 'joe')


def half_preprocessed(q, text, now):
    q.half_preprocessed(text, BACK, ['sales@hosta.test', 'ann@hostb.test'], info=b'Fsome',
                        local=['Tann@hosta.test'], remote=['Tjoe@hostb.test'])
    return fate('joe', 'remote')


def half_preprocessed_early(q, text, now):
    q.half_preprocessed(text, BACK, ['joe@hosta.test'], info=b'')
    return fate('joe')


def due_local(q, text, now):
    q.preprocessed(text, BACK, now - 100, local=['Tjoe@hosta.test'])
    return fate('joe')


def partly_done(q, text, now):
    q.preprocessed(text, BACK, now - 9000, now - 60, local=['Dann@hosta.test', 'Tjoe@hosta.test'],
                   remote=['Djoe@hostb.test', 'Tann@hostb.test', 'Djoe@hostb.test'])
    return fate('joe', 'remote')


def virtual(q, text, now):
    q.preprocessed(text, BACK, now - 9000, local=['Tjoe-virt-x@virtual.test'])
    return fate('joe')


def channels_gone(q, text, now):
    q.preprocessed(text, BACK, now - 9000)
    return fate()


def all_marked(q, text, now):
    q.preprocessed(text, BACK, now - 9000, local=['Djoe@hosta.test'], remote=['Dann@hostb.test'])
    return fate()


def bounce_alone(q, text, now):
    q.preprocessed(text, BACK, now - 9000, bounce=FIRST)
    return fate(report=FIRST)


def bounce_and_more(q, text, now):
    q.preprocessed(text, BACK, now - 9000, local=['Dgone@x.test', 'Tnobody-here@hosta.test'],
                   bounce=FIRST)
    return fate(report=FIRST + b'<nobody-here@hosta.test>:\n'
                b'Sorry, no mailbox here by that name. (#5.1.1)\n\n')


def double_bounce(q, text, now):
    q.preprocessed(text, '', now - 9000, remote=['Dx@x.test'], bounce=FIRST)
    return fate('postmaster')


def triple_bounce(q, text, now):
    q.preprocessed(text, '#@[]', now - 9000, bounce=FIRST)
    return fate()


def per_recipient_sender(q, text, now):
    q.preprocessed(text, 'joe-list-@hosta.test-@[]', now - 9000, remote=['Tann@hostb.test'])
    return fate('remote')


def expired_local(q, text, now):
    q.preprocessed(text, BACK, now - WEEK - HOUR, now - 60, local=['Tjoe-later@hosta.test'])
    return fate(report=b'<joe-later@hosta.test>:\nnot now\n' + LONG + b'\n')


def expired_remote(q, text, now):
    q.preprocessed(text, BACK, now - WEEK - HOUR, now - 60, remote=['Tx@down.test'])
    return fate(report=b'<x@down.test>:\nSorry, I wasn\'t able to establish an SMTP connection. '
                b'(#4.4.1)\n' + LONG + b'\n')


def last_chance(q, text, now):
    q.preprocessed(text, BACK, now - WEEK - HOUR, now - 60, local=['Tjoe@hosta.test'])
    return fate('joe')


def deferred_local(q, text, now):
    q.preprocessed(text, BACK, now - 3 * HOUR, now + 2 * HOUR, local=['Tjoe@hosta.test'])
    return fate('joe', later=True)


def deferred_remote(q, text, now):
    q.preprocessed(text, BACK, now - 3 * HOUR, now + 2 * HOUR,
                   remote=['Djoe@hostb.test', 'Tann@hostb.test'], bounce=FIRST)
    return fate('remote', report=FIRST, later=True)


KINDS = [arriving, envelope_arriving, queued_local, queued_remote, half_preprocessed,
         half_preprocessed_early, due_local, partly_done, virtual, channels_gone, all_marked,
         bounce_alone, bounce_and_more, double_bounce, triple_bounce, per_recipient_sender,
         expired_local, expired_remote, last_chance, deferred_local, deferred_remote]


# ---- the host before ----

def old_tree(a):
    """What an administrator has made over the years, and programs of another release."""
    a.control('virtualdomains', 'virtual.test:joe-virt\n')
    a.control('smtproutes', 'down.test:[192.0.2.2]:2600\n')
    a.control('concurrencylocal', '%d\n' % LOCAL)
    a.control('own-notes', 'kept as well\n')
    for extension, text in (('', GATE), ('later', '|echo not now; exit 111\n'),
                            ('back', './Bounces/\n'),
                            ('virt-default', './Maildir/\n'),
                            ('sales', './Maildir/\n')):
        a.dotqmail('joe', extension, text)
    a.maildir('joe', '/home/joe/Bounces')
    a.dotqmail('alias', 'postmaster', './Maildir/\n')
    a.write(home() + '/users/assign', '=sales:joe:5001:5001:/home/joe:-:sales:\n.\n')
    a.sh('''cd {0}; bin/qmail-newu; cp boot/maildir rc; echo '# mine' >>rc
        sh {1}/bin/services --dir /service add; rm /service/*
        echo '# mine' >>service/qmail-smtpd/run
        rm bin/qmail-todo bin/qmail-qcheck queue/lock/tcpto6
        for f in bin/*; do printf '#!/bin/sh\\necho old\\n' >$f; done'''.format(home(), BUILD))


def snapshot(a, names=KEPT):
    """Path -> what must not change: bytes, owner, group, mode, mtime, inode."""
    seen = {}
    for name in names:
        top = a.path('%s/%s' % (home(), name))
        places = [os.path.join(where, each) for where, _, files in os.walk(top) for each in files]
        for path in places or [top]:
            info = os.lstat(path)
            data = b''
            if os.path.isfile(path):
                with open(path, 'rb') as file:
                    data = file.read()
            seen[os.path.relpath(path, top + '/..')] = (
                hashlib.sha256(data).digest(), info.st_uid, info.st_gid, info.st_mode,
                info.st_mtime_ns, info.st_ino)
    return seen


def setup(a):
    """make setup check: exit code and all output."""
    code, out, err = a.call(['make', '-s', '--no-print-directory', 'setup', 'check',
                             'SAN=' + os.environ.get('SAN', '')], cwd=TOP, timeout=300)
    return code, (out + err).decode(errors='replace')


def refused(a, change, undo, wanted):
    """Test point: over this queue it installs nothing, and says this."""
    a.sh('cd %s/queue; %s' % (home(), change))
    before = snapshot(a, KEPT + ('bin',))
    code, text = setup(a)
    tap.ok(code != 0 and re.search(wanted, text), 'refused: ' + wanted, text)
    tap.equal(snapshot(a, KEPT + ('bin',)) == before, True, 'and nothing was touched')
    a.sh('cd %s/queue; %s' % (home(), undo))


def refusals(a):
    refused(a, 'mkdir mess/23', 'rmdir mess/23', 'put 24 into conf-split')
    refused(a, 'chown joe info', 'chown qmails info', 'line 8 of conf-users')
    refused(a, 'mkdir intd/99', 'rmdir intd/99', 'neither the flat nor the big-todo layout')


# ---- while it runs ----

def legal(a, name):
    tap.equal(a.queue_faults(), '', name)


def times(q):
    """(kind, number) -> mtime of the files that tell arrival and schedule."""
    return {(kind, number): os.stat(path).st_mtime
            for kind in ('info', 'local', 'remote') for number, path in q.files(kind).items()}


def stop(a):
    a.svc('-d')
    wait_for(lambda: not any(a.processes(name) for name in ('qmail-send', 'qmail-todo')),
             'the end of qmail-send', 60)


def open_gate(a):
    """A descriptor; each byte written to it lets one delivery to joe happen."""
    a.sh('mkfifo /tmp/gate; chmod 666 /tmp/gate')
    return os.open(a.path('/tmp/gate'), os.O_RDWR)


def busy(a):
    """Whether all local slots are in use."""
    status = [line for line in a.log() if line.startswith('status: local ')]
    return status and status[-1].startswith('status: local %d/' % LOCAL)


def stopped_in_the_middle(a, q, deferred, now, gate):
    """Start, let some deliveries happen, TERM; what is left must be as qmail-1.03 would have it."""
    before, log = times(q), a.count_log('^delivery ')
    birth = {number for kind, number in before if kind == 'info'} - set(q.files('todo'))
    if os.path.lexists(a.path('/service/qmail-send')):
        a.svc('-u')
    else:
        a.start(('qmail-send',))
    os.write(gate, b'.' * SHARE)
    a.wait_log('^delivery ', log + SHARE, timeout=60)
    wait_for(lambda: busy(a), '%d deliveries at the gate' % LOCAL)
    a.svc('-d')
    # Bytes that bounces left in the gate may end it before anybody looks.
    wait_for(lambda: re.search(b'want down|: down ', a.call(['svstat', '/service/qmail-send'])[1]),
             'TERM')
    os.write(gate, b'.' * LOCAL)            # what is under way is waited for
    stop(a)
    legal(a, 'stopped in the middle: a legal queue')
    after = times(q)
    tap.ok(len(set(q.files('info')) - deferred) > 0, 'with some left that are due: %d' %
           len(set(q.files('info')) - deferred))
    moved = [n for n in birth if ('info', n) in after and after['info', n] != before['info', n]]
    tap.equal(moved, [], 'arrival times are kept')
    moved = [item for item in before if item[1] in deferred and after.get(item) != before[item]]
    tap.equal(moved, [], 'times of the next attempt are kept')
    late = [item for item in after if item[0] != 'info' and item[1] not in deferred and
            after[item] > now + WEEK]
    tap.equal(late, [], 'and the others have sensible ones')


# ---- what came of it ----

NUMBER = re.compile(rb'\nmessage (\d+)\n\Z')


def serials(messages):
    """Message -> how often, by the number in its last line."""
    found = collections.Counter()
    for text in messages:
        match = NUMBER.search(text)
        found[int(match[1]) if match else -1] += 1
    return found


def notices(a):
    """Number -> list of reports, from the failure notices that came back."""
    found = collections.defaultdict(list)
    for name in glob.glob(a.path('/home/joe/Bounces/new/*')):
        with open(name, 'rb') as file:
            text = file.read()
        report = re.search(rb"Sorry it didn't work out.\n\n(.*)--- Below this line is a copy", text,
                           re.S)
        match = NUMBER.search(text)
        found[int(match[1]) if match else -1].append(report[1] if report else text)
    return found


def arrived(a, b, fates, later):
    """Test points: every message went where its state demands, once."""
    for box, messages in (('joe', a.mail('joe')), ('remote', b.mail('ann')),
                          ('postmaster', a.mail('alias'))):
        wanted = collections.Counter(n for n, one in fates.items() for each in one.boxes
                                     if each == box and (later or not one.later))
        got = serials(messages)
        tap.equal(sorted((wanted - got).items())[:9], [], '%s misses none of %d'
                  % (box, sum(wanted.values())))
        tap.equal(sorted((got - wanted).items())[:9], [],
                  '%s has nothing else, nothing twice' % box)
    tap.equal((a.mail('ann'), b.mail('joe')), ([], []), 'nothing for those who were done, or stale')
    got = notices(a)
    wanted = {n: [one.report] for n, one in fates.items()
              if one.report and (later or not one.later)}
    tap.equal(sorted(set(wanted) ^ set(got))[:9], [], 'all of %d failure notices, no other'
              % len(wanted))
    differ = [(n, got[n], wanted[n]) for n in wanted if n in got and got[n] != wanted[n]]
    tap.equal(differ[:2], [], 'with the old and the new failures in them')
    verp = [text for text in b.mail('ann') if b'Return-Path: <joe-list-' in text]
    tap.ok(verp and all(text.startswith(b'Return-Path: <joe-list-ann=hostb.test@hosta.test>\n')
                        for text in verp), 'each recipient has its own sender', verp[:1])


def switch(a, b, count, big):
    old_tree(a)
    q, now = oldqueue.Queue(a.path(home() + '/queue'), IDS, big), int(time.time())
    fates, body = {}, {}
    for serial in range(count):
        text = b'Subject: old\n\nmessage %d\n' % serial
        fates[serial] = KINDS[serial % len(KINDS)](q, text, now)
    for number, path in q.files('mess').items():
        with open(path, 'rb') as file:
            body[int(NUMBER.search(file.read())[1])] = number
    tap.equal(len(body), count, '%d messages are queued' % count)
    deferred = {body[n] for n, one in fates.items() if one.later}
    stays = {body[n] for n, one in fates.items() if one.stays}
    code, out, err = a.call([BUILD + '/bin/qmail-qcheck'])
    tap.ok((code, out, err) == (0, b'', b''), 'the queue before is legal', (code, out[:999], err))

    if not big:
        refusals(a)
    before = snapshot(a)
    tap.equal(setup(a), (0, ''), 'make setup check is content')
    after = snapshot(a)
    after.pop('queue/lock/tcpto6')
    differ = sorted(path for path in set(before) | set(after)
                    if before.get(path) != after.get(path))
    tap.equal(differ[:9], [], '%d files are as they were' % len(before))
    legal(a, 'the queue is legal')

    gate = open_gate(a)
    for _ in range(STOPS):
        stopped_in_the_middle(a, q, deferred, now, gate)
    os.write(gate, b'.' * count)
    tap.equal([item for item in deferred if item not in q.files('info')], [],
              'what is deferred waits')
    a.svc('-u')
    wait_for(lambda: set(q.files('mess')) <= deferred | stays, 'the end of what is due', 300)
    stop(a)
    b.wait_empty()
    legal(a, 'all that was due is done: a legal queue')
    arrived(a, b, fates, False)
    tap.equal({n: mtime for n, mtime in times(q).items() if n[0] != 'info'} ==
              {(kind, n): now + 2 * HOUR for kind in ('local', 'remote') for n in q.files(kind)},
              True, 'what is deferred is due when it was')
    status = a.count_log('^status: local 0')
    a.svc('-u')
    a.wait_log('^status: local 0', status + 1)      # it has read the queue
    a.svc('-a')
    wait_for(lambda: set(q.files('mess')) == stays, 'the end of all the others', 300)
    stop(a)
    b.wait_empty()
    legal(a, 'a legal queue at the end')
    arrived(a, b, fates, True)
    tap.equal({number: before['queue/mess/%d/%d' % (number % 23, number)] for number in stays},
              {number: snapshot(a)['queue/mess/%d/%d' % (number % 23, number)]
               for number in stays}, 'what was arriving is untouched')


def main():
    count = int(sys.argv[1]) if sys.argv[1:] else 5000
    for big in (False, True):
        tap.note('big-todo' if big else 'flat')
        with hosts.pair() as (a, b):
            b.start(('qmail-send', 'qmail-smtpd'))
            tap.attempt('%s queue switched over' % ('big-todo' if big else 'flat'), switch, a, b,
                        count, big)
    return tap.done()


if __name__ == '__main__':
    sys.exit(main())
