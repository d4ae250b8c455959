#!/usr/bin/python3
"""deb.t - the Debian package: made by a user, looked at by lintian, and a whole life on a clean
host.

Installed by apt, over accounts that are there; mail in and out; upgraded with a deferred message in
the queue; removed and installed again; purged with and without mail.  What it leaves is compared
with the files that were there before.  Then once more in the place of another mail system, under
runit, with an add-on.
"""
import os
import re
import sys
import tempfile
from subprocess import DEVNULL

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
os.environ.pop('SAN', None)             # packages hold the plain programs
sys.path[:0] = [TESTS, os.path.join(TESTS, 'world')]
import hosts                            # noqa: E402
import layers                           # noqa: E402
import proxy                            # noqa: E402
import tap                              # noqa: E402
from host import wait_for               # noqa: E402
from tree import TOP, home              # noqa: E402

NAME = 'deb.test'
SHARE = '/srv/packages'                 # in both worlds
LIB = '/usr/lib/pneumail'
APT = ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', '-q', '-y', '--no-install-recommends']
NEWER = ('sed -i "s/^VERSION := .*/VERSION := 99.1/" Makefile; touch src/send/qmail-send.c; '
         'make -s deb CFLAGS=-O1')
LINKS = {'/usr/sbin/sendmail': home() + '/bin/sendmail', '/usr/lib/sendmail': '../sbin/sendmail',
         '/usr/bin/mailq': home() + '/bin/sendmail',
         '/usr/bin/newaliases': home() + '/bin/sendmail'}
# All names on the host but those of dpkg, apt, the kernel, and what the tools for accounts leave.
OTHERS = ['/proc', '/sys', '/dev', '/run', '/tmp', '/srv', '/var/lib/dpkg', '/var/lib/apt',
          '/var/cache',
          '/var/log/apt', '/etc/*-', TOP]
FILES = 'find / -xdev \\( %s \\) -prune -o -print; find %s /home -mindepth 1' % (
    ' -o '.join('-path "%s"' % path for path in OTHERS), home())


# ---- making it ----

def made(host, user=None):
    """Make the package in the user's copy of the tree; (its name, its bytes)."""
    code, out, err = host.call(['make', '-s', 'deb'], cwd='/home/joe/tree', user=user,
                               env={'HOME': '/home/joe'}, timeout=300)
    tap.equal((code, err), (0, b''), 'make deb')
    path = os.path.join('/home/joe/tree', out.decode().strip())
    with open(host.path(path), 'rb') as file:
        return path, file.read()


def builder(share):
    """The package and a newer one in the shared directory."""
    joe = hosts.USERS['joe']
    with hosts.MailHost('builder.test', with_suite=False, stack=['lintian'],
                        shares=[(share, SHARE)]) as host:
        host.sh('mkdir /home/joe/tree; tar -c -C %s --exclude ./build/world --exclude ./build/test '
                '--exclude "./build/lint*" --exclude ./build-san --exclude ./.git . | '
                'tar -x -C /home/joe/tree; chown -R joe:joe /home/joe/tree' % TOP, timeout=300)
        host.sh('sed -i "/^qmail/d; /^alias:/d; /^nofiles:/d" /etc/passwd /etc/group')
        path, first = made(host, joe)
        tap.ok(re.fullmatch(r'.*/build/pneumail_[0-9][0-9.]*_[a-z0-9]+\.deb', path), 'its name',
               path)
        tap.ok(made(host, joe)[1] == first, 'made again, the same bytes')
        code, out, err = host.call(['lintian', '--fail-on', 'error,warning', path], user=joe,
                                   timeout=300)
        tap.equal((code, out + err), (0, b''), 'lintian finds neither errors nor warnings')
        host.sh('cp %s %s' % (path, SHARE))
        staged(host, joe)
        host.sh(NEWER, cwd='/home/joe/tree', timeout=300)
        host.sh('cp /home/joe/tree/build/pneumail_99.1_*.deb %s' % SHARE)
    return sorted(name for name in os.listdir(share))


def staged(host, user):
    """`make package`: everything but ownership, by anybody."""
    code, _, err = host.call(['make', '-s', 'package', 'DESTDIR=/home/joe/staged'],
                             cwd='/home/joe/tree', user=user)
    tap.equal((code, err), (0, b''), 'make package')
    shown = host.sh('cd /home/joe/staged%s; stat -c "%%a %%U %%F %%n" ../../var bin/qmail-queue '
                    'bin/qmail-lspawn queue/mess/22 queue/lock/trigger alias control' % home())
    tap.equal(shown, '755 joe directory ../../var\n4711 joe regular file bin/qmail-queue\n'
              '700 joe regular file bin/qmail-lspawn\n750 joe directory queue/mess/22\n'
              '622 joe fifo queue/lock/trigger\n2755 joe directory alias\n'
              '755 joe directory control\n', 'modes are set, set-uid as well')


# ---- its life ----

class DebHost(hosts.MailHost):
    """A clean Debian; svscan's directory is where daemontools-run has it."""

    def apt(self, *words):
        """Run apt-get; its output."""
        code, out, err = self.call(APT + list(words), timeout=300)
        text = (out + err).decode(errors='replace')
        if not tap.equal(code, 0, 'apt-get ' + words[0]):
            tap.note(text)
        return text

    def control(self, name, text):
        self.write('/etc/qmail/' + name, text)

    def files(self):
        """Names of all files that a package could have left."""
        return set(self.sh(FILES).splitlines())

    def supervised(self):
        """Names of the services that svscan looks after."""
        return self.sh('ls /etc/service').split()

    def svc(self, flags, name='qmail-send'):
        self.sh('svc %s /etc/service/%s' % (flags, name))

    def pid_of(self, name='qmail-send'):
        _, out, _ = self.call(['svstat', '/etc/service/' + name])
        found = re.search(rb': up \(pid (\d+)\)', out)
        return int(found.group(1)) if found else 0

    def running(self):
        """Wait until mail is received and delivered."""
        wait_for(self.pid_of, 'qmail-send')
        wait_for(lambda: self.listening(25), 'port 25')

    def mail_to_joe(self, text):
        """Test point: a message arrives through /usr/sbin/sendmail."""
        code, _, err = self.call(['/usr/sbin/sendmail', 'joe'], b'Subject: %s\n\n' % text.encode(),
                                 user=hosts.USERS['ann'], env={'USER': 'ann', 'LOGNAME': 'ann'})
        tap.equal((code, err), (0, b''), 'sendmail takes it: ' + text)
        got = self.wait_mail('joe', 1)[0]
        tap.ok(b'\nSubject: %s\n' % text.encode() in got, 'it arrives: ' + text, got)
        self.clear_mail('joe')

    def defer(self, text):
        """Put a message into the queue that stays there as long as joe's home is sticky."""
        self.sh('chmod +t /home/joe')
        count = self.count_log('deferral: ')
        self.sh('printf "Subject: %s\\n\\n" | /usr/sbin/sendmail joe' % text)
        self.wait_log('deferral: ', count + 1)
        return self.queue()

    def release(self, text):
        """Test point: that message is delivered."""
        self.sh('chmod -t /home/joe')
        self.svc('-a')
        got = self.wait_mail('joe', 1)[0]
        tap.ok(b'\nSubject: %s\n' % text.encode() in got, 'the deferred message arrives: ' + text,
               got)
        self.clear_mail('joe')
        self.wait_empty()


def first_installation(host, package):
    """Over accounts that are there, and on a host with a name in /etc/mailname."""
    host.sh('addgroup --quiet --gid 64010 qmail; adduser --quiet --system --uid 64015 '
            '--no-create-home '
            '--ingroup qmail --home %s qmailq; echo mail.deb.test >/etc/mailname' % home())
    host.apt('install', package)
    tap.equal(host.sh('id -u qmailq; '
                      'getent passwd alias qmaild qmaill qmailp qmailr qmails | wc -l'),
              '64015\n6\n', 'accounts are made, those that were there are kept')
    tap.equal(host.sh('%s/instcheck -w %s 2>&1' % (LIB, LIB)), '',
              'the tree is as installed by hand')
    shown = host.sh('stat -c "%%a %%U %%G" %s/bin/qmail-queue %s/boot/home %s/man/man8/qmail-send.8'
                    % (home(), home(), home()))
    tap.equal(shown, '4711 qmailq qmail\n755 root qmail\n644 root qmail\n', 'owners and modes')
    tap.equal({path: os.readlink(host.path(path)) for path in LINKS}, LINKS, 'system commands')
    tap.equal(host.sh('cd %s/control; pwd -P; tail -n +1 *' % home()),
              '/etc/qmail\n==> defaultdomain <==\ndeb.test\n\n==> locals <==\nmail.deb.test\n\n'
              '==> me <==\nmail.deb.test\n\n==> plusdomain <==\ndeb.test\n\n==> rcpthosts <==\n'
              'mail.deb.test\n', 'control files from /etc/mailname')
    tap.equal(host.supervised(), ['qmail-send', 'qmail-smtpd'], 'services are linked')
    tap.equal(host.sh('ls /usr/share/man/man5 | grep -c -e ^maildir.5qmail.gz -e ^qmail-log.5.gz'),
              '2\n', 'manuals')
    code, _, _ = host.call(['newaliases'])
    tap.equal(code, 0, 'newaliases succeeds')
    code, out, err = host.call(['mailq'])
    tap.equal((code, out, err), (0, b'', b''), 'mailq shows the queue')


def mail(host):
    """In through sendmail and SMTP, out over POP3 when it is switched on."""
    host.running()
    host.mail_to_joe('by hand')
    client = host.smtp()
    tap.equal(client.docmd('HELO x')[0], 250, 'SMTP answers')
    client.sendmail('joe@mail.deb.test', ['ann@mail.deb.test'], 'Subject: read\r\n\r\ntext\r\n')
    client.quit()
    host.wait_mail('ann', 1)
    tap.ok(not host.listening(110), 'POP3 is off')
    host.sh(LIB + '/services add qmail-pop3d')
    wait_for(lambda: host.listening(110), 'port 110')

    def shown():                        # messages of the current second are not shown yet
        box = host.pop3('ann')
        return box if box.stat()[0] else box.quit() and None
    box = wait_for(shown, 'a message over POP3', 5)
    tap.ok(b'Subject: read' in box.retr(1)[1], 'read over POP3')
    box.dele(1)
    box.quit()


def configured(host, package):
    """A host that was configured otherwise gets no alias that would take mail from others."""
    alias = home() + '/alias'
    files = host.sh('tar -c -C %s -f /srv/alias.tar .; ls -A %s' % (alias, alias))
    tap.equal(files.split(),
              ['.qmail-mailer-daemon', '.qmail-postmaster', '.qmail-root', 'Maildir'],
              'aliases of the first configuration')
    host.sh('rm -r %s/.qmail-* %s/Maildir; echo "&joe" >%s/.qmail-default' % ((alias,) * 3))
    host.sh('dpkg --install ' + package)
    tap.equal(host.sh('ls -A ' + alias), '.qmail-default\n', 'a configured host gets no alias')
    host.sh('rm %s/.qmail-default; tar -x -C %s -f /srv/alias.tar; rm /srv/alias.tar'
            % (alias, alias))


def upgrade(host, package):
    """Everything is kept, a message in the queue as well; new programs run afterwards."""
    host.control('locals', 'mail.deb.test\n# mine\n')
    host.sh('echo "# mine" >>%s/service/qmail-smtpd/run; update-service --remove '
            '%s/service/qmail-pop3d' % (home(), home()))
    before, pid, smtp = host.defer('through the upgrade'), host.pid_of(), host.pid_of('qmail-smtpd')
    host.sh('dpkg-statoverride --force-statoverride-add --update --add qmailq qmail 4755 '
            '%s/bin/qmail-queue' % home())
    kept = ('cat /etc/qmail/* %s/service/*/run %s/rc /etc/tcp.smtp; ls -Al %s/alias'
            % ((home(),) * 3))
    settings = host.sh(kept)
    # Unpacked, but not configured: mail is taken all the same.
    host.sh('dpkg --unpack ' + package)
    tap.equal(host.sh('stat -c "%%a %%U" %s/bin/qmail-queue' % home()), '4755 qmailq\n',
              'qmail-queue is never without its owner, and has the mode that the host chose')
    tap.equal(host.pid_of(), pid, 'qmail-send runs on until the end')
    text = host.sh('dpkg --configure pneumail')
    tap.ok('restarting qmail-send' in text, 'says that it restarts qmail-send', text)
    tap.equal(host.sh('dpkg-query -W -f "\\${Version}" pneumail'), '99.1', 'the newer version')
    wait_for(lambda: host.pid_of() not in (0, pid), 'a new qmail-send')
    tap.equal(host.sh('cmp /proc/%d/exe %s/bin/qmail-send && echo same' % (host.pid_of(), home())),
              'same\n', 'the newer program runs')
    tap.equal(host.pid_of('qmail-smtpd'), smtp, 'SMTP was not interrupted')
    tap.equal(host.queue(), before, 'the queue is as it was')
    tap.equal(host.queue_faults(), '', 'and legal')
    tap.equal(host.sh(kept), settings, 'settings and aliases are as they were')
    tap.equal(host.supervised(), ['qmail-send', 'qmail-smtpd'], 'what was switched off stays off')
    tap.equal(host.sh('stat -c %%a %s/bin/qmail-queue' % home()), '4755\n', 'the mode stays')
    host.release('through the upgrade')
    host.sh('dpkg-statoverride --force-statoverride-add --update --add qmailq qmail 4711 '
            '%s/bin/qmail-queue' % home())


def open_relay(host):
    """SMTP does not start without rcpthosts or me."""
    for name in ('rcpthosts', 'me'):
        kept = host.sh('cat /etc/qmail/' + name)
        host.control(name, None)
        count = host.count_log('not started: ', 'qmail-smtpd')
        host.svc('-t', 'qmail-smtpd')
        host.wait_log('not started: .*' + name, 1, 'qmail-smtpd')
        wait_for(lambda: not host.pid_of('qmail-smtpd'), 'the end of qmail-smtpd')
        tap.ok(not host.listening(25), 'no SMTP without control/' + name)
        tap.equal(host.count_log('not started: ', 'qmail-smtpd'), count + 1, 'said once')
        host.control(name, kept)
        host.svc('-u', 'qmail-smtpd')
        host.running()


def removal(host, package):
    """Removed: stopped, nothing of the host's is gone; installed again: as before."""
    before = host.defer('through the removal')
    kept = '%s/users/assign' % home()
    host.write(kept, '.\n')
    settings = host.sh('cat /etc/qmail/* %s/rc' % home())
    host.apt('remove', 'pneumail')
    tap.equal(host.processes('qmail-send') + host.processes('tcpserver'), [],
              'everything has ended')
    wait_for(lambda: not host.processes('multilog') + host.processes('supervise'), 'the end', 10)
    tap.equal(host.supervised(), [], 'no service is left')
    tap.ok(host.count_log('status: exiting'), 'qmail-send ended in good order')
    tap.equal(host.sh('ls %s/bin /usr/sbin/sendmail 2>/dev/null || :' % home()), '', 'programs go')
    tap.equal((host.queue(), host.sh('cat /etc/qmail/* %s/rc; cat %s' % (home(), kept))),
              (before, settings + '.\n'), 'queue and settings stay')
    tap.equal(host.sh('dpkg-statoverride --list "%s/*" || :' % home()), '', 'no override stays')
    host.apt('install', package)
    host.running()
    tap.equal(host.queue(), before, 'installed again: the queue is the same')
    host.release('through the removal')


def purge(host, package, clean):
    """Purged with mail: what the mail needs stays, and it is delivered later.  Without: nothing
    stays, but for the mail of alias."""
    host.control('virtualdomains', 'virtual.example:joe-v\n')
    host.write('/home/joe/.qmail-v-default', './Maildir/\n')
    host.svc('-d')
    wait_for(lambda: not host.pid_of(), 'the end of qmail-send')
    host.sh('printf "Subject: through the purge\\n\\n" | /usr/sbin/sendmail x@virtual.example')
    queue, kept = host.queue(), ('cat /etc/qmail/* %s/rc %s/service/*/run; ls -A %s/alias %s/users'
                                 % ((home(),) * 4))
    settings = host.sh(kept)
    text = host.apt('purge', 'pneumail')
    tap.ok('there is mail in ' in text, 'says what it keeps', text)
    tap.equal((host.queue(), host.sh(kept)), (queue, settings),
              'queue, settings, users and aliases are as they were')
    tap.equal(host.sh('ls %s/bin /usr/sbin/sendmail 2>/dev/null || :' % home()), '', 'programs go')
    host.sh('dpkg-deb -e %s /tmp/control' % package)
    for away in ('mkdir queue', 'ln -s /nonesuch queue'):
        text = host.sh('cd %s && mv queue away && %s && sh /tmp/control/postrm purge && '
                       'rm -d queue && mv away queue' % (home(), away))
        tap.ok('it is kept' in text and host.sh(kept) == settings and host.queue() == queue,
               'a queue that is not mounted counts as one with mail: ' + away, text)
    host.apt('install', package)
    host.running()
    got = host.wait_mail('joe', 1)[0]
    tap.ok(b'\nDelivered-To: joe-v-x@virtual.example\n' in got and b'through the purge' in got,
           'the virtual domain is known when the message is delivered', got)
    host.clear_mail('joe')
    host.sh('rm /home/joe/.qmail-v-default; printf "Subject: kept\\n\\n" | /usr/sbin/sendmail root')
    host.wait_mail('alias', 1)
    host.wait_empty()
    host.apt('purge', 'pneumail')
    outside = [name for name in sorted(host.files() - clean)
               if not re.match('%s/alias(/Maildir(/|$)|$)' % home(), name)]
    tap.equal(outside, ['/var/lib/qmail'], 'purged: only mail is left')
    tap.equal(len(host.mail('alias')), 1, 'which is that of alias')
    host.apt('install', package)
    host.running()
    host.clear_mail('alias')
    host.apt('purge', 'pneumail')
    tap.equal(sorted(host.files() - clean), [], 'purged without mail: nothing is left')
    tap.equal(sorted(clean - host.files()), [], 'and nothing of others has gone')
    tap.equal(host.sh('getent passwd alias qmaild qmaill qmailp qmailq qmailr qmails | wc -l'),
              '7\n',
              'the accounts stay')


def elsewhere(host, package):
    """Another mail system gives way; runit supervises; an add-on's package finds qmail's home."""
    host.apt('install', 'runit', 'dma')
    host.popen(['runsvdir', '/etc/service'], stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL)
    host.apt('install', package)
    host.apt('install', 'fastforward')
    tap.ok('ii' not in host.sh('dpkg -l dma | tail -1'), 'the other mail system is removed')
    host.running()
    host.mail_to_joe('under runit')
    host.write('/etc/aliases', 'someone: joe\n')
    tap.equal(host.sh('newaliases; cd %s; ls -d bin/fastforward bin/newaliases; '
                      'cat alias/.qmail-default' % home()),
              'bin/fastforward\nbin/newaliases\n| fastforward -d /etc/aliases.cdb\n',
              'newaliases is the one of fastforward')
    host.sh('echo "Subject: alias" | /usr/sbin/sendmail someone')
    tap.ok(b'\nSubject: alias\n' in host.wait_mail('joe', 1)[0], 'an address of /etc/aliases')
    host.clear_mail('joe')
    host.apt('remove', 'pneumail')
    wait_for(lambda: not host.processes('multilog') + host.processes('qmail-send'), 'the end', 10)
    tap.ok('qmail-send' not in host.supervised(), 'removed: no service is left')
    host.apt('install', package)
    host.running()
    host.mail_to_joe('under runit again')


def nameless(host, package):
    """No usable name: installed, not started, and the way on is said."""
    kept = host.sh('cat /etc/mailname')
    host.write('/etc/mailname', 'no,name\n')
    text = host.apt('install', package)
    tap.ok('config-fast' in text and host.supervised() == [], 'without a name nothing starts', text)
    host.sh('%s/firstconfig mail.deb.test; %s/services add qmail-send qmail-smtpd' % (LIB, LIB))
    host.running()
    host.mail_to_joe('after the name was given')
    host.wait_empty()
    host.sh('mv /etc/qmail /srv/control; mkdir /etc/qmail; echo mine >/etc/qmail/file; '
            'ln -sfn /srv/control %s/control' % home())
    host.apt('purge', 'pneumail')
    tap.equal(host.sh('cat /etc/qmail/file; readlink %s/control' % home()), 'mine\n/srv/control\n',
              'a link of the host and /etc/qmail, to which it does not lead, stay')
    host.sh('rm -r /etc/qmail /srv/control %s/control' % home())
    host.write('/etc/mailname', kept)


def main():
    with tempfile.TemporaryDirectory() as share:
        names = tap.attempt('the packages are made', builder, share)
        if names is None or not tap.equal(len(names), 2, 'two packages'):
            return tap.done()
        older, newer = (os.path.join(SHARE, name) for name in names)
        with DebHost(NAME, zone=None, clean=True, with_suite=False,
                     shares=layers.shared_apt(True) + [(share, SHARE)]) as host:
            proxy.serve(host)
            host.apt('update')
            depends = host.sh('dpkg-deb -f %s Depends' % older).strip()
            host.apt('satisfy', depends)
            host.popen(['svscan', '/etc/service'], stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL)
            clean = host.files()
            tap.attempt('first installation', first_installation, host, older)
            tap.attempt('mail', mail, host)
            tap.attempt('a configured host', configured, host, older)
            tap.attempt('upgrade', upgrade, host, newer)
            tap.attempt('open relay', open_relay, host)
            tap.attempt('removal', removal, host, newer)
            tap.attempt('purge', purge, host, newer, clean)
            tap.attempt('no name', nameless, host, newer)
        with DebHost(NAME, zone=None, clean=True, with_suite=False,
                     shares=layers.shared_apt(True) + [(share, SHARE)]) as host:
            proxy.serve(host)
            host.apt('update')
            tap.attempt('elsewhere', elsewhere, host, newer)
    return tap.done()


if __name__ == '__main__':
    sys.exit(main())
