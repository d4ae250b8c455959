"""residents - programs that may stay beside a daemon, each with a socket there, or be away:
{name of the process: its daemon}."""
RESIDENTS = {'qmail-getpw': 'qmail-lspawn', 'local-stay': 'qmail-lspawn',
             'remote-stay': 'qmail-rspawn'}
