#!/usr/bin/python3
"""qmail-showctl.t - the whole text of qmail-showctl, byte by byte; in a world."""
import grp
import os
import pwd
import shutil
import subprocess
import sys
import time

sys.path.insert(0, 'tests')
import tap

HOME = '/var/qmail'
SHOWCTL = HOME + '/bin/qmail-showctl'
CONTROL = HOME + '/control'


def control(**files):
    """Exactly these control files; dots in names are written as __."""
    for name in os.listdir(CONTROL):
        os.unlink(CONTROL + '/' + name)
    for name, text in files.items():
        with open('%s/%s' % (CONTROL, name.replace('__', '.')), 'wb') as file:
            file.write(text if isinstance(text, bytes) else text.encode())


def show(user=None):
    done = subprocess.run([SHOWCTL], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                          user=user, cwd='/')
    if done.stderr:
        tap.ok(False, 'nothing on descriptor 2', done.stderr)
    return done.returncode, done.stdout.decode('latin-1')


def ids(names, look):
    return ', '.join(str(look(name)) for name in names.split())


HEAD = '''qmail home directory: /var/qmail.
user-ext delimiter: -.
paternalism (in decimal): 2.
silent concurrency limit: 120.
subdirectory split: 23.
user ids: %s.
group ids: %s.
''' % (ids('alias qmaild qmaill root qmailp qmailq qmailr qmails',
           lambda n: pwd.getpwnam(n).pw_uid),
       ids('nofiles qmail', lambda n: grp.getgrnam(n).gr_gid))

DEFAULTS = '''
badmailfrom: (Default.) Any MAIL FROM is allowed.

bouncefrom: (Default.) Bounce user name is MAILER-DAEMON.

bouncehost: (Default.) Bounce host name is {bouncehost}.

concurrencylocal: (Default.) Local concurrency is 10.

concurrencyremote: (Default.) Remote concurrency is 20.

databytes: (Default.) SMTP DATA limit is 0 bytes.

defaultdomain: (Default.) Default domain name is {defaultdomain}.

defaulthost: (Default.) Default host name is {defaulthost}.

doublebouncehost: (Default.) 2B recipient host: {doublebouncehost}.

doublebounceto: (Default.) 2B recipient user: postmaster.

envnoathost: (Default.) Presumed domain name is {envnoathost}.

helohost: (Default.) SMTP client HELO host name is {helohost}.

idhost: (Default.) Message-ID host name is {idhost}.

localiphost: (Default.) Local IP address becomes {localiphost}.

locals: (Default.) Messages for me are delivered locally.

me: {me_line}

percenthack: (Default.) The percent hack is not allowed.

plusdomain: (Default.) Plus domain name is {plusdomain}.

qmqpservers: (Default.) No QMQP servers.

queuelifetime: (Default.) Message lifetime in the queue is 604800 seconds.

rcpthosts: (Default.) SMTP clients may send messages to any recipient.

morercpthosts: (Default.) No rcpthosts; morercpthosts is irrelevant.

morercpthosts.cdb: (Default.) No effect.

smtpgreeting: (Default.) SMTP greeting: 220 {smtpgreeting}.

smtproutes: (Default.) No artificial SMTP routes.

timeoutconnect: (Default.) SMTP client connection timeout is 60 seconds.

timeoutremote: (Default.) SMTP client data timeout is 1200 seconds.

timeoutsmtpd: (Default.) SMTP server data timeout is 1200 seconds.

virtualdomains: (Default.) No virtual domains.
'''
ME_DEFAULTED = ('bouncehost defaultdomain defaulthost doublebouncehost envnoathost helohost idhost '
                'localiphost plusdomain smtpgreeting').split()


def defaults(me=None):
    values = {name: name if me is None else me for name in ME_DEFAULTED}
    values['me_line'] = '(Default.) My name is undefined! Uh-oh.' if me is None else \
        'My name is %s.' % me
    return DEFAULTS.format(**values)


# File, its text, and what stands for it.
SET = [
    ('badmailfrom', '# x\na@b \n\n@c\n', '\na@b not accepted in MAIL FROM.\n'
     '@c not accepted in MAIL FROM.\n'),
    ('badmailfrom', '', '\n'),
    ('bouncefrom', 'b\n', 'Bounce user name is b.\n'),
    ('bouncehost', 'h', 'Bounce host name is h.\n'),
    ('concurrencylocal', '7\n', 'Local concurrency is 7.\n'),
    ('concurrencyremote', '255\n', 'Remote concurrency is 255.\n'),
    ('databytes', '1000000', 'SMTP DATA limit is 1000000 bytes.\n'),
    ('defaultdomain', 'd', 'Default domain name is d.\n'),
    ('defaulthost', 'd', 'Default host name is d.\n'),
    ('doublebouncehost', 'd', '2B recipient host: d.\n'),
    ('doublebounceto', 'd', '2B recipient user: d.\n'),
    ('envnoathost', 'e', 'Presumed domain name is e.\n'),
    ('helohost', 'h \t\r\n', 'SMTP client HELO host name is h.\n'),
    ('helohost', '', 'SMTP client HELO host name is .\n'),
    ('hostshare', '50\n', 'Remote deliveries to one host: at most 50 percent.\n'),
    ('idhost', 'a\x01\xe9\tb', 'Message-ID host name is a????b.\n'),
    ('localiphost', 'l', 'Local IP address becomes l.\n'),
    ('locals', 'l\nm', '\nMessages for l are delivered locally.\n'
     'Messages for m are delivered locally.\n'),
    ('percenthack', 'p', '\nThe percent hack is allowed for user%host@p.\n'),
    ('plusdomain', 'p', 'Plus domain name is p.\n'),
    ('qmqpservers', 'q', '\nQMQP server: q.\n'),
    ('queuelifetime', '5', 'Message lifetime in the queue is 5 seconds.\n'),
    ('smtpgreeting', 'g x', 'SMTP greeting: 220 g x.\n'),
    ('smtproutes', 'a:b\n', '\nSMTP route: a:b\n'),
    ('timeoutconnect', '1', 'SMTP client connection timeout is 1 seconds.\n'),
    ('timeoutremote', '2', 'SMTP client data timeout is 2 seconds.\n'),
    ('timeoutsmtpd', '3', 'SMTP server data timeout is 3 seconds.\n'),
    ('virtualdomains', 'a:b', '\nVirtual domain: a:b\n'),
]


def section(text, name):
    """The text behind `NAME: ` up to the next empty line."""
    start = text.index('\n\n%s: ' % name) + len(name) + 4
    end = text.find('\n\n', start)
    return text[start:] if end == -1 else text[start:end + 1]


def warnings():
    """The exit code of -w and its lines, without what is the same in all."""
    done = subprocess.run([SHOWCTL, '-w'], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False, cwd='/')
    start = 'qmail-showctl: warning: '
    return done.returncode, [line[len(start):] if line.startswith(start) else line
                             for line in done.stdout.decode('latin-1').splitlines()]


def owned(path, uid=0, mode=0o644):
    os.chown(HOME + '/' + path, uid, -1)
    os.chmod(HOME + '/' + path, mode)


RIGHT = {'me': 'mx.host.test\n', 'locals': 'a.test\n', 'rcpthosts': 'a.test\nv.test\n.w.test\n'}
NOT_IN = "control/rcpthosts: `%s' of control/%s is not in it, so SMTP refuses its mail; " \
    "add it if mail comes from outside"
WARNED = [                              # other files, and what is said
    ({}, []),
    ({'virtualdomains': 'v.test:v\nx.w.test:w\n.w.test:w\nu@v.test:u\n:all\n'}, []),
    ({'rcpthosts': None, 'locals': None},
     ['control/rcpthosts: missing, so everybody may relay through this host; put the domains into '
      'it that this host receives mail for']),
    ({'me': None}, ['control/me: missing, so addresses get no host; put the full name of this host '
                    'into it']),
    ({'me': 'mx\n'}, ["control/me: `mx' has no dot; put the full name of this host into it"]),
    ({'me': 'm\xe9\n'}, ["control/me: `m??' has no dot; put the full name of this host into it"]),
    ({'locals': None}, [NOT_IN % ('mx.host.test', 'me')]),
    ({'locals': 'a.test\nb.test\n'}, [NOT_IN % ('b.test', 'locals')]),
    ({'smtproutes': 'x:\ny:relay:25\n:[::1]:587\n', 'authsenders': 'a@b:relay\n'}, []),
    ({'smtproutes': 'x:relay\n:relay:25|u|p\n'},
     ['control/smtproutes: everybody can read the passwords in it; chmod o-r it']),
    ({'authsenders': 'a@b:relay u p\n'},
     ['control/authsenders: everybody can read the passwords in it; chmod o-r it']),
    ({'virtualdomains': 'c.test:c\n'}, [NOT_IN % ('c.test', 'virtualdomains')]),
    ({'virtualdomains': 'A.test:a\nu@a.test:u\n'},
     ["control/virtualdomains: `%s' is in control/locals, too, which wins; remove it from one of "
      "them" % name for name in ('A.test', 'a.test')]),
    ({'virtualdomains': 'v.test\n'}, ["control/virtualdomains: `v.test' has no colon and does "
                                      "nothing; write DOMAIN:USER"]),
    ({'databytes': 'many\n'},
     ['control/databytes: no number, so the default is used; correct or remove it']),
    ({'concurrencylocal': '120\n', 'concurrencyremote': '121\n'},
     ['control/concurrencyremote: more than 120, so that many are used; build with another '
      'conf-spawn']),
    ({'morercpthosts': 'm.test\n'},
     ['control/morercpthosts: without control/morercpthosts.cdb it does nothing; run '
      'qmail-newmrh']),
]


def test_warnings():
    for files, wanted in WARNED:
        present = {name: text for name, text in {**RIGHT, **files}.items() if text is not None}
        control(**present)
        tap.equal(warnings(), (1 if wanted else 0, wanted), 'warnings: %r' % files)
    control(**RIGHT)
    with open(CONTROL + '/morercpthosts', 'w') as file:
        file.write('c.test\n')
    subprocess.run([HOME + '/bin/qmail-newmrh'], check=True)
    with open(CONTROL + '/virtualdomains', 'w') as file:
        file.write('c.test:c\n')
    tap.equal(warnings(), (0, []), 'morercpthosts.cdb counts')
    with open(CONTROL + '/morercpthosts.cdb', 'r+b') as file:
        whole = file.read()
        file.truncate(100)
    tap.equal(warnings(), (1, ['control/rcpthosts: it or control/morercpthosts.cdb cannot be '
                               'read, so all mail is refused for now; make it readable, or run '
                               'qmail-newmrh']), 'a damaged morercpthosts.cdb')
    with open(CONTROL + '/morercpthosts.cdb', 'wb') as file:
        file.write(whole)
    os.utime(CONTROL + '/morercpthosts.cdb', (1, 1))
    newer = '%s: newer than %s, which is what counts; run %s'
    tap.equal(warnings(), (1, [newer % ('control/morercpthosts', 'control/morercpthosts.cdb',
                                        'qmail-newmrh')]), 'an old morercpthosts.cdb')
    control(**RIGHT)
    with open(HOME + '/users/assign', 'w') as file:
        file.write('.\n')
    tap.equal(warnings(), (1, ['users/assign: without users/cdb it does nothing; run qmail-newu']),
              'assign alone')
    subprocess.run([HOME + '/bin/qmail-newu'], check=True)
    tap.equal(warnings(), (0, []), 'assign with its cdb')
    os.utime(HOME + '/users/cdb', (1, 1))
    tap.equal(warnings(), (1, [newer % ('users/assign', 'users/cdb', 'qmail-newu')]), 'an old cdb')
    os.unlink(HOME + '/users/assign')
    owned('users/cdb', 250)
    owned('control/rcpthosts', mode=0o664)
    owned('control', mode=0o777)
    with open(CONTROL + '/locals.lock', 'w'):
        owned('control/locals.lock', 250)
    tap.equal(warnings(), (1, [
        'control: others can change it; chmod go-w it',
        'control/rcpthosts: others can change it; chmod go-w it',
        'users/cdb: belongs to uid 250, who can change it; chown root it']), 'owners and modes')
    owned('control', mode=0o755)
    control(**{**RIGHT, 'smtproutes': 'x:relay u p\n', 'clientcert.pem': 'x',
              'clientca.pem': 'x'})
    os.mkdir(CONTROL + '/notlshosts')
    owned('control/smtproutes', mode=0o640)
    shutil.chown(CONTROL + '/smtproutes', group='qmail')
    owned('control/clientca.pem', mode=0o600)
    owned('control/clientcert.pem', pwd.getpwnam('qmailt').pw_uid, 0o600)
    owned('control/notlshosts', pwd.getpwnam('qmailr').pw_uid, 0o755)
    os.unlink(HOME + '/users/cdb')
    tap.equal(warnings(), (0, []), 'what belongs to others, and is kept from others')
    os.rmdir(CONTROL + '/notlshosts')
    unread = ('control/%s: the accounts of the mail system cannot read it, so mail waits or is '
              'refused for now; chmod a+r it, or chgrp qmail and chmod g+r if it holds a secret')
    control(**{**RIGHT, 'smtproutes': 'x:relay u p\n', 'badmailfrom': '@x\n', 'databytes': '1\n'})
    shutil.chown(CONTROL + '/smtproutes', group='qmail')
    owned('control/smtproutes', mode=0o600)
    owned('control/badmailfrom', mode=0o640)
    shutil.chown(CONTROL + '/databytes', group='nofiles')
    owned('control/databytes', mode=0o640)
    tap.equal(warnings(), (1, [unread % 'badmailfrom', unread % 'smtproutes']),
              'what only root can read')
    owned('control/rcpthosts', mode=0o664)
    tap.equal(warnings()[0], 1, 'exit code')
    done = subprocess.run([SHOWCTL, '-x'], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=False)
    tap.equal((done.returncode, done.stdout, done.stderr),
              (100, b'', b'usage: qmail-showctl [-w]\n'), 'called wrongly')
    code, text = subprocess.getstatusoutput(
        "script -qec '%s' /dev/null </dev/null" % SHOWCTL)
    tap.ok(code == 0 and 'qmail-showctl: warning: control/rcpthosts: others' in text,
           'on a terminal they follow the files', text[-500:])


def main():
    test_warnings()
    control()
    tap.equal(show(), (0, HEAD + defaults()), 'nothing set')
    control(me='host.example')
    tap.equal(show(), (0, HEAD + defaults('host.example')), 'me alone')
    control(me='')
    tap.equal(show(), (0, HEAD + defaults('')), 'an empty me is a value')
    for name, text, wanted in SET:
        control(me='m', **{name: text})
        tap.equal(section(show()[1] + '\n', name), wanted, '%s: %r' % (name, text))
    control(rcpthosts='a\n.b\n')
    text = show()[1]
    line = 'SMTP clients may send messages to recipients at %s.\n'
    tap.equal(section(text, 'rcpthosts'), '\n' + line % 'a' + line % '.b', 'rcpthosts')
    tap.equal(section(text, 'morercpthosts'), '(Default.) No effect.\n', 'rcpthosts without more')
    control(rcpthosts='a', morercpthosts='b')
    tap.equal(section(show()[1], 'morercpthosts'), '\n' + line % 'b', 'morercpthosts')
    control(morercpthosts='b')
    tap.equal(section(show()[1], 'morercpthosts'),
              "\nNo rcpthosts; doesn't matter that morercpthosts has b.\n", 'more alone')
    tap.equal(section(show()[1], 'morercpthosts.cdb'),
              "Oops! morercpthosts exists but morercpthosts.cdb doesn't.\n", 'cdb missing')
    control(morercpthosts__cdb='')
    tap.equal(section(show()[1], 'morercpthosts.cdb'),
              "Oops! morercpthosts.cdb exists but morercpthosts doesn't.\n", 'source missing')
    control(morercpthosts='b', morercpthosts__cdb='')
    os.utime(CONTROL + '/morercpthosts.cdb', (1, 1))
    tap.equal(section(show()[1], 'morercpthosts.cdb'),
              'Oops! morercpthosts.cdb is older than morercpthosts.\n', 'cdb older')
    os.utime(CONTROL + '/morercpthosts.cdb', (time.time() + 9, time.time() + 9))
    tap.equal(section(show()[1], 'morercpthosts.cdb'),
              'Modified recently enough; hopefully up to date.\n', 'cdb newer')
    control(me='m', locals__lock='', concurrencyincoming='40', **{'a\nb': ''})
    text = show()[1]
    tap.equal(text[text.index('\n\na?b: '):] if '\n\na?b: ' in text else text,
              '\n\na?b: I have no idea what this file does.\n'
              '\nconcurrencyincoming: I have no idea what this file does.\n'
              '\nlocals.lock: I have no idea what this file does.\n', 'other files, sorted')
    control(me='m', localtime='1', injectmaxrcpt='none', mystery='')
    text = show()[1]
    tap.equal(text[text.index('\n\ninjectmaxrcpt: '):] if '\n\ninjectmaxrcpt: ' in text else text,
              '\n\ninjectmaxrcpt: (Default.) qmail-inject refuses messages with more than 1000000 '
              'recipients.\n\nlocaltime: New messages have dates in UTC (0) or local time (1): 1.\n'
              '\nmystery: I have no idea what this file does.\n',
              'additions of ours, where they are')
    control(me='m', locals='x', timeoutremote='5', bouncehost='h')
    for name in ('locals', 'timeoutremote', 'bouncehost'):
        os.chmod(CONTROL + '/' + name, 0)
    code, text = show('joe')
    tap.equal([section(text, name) for name in ('locals', 'timeoutremote', 'bouncehost')],
              ['Oops! Trouble reading this file.\n'] * 3, 'unreadable files')
    tap.equal(code, 0, 'are no failure')
    os.chmod(CONTROL + '/me', 0)
    tap.equal(show('joe'), (111, HEAD + 'Oops! Trouble reading control/me.\n'), 'me unreadable')
    control()
    os.chmod(CONTROL, 0o711)
    tap.equal(show('joe'), (111, HEAD + 'Oops! Unable to open current directory.\n'),
              'control cannot be listed')
    os.chmod(CONTROL, 0o755)
    os.rmdir(CONTROL)
    tap.equal(show(), (111, HEAD + 'Oops! Unable to chdir to control.\n'), 'no control')
    os.chmod(HOME, 0o755)
    code, text = subprocess.run(['sh', '-c', '%s >/dev/full' % SHOWCTL], check=False).returncode, ''
    tap.equal(code, 111, 'output cannot be written')
    return tap.done()


sys.exit(main())
