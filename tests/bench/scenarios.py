"""scenarios - which there are: {letter: function that makes the variants}; argument: whether small
ones are enough.  Its documentation is the title."""
import bigqueue
import connections
import flow
import physical

ALL = {'a': flow.scenario_a, 'b': flow.scenario_b, 'c': flow.scenario_c, 'd': flow.scenario_d,
       'e': flow.scenario_e, 'f': flow.scenario_f, 'g': bigqueue.scenario_g,
       'h': connections.scenario_h,
       'i': flow.scenario_i, 'p': physical.scenario_p}
UP, wait_arrived = flow.UP, flow.wait_arrived
