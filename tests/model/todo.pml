/* todo - qmail-todo: S4 to S5.  Its batch is one message. */

/* Not while qmail-send makes its list: loop.c: start_todo() */
#define MAY_BEGIN (!BOOTING || (!WITH(C_LISTED) && s_at != S_START))

inline t_end()
{
	t_at = T_IDLE;
	t_number = 0;
	t_message = 0;
	t_bounce = 0;
	t_old = 0
}

/* One process: an instance for each number knows what it does with that. */
proctype qmail_todo(byte n)
{
	do
	/* todo.c: gather() */
	:: atomic { t_at == T_IDLE && todo_up && MAY_BEGIN && send_up &&
	    IS_WHOLE(todo[n].now) ->
		t_number = n;
		t_at = T_SURE
	}
	/* todo.c: sync_todo() */
	:: atomic { t_at == T_SURE && t_number == n && (MAY_SYNC || ordered) ->
		if
		:: WITH(O11) && !ordered -> SYNC_DIR(todo)
		:: else
		fi;
		t_at = T_OPEN
	}
	/* split.c: open_todo() */
	/* todo.c: look_on_disk() */
	:: atomic { t_at == T_OPEN && t_number == n && !todo[n].now && t_old -> t_end() }
	/* split.c: open_todo() */
	/* todo.c: look_on_disk() */
	:: atomic { t_at == T_OPEN && t_number == n && !todo[n].now && !t_old && send_up &&
	    MAY_BEGIN ->
		if
		:: info[n].now && RECIPIENTS(n) -> schedule[n] = AS_CHANNEL; recheck[n] = 0
		:: info[n].now && !RECIPIENTS(n) -> schedule[n] = AS_DONE; recheck[n] = 0
		:: else
		fi;
		t_end()
	}
	/* split.c: stat_message() */
	:: atomic { t_at == T_OPEN && t_number == n && IS_WHOLE(todo[n].now) ->
		if
		:: mess[n].now -> t_message = MESSAGE(todo[n].now); t_at = T_OLD
		:: else -> t_at = T_ASK
		fi;
		printf("qmail-todo: finds todo/%d of message %d\n", n, t_message)
	}
	/* split.c: remove_old() */
	:: atomic { t_at == T_OLD && t_number == n ->
		remove(local_[n]);
		remove(remote_[n]);
		remove(info[n]);
		if
		:: bounce[n].now && WITH(C_STALE_BOUNCE) -> remove(bounce[n]); t_bounce = 1
		:: else
		fi;
		t_at = T_INFO;
		printf("qmail-todo: unlink info/%d, local/%d, bounce/%d\n", n, n, n)
	}
	/* split.c: writer_of() */
	:: atomic { t_at == T_INFO && t_number == n ->
		make(info[n], PART(t_message)); t_at = T_CHANNEL }
	/* split.c: writer_of() */
	:: atomic { t_at == T_CHANNEL && t_number == n ->
		if
		:: FAR(t_message) -> make(remote_[n], PART(t_message))
		:: else -> make(local_[n], PART(t_message))
		fi;
		t_at = T_FILL
	}
	/* split.c: flush_files() */
	:: atomic { t_at == T_FILL && t_number == n ->
		fill(info[n], t_message);
		if
		:: FAR(t_message) -> fill(remote_[n], t_message)
		:: else -> fill(local_[n], t_message)
		fi;
		t_at = T_SYNC
	}
	/* todo.c: sync_batch() */
	:: atomic { t_at == T_SYNC && t_number == n && (MAY_SYNC || ordered) ->
		if
		:: WITH(O4_DATA) ->
			settle(info[n], t_message);
			settle(local_[n], t_message);
			settle(remote_[n], t_message)
		:: else
		fi;
		if
		:: WITH(O4_NAME) && !ordered ->
			SYNC_DIR(info);
			if
			:: WITH(O4_ABSENCE) || FAR(t_message) -> SYNC_DIR(remote_)
			:: else
			fi;
			if
			:: WITH(O4_ABSENCE) || !FAR(t_message) -> SYNC_DIR(local_)
			:: else
			fi;
			if
			:: WITH(O4_ABSENCE) || t_bounce -> SYNC_DIR(bounce)
			:: else
			fi
		:: else
		fi;
		t_bounce = 0;
		t_at = T_ASK;
		printf("qmail-todo: info/%d, local/%d written\n", n, n)
	}
	/* qmail-todo.c: turn() */
	:: atomic { t_at == T_ASK && t_number == n && t_old -> t_end() }
	/* todo.c: ask_for_removal() */
	:: atomic { t_at == T_ASK && t_number == n && !t_old && clean_up && c_at[FOR_TODO] == C_FREE ->
		c_at[FOR_TODO] = C_TODO_INTD;
		c_number[FOR_TODO] = n;
		t_at = T_WAIT
	}
	/* todo.c: on_answer() */
	/* todo.c: report() */
	/* qmail-todo.c: preprocessed() */
	:: atomic { t_at == T_WAIT && t_number == n && c_at[FOR_TODO] == C_ANSWERED &&
	    send_up && MAY_BEGIN ->
		c_end(FOR_TODO);
		if
		:: t_message -> schedule[n] = AS_CHANNEL; recheck[n] = 0
		:: else
		fi;
		t_end();
		printf("qmail-todo: number %d is preprocessed\n", n)
	}
	od
}
