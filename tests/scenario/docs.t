#!/usr/bin/python3
"""docs.t - the commands in README.md and INSTALL, run as they stand on clean Debian hosts.

A block is a run of lines indented by four or more.  Each one is run by a chapter below or stands in
NOT_RUN with the reason; a new block that is neither makes the test fail.  Blocks that follow each
other are typed into one shell, which must be as it was when they are done: a reader goes on in it.
A host has what the block in "1. What is needed" installs; the tree there is built, so that `make`
has little to do.
"""
import os
import re
import subprocess
import sys
from subprocess import DEVNULL

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
os.environ.pop('SAN', None)             # the hosts of readers
sys.path[:0] = [TESTS, os.path.join(TESTS, 'world')]
import hosts                            # noqa: E402
import tap                              # noqa: E402
from host import wait_for               # noqa: E402
from tree import TOP, home              # noqa: E402

NAME = 'mail.example.com'
DOCUMENTS = ('README.md', 'INSTALL')
BIN = home() + '/bin'

# First lines of blocks that are not run.
NOT_RUN = {
    '==> building': 'output: compared with that of make up',
    'make test': 'this test is a part of it; make lint and make bench are not for a mail host',
    'for program in /var/lib/qmail/bin/*; do': 'companions.t runs it',
    'plugins=/usr/lib/nagios/plugins': 'companions.t runs it',
    'cp /var/qmail/doc/rblsmtpd.conf /var/qmail/doc/qmail-*.conf /etc/fail2ban/filter.d':
        'companions.t runs it',
    'pw groupadd nofiles': 'FreeBSD, of which there are no worlds',
    'ln -s /var/qmail/rc /usr/local/etc/rc.d/qmail.sh': 'FreeBSD',
    '/var/qmail/scripts/enable-qmail': 'FreeBSD; prog/enable-qmail.t runs it',
    'mv /etc/mail/mailer.conf.bak /etc/mail/mailer.conf':
        'FreeBSD; prog/enable-qmail.t makes the file that is moved back',
    'alternatives --install /usr/sbin/sendmail mta /var/qmail/bin/sendmail 200 \\':
        'Red Hat; the words of its alternatives(8), of which there are no worlds',
}

# Where a reader would look again later, the test waits: command -> until this succeeds.
LATER = {
    'cat ~joe/Maildir/new/*': 'ls ~joe/Maildir/new/*',
    'tail /var/log/qmail-send/current | tai64nlocal': 'grep status: /var/log/qmail-send/current',
    'svstat /var/qmail/service/*': 'svok /var/qmail/service/qmail-pop3d',
}


BEGIN, END = '==== block', '==== end'


class Block:
    """Lines of a document that belong together: its place, and the text of a shell script."""

    def __init__(self, document, heading, number):
        self.document, self.heading, self.number = document, heading, number
        self.lines, self.run = [], False

    def script(self):
        margin = min(len(line) - len(line.lstrip()) for line in self.lines)
        return '\n'.join(line[margin:] for line in self.lines)

    def first(self):
        return self.lines[0].strip()

    def __str__(self):
        return '%s:%d %s' % (self.document, self.number, self.first())


def blocks(document):
    """All blocks, in order.  Headings are underlined, or begin with # as in Markdown."""
    with open(os.path.join(TOP, document)) as file:
        lines = file.read().splitlines()
    found, heading, inside = [], '', False
    for number, line in enumerate(lines, 1):
        if re.match('#+ ', line):
            heading = line.lstrip('# ')
        elif number > 1 and re.fullmatch('={3,}|-{3,}', line):
            heading = lines[number - 2]
        indented = line.startswith('    ')
        if indented and not inside:
            found.append(Block(document, heading, number))
        if indented:
            found[-1].lines.append(line)
        inside = indented
    return found


def typed(block, instead):
    """The commands of a block, as this test types them."""
    script = block.script()
    for name, value in instead.items():
        script = re.sub('(?m)^%s=.*' % name, '%s=%s' % (name, value), script)
    for command, ready in LATER.items():
        script = script.replace(command, 'until %s >/dev/null 2>&1; do sleep 0.1; done\n%s'
                                % (ready, command))
    return script


BLOCKS = [block for document in DOCUMENTS for block in blocks(document)]


class Reader(hosts.MailHost):
    """A clean Debian host, and an administrator who does what is written."""

    def __init__(self, stack=(), **more):
        super().__init__(NAME, None, clean=True, stack=['docs'] + list(stack), **more)
        self.sh('mkdir -p /etc/service; rm -rf /home/joe/Maildir')

    def do(self, document, heading, only='', **instead):
        """Test points: the blocks below this heading, in one shell; `only`: those that begin so.
        instead: new values of shell variables in them.  Returns their output."""
        wanted = [block for block in BLOCKS
                  if (block.document, block.heading) == (document, heading) and
                  block.script().startswith(only) and block.first() not in NOT_RUN]
        script = ''
        for block in wanted:
            block.run = True
            script += 'echo "%s"\n%s\n' % (BEGIN, typed(block, instead))
        tap.ok(wanted, '%s: "%s" has commands' % (document, heading))
        script = 'exec 2>&1\n%secho "%s"; umask; pwd' % (script, END)
        code, out, err = self.call(['sh', '-ec', script], cwd=TOP, timeout=120 * len(wanted), env={
            'HOME': '/root', 'USER': 'root', 'LOGNAME': 'root'})
        text, _, state = (out + err).decode(errors='replace').partition(END + '\n')
        outputs = text.split(BEGIN + '\n')[1:]
        for number, block in enumerate(wanted):
            done = number + 1 < len(outputs) or code == 0
            if not tap.ok(done, str(block)) and number < len(outputs):
                tap.note(outputs[number][-2000:])
        tap.equal(state, '0022\n%s\n' % TOP, 'the shell is as it was')
        return ''.join(outputs)

    def svscan(self):
        """As daemontools-run does it at boot."""
        self.popen(['svscan', '/etc/service'], stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL)

    def arrives(self, text):
        """Test point: /usr/sbin/sendmail is ours, and leads to joe."""
        self.clear_mail('joe')
        self.sh('echo "Subject: %s" | /usr/sbin/sendmail joe' % text)
        got = self.wait_mail('joe', 1)[0]
        tap.ok(b'Subject: %s\n' % text.encode() in got and b'Received: (qmail ' in got,
               'a message arrives: ' + text, got)
        self.clear_mail('joe')

    def on_disk(self):
        """The home directory is mounted; from now on it is a directory that can be removed."""
        wait_for(lambda: not self.processes('supervise'), 'the end of all services')
        self.sh('cp -a %s %s.kept; umount %s; rmdir %s; mv %s.kept %s' % ((home(),) * 6))

    def own_maildir(self):
        self.sh('[ -d /home/joe/Maildir ] || su joe -s /bin/sh -c "%s/maildirmake '
                '/home/joe/Maildir"' % BIN)


# ---- chapters, one host each ----

def manuals(host):
    """Test points: each installed page is found by its name and by a word of its description, by
    man-db and by mandoc."""
    host.do('README.md', 'Manuals')
    host.sh('makewhatis %s/man' % home())
    pages = host.sh('cd %s/man; ls man*/*.[1-8]' % home()).split()
    told = {'man -k .': host.sh('man -k .'),
            'mapropos': host.sh("mapropos -M %s/man 'Nm~.'" % home())}
    tap.ok(len(pages) > 60, 'pages are installed', pages)
    for command, text in told.items():
        lines = text.splitlines()
        lost = [page for page in pages if not any(listed(line, page) for line in lines)]
        tap.equal(lost, [], command + ' shows every page')
    lost = []
    for page in pages:
        name, section = os.path.basename(page).rsplit('.', 1)
        word = described(host, page)
        for command in ('man -k %s', 'mapropos -M %s/man %%s' % home()):
            found = host.call(['sh', '-c', command % word])[1].decode().splitlines()
            if not any(listed(line, name + '.' + section) for line in found):
                lost.append((page, command % word))
    tap.equal(lost, [], 'every page is found by a word of its description')


def described(host, page):
    """The longest word of a page's one-line description."""
    with open(host.path('%s/man/%s' % (home(), page))) as file:
        line = next(line for line in file if line.startswith('.Nd '))
    return max(re.findall('[A-Za-z]+', line[4:]), key=len)


def listed(line, page):
    """Is the page in a line like `qmail-send (8) - ...` or `config, config-fast(8) - ...`?"""
    name, section = os.path.basename(page).rsplit('.', 1)
    names = line.split(' - ')[0]
    return '(%s)' % section in names and name in re.findall(r'[\w.-]+', names)


def one_command():
    """README from its beginning; removing; then the package, on the same host."""
    with Reader(with_suite=False) as host:
        output = host.do('README.md', 'A mail host in one command', 'make up')
        shown = next(block for block in BLOCKS if block.first() == '==> building').script()
        steps = [line for line in output.splitlines() if line.startswith('==> ')]
        tap.equal(steps, [line for line in shown.splitlines() if line.startswith('==> ')],
                  'make up prints what README shows')
        text = host.do('README.md', 'TLS in one minute')
        for port in (25, 465, 587, 995):
            tap.ok(host.listening(port), 'port %d' % port, text)
        text = host.do('README.md', 'The first message')
        tap.ok('Subject: hello' in text, 'the first message', text)
        tap.attempt('manuals', manuals, host)
        before = host.sh('ls -d /usr/sbin/sendmail /usr/lib/sendmail /etc/tcp.smtp').split()
        host.do('INSTALL', 'Removing', 'make down')
        host.on_disk()
        host.do('INSTALL', 'Removing', 'rm ')
        tap.equal(host.sh('ls -d %s %s 2>/dev/null || getent passwd qmaill || getent group qmail '
                          'nofiles || ls /etc/service' % (home(), ' '.join(before))), '',
                  'all is removed')
        host.svscan()
        host.do('README.md', 'As a Debian package')
        wait_for(lambda: host.listening(25), 'port 25')
        host.own_maildir()
        host.arrives('through the package')
        host.do('INSTALL', 'A Debian package')
        tap.equal(host.sh('ls /tmp/stage%s/bin/qmail-queue; %s/build/bin/instcheck -w %s/build 2>&1'
                          % (home(), TOP, TOP)), '/tmp/stage%s/bin/qmail-queue\n' % home(),
                  'files are staged, owners are set')


def by_hand():
    """INSTALL, step by step; accounts by hand, so that the script for them has nothing to do."""
    with Reader(with_suite=False) as host:
        host.svscan()
        host.do('INSTALL', 'Accounts by hand')
        for heading in ('1. What is needed', '2. Build'):
            host.do('INSTALL', heading)
        tap.equal(host.do('INSTALL', '3. Accounts'), '', 'no account is missing')
        text = host.do('INSTALL', '4. Install and check')
        tap.ok('instcheck: ' not in text, 'the check finds nothing', text)
        text = host.do('INSTALL', '5. Configure')
        tap.ok('My name is %s.' % NAME in text, 'qmail-showctl shows it', text)
        tap.equal(host.sh('cd %s/control; stat -c "%%a %%G %%n" smtproutes locals; rm smtproutes'
                          % home()), '640 qmail smtproutes\n644 root locals\n',
                  'the password is private, and nothing else')
        host.do('INSTALL', '6. Start')
        host.do('INSTALL', "7. The system's sendmail")
        for port in (25, 110, 465, 587, 995):
            wait_for(lambda port=port: host.listening(port), 'port %d' % port)
        text = host.do('INSTALL', '8. Try it')
        tap.ok(text.count('arrived: ') == 2 and 'POP3 shows: ' in text, 'it works', text)
        host.arrives('by hand')


def running_qmail():
    """Programs replaced and put back, with a deferred message in the queue."""
    with Reader() as host:
        host.own_maildir()
        host.configure().start()
        host.sh('ln -s %s/sendmail /usr/sbin' % BIN)
        host.sh('touch %s/old; chmod +t /home/joe' % BIN)
        host.sh('printf "Subject: deferred\\n\\n" | /usr/sbin/sendmail joe')
        host.wait_log('deferral: ')
        queue = host.queue()
        heading = 'In the place of a running qmail'
        for document in DOCUMENTS:
            steps = ('make',) if document == 'README.md' else (
                BIN + '/qmail-showctl', 'make\nsvc', 'cp -a')
            text = ''.join(host.do(document, heading, step) for step in steps)
            tap.ok('instcheck: ' not in text, 'the check finds nothing', text)
            wait_for(host.pid_of, 'the new qmail-send')
            tap.equal(host.queue(), queue, document + ': the queue is kept')
            tap.ok(os.path.exists(host.path(BIN + '.before/old')), 'so are the programs')
            host.do('INSTALL', heading, 'svc -d')
            wait_for(host.pid_of, 'the old qmail-send')
            tap.equal(host.sh('stat -c %%a %s/qmail-queue %s/old' % (BIN, BIN)), '4711\n644\n',
                      'the old programs are back')
            tap.equal(host.queue(), queue, 'the queue is kept then, too')
            host.sh('rm -rf %s.pneumail' % BIN)
        host.svc('-d')
        wait_for(lambda: not host.pid_of(), 'the end of qmail-send')
        host.do('INSTALL', heading, 'make\nbuild/bin/qmail-upq')
        tap.equal(host.queue(), queue, 'the queue has the right split already')
        host.sh('chmod -t /home/joe')
        host.svc('-u')
        wait_for(host.pid_of, 'qmail-send')
        host.svc('-a')
        tap.ok(b'Subject: deferred' in host.wait_mail('joe', 1)[0], 'the message is delivered')


def other_mta(name, layer, daemon):
    """A mail system is drained, put aside, and taken back."""
    with Reader([layer]) as host:
        host.svscan()
        host.configure()
        host.own_maildir()
        host.sh('cp %s/boot/maildir %s/rc' % (home(), home()))
        before = host.sh('ls -l /usr/sbin/sendmail /usr/lib/sendmail | cut -c1-10,40-')
        host.sh('service %s start' % name, timeout=120)
        wait_for(lambda: host.processes(daemon), name)
        heading = 'In the place of another mail system'
        host.do('INSTALL', heading, {'postfix': 'postqueue', 'exim4': 'exim4',
                                     'sendmail': '/usr/sbin/sendmail'}[name])
        if name == 'postfix':
            wait_for(lambda: host.listening(25), 'postfix')
            host.do('INSTALL', heading, 'postconf')
            wait_for(lambda: not host.listening(25), 'postfix without port 25')
        host.do('INSTALL', heading, 'mta=', mta=name)
        wait_for(lambda: not host.processes(daemon), 'the end of ' + name)
        host.do('INSTALL', heading, 'for file')
        host.do('INSTALL', '6. Start', 'build/bin/services')
        wait_for(lambda: host.listening(25), 'port 25')
        host.arrives('in the place of ' + name)
        host.do('INSTALL', heading, 'build/bin/services', mta=name)
        tap.equal(host.sh('ls -l /usr/sbin/sendmail /usr/lib/sendmail | cut -c1-10,40-'), before,
                  name + ' has its names back')
        wait_for(lambda: host.processes(daemon), name + ' again')


def every_block():
    """Test points: nothing in the documents is left out."""
    left = [str(block) for block in BLOCKS if not block.run and block.first() not in NOT_RUN]
    tap.equal(left, [], 'every block is run, or is not for a reason')
    known = {block.first() for block in BLOCKS if not block.run}
    tap.equal(sorted(set(NOT_RUN) - known), [], 'every reason is needed')


def main():
    # Done already, unless the suites run with sanitizers.
    subprocess.run(['make', '-s', '-C', TOP, 'all', 'man', 'boot', 'doc'], check=True)
    tap.attempt('README: one command, removed, the package', one_command)
    tap.attempt('INSTALL: by hand', by_hand)
    tap.attempt('in the place of a running qmail', running_qmail)
    for name, layer, daemon in (('postfix', 'postfix', 'master'), ('exim4', 'exim', 'exim4'),
                                ('sendmail', 'sendmail', 'sendmail-mta')):
        tap.attempt('in the place of ' + name, other_mta, name, layer, daemon)
    every_block()
    return tap.done()


if __name__ == '__main__':
    sys.exit(main())
