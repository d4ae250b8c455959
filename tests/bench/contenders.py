"""contenders - the mail systems that `make bench` compares, each in a world of its own.

A contender says what its world needs, where its queue lives, how it is configured and started.
All of them put queue and mailboxes on an ext4 file system in a fresh image file on this machine's
disk, write a log, and sync as their defaults say.  A second world, joined by a cable, is the rest
of the Internet: it sends and receives (`net.py`).  README says what is configured and why.

Places that all of them know, with what becomes of mail to them:
    joe@bench.test      ~joe/Maildir, ann@ the same: where bounces would go
    N...@drop.test      discarded
    Nall@box.test       /home/boxes/Nall, a Maildir (BOXES of them)
    ...@sink.test and below, defer, slow, half: to other hosts, by DNS
"""
import os
import re
import signal
import subprocess

import host
import layers
import logdisk
import meter
import net
from tree import Trouble

IMAGE_BYTES = 1 << 30
BOXES = 1024
LOCAL_AT_ONCE, REMOTE_AT_ONCE, SESSIONS = 20, 100, 200
NOTHING = subprocess.DEVNULL


class Contender:
    """One mail system; start() makes its world and waits until port 25 answers."""
    name = stack = mounted = None       # mounted: directories that move onto the image
    queue = ()                          # directories with a file for each message that waits,
    message = re.compile('')            # whose name matches this
    spool = ()                          # directories with all files of messages; default: queue
    stale = ()                          # files that may be in the way when it starts again
    sendmail = '/usr/sbin/sendmail'
    scheduler = None                    # the process without which nothing is delivered
    # The journal is that of a disk of 32 GB: of 1 GB, 16 MB, it would be full all the time.
    mkfs = ('-E', 'lazy_itable_init=0,lazy_journal_init=0', '-J', 'size=256')
    durable = True                      # whether it is an error not to write to the disk
    relays = False                      # whether it takes part only where mail goes elsewhere

    def __init__(self, place, image_bytes=IMAGE_BYTES):
        self.place, self.image_bytes = place, image_bytes
        self.image = os.path.join(place, self.name + '.img')
        self.world = self.net = self.device = self.daemons = self.disk = None
        self.meter = meter.Meter(self.name)
        self.encrypts = False

    # -- making and unmaking -------------------------------------------------------------------

    def start(self, logged=False, prepare=None):
        """logged: the disk is one that logs its requests.  prepare(self): called before the daemons
        start."""
        with open(self.image, 'wb') as file:
            file.truncate(self.image_bytes)
        self.disk = logdisk.LogDisk(self.place, self.image) if logged else None
        self.world = layers.build('bench.test', self.stack, zone=net.ZONE, shares=[
            (self.place, '/bench')]).start()
        self.meter.open()
        try:
            self._mount(self.disk.path if self.disk else self.image)
            self.net = net.Net(self.world, self.place)
            self._boxes()
            for number, directory in enumerate(('/home',) + self.mounted):
                self.world.sh('mkdir -p {0} && cp -a {0} /srv/disk/{1} && '
                              'mount --bind /srv/disk/{1} {0}'.format(directory, number))
            self.configure()
            if prepare:
                prepare(self)
            self.run()
        except BaseException:
            self.stop()
            raise
        return self

    def run(self):
        """Start the daemons."""
        with open(self.image + '.log', 'a') as log:
            self.daemons = self.world.popen(['sh', '-ec', self.command()], stdin=NOTHING,
                                            stdout=log, stderr=log, preexec_fn=self.meter.enter)
        host.wait_for(self.answers, '%s to answer on port 25' % self.name)

    def _mount(self, image):
        """Mount a new file system in the world.  The loop device lives as long as the mount."""
        subprocess.run(['mkfs.ext4', '-q', *self.mkfs, image], check=True)
        device = subprocess.run(['losetup', '--find', '--show', image], check=True,
                                stdout=subprocess.PIPE, text=True).stdout.strip()
        number = os.stat(device).st_rdev
        try:
            self.world.sh('mknod {0} b {1} {2} && mkdir /srv/disk && mount {0} /srv/disk'.format(
                device, os.major(number), os.minor(number)))
        finally:
            subprocess.run(['losetup', '--detach', device], check=True)
        self.device = os.path.basename(device)

    def _boxes(self):
        self.world.sh('''
            for part in new cur tmp; do
                seq -f /home/boxes/%%gall/$part 1 %d | xargs mkdir -p
            done
            chown -R joe:joe /home/boxes; chmod -R go= /home/boxes/*
        ''' % BOXES)

    def stop(self):
        """Everything goes, also the image."""
        if self.world is None:
            return
        if self.net:
            self.net.stop()
        self.world.stop()
        if self.daemons:
            self.daemons.wait()
        self.meter.close()
        if self.disk:
            self.disk.close()
        if os.path.exists(self.image):
            os.unlink(self.image)
        self.world = None

    # -- looking -------------------------------------------------------------------------------

    def answers(self):
        """Whether something listens on port 25."""
        return ':0019 ' in self.world.sh('grep " 0A " /proc/net/tcp /proc/net/tcp6 || :')

    def counters(self):
        """Numbers of the image's block device and journal, which noise does not change."""
        if self.disk:
            flushes = self.disk.flushes()
        else:
            with open('/sys/block/%s/stat' % self.device) as file:
                flushes = int(file.read().split()[15])
        with open('/proc/fs/jbd2/%s-8/info' % self.device) as file:
            commits = int(file.read().split()[0])
        return {'device flushes': flushes, 'journal commits': commits}

    def waiting(self):
        """How many messages are in the queue."""
        count = 0
        for place in self.queue:
            for _, _, names in os.walk(self.world.path(place)):
                count += sum(1 for name in names if self.message.search(name))
        return count

    def kill(self):
        """Kill the daemons."""
        for pid in self.meter.processes():
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        host.wait_for(lambda: not self.meter.processes(), '%s to die' % self.name)
        self.daemons.wait()

    def reset(self):
        """Kill the daemons, empty the queue, start again."""
        self.kill()
        self.world.sh('find %s -type f -delete; rm -f %s' % (' '.join(self.spool or self.queue),
                                                             ' '.join(self.stale)))
        self.run()

    def use_tls(self):
        """Offer STARTTLS from now on."""
        if self.encrypts:
            return
        self.kill()
        self.configure_tls()
        self.run()
        self.encrypts = True

    def arrived(self, place='/home/joe/Maildir/new'):
        """How many messages a directory has."""
        return len(os.listdir(self.world.path(place)))

    def check_bounces(self):
        """Trouble if mail came back to its sender."""
        if self.arrived('/home/ann/Maildir/new'):
            self.world.sh('rm /home/ann/Maildir/new/*')
            raise Trouble('%s bounced mail; its log ends:\n%s' % (self.name, self.tail()))

    def tail(self):
        """The last lines that it logged."""
        return '\n'.join(host.read(self.image + '.log').splitlines()[-15:])

    def rest(self, keep_mail=False):
        """Wait until nothing is queued, throw the mail away, and let the disk come to rest."""
        host.wait_for(lambda: self.waiting() == 0, 'the queue of %s to be empty' % self.name, 300)
        self.check_bounces()
        if not keep_mail:
            self.world.sh('find /home/joe/Maildir/new /home/boxes -type f -delete', timeout=600)
        self.world.sh('sync -f /srv/disk', timeout=600)

    # -- for each system -----------------------------------------------------------------------

    def configure(self):
        """Write its configuration."""
        raise NotImplementedError

    def configure_tls(self):
        """The certificate and key in /bench/tls.pem; everything else as by default."""
        raise NotImplementedError

    def command(self):
        """The shell command that starts it."""
        raise NotImplementedError


class Pneumail(Contender):
    name = 'pneumail'
    stack = ()
    mounted = ('/var/qmail',)
    queue = ('/var/qmail/queue/mess',)
    spool = tuple('/var/qmail/queue/' + part for part in (
        'mess', 'info', 'local', 'remote', 'bounce', 'todo', 'intd', 'pid'))
    sendmail = '/var/qmail/bin/sendmail'
    scheduler = 'qmail-send'

    def configure(self):
        self.world.sh('''
            cd /var/qmail/control
            echo bench.test >me
            printf '%%s\\n' bench.test >locals
            printf '%%s\\n' bench.test drop.test box.test >rcpthosts
            printf '%%s\\n' drop.test:alias-drop box.test:alias-box >virtualdomains
            echo %d >concurrencylocal
            echo %d >concurrencyremote
            echo 5 >timeoutconnect
            echo '#' >../alias/.qmail-drop-default
            for n in $(seq 1 %d); do echo "/home/boxes/${n}all/" >../alias/.qmail-box-${n}all; done
            # Its own deliveries to the boxes run as alias.
            chown -R alias /home/boxes
            mkdir -p /var/log/smtpd /var/log/send
            echo '192.0.2.:allow,RELAYCLIENT=""' | tcprules /etc/tcp.smtp.cdb /etc/tcp.smtp.tmp
        ''' % (LOCAL_AT_ONCE, REMOTE_AT_ONCE, BOXES))

    def configure_tls(self):
        self.world.sh('''
            install -o qmailt -g qmail -m 600 /bench/tls.pem /var/qmail/control/servercert.pem
            install -d -o qmailt -g qmail -m 700 /run/qmail-tls
        ''')

    def command(self):
        # As the installed services, without supervise.
        return '''
            PATH=/var/qmail/bin:$PATH
            ulimit -n 4096
            qmail-start ./Maildir/ 2>&1 | multilog t s16777215 n20 /var/log/send &
            tcpserver -v -R -H -l bench.test -x /etc/tcp.smtp.cdb -c %d -b %d \
                -u "$(id -u qmaild)" -g "$(id -g qmaild)" 0 25 qmail-smtpd 2>&1 |
                multilog t s16777215 n20 /var/log/smtpd
        ''' % (SESSIONS, SESSIONS)

    def tail(self):
        logs = [self.world.path('/var/log/%s/current' % name) for name in ('send', 'smtpd')]
        return '\n'.join(line for log in logs for line in host.read(log).splitlines()[-15:])


class PneumailReuse(Pneumail):
    """The same, told to do what Postfix does by itself: as many recipients at once, and one message
    after the other over a connection."""
    name = 'pneumail+reuse'
    relays = True

    def configure(self):
        super().configure()
        self.world.sh('cd /var/qmail/control; echo 50 >remotebatch; echo 100 >remotereuse')


class Postfix(Contender):
    name = 'postfix'
    stack = ('postfix',)
    scheduler = 'qmgr'
    mounted = ('/var/spool/postfix', '/var/lib/postfix')
    queue = tuple('/var/spool/postfix/' + part
                  for part in ('maildrop', 'incoming', 'active', 'deferred'))

    def configure(self):
        self.world.sh('''
            postconf -e myhostname=bench.test mydestination=bench.test inet_interfaces=all \
                inet_protocols=ipv4 home_mailbox=Maildir/ alias_maps= alias_database= \
                maillog_file=/var/log/postfix.log 'mynetworks=127.0.0.0/8 192.0.2.0/24' \
                smtpd_peername_lookup=no in_flow_delay=0 default_process_limit={sessions} \
                smtpd_client_connection_count_limit=0 smtpd_recipient_limit=10000 \
                local_destination_concurrency_limit={local} \
                virtual_destination_concurrency_limit={local} \
                default_destination_concurrency_limit={remote} initial_destination_concurrency=20 \
                smtp_connect_timeout=5s message_size_limit=50000000 virtual_mailbox_limit=0 \
                mailbox_size_limit=0 \
                virtual_mailbox_domains=box.test virtual_mailbox_base=/home/boxes \
                virtual_mailbox_maps=hash:/etc/postfix/boxes virtual_minimum_uid=100 \
                virtual_uid_maps=static:5001 virtual_gid_maps=static:5001 \
                transport_maps=inline:'{{drop.test=discard:}}' relay_domains=drop.test
            for n in $(seq 1 {boxes}); do echo "${{n}}all@box.test ${{n}}all/"; done \
                >/etc/postfix/boxes
            postmap /etc/postfix/boxes
        '''.format(sessions=SESSIONS, local=LOCAL_AT_ONCE, remote=REMOTE_AT_ONCE, boxes=BOXES))

    def configure_tls(self):
        self.world.sh('''
            install -m 600 /bench/tls.pem /etc/postfix/tls.pem
            postconf -e smtpd_tls_security_level=may smtpd_tls_chain_files=/etc/postfix/tls.pem
        ''')

    def command(self):
        return 'ulimit -n 4096; exec postfix start-fg'

    def tail(self):
        return '\n'.join(host.read(self.world.path('/var/log/postfix.log')).splitlines()[-15:])


EXIM = '''
primary_hostname = bench.test
domainlist local_domains = bench.test : box.test : drop.test
acl_smtp_rcpt = accept_all
acl_smtp_data = accept_all
never_users = root
host_lookup =
rfc1413_query_timeout = 0s
tls_advertise_hosts = {tls}
tls_certificate = /etc/exim4/tls.pem
tls_resumption_hosts = *
ignore_bounce_errors_after = 2d
timeout_frozen_after = 7d
recipients_max = 0
smtp_accept_max = {sessions}
smtp_accept_queue_per_connection = 0
smtp_connect_backlog = {sessions}
smtp_accept_max_nonmail = 1000
remote_max_parallel = {remote}
queue_run_max = {local}
begin acl
accept_all:
  accept
begin routers
dropped:
  driver = redirect
  domains = drop.test
  data = :blackhole:
boxes:
  driver = accept
  domains = box.test
  transport = box
abroad:
  driver = dnslookup
  domains = ! +local_domains
  transport = remote_smtp
  no_more
localuser:
  driver = accept
  check_local_user
  transport = maildir_home
begin transports
remote_smtp:
  driver = smtp
  connect_timeout = 5s
  hosts_try_fastopen =
maildir_home:
  driver = appendfile
  directory = $home/Maildir
  maildir_format
  delivery_date_add
  envelope_to_add
  return_path_add
box:
  driver = appendfile
  directory = /home/boxes/${{lookup{{$local_part}}dsearch,filter=dir{{/home/boxes}}}}
  maildir_format
  delivery_date_add
  envelope_to_add
  return_path_add
  user = joe
begin retry
*  *  F,2h,15m; G,16h,1h,1.5; F,4d,6h
'''


class Exim(Contender):
    name = 'exim'
    stack = ('exim',)
    mounted = ('/var/spool/exim4',)
    queue = ('/var/spool/exim4/input',)
    message = re.compile('-H$')
    spool = ('/var/spool/exim4',)

    def _write(self, tls):
        path = self.world.path('/etc/exim4/exim4.conf')
        host.write(path, EXIM.format(sessions=SESSIONS, local=LOCAL_AT_ONCE, remote=REMOTE_AT_ONCE,
                                     tls=tls))

    def configure(self):
        self._write('')
        self.world.sh('''
            mkdir -p /run/exim4 && chown Debian-exim:Debian-exim /run/exim4
            chmod 755 /home/boxes; exim4 -bV >/dev/null''')

    def configure_tls(self):
        self.world.sh('install -o Debian-exim -m 600 /bench/tls.pem /etc/exim4/tls.pem')
        self._write('*')

    def command(self):
        return 'ulimit -n 4096; exec exim4 -bdf -q30m'

    def tail(self):
        path = self.world.path('/var/log/exim4/mainlog')
        return '\n'.join(host.read(path).splitlines()[-15:])


OPENSMTPD = '''
table joes file:/etc/smtpd-joes
smtp limit max-mails 100000
smtp limit max-rcpt 10000
smtp max-message-size "50M"
listen on 0.0.0.0
action "home" maildir
action "box" maildir "/home/boxes/%{rcpt.user}" virtual <joes>
action "drop" mda "cat >/dev/null" virtual <joes>
action "out" relay
match from any for domain "bench.test" action "home"
match from any for domain "box.test" action "box"
match from any for domain "drop.test" action "drop"
match from any for any action "out"
'''


class OpenSMTPD(Contender):
    name = 'opensmtpd'
    durable = False
    stack = ('opensmtpd',)
    mounted = ('/var/spool/smtpd',)
    queue = ('/var/spool/smtpd/queue', '/var/spool/smtpd/incoming')
    message = re.compile('^[0-9a-f]{16}$')

    def configure(self):
        host.write(self.world.path('/etc/smtpd.conf'), OPENSMTPD)
        host.write(self.world.path('/etc/smtpd-joes'), '@ joe\n')
        self.world.sh('chmod 711 /var/spool/smtpd; smtpd -n')

    def command(self):
        return 'ulimit -n 4096; LD_PRELOAD=/bench/opensmtpd.so exec smtpd -d'


class OpenSMTPDSync(OpenSMTPD):
    """The same, made to sync what it accepts."""
    name = 'opensmtpd+sync'
    durable = True

    def command(self):
        return 'export BENCH_SYNC=1; ' + super().command()


ALL = (Pneumail, PneumailReuse, Postfix, Exim, OpenSMTPD, OpenSMTPDSync)
