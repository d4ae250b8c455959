"""tap - test points for Python test programs.

    import tap
    tap.ok(condition, 'name', details_if_it_fails)
    tap.equal(got, wanted, 'name')
    sys.exit(tap.done())
or  tap.run((test, ...), Stuck)     those named on the command line, or all; does not return
"""
import sys

_counts = {'all': 0, 'bad': 0}


def note(text):
    """A remark in the output, line by line."""
    for line in str(text).splitlines():
        print('# ' + line, flush=True)


def ok(condition, name, details=''):
    """One test point; returns the condition."""
    _counts['all'] += 1
    print('%s %d - %s' % ('ok' if condition else 'not ok', _counts['all'], name), flush=True)
    if not condition:
        _counts['bad'] += 1
        note(details)
    return bool(condition)


def equal(got, wanted, name):
    """A test point: the two values are equal."""
    return ok(got == wanted, name, 'got:    %r\nwanted: %r' % (got, wanted))


def attempt(name, step, *args):
    """A test point: step(*args) ends without an exception.  Returns its value."""
    try:
        value = step(*args)
    except Exception as error:              # whatever it was, the other points go on
        ok(False, name, '%s: %s' % (type(error).__name__, error))
        return None
    ok(True, name)
    return value


def failed():
    """Has any point failed so far?"""
    return _counts['bad'] > 0


def done():
    """Print the plan; the exit code of the test program."""
    print('1..%d' % _counts['all'])
    return 1 if _counts['bad'] or not _counts['all'] else 0


def run(tests, trouble):
    """Runs these functions, or those of them that the command line names, and exits.  An exception
    of the class `trouble` fails its test; the next ones run all the same."""
    wanted = sys.argv[1:]
    for test in tests:
        if wanted and test.__name__ not in wanted:
            continue
        note(test.__name__)
        try:
            test()
        except trouble as error:
            ok(False, test.__name__, error)
    sys.exit(done())
