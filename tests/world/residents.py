"""residents - programs that may stay beside a daemon, with a socket there, or be away, whenever one
looks: {name of the process: its daemon}."""
RESIDENTS = {'qmail-getpw': 'qmail-lspawn', 'remote-stay': 'qmail-rspawn'}
