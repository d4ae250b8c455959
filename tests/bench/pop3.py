#!/usr/bin/python3
"""pop3 HOST - logs in as joe; prints the seconds until the login was answered, until LIST was, and
the number of messages."""
import socket
import sys
import time

connection = socket.create_connection((sys.argv[1], 110), timeout=300)
replies = connection.makefile('rb')


def line():
    text = replies.readline()
    if not text.startswith(b'+OK'):
        sys.exit('pop3: %r' % text)


line()
connection.sendall(b'USER joe\r\n')
line()
began = time.monotonic()
connection.sendall(b'PASS joe-secret\r\n')
line()
logged_in = time.monotonic()
connection.sendall(b'LIST\r\n')
line()
count = 0
while replies.readline() != b'.\r\n':
    count += 1
listed = time.monotonic()
connection.sendall(b'QUIT\r\n')
line()
print(logged_in - began, listed - logged_in, count)
