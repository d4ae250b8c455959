#!/usr/bin/python3
"""`make up` on a clean Debian: from git clone to mail read back, by the programs people use; and
what it says when something stands in its way.

The clean Debian comes from debootstrap, the packages that `make up` installs from a layer that the
same apt-get command made from the package sources (tests/packages, layer `up`).
"""
import glob
import os
import re
import smtplib
import sys

sys.dont_write_bytecode = True
TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, os.path.join(TESTS, 'world')]
import layers
import tap
from hosts import MailHost
from tree import TOP, home, packages

NAME = 'fresh.test'
BODY = 'first line\n.\n..two dots\nFrom here on\n8-bit: \xe9\n \ntabs\there\nlast line\n'
ok = tap.ok


def like(text, pattern, name):
    """A test point: the pattern is found in the text."""
    return ok(re.search(pattern, text), name, 'no %s in:\n%s' % (pattern, text[-2000:]))


def snapshot(world):
    """What an attempt that is refused must leave alone."""
    return world.sh('''
        ls -d {0} /etc/tcp.smtp /etc/service /root/pneumail/build 2>/dev/null || :
        cat /etc/passwd /etc/group; dpkg -l | wc -l; ls -la /usr/sbin/sendmail /usr/lib/sendmail \
            2>/dev/null || :'''.format(home()))


def refused(name, world, prepare, words, command='make -s up HOST=' + NAME):
    """make up must fail with one line holding `words`, and change nothing."""
    world.sh(prepare)
    before = snapshot(world)
    code, out, err = world.call(['sh', '-c', command], cwd='/root/pneumail')
    said = [line for line in err.decode().split('\n') if line and not line.startswith('make: ***')]
    if not ok(code != 0 and len(said) == 1 and re.search(words, said[0]) and not out,
              '%s: one line, and it fails' % name):
        tap.note('code %d, out %r, err %r' % (code, out[-300:], err[-600:]))
    ok(snapshot(world) == before, '%s: nothing was changed' % name)


def obstacles():
    with layers.build(NAME, ('fresh',), clean=True, with_suite=False).start() as world:
        world.sh('git clone -q %s /root/pneumail' % TOP)
        refused('not root', world, 'cp -r /root/pneumail /tmp/tree; chmod -R a+rX /tmp/tree', 'root',
                'cd /tmp/tree && exec setpriv --reuid 1234 --regid 1234 --clear-groups make -s up')
        refused('a host name that is none', world, ':', 'HOST=', 'make -s up HOST=bad..name')
        refused('no apt, packages missing', world, 'mv /usr/bin/apt-get /usr/bin/apt-get.away',
                'apt-get.*ucspi-tcp')
        world.sh('mv /usr/bin/apt-get.away /usr/bin/apt-get')
        refused('another mail system', world, 'echo : >/usr/sbin/sendmail',
                '/usr/sbin/sendmail.*SENDMAIL=replace')
        world.sh('rm /usr/sbin/sendmail')
        listener = world.popen(['perl', '-MIO::Socket::INET', '-e', 'my $s = IO::Socket::INET->new('
                                'Listen => 1, LocalPort => 25) or die; print "up\\n"; '
                                'STDOUT->flush; <STDIN>'], stdin=-1, stdout=-1)
        listener.stdout.readline()
        refused('port 25 taken', world, ':', 'port 25')
        listener.stdin.close()
        listener.wait()


def add_user(world, name):
    world.sh('''useradd --create-home --shell /bin/sh {0}; echo {0}:{0}-secret | chpasswd
        {1}/bin/maildirmake /home/{0}/Maildir; chown -R {0}: /home/{0}/Maildir'''.format(name, home()))


def split(message):
    head, _, body = message.partition(b'\n\n')
    return head.decode('latin-1') + '\n', body.decode('latin-1')


class Fresh(MailHost):
    """A clean Debian on which `make up` ran."""

    def __init__(self):
        self.name = NAME
        self.world = layers.build(NAME, ('fresh', 'up', 'clients'), clean=True,
                                  with_suite=False).start()
        self.sh, self.call, self.popen = self.world.sh, self.world.call, self.world.popen
        self.path, self.stop = self.world.path, self.world.stop

    def only_mail(self, what):
        """The one message that joe has got by now; his Maildir is empty afterwards."""
        messages = self.wait_mail('joe', 1)
        ok(len(messages) == 1, what + ': arrived once')
        self.sh('rm /home/joe/Maildir/new/*')
        return split(messages[0])


def trace(what, head, sender):
    """The fields that the delivery put on top."""
    lines = head.split('\n')
    ok(lines[0] == 'Return-Path: <%s>' % sender, what + ': Return-Path')
    ok(lines[1] == 'Delivered-To: joe@' + NAME, what + ': Delivered-To')
    like(lines[2], r'^Received: \(qmail \d+ invoked (by uid \d+|from network)\); '
         r'\d+ \w+ \d{4} [0-9:]{8} -0000$', what + ': Received of qmail-queue')


def by_sendmail(fresh):
    text = 'From: ann@example.org\nTo: joe\nSubject: by sendmail\n\n' + BODY
    code, _, err = fresh.call(['/usr/sbin/sendmail', '-t', '-i'], text.encode('latin-1'))
    ok(code == 0 and not err, 'sendmail -t takes it')
    head, body = fresh.only_mail('sendmail -t')
    trace('sendmail -t', head, 'root@' + NAME)
    like(head, r'(?m)^To: joe@fresh\.test$', 'sendmail -t: the name was completed')
    ok(body == BODY, 'sendmail -t: body byte by byte')


def by_php(fresh):
    fresh.write('/tmp/mail.php', '<?php exit(mail("joe@%s", "by PHP", file_get_contents("/tmp/body"), '
                '"From: Web <web@example.org>", "-fbounces@example.org") ? 0 : 1);' % NAME)
    fresh.write('/tmp/body', BODY.encode('latin-1'))
    code, out, err = fresh.call(['php', '/tmp/mail.php'])
    ok(code == 0 and not out + err, 'PHP mail() returns true')
    head, body = fresh.only_mail('PHP')
    trace('PHP', head, 'bounces@example.org')
    # PHP ends the body with a line end of its own.
    ok(body in (BODY, BODY + '\n'), 'PHP: body byte by byte')


def by_cron(fresh):
    fresh.write('/etc/cron.d/report', 'MAILTO=joe\n@reboot joe echo nightly report; id -un\n')
    fresh.sh('chmod 644 /etc/cron.d/report; rm -f /run/crond.reboot')
    daemon = fresh.popen(['cron', '-f'])
    head, body = fresh.only_mail('cron')
    daemon.terminate()
    daemon.wait()
    like(head, r'(?m)^Subject: Cron <joe@fresh[^>]*> echo nightly report', 'cron: subject')
    ok(body == 'nightly report\njoe\n', 'cron: the output of the job')


def by_swaks(fresh):
    code, out, _ = fresh.call(['swaks', '--server', '127.0.0.1', '--from', 'ann@example.org', '--to',
                               'joe@' + NAME, '--header', 'Subject: by swaks', '--body',
                               'one\n.\n..two\n'])
    ok(code == 0, 'swaks: no error') or tap.note(out.decode())
    head, body = fresh.only_mail('swaks')
    trace('swaks', head, 'ann@example.org')
    like(head, r'(?m)^Received: from unknown \(HELO [^)]*\) \(127\.0\.0\.1\)\n  by fresh\.test with '
         r'ESMTP; ', 'swaks: Received of qmail-smtpd')
    ok(body.startswith('one\n.\n..two\n'), 'swaks: dots are as they were')


def by_smtplib(fresh):
    with fresh.smtp() as client:
        client.sendmail('ann@example.org', ['joe@' + NAME],
                        ('Subject: by smtplib\n\n' + BODY).encode('latin-1'))
        try:
            client.sendmail('ann@example.org', ['joe@elsewhere.example'], b'Subject: x\n\n')
            ok(True, 'this machine itself may relay')
        except smtplib.SMTPException as error:
            ok(False, 'this machine itself may relay') or tap.note(str(error))
    head, body = fresh.only_mail('smtplib')
    trace('smtplib', head, 'ann@example.org')
    ok(body == BODY, 'smtplib: body byte by byte')


def by_pop3(fresh):
    fresh.deliver('ann@example.org', ['joe@' + NAME], ('Subject: pop\n\n' + BODY).encode('latin-1'))
    name = fresh.wait_mail('joe', 1) and glob.glob(fresh.path('/home/joe/Maildir/new/*'))[0]
    # Messages of the current second stay hidden; make this one older.
    os.utime(name, (1000000000, 1000000000))
    with open(name, 'rb') as file:
        stored = file.read()
    client = fresh.pop3('joe')
    ok(client.stat()[0] == 1, 'poplib: one message')
    ok(b'\n'.join(client.retr(1)[1]) + b'\n' == stored, 'poplib: byte by byte')
    client.quit()
    fresh.write('/home/joe/getmailrc', '[retriever]\ntype = SimplePOP3Retriever\nserver = 127.0.0.1\n'
                'username = joe\npassword = joe-secret\n[destination]\ntype = Maildir\n'
                'path = /home/joe/fetched/\n[options]\ndelivered_to = false\nreceived = false\n'
                'delete = true\n')
    fresh.sh(home() + '/bin/maildirmake /home/joe/fetched; chown -R joe: /home/joe')
    code, out, err = fresh.call(['getmail', '--getmaildir', '/home/joe', '--rcfile', 'getmailrc'],
                                user=fresh.joe, env={'HOME': '/home/joe'})
    fetched = fresh.mail('joe', 'fetched')
    ok(code == 0 and len(fetched) == 1, 'getmail fetches it') or tap.note((out + err).decode())
    ok(bool(fetched) and split(fetched[0])[1] == BODY, 'getmail: body byte by byte')
    ok(not glob.glob(fresh.path('/home/joe/Maildir/*/*')), 'getmail: and deletes it')


def up(fresh, what):
    code, out, err = fresh.call(['make', '-s', 'up', 'HOST=' + NAME], cwd='/root/pneumail',
                                timeout=300)
    out = out.decode()
    if not ok(code == 0 and not err, what + ': works, and complains of nothing'):
        tap.note('code %d\n%s\n%s' % (code, out, err.decode()))
    return out


def whole(fresh):
    fresh.sh('''git clone -q %s /root/pneumail; mkdir %s; mount -t tmpfs tmpfs %s; chmod 755 %s'''
             % (TOP, home(), home(), home()))
    out = up(fresh, 'make up')
    like(out, r'(?m)^    arrived: .*/Maildir/new/.*: test through sendmail$', 'shows sendmail\'s message')
    like(out, r'(?m)^    arrived: .*/Maildir/new/.*: test through SMTP$', 'shows the one by SMTP')
    like(out, r'(?m)^    POP3 shows: Subject: test through', 'reads one back')
    like(out, r'(?ms)qmail-send: up \(pid.*qmail-smtpd: up.*qmail-pop3d: up.*messages in queue: 0',
         'prints a status')
    ok('pneumail-test' not in fresh.sh('cat /etc/passwd'), 'its test account is gone')
    add_user(fresh.world, 'joe')
    fresh.joe = tuple(int(n) for n in fresh.sh('id -u joe; id -g joe').split())
    for part in (by_sendmail, by_php, by_cron, by_swaks, by_smtplib, by_pop3):
        part(fresh)
    fresh.control('concurrencyremote', '7\n')
    before = fresh.sh('cat %s/control/*' % home())
    up(fresh, 'make up again')
    ok(fresh.sh('cat %s/control/*' % home()) == before, 'make up again: control files unchanged')
    code, out, err = fresh.call(['make', '-s', 'down'], cwd='/root/pneumail')
    ok(code == 0, 'make down works') or tap.note((out + err).decode())
    ok(not fresh.listening(25) and not fresh.listening(110), 'make down: nothing listens')
    ok(not fresh.sh('ps -eo args 2>/dev/null || cat /proc/[0-9]*/cmdline').count('qmail-send'),
       'make down: no daemon is left')


def package_list():
    with open(os.path.join(TOP, 'src/install/up.sh')) as file:
        named = re.search(r"(?m)^packages='([^']*)'", file.read()).group(1).split()
    ok(set(named) <= set(packages('up')), 'layer "up" holds what make up installs')


def main():
    package_list()
    obstacles()
    with Fresh() as fresh:
        whole(fresh)
    return tap.done()


if __name__ == '__main__':
    sys.exit(main())
