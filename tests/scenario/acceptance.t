#!/usr/bin/python3
"""acceptance.t - what a qmail administrator tries on a new host, on two joined hosts.

hosta.test is the host under test, hostb.test the rest of the world.  Every message is followed
from its injection to Maildirs, bounces and log lines.
"""
import os
import re
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, os.path.join(TESTS, 'world')]
import hosts                            # noqa: E402
import tap                              # noqa: E402
from host import wait_for               # noqa: E402
from tree import home                   # noqa: E402

NOTICE = re.compile(
    rb'Return-Path: <>\nDelivered-To: (?P<to>[^\n]*)\n(Received: [^\n]*(\n\s[^\n]*)*\n)+'
    rb'Date: \d+ [A-Z][a-z][a-z] \d{4} \d\d:\d\d:\d\d -0000\n'
    rb'From: MAILER-DAEMON@(?P<host>[^\n]*)\nTo: (?P<header>[^\n]*)\nSubject: failure notice\n\n'
    rb'Hi. This is the qmail-send program at (?P=host).\n'
    rb"I'm afraid I wasn't able to deliver your message to the following addresses.\n"
    rb"This is a permanent error; I've given up. Sorry it didn't work out.\n\n"
    rb'(?P<report>(.|\n)*)--- Below this line is a copy of the message.\n\n'
    rb'Return-Path: <(?P<sender>[^\n]*)>\n(?P<copy>(.|\n)*)\Z')
NO_MAILBOX = b'Sorry, no mailbox here by that name. (#5.1.1)\n'


class Case:
    """The two hosts and what a case needs of them."""

    def __init__(self, a, b):
        self.a, self.b, self.serial = a, b, 0

    def send(self, to, sender='joe@hosta.test', host=None, extra=b''):
        """Queue a message of one recipient, wait until all it causes is done; returns its body."""
        self.serial += 1
        body = b'message number %d\n' % self.serial
        code = (host or self.a).deliver(sender, [to], b'Subject: test\n' + extra + b'\n' + body)
        tap.equal(code, 0, 'message %d to %s is queued' % (self.serial, to))
        self.settle()
        return body

    def settle(self):
        """Wait until both queues are empty."""
        for _ in range(2):              # a bounce may go back to where the message came from
            self.a.wait_empty()
            self.b.wait_empty()
        wait_for(lambda: not self.a.queue() and not self.b.queue(), 'two empty queues')

    def got(self, host, user, body, box='Maildir'):
        """Test point: exactly one message, with this body, is in the Maildir; returns its text."""
        found = host.mail(user, box)
        tap.ok(len(found) == 1 and found[0].endswith(b'\n\n' + body),
               '%s has it once: %s' % (user, body.decode().strip()), found)
        host.clear_mail()
        return found[0] if found else b''

    def bounced(self, host, user, recipient, text, body):
        """Test point: a failure notice for this recipient with this text, and the copy."""
        found = host.mail(user)
        notice = NOTICE.match(found[0]) if len(found) == 1 else None
        if tap.ok(notice, 'a failure notice came', found):
            tap.equal(notice['report'], b'<%s>:\n%s\n' % (recipient.encode(), text),
                      'it names recipient and reason')
            tap.ok(notice['copy'].endswith(b'\n\n' + body), 'it holds the message', found[0])
        host.clear_mail()
        return notice


def daemons(case):
    """Every daemon runs under its own uid and one gid."""
    wanted = {'qmail-send': ('qmails', 'qmail'), 'qmail-lspawn': ('root', 'qmail'),
              'qmail-rspawn': ('qmailr', 'qmail'), 'qmail-clean': ('qmailq', 'qmail'),
              'qmail-todo': ('qmails', 'qmail'), 'multilog': ('qmaill', 'nofiles'),
              'tcpserver': None}
    rows = [line.split(None, 4) for line in
            case.a.sh('ps -eo user:20,group:20,supgrp:40,comm,args --no-headers').splitlines()]
    for name, ids in wanted.items():
        seen = {(row[0], row[1], row[2]) for row in rows if row[3] == name}
        if name == 'tcpserver':
            args = [row[4] for row in rows if row[3] == name]
            seen = {row[:2] for row in seen if row[0] == 'qmaild'}
            tap.equal(seen, {('qmaild', 'nofiles')}, 'SMTP tcpserver runs as qmaild (%s)' % args)
        else:
            tap.equal({row[:2] for row in seen}, {ids}, '%s runs as %s:%s' % ((name,) + ids))
            tap.ok(all(row[2] in ('-', ids[1]) for row in seen), name + ' has no other group', seen)


def local_to_local(case):
    body = case.send('ann@hosta.test')
    text = case.got(case.a, 'ann', body)
    tap.ok(re.match(rb'Return-Path: <joe@hosta.test>\nDelivered-To: ann@hosta.test\n'
                    rb'Received: \(qmail \d+ invoked by uid 5001\); '
                    rb'\d+ \w{3} \d{4} \d\d:\d\d:\d\d -0000\nSubject: test\n\n', text),
           'its trace is exact', text)
    log = '\n'.join(case.a.log())
    tap.ok(re.search(r'new msg (\d+)\n'
                     r'info msg \1: bytes \d+ from <joe@hosta.test> qp \d+ uid 5001\n'
                     r'starting delivery (\d+): msg \1 to local ann@hosta.test\n'
                     r'status: local 1/10 remote 0/20\ndelivery \2: success: did_1\+0\+0/\n'
                     r'status: local 0/10 remote 0/20\nend msg \1$', log, re.M),
           'its log lines are exact', log)


def unknown_local(case):
    body = case.send('nobody-here@hosta.test')
    case.bounced(case.a, 'joe', 'nobody-here@hosta.test', NO_MAILBOX, body)


def local_to_remote(case):
    body = case.send('ann@hostb.test')
    text = case.got(case.b, 'ann', body)
    tap.ok(re.search(rb'\nReceived: from (unknown|hosta.test) \(HELO hosta.test\) \(192.0.2.1\)\n'
                     rb'  by (hostb.test|192.0.2.2) with E?SMTP; ', text),
           'the Received line of the other host', text)
    case.a.wait_log(r'delivery \d+: success: 192.0.2.2_accepted_message./Remote_host_said:_250_ok_'
                    r'\d+_qp_\d+/$')


def remote_to_local(case):
    body = case.send('joe@hosta.test', 'ann@hostb.test', case.b)
    case.got(case.a, 'joe', body)


def unknown_remote(case):
    body = case.send('nobody-here@hostb.test')
    case.bounced(case.a, 'joe', 'nobody-here@hostb.test', NO_MAILBOX, body)
    body = case.send('someone@no-such-host.test')
    notice = case.a.mail('joe')
    tap.ok(len(notice) == 1 and b'find any host named no-such-host.test. (#5.1.2)' in notice[0],
           'unknown host: bounced', notice)
    case.a.clear_mail()


def double_bounce(case):
    body = case.send('nobody-here@hosta.test', 'neither@hosta.test')
    found = case.a.mail('alias')
    tap.ok(len(found) == 1 and
           b'I tried to deliver a bounce message to this address, but the bounce bounced!' in
           found[0] and found[0].endswith(body), 'the double bounce is with postmaster', found)
    tap.ok(found and found[0].startswith(b'Return-Path: <#@[]>\nDelivered-To: '
                                         b'postmaster@hosta.test\n'), 'from #@[]', found)
    case.a.clear_mail()


def triple_bounce(case):
    case.send('nobody-here@hosta.test', '#@[]')
    case.a.wait_log(r'^triple bounce: discarding bounce/\d+$')
    tap.ok(not case.a.mail('alias') and not case.a.mail('joe'), 'a triple bounce is discarded')


def group_owner(case):
    case.a.dotqmail('joe', 'list', '&ann@hostb.test\n&ann@hosta.test\n')
    case.a.dotqmail('joe', 'list-owner', './Maildir/\n')
    body = case.send('joe-list@hosta.test', 'ann@hosta.test')
    text = case.got(case.b, 'ann', body)
    tap.ok(text.startswith(b'Return-Path: <joe-list-owner@hosta.test>\n'), 'the owner is sender',
           text)
    case.a.dotqmail('joe', 'list', '&gone@hostb.test\n')
    body = case.send('joe-list@hosta.test', 'ann@hosta.test')
    found = case.a.mail('joe')
    tap.ok(len(found) == 1 and b'\n<gone@hostb.test>:\n' in found[0], 'the owner gets the bounce',
           found)
    case.a.clear_mail()
    case.a.dotqmail('joe', 'list', '&ann@hostb.test\n')
    case.a.dotqmail('joe', 'list-owner-default', './Maildir/\n')
    body = case.send('joe-list@hosta.test', 'ann@hosta.test')
    text = case.got(case.b, 'ann', body)
    tap.ok(text.startswith(b'Return-Path: <joe-list-owner-ann=hostb.test@hosta.test>\n'),
           'with -owner-default the sender names the recipient', text)


def default_files(case):
    case.a.dotqmail('joe', 'default', '|echo "default=$DEFAULT ext=$EXT"; cat >/dev/null\n'
                    './Maildir/\n')
    case.a.dotqmail('joe', 'shop-default', '|echo "shop default=$DEFAULT ext2=$EXT2"\n./Maildir/\n')
    body = case.send('joe-Any.Thing@hosta.test')
    case.got(case.a, 'joe', body)
    case.a.wait_log(r'success: default=Any.Thing_ext=Any.Thing/did_1\+0\+1/$')
    body = case.send('joe-shop-42@hosta.test')
    case.got(case.a, 'joe', body)
    case.a.wait_log(r'success: shop_default=42_ext2=42/did_1\+0\+1/$')
    for name in ('default', 'shop-default'):
        case.a.dotqmail('joe', name, None)


def alias(case):
    case.a.dotqmail('alias', 'info', '&ann\n&joe@hostb.test\n')
    body = case.send('info@hosta.test')
    case.a.wait_log(r'success: did_0\+2\+0/qp_\d+/$')
    found = case.a.mail('ann'), case.b.mail('joe')
    tap.ok([len(box) for box in found] == [1, 1] and
           all(box[0].endswith(body) for box in found), 'an alias forwards to both', found)
    case.a.clear_mail()
    case.b.clear_mail()
    body = case.send('postmaster@hosta.test')
    case.got(case.a, 'alias', body)


def virtual_domains(case):
    a = case.a
    a.control('virtualdomains', 'virtual.test:joe-v\nboss@virtual.test:ann\n.wild.test:joe-w\n'
              'not.wild.test:\n')
    a.control('rcpthosts', 'hosta.test\nvirtual.test\n.wild.test\n')
    a.hup()
    a.dotqmail('joe', 'v-default', './Maildir/\n')
    a.dotqmail('joe', 'w-default', './Maildir/\n')
    a.dotqmail('ann', 'boss', './Maildir/\n')
    text = case.got(a, 'joe', case.send('sales@virtual.test'))
    tap.ok(b'\nDelivered-To: joe-v-sales@virtual.test\n' in text, 'domain entry', text)
    text = case.got(a, 'ann', case.send('boss@virtual.test'))
    tap.ok(b'\nDelivered-To: ann-boss@virtual.test\n' in text, 'user entry comes first', text)
    case.got(a, 'joe', case.send('x@sub.Wild.test'))
    body = case.send('x@not.wild.test')
    tap.ok(b'(#5.1.2)' in b''.join(a.mail('joe')), 'an empty prepend makes it remote', body)
    a.clear_mail()
    a.dotqmail('joe', 'v-default', None)
    body = case.send('sales@virtual.test')
    case.bounced(a, 'joe', 'sales@virtual.test', NO_MAILBOX, body)


def assignments(case):
    """Lines as Plesk and vpopmail write them into users/assign."""
    a = case.a
    a.sh('''mkdir -p {0}/mailnames/plesk.test/info /home/vpopmail/domains/vpop.test/ann
        cd {0}/mailnames/plesk.test/info
        {0}/bin/maildirmake Maildir; printf './Maildir/\\n' >.qmail
        cd ..; {0}/bin/maildirmake Catchall; printf './Catchall/\\n' >.qmail-default
        cd /home/vpopmail/domains/vpop.test
        {0}/bin/maildirmake Maildir; printf './Maildir/\\n' >.qmail-default
        {0}/bin/maildirmake ann/Maildir
        printf '/home/vpopmail/domains/vpop.test/ann/Maildir/\\n' >.qmail-ann
        chown -R 110:110 {0}/mailnames; chown -R vpopmail:vchkpw /home/vpopmail
        cat >{0}/users/assign <<'END'
+vpop.test-:vpop.test:257:202:/home/vpopmail/domains/vpop.test:-::
=7-info:popuser:110:110:{0}/mailnames/plesk.test/info:::
+7:popuser:110:110:{0}/mailnames/plesk.test:::
.
END
        {0}/bin/qmail-newu'''.format(home()))
    a.control('virtualdomains', 'vpop.test:vpop.test\nplesk.test:7\n')
    a.hup()
    for to, box in (('ann@vpop.test', '/home/vpopmail/domains/vpop.test/ann/Maildir'),
                    ('Other@vpop.test', '/home/vpopmail/domains/vpop.test/Maildir'),
                    ('info@plesk.test', home() + '/mailnames/plesk.test/info/Maildir'),
                    ('unknown@plesk.test', home() + '/mailnames/plesk.test/Catchall')):
        body = case.send(to)
        found = a.sh('cat %s/new/*; rm %s/new/*' % (box, box))
        tap.ok(found.endswith(body.decode()), '%s is in %s' % (to, box), found)
    owner = a.sh('stat -c %u:%g /home/vpopmail/domains/vpop.test/ann/Maildir/tmp')
    tap.equal(owner, '257:202\n', 'delivered as the assigned uid and gid')
    case.got(a, 'joe', case.send('joe@hosta.test'))
    a.sh('rm %s/users/assign %s/users/cdb' % (home(), home()))
    a.control('virtualdomains', None)
    a.control('rcpthosts', 'hosta.test\n')
    a.hup()


def one_of_each(case):
    """A .qmail with mbox, Maildir, program and forward."""
    a = case.a
    a.dotqmail('joe', '', '# all kinds\n./Mailbox\n./Maildir/\n|cat >piped; echo "from $SENDER"\n'
               '&ann@hostb.test\n')
    body = case.send('joe@hosta.test', 'ann@hosta.test', extra=b'X-Note: one\nFrom nobody\n')
    a.wait_log(r'success: from_ann@hosta.test/did_2\+1\+1/qp_\d+/$')
    mbox = a.sh('cat /home/joe/Mailbox')
    tap.ok(re.match(r'From ann@hosta.test [A-Z]\w\w [A-Z]\w\w \d\d \d\d:\d\d:\d\d \d{4}\n'
                    r'Return-Path: <ann@hosta.test>\nDelivered-To: joe@hosta.test\nReceived: ',
                    mbox) and '\n>From nobody\n' in mbox and
           mbox.endswith('\n\n%s\n' % body.decode()), 'mbox', mbox)
    piped = a.sh('cat /home/joe/piped')
    tap.ok(piped.startswith('Received: ') and piped.endswith('\nFrom nobody\n\n' + body.decode()),
           'the program reads the message alone', piped)
    tap.equal(a.sh('stat -c "%U %a" /home/joe/Mailbox /home/joe/piped'), 'joe 600\n' * 2,
              'files belong to joe, mode 0600')
    case.got(a, 'joe', body)
    case.got(case.b, 'ann', body)
    a.dotqmail('joe', '', None)
    a.sh('rm /home/joe/Mailbox /home/joe/piped')


def exit_codes(case):
    a = case.a
    a.dotqmail('joe', 'done', '|echo done; exit 99\n./Maildir/\n')
    case.send('joe-done@hosta.test')
    a.wait_log(r'success: done/did_0\+0\+1/$')
    tap.equal(a.mail('joe'), [], 'exit 99: the rest of the file is skipped')
    a.dotqmail('joe', 'hard', '|echo never; exit 100\n./Maildir/\n')
    body = case.send('joe-hard@hosta.test')
    case.bounced(a, 'joe', 'joe-hard@hosta.test', b'never\n', body)
    a.dotqmail('joe', 'soft', '|echo later; test -e ok || exit 111\n./Maildir/\n')
    code = a.deliver('ann@hosta.test', ['joe-soft@hosta.test'], b'Subject: soft\n\nsoft\n')
    tap.equal(code, 0, 'queued')
    a.wait_log(r'deferral: later/$')
    tap.ok(a.queue(), 'exit 111: it stays in the queue')
    a.sh('touch /home/joe/ok')
    a.svc('-a')
    case.settle()
    a.wait_log(r'success: later/did_1\+0\+1/$')
    tap.equal(len(a.mail('joe')), 1, 'and is delivered after ALRM')
    a.clear_mail()


def loop(case):
    case.a.dotqmail('joe', 'round', '&joe-about\n')
    case.a.dotqmail('joe', 'about', '&joe-round\n')
    case.send('joe-round@hosta.test', 'ann@hosta.test')
    found = case.a.mail('ann')
    tap.ok(len(found) == 1 and b'This message is looping: it already has my Delivered-To line. '
           b'(#5.4.6)\n' in found[0], 'a forwarding loop ends in a bounce', found)
    case.a.clear_mail()


def percent_hack(case):
    a = case.a
    a.control('percenthack', 'hosta.test\n')
    a.restart()
    case.got(case.b, 'ann', case.send('ann%hostb.test@hosta.test'))
    a.control('percenthack', None)
    a.restart()
    body = case.send('ann%hostb.test@hosta.test')
    case.bounced(a, 'joe', 'ann%hostb.test@hosta.test', NO_MAILBOX, body)


def smtp_routes(case):
    a, b = case.a, case.b
    b.control('rcpthosts', 'hostb.test\nrouted.test\n')
    b.control('virtualdomains', 'routed.test:joe\n')
    b.hup()
    b.dotqmail('joe', 'default', './Maildir/\n')
    b.popen(['tcpserver', '-RHl0', '0', '2525', home() + '/bin/qmail-smtpd'],
            user=hosts.QMAILD, stdin=-3, stdout=-3, stderr=-3)
    wait_for(lambda: b.listening(2525), 'port 2525')
    a.control('smtproutes', 'routed.test:[192.0.2.2]:2525\n.other.test:hostb.test:2525\n')
    text = case.got(b, 'joe', case.send('x@routed.test'))
    tap.ok(b'\nDelivered-To: joe-x@routed.test\n' in text, 'routed by address and port', text)
    b.control('rcpthosts', 'hostb.test\nrouted.test\nsub.other.test\n')
    b.control('virtualdomains', 'routed.test:joe\nsub.other.test:joe\n')
    b.hup()
    case.got(b, 'joe', case.send('x@sub.other.test'))
    a.control('smtproutes', None)
    b.dotqmail('joe', 'default', None)
    b.control('virtualdomains', None)
    b.control('rcpthosts', 'hostb.test\n')
    b.hup()


def reply(client, *commands):
    """The replies to the commands, as (code, text)."""
    return [client.docmd(command) for command in commands][-1]


def relaying(case):
    a, b = case.a, case.b
    client = b.smtp('192.0.2.1')
    client.ehlo()
    got = reply(client, 'MAIL FROM:<x@hostb.test>', 'RCPT TO:<y@elsewhere.test>')
    tap.ok(got[0] == 553 and got[1].endswith(b'allowed rcpthosts (#5.7.1)'), 'relaying refused',
           got)
    tap.equal(reply(client, 'RCPT TO:<joe@hosta.test>')[0], 250, 'own domain accepted')
    client.quit()
    a.write('/etc/tcp.smtp', '192.0.2.2:allow,RELAYCLIENT=""\n:allow\n')
    a.sh('tcprules /etc/tcp.smtp.cdb /etc/tcp.smtp.tmp </etc/tcp.smtp')
    client = b.smtp('192.0.2.1')
    client.sendmail('joe@hostb.test', ['ann@hostb.test'], b'Subject: relayed\r\n\r\nrelayed\r\n')
    client.quit()
    case.settle()
    case.got(b, 'ann', b'relayed\n')
    a.write('/etc/tcp.smtp', '192.0.2.2:allow,RELAYCLIENT="@hosta.test"\n:allow\n')
    a.sh('tcprules /etc/tcp.smtp.cdb /etc/tcp.smtp.tmp </etc/tcp.smtp')
    client = b.smtp('192.0.2.1')
    client.sendmail('joe@hostb.test', ['ann@x.test'], b'Subject: suffix\r\n\r\nsuffix\r\n')
    client.quit()
    case.settle()
    found = b.mail('joe')
    tap.ok(len(found) == 1 and b'\n<ann@x.test@hosta.test>:\n' in found[0],
           'the value of RELAYCLIENT is appended', found)
    b.clear_mail()
    a.write('/etc/tcp.smtp', ':allow\n')
    a.sh('tcprules /etc/tcp.smtp.cdb /etc/tcp.smtp.tmp </etc/tcp.smtp')


def bad_mail_from(case):
    a, b = case.a, case.b
    a.control('badmailfrom', 'spam@hostb.test\n@junk.test\n')
    client = b.smtp('192.0.2.1')
    client.ehlo()
    for sender in ('spam@hostb.test', 'Spam@HostB.test', 'any@junk.test'):
        got = reply(client, 'RSET', 'MAIL FROM:<%s>' % sender, 'RCPT TO:<joe@hosta.test>')
        tap.ok(got[0] == 553 and got[1].endswith(b'badmailfrom list (#5.7.1)'),
               'refused sender ' + sender, got)
    for sender in ('fine@hostb.test', 'x@sub.junk.test', ''):
        got = reply(client, 'RSET', 'MAIL FROM:<%s>' % sender, 'RCPT TO:<joe@hosta.test>')
        tap.equal(got[0], 250, 'accepted sender <%s>' % sender)
    client.quit()
    a.control('badmailfrom', None)


def data_bytes(case):
    a, b = case.a, case.b
    a.control('databytes', '1000\n')
    for size, wanted in ((999, 250), (1000, 250), (1001, 552)):
        text = b'S: x\r\n\r\n' + b'y' * (size - 7) + b'\r\n'          # CRs do not count
        client = b.smtp('192.0.2.1')
        client.ehlo()
        reply(client, 'MAIL FROM:<joe@hostb.test>', 'RCPT TO:<joe@hosta.test>')
        got = client.data(text)
        tap.equal(got[0], wanted, '%d bytes with a limit of 1000 (%s)' % (size, got[1]))
        client.quit()
    tap.ok(got[1].endswith(b'databytes limit (#5.3.4)'), 'the text of the refusal', got)
    case.settle()
    tap.equal(len(a.mail('joe')), 2, 'the two that fit are delivered')
    a.clear_mail()
    a.control('databytes', None)


def with_messages(box, count):
    """The POP3 session if it shows so many messages; else it is ended."""
    if box.stat()[0] == count:
        return box
    box.quit()
    return None


def pop3(case):
    bodies = [case.send('joe@hosta.test') for _ in range(3)]
    # Messages of the current second are not shown yet: their number may still change.
    box = wait_for(lambda: with_messages(case.a.pop3('joe'), 3), 'three messages over POP3', 5)
    texts = [b'\n'.join(box.retr(number)[1]) + b'\n' for number in (1, 2, 3)]
    for body in bodies:                     # those of one second come in any order
        tap.equal(sum(text.endswith(b'\n\n' + body) for text in texts), 1,
                  'read back: %s' % body.decode().strip())
    box.dele(2)
    box.quit()
    left = case.a.sh('ls /home/joe/Maildir/new /home/joe/Maildir/cur | grep -c hosta')
    tap.equal(int(left), 2, 'the deleted one is gone')
    case.a.sh('rm -f /home/joe/Maildir/cur/*')


# One line of the log: every kind that may appear, in full.
STATUS = r'status: local \d+/\d+ remote \d+/\d+( exitasap)?'
LINES = [STATUS, r'status: exiting', r'new msg \d+',
         r'info msg \d+: bytes \d+ from <[!-$&-~]*> qp \d+ uid \d+',
         r'starting delivery \d+: msg \d+ to (local|remote) [!-$&-~]+',
         r'delivery \d+: (success|deferral|failure): [!-$&-~]*', r'bounce msg \d+ qp \d+',
         r'triple bounce: discarding bounce/\d+', r'end msg \d+']


def log_lines(case):
    """All that was logged until now: forms, order, and the status line after each event."""
    for one in (case.a, case.b):
        lines = one.log()
        bad = [line for line in lines if not any(re.fullmatch(form, line) for form in LINES)]
        tap.equal(bad[:5], [], 'every log line of %s has an exact form' % one.name)
        known, wrong = {}, []
        for line, following in zip(lines, lines[1:] + ['']):
            found = re.match(r'(new|info|end) msg (\d+)|starting delivery \d+: (msg) (\d+)', line)
            kind, number = (found[1] or found[3], found[2] or found[4]) if found else (None, None)
            before = {'new': (None,), 'info': ('new',), 'msg': ('info', 'msg'),
                      'end': ('info', 'msg')}.get(kind)
            if before and known.get(number) not in before:
                wrong.append(line)
            if kind:
                known[number] = None if kind == 'end' else kind
            if re.match('starting delivery|delivery', line) and not re.fullmatch(STATUS, following):
                wrong.append(line + ' / ' + following)
        tap.equal(wrong[:5], [], 'new, info, starting, end in order, status after each')


CASES = [daemons, local_to_local, unknown_local, local_to_remote, remote_to_local, unknown_remote,
         double_bounce, triple_bounce, group_owner, default_files, alias, virtual_domains,
         assignments, one_of_each, exit_codes, loop, percent_hack, smtp_routes, relaying,
         bad_mail_from, data_bytes, pop3, log_lines]


def main():
    wanted = sys.argv[1:]
    with hosts.pair() as (a, b):
        a.start()
        b.start()
        case = Case(a, b)
        for step in CASES:
            if not wanted or step.__name__ in wanted:
                tap.note(step.__name__)
                tap.attempt(step.__name__ + ' went through', step, case)
                a.clear_mail()
                b.clear_mail()
        for one in (a, b):
            tap.equal(one.queue_faults(), '', 'the queue of %s is legal' % one.name)
    return tap.done()


if __name__ == '__main__':
    sys.exit(main())
