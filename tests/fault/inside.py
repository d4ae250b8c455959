#!/usr/bin/python3
"""inside - does batches of cases in a world; run by `run`, which talks to it in lines of JSON.

    {"do": "count", "run": NAME, "program": [NAME, INSTANCE]}
        -> {"calls": [[NUMBER, KIND, SIZE]...]}
    {"do": "control", "name": NAME}      -> {"faults": [TEXT, ...]}: there must be some
    {"do": "sweep", "points": [N, ...]}  -> {"kinds": [DIRECTORY, ...], "faults": [TEXT, ...]}
    {"do": "cases", "run": NAME, "cases": [[NAME, INSTANCE, ACTION, N, ARG, NUMBER, KIND], ...]}
        -> {"results": [{"fired": BOOL, "faults": [TEXT, ...]}, ...], "faults": [TEXT, ...]}
"""
import errno
import json
import os
import subprocess
import sys
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, '..', 'world')]
import check                            # noqa: E402
import control                          # noqa: E402
from cases import DAY, MAY_BE_INTERRUPTED, NUMBER    # noqa: E402
from runs import RUNS, Message          # noqa: E402
from system import HOME, LONG, NO_PLAN, QUEUE, Stuck, System, descriptors, waiting     # noqa: E402


TRIES = 20                      # more than the hints of `hurry` in one case
SINGLE = ('none', 'fail', 'short', 'clock')     # after these a daemon is its own self again


class Worker:
    def __init__(self, tracer):
        self.tokens = 0
        self.system = System(tracer)
        self.system.start()
        self.system.quiet(lambda: any('status:' in line for line in self.system.log))
        self.system.quiet(lambda: False)
        self.baseline = descriptors()

    def message(self):
        self.tokens += 1
        return Message('t%dz' % self.tokens)

    def one(self, run, plan_text):
        """One case; True in the second place if the plan had an effect."""
        system, message = self.system, self.message()
        plan = system.plan if run.daemons else system.client_plan
        if run.restarts and system.pid:
            system.stop()
        plan.set(plan_text)
        system.announced = 0
        try:
            run.go(system, message)
        except Stuck as stuck:
            message.faults.append(str(stuck))
        if run.restarts and system.pid:
            message.faults += self.end()
        if run.restarts:
            check.note_delivered(system, [message])
            message.already |= {'bounce', 'fwd'}    # they may be in the queue as well
        fired, calls = plan.fired, plan.calls
        plan.set(NO_PLAN)
        if not system.pid:
            if not run.restarts:
                message.faults.append('the daemons have ended')
            system.start()
        return message, fired, calls

    def end(self):
        """Ends daemons that were disturbed, after a look at them; returns complaints.  When nothing
        has been done to them yet, that is for the way to their end, which begins in mid-work."""
        system, faults = self.system, []
        if system.plan.fired or system.plan.action == 'none':
            single = system.plan.action in SINGLE   # else the trouble is still there
            if not system.hurry() and system.pid and single and not system.put_off:
                faults.append('forgotten: messages %s, before a restart' % waiting())
            if system.pid and single:
                faults += self.left_over(check.grown)
        if system.pid and not system.stop():
            faults.append('the daemons had to be killed')
        return faults

    def left_over(self, look):
        """What look(baseline) sees that is not as before, in the end: a daemon may be at work when
        it is looked at; once all are as before, nothing has leaked."""
        seen = []

        def as_before():
            seen[:] = look(self.baseline)
            return not seen
        self.system.quiet(as_before, LONG)
        return seen

    def settle(self, run, messages):
        """Run until idle, look at everything; complaints that belong to no message."""
        system = self.system
        faults = []
        if not run.restarts:
            system.pull()
            system.quiet(lambda: False, LONG)   # only ALRM makes the daemons try again
            check.note_delivered(system, messages)
        effort = system.drain()
        if effort == 'stuck':
            faults.append('stuck: messages %s' % waiting())
        if effort == 'restart':
            faults.append('forgotten: the daemons had to be restarted')
        faults += check.sort_copies(system, messages)
        for message in messages:
            check.judge(message)
        legal = check.queue_faults()
        if legal:
            faults.append('qmail-qcheck: ' + legal)
        faults += self.left_over(check.leftovers)
        self.sweep_orphans()
        if faults or any(message.faults for message in messages):
            faults += ['log: ' + line for line in system.history[-99:]]
        del system.history[:-40]
        system.put_off = []
        return faults

    def sweep_orphans(self):
        """Takes away what killed writers have left; not what qmail-send is about to remove: the
        next message might get its number, and be removed in its place."""
        if not self.system.numbers_are_new:
            self.system.quiet(lambda: False, LONG)
        for name in check.orphans():
            os.unlink(name)

    def count(self, request):
        run = RUNS[request['run']]()
        program, instance = request['program']
        message, _, calls = self.one(run, '%s %d count 0 0 -1 -' % (program, instance))
        faults = self.settle(run, [message]) + message.faults
        return {'calls': calls, 'faults': faults}

    def control(self, request):
        """What the suite says about a broken program."""
        run = RUNS[control.BROKEN[request['name']][0]]()
        with control.in_place(request['name']):
            message, _, _ = self.one(run, NO_PLAN)
            message.copies_max = 2 if control.BROKEN[request['name']][1] in run.twice else 1
            faults = self.settle(run, [message]) + message.faults
        self.system.restart()
        self.system.drain()             # what it has left in the queue
        check.sort_copies(self.system, [])
        return {'faults': faults}

    def sweep(self, request):
        """What killed programs leave in the queue is gone when it is older than 36 hours."""
        system, messages = self.system, []
        for n in request['points']:
            message, _, _ = self.one(RUNS['queue'](), 'qmail-queue 1 kill-exit %d 0 -1 -' % n)
            message.must_succeed = False
            messages.append(message)
        faults = [] if system.drain() == '' else ['not drained']
        left = check.orphans()
        kinds = sorted({name[len(QUEUE):].partition('/')[0] for name in left})
        system.stop()
        system.plan.set('* 0 clock 1 %d -1 -' % (2 * DAY))
        system.start()
        if not system.quiet(lambda: not check.orphans(), LONG):
            faults.append('still there: %s' % check.orphans())
        system.stop()
        system.plan.set(NO_PLAN)
        system.start()
        faults += self.settle(RUNS['queue'], messages)
        return {'kinds': kinds, 'faults': faults}

    def cases(self, request):
        run = RUNS[request['run']]()
        results, messages = [], []
        for case in request['cases']:
            message, fired, _ = self.one(run, '%s %d %s %d %d %d %s' % tuple(case))
            message.copies_max = copies_max(run, case, self.system.announced)
            message.killed = case[2].startswith('kill')
            message.must_succeed = not fired or harmless(case)
            messages.append(message)
            results.append({'fired': fired, 'faults': message.faults})
        return {'results': results, 'faults': self.settle(run, messages)}


def copies_max(run, case, announced):
    program, _, action, _, _, number, _ = case
    if program not in run.twice:
        return 1
    # What is done and cannot be removed is done again each time that it is tried; and so is what
    # cannot be marked as done, but the log tells of each time.
    return TRIES if action == 'failing' and number == NUMBER['unlink'] else 2 + announced


def harmless(case):
    """Trouble that a program must not even show.  (Reads of regular files cannot be interrupted;
    the dynamic linker relies on that, and on whole reads.  Nor can the poll of a C library that
    looks for descriptors 0 to 2 when a set-uid program starts: nothing is caught by then.)"""
    program, _, action, _, arg, number, kind = case
    if action == 'short':
        return number != NUMBER['pread64']
    if (program, number) == ('qmail-queue', NUMBER['poll']):
        return False
    return (action == 'fail' and arg == errno.EINTR and kind != 'f' and
            number not in MAY_BE_INTERRUPTED)


def configure():
    """Mailboxes of every kind."""
    prog = ('|(printf "%s%s" "$RPLINE" "$DTLINE"; cat) >prog/tmp.$$ && '
            'mv prog/tmp.$$ prog/new.$EXT2.$$\n')
    dots = {'joe': {'md-default': './Maildir/\n', 'mbox-default': './Mailbox\n',
                    'prog-default': prog, 'fwd-default': '&joe-md-again@hosta.test\n'},
            'ann': {'s-default': './Maildir/\n'}}
    for user, files in dots.items():
        for name, text in files.items():
            with open('/home/%s/.qmail-%s' % (user, name), 'w') as file:
                file.write(text)
    os.mkdir(check.PROGRAM)
    os.chown(check.PROGRAM, 5001, 5001)
    controls = {'smtproutes': 'sink.test:127.0.0.2:2525\n', 'remotereuse': '9\n',
                'rcpthosts': 'hosta.test\n', 'morercpthosts': 'sink.test\n'}
    for name, text in controls.items():
        with open('%s/control/%s' % (HOME, name), 'w') as file:
            file.write(text)
    subprocess.run([HOME + '/bin/qmail-newmrh'], check=True)


def main():
    configure()
    worker = Worker(sys.argv[1])
    print('{}', flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = getattr(worker, request['do'])(request)
        except Exception:
            answer = {'broken': traceback.format_exc(), 'log': worker.system.log[-40:]}
        print(json.dumps(answer), flush=True)
    worker.system.kill()
    return 0


if __name__ == '__main__':
    sys.exit(main())
