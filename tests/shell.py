"""shell - commands of a shell that must succeed."""
import subprocess


def sh(command):
    """Runs it; its output, without blanks around."""
    done = subprocess.run(command, shell=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          check=False)
    if done.returncode:
        raise RuntimeError('%s: %s' % (command, done.stdout.decode(errors='replace')))
    return done.stdout.decode().strip()
