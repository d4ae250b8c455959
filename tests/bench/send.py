#!/usr/bin/python3
"""send HOST COUNT ADDRESS - one message of 2 kB to COUNT recipients; ends when it is accepted.

%d in ADDRESS is the number of the recipient, from 1.  RCPTs are sent a hundred at a time if the
host allows it."""
import socket
import sys


def main():
    count, address = int(sys.argv[2]), sys.argv[3]
    connection = socket.create_connection((sys.argv[1], 25), timeout=600)
    replies = connection.makefile('rb')

    def expect(code, number=1):
        seen = ''
        while number:
            line = replies.readline().decode()
            if not line.startswith(code):
                sys.exit('send: %s expected, got %r' % (code, line))
            number -= line[3:4] == ' '
            seen += line
        return seen

    def say(text):
        connection.sendall(text.replace('\n', '\r\n').encode())

    expect('220')
    say('EHLO load.test\n')
    at_once = 100 if 'PIPELINING' in expect('250') else 1
    say('MAIL FROM:<ann@bench.test>\n')
    expect('250')
    for first in range(1, count + 1, at_once):
        batch = range(first, min(first + at_once, count + 1))
        say(''.join('RCPT TO:<%s>\n' % address.replace('%d', str(number)) for number in batch))
        expect('250', len(batch))
    say('DATA\n')
    expect('354')
    say('Subject: to many\n\n'
        + 'a line of text, sixty-four bytes long together with its end......\n' * 30 + '.\n')
    expect('250')
    say('QUIT\n')
    expect('221')


main()
