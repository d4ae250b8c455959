"""contenders - the mail systems that `make bench` compares, each in a world of its own.

A contender says what its world needs, where its queue lives, and how it is started.  All of them
put their queue and the mailboxes on an ext4 file system in an image file of this machine's disk.
"""
import os
import subprocess

import host
import layers

IMAGE_BYTES = 1 << 30
RECIPIENT = 'joe@bench.test'


class Contender:
    """One mail system; start() makes its world and waits until port 25 answers."""
    name = stack = mounted = None       # mounted: directories that move onto the image

    def __init__(self, place):
        self.image = os.path.join(place, self.name + '.img')
        self.world = None
        self.device = None

    def start(self, tracer=()):
        with open(self.image, 'wb') as file:
            file.truncate(IMAGE_BYTES)
        subprocess.run(['mkfs.ext4', '-q', self.image], check=True)
        self.world = layers.build('bench.test', self.stack, shares=[
            (os.path.dirname(self.image), '/bench')]).start()
        self._mount()
        for number, directory in enumerate(('/home',) + self.mounted):
            self.world.sh('mkdir -p {0} && cp -a {0} /srv/disk/{1} && '
                          'mount --bind /srv/disk/{1} {0}'.format(directory, number))
        self.configure()
        with open(self.image + '.log', 'w') as log:
            self.daemons = self.world.popen(['sh', '-ec', self.command(' '.join(tracer))],
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        host.wait_for(self.answers, '%s to answer on port 25' % self.name)
        return self

    def _mount(self):
        """Mount the image in the world.  The loop device lives as long as the mount."""
        device = subprocess.run(['losetup', '--find', '--show', self.image], check=True,
                                stdout=subprocess.PIPE, text=True).stdout.strip()
        number = os.stat(device).st_rdev
        try:
            self.world.sh('mknod {0} b {1} {2} && mkdir /srv/disk && mount {0} /srv/disk'.format(
                device, os.major(number), os.minor(number)))
        finally:
            subprocess.run(['losetup', '--detach', device], check=True)
        self.device = os.path.basename(device)

    def answers(self):
        return ':0019 ' in self.world.sh('grep " 0A " /proc/net/tcp /proc/net/tcp6 || :')

    def stop(self):
        self.world.stop()
        self.daemons.wait()
        os.unlink(self.image)

    def counters(self):
        """Numbers of the image's block device and journal, which noise does not change."""
        with open('/sys/block/%s/stat' % self.device) as file:
            flushes = int(file.read().split()[15])
        with open('/proc/fs/jbd2/%s-8/info' % self.device) as file:
            commits = int(file.read().split()[0])
        return {'device flushes': flushes, 'journal commits': commits}


class Pneumail(Contender):
    name = 'pneumail'
    stack = ('postfix',)                # for smtp-source
    mounted = ('/var/qmail',)

    def configure(self):
        self.world.sh('''
            cd /var/qmail/control
            echo bench.test >me; echo bench.test >locals; echo bench.test >rcpthosts
            echo 20 >concurrencylocal
        ''')

    def command(self, tracer):
        return '''
            PATH=/var/qmail/bin:$PATH
            %s qmail-start ./Maildir/ &
            exec %s tcpserver -RH -l0 -c 100 -b 100 -u "$(id -u qmaild)" -g "$(id -g qmaild)" \
                0 25 qmail-smtpd
        ''' % (tracer, tracer)


class Postfix(Contender):
    name = 'postfix'
    stack = ('postfix',)
    mounted = ('/var/spool/postfix', '/var/lib/postfix')

    def configure(self):
        # As installed, but for names and the mailbox format.
        self.world.sh('''
            postconf -e myhostname=bench.test mydestination=bench.test inet_interfaces=all \
                inet_protocols=ipv4 home_mailbox=Maildir/ alias_maps= alias_database= \
                smtpd_client_connection_count_limit=0 mynetworks=127.0.0.0/8
        ''')

    def command(self, tracer):
        return 'exec %s postfix start-fg' % tracer


ALL = (Pneumail, Postfix)
