"""accounts - who exists in a world: the suite's accounts and two people.

The ids are one of the known sets (any would do: programs find them by name).  A world keeps the
system accounts of the layers below it and drops the people.
"""
GROUPS = [('nofiles', 200), ('qmail', 201), ('vchkpw', 202)]

# name, uid, group id, home, shell.  HOME stands for the mail system's home directory.
NOLOGIN = '/usr/sbin/nologin'
SYSTEM = [
    ('alias', 250, 200, 'HOME/alias', NOLOGIN),
    ('qmaild', 251, 200, 'HOME', NOLOGIN),
    ('qmaill', 252, 200, 'HOME', NOLOGIN),
    ('qmailp', 253, 200, 'HOME', NOLOGIN),
    ('qmailq', 254, 201, 'HOME', NOLOGIN),
    ('qmailr', 255, 201, 'HOME', NOLOGIN),
    ('qmails', 256, 201, 'HOME', NOLOGIN),
    ('vpopmail', 257, 202, '/home/vpopmail', NOLOGIN),
    ('qmailt', 258, 200, 'HOME', NOLOGIN),
]
# name, uid = gid, crypt(password); the password is the name followed by "-secret".
PEOPLE = [
    ('joe', 5001, '$6$world$J9xEDuAu8PQF/b5UfLjZQKTMJYbu5Tj/43YZRMZDkol'
     '47joKWdUutOKYMZl6WERQST/Eproo/4OzV4IXL/yPz/'),
    ('ann', 5002, '$6$world$wYsPwPpcSHYQ4TquRnYcBVWPG3DSrYUd4JSPFUcFItb'
     'bQq2YqEXW6TMfPyBDJktbFFMhRPe7YH20zO2I/RyyD0'),
]
FIRST_PERSON, NOBODY = 1000, 65534


def _kept(text, id_field, ours):
    for line in text.splitlines():
        fields = line.split(':')
        if fields[0] in ours or len(fields) <= id_field:
            continue
        if int(fields[id_field]) < FIRST_PERSON or int(fields[id_field]) == NOBODY:
            yield line


def passwd(old, home, suite=True):
    """The text of /etc/passwd: system accounts of `old`, the suite's accounts, the people."""
    system = SYSTEM if suite else []
    ours = {row[0] for row in SYSTEM} | {row[0] for row in PEOPLE}
    lines = list(_kept(old, 2, ours))
    lines += ['%s:x:%d:%d::%s:%s' % (name, uid, gid, at.replace('HOME', home), shell)
              for name, uid, gid, at, shell in system]
    lines += ['%s:x:%d:%d::/home/%s:/bin/sh' % (name, uid, uid, name) for name, uid, _ in PEOPLE]
    return '\n'.join(lines) + '\n'


def group(old, suite=True):
    """The text of /etc/group."""
    ours = {row[0] for row in GROUPS} | {row[0] for row in PEOPLE}
    lines = list(_kept(old, 2, ours))
    lines += ['%s:x:%d:' % row for row in (GROUPS if suite else [])]
    lines += ['%s:x:%d:' % (name, uid) for name, uid, _ in PEOPLE]
    return '\n'.join(lines) + '\n'


def shadow(old, suite=True):
    """The text of /etc/shadow: suite accounts locked, people with their passwords."""
    ours = {row[0] for row in SYSTEM} | {row[0] for row in PEOPLE}
    lines = [line for line in old.splitlines() if line.split(':')[0] not in ours]
    lines += ['%s:!:19000:0:99999:7:::' % row[0] for row in (SYSTEM if suite else [])]
    lines += ['%s:%s:19000:0:99999:7:::' % (name, hashed) for name, _, hashed in PEOPLE]
    return '\n'.join(lines) + '\n'
