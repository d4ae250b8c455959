"""scenarios - which there are: {letter: (function that makes the variants, classes that take part)}.

A scenario without classes is for all contenders."""
import bigqueue
import connections
import flow

ALL = {'a': flow.scenario_a, 'b': flow.scenario_b, 'c': flow.scenario_c, 'd': flow.scenario_d,
       'e': flow.scenario_e, 'f': flow.scenario_f, 'g': bigqueue.scenario_g,
       'h': connections.scenario_h}
UP = flow.UP
