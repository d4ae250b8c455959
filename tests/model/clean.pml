/* clean - the two qmail-clean: they remove files for those who may not.
 *
 * A request is in the pipe or being carried out.  It is void as soon as who asked is dead (looking
 * and removing are one step here); without that rule, slots OLD are those of a qmail-clean that is still
 * at work when all have been started anew. */

inline c_end(k)
{
	c_at[k] = C_FREE;
	c_number[k] = 0
}

#define CN c_number[k]

/* cleanup.c: is_void() */
#define VALID(k) (k >= OLD || !WITH(C_VOID) || (k == FOR_TODO && todo_up) || \
    (k == FOR_SEND && send_up))

/* One per request: k is who asked. */
proctype qmail_clean(byte k)
{
	do
	/* cleanup.c: remove_envelope() */
	:: atomic { c_at[k] == C_TODO_INTD && VALID(k) -> remove(intd[CN]); c_at[k] = C_TODO_TODO }
	/* cleanup.c: remove_envelope() */
	:: atomic { c_at[k] == C_TODO_TODO && VALID(k) ->
		remove(todo[CN]);
		c_at[k] = C_TODO_SYNC;
		printf("qmail-clean %d: unlink todo/%d\n", k, CN)
	}
	/* cleanup.c: sync_touched() */
	:: atomic { c_at[k] == C_TODO_SYNC && (MAY_SYNC || !WITH(O5)) ->
		if
		:: WITH(O5) -> SYNC_DIR(intd); SYNC_DIR(todo)
		:: else
		fi;
		if
		:: k >= OLD -> c_end(k)
		:: else -> c_at[k] = C_ANSWERED
		fi
	}
	/* cleanup.c: remove_envelope() */
	:: atomic { c_at[k] == C_FOOP_INTD && VALID(k) ->
		if
		:: intd[CN].now -> remove(intd[CN]); c_at[k] = C_FOOP_SYNC
		:: else -> c_at[k] = C_FOOP_MESS
		fi;
		if
		:: todo[CN].now -> c_end(k)
		:: else
		fi
	}
	/* cleanup.c: sync_touched() */
	:: atomic { c_at[k] == C_FOOP_SYNC && (MAY_SYNC || ordered) ->
		if
		:: !ordered -> SYNC_DIR(intd)
		:: else
		fi;
		c_at[k] = C_FOOP_MESS
	}
	/* cleanup.c: settle() */
	:: atomic { c_at[k] == C_FOOP_MESS && VALID(k) ->
		remove(mess[CN]);
		printf("qmail-clean %d: unlink mess/%d\n", k, CN);
		c_end(k)
	}
	od
}

/* What qmail-clean does by itself to what is older than 36 h: nobody can still be at work on it. */
proctype clean_sweep(byte n)
{
	do
	/* sweep.c: sweep_pid() */
	:: atomic { clean_up && pid_[n].now && !OPEN(n) -> remove(pid_[n]) }
	/* sweep.c: sweep_intd() */
	:: atomic { clean_up && intd[n].now && !OPEN(n) && !mess[n].now && !todo[n].now ->
		remove(intd[n])
	}
	od
}
