"""procmem - what a process has in its memory, and what it shows to others.  For root; the process
should stand still."""
import os


def parts(pid):
    """(line of /proc/PID/maps, bytes) of each part that it may read."""
    with open('/proc/%d/maps' % pid, encoding='ascii') as maps, \
            open('/proc/%d/mem' % pid, 'rb', 0) as memory:
        for line in maps:
            first, last = (int(word, 16) for word in line.split()[0].split('-'))
            # Not the kernel's own parts, nor what a sanitizer reserves.
            if 'r' in line.split()[1] and '[v' not in line and last - first <= 1 << 30:
                memory.seek(first)
                yield line, memory.read(last - first)


def count(pid, texts):
    """How often each of these byte strings is in what it may write: {text: number}."""
    found = dict.fromkeys(texts, 0)
    for line, data in parts(pid):
        if 'rw' in line.split()[1]:
            for text in texts:
                found[text] += data.count(text)
    return found


def shown(*texts):
    """Which processes have one of these byte strings in their arguments or environment: pids."""
    found = []
    for pid in filter(str.isdigit, os.listdir('/proc')):
        for name in ('cmdline', 'environ'):
            try:
                with open('/proc/%s/%s' % (pid, name), 'rb') as file:
                    data = file.read()
            except OSError:                 # it has ended
                continue
            if any(text in data for text in texts) and int(pid) not in found:
                found.append(int(pid))
    return found
