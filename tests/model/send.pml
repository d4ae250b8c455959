/* send - qmail-send with its spawn daemons: S5 to S1.  A message has one recipient, who succeeds or
 * fails; a deferral changes no file.  One job at a time; finished messages are collected beside it. */

inline s_end()
{
	s_at = S_IDLE;
	s_number = 0;
	s_far = 0;
	s_message = 0
}

/* done.c: done_purge() */
inline purge(n)
{
	remove(local_[n]);
	remove(remote_[n]);
	remove(bounce[n]);
	remove(info[n]);
	schedule[n] = AS_NOTHING;
	printf("qmail-send: number %d has no text\n", n)
}

#define RECIPIENTS(n) (local_[n].now || remote_[n].now)

/* startup.c: schedule() */
inline schedule_files(n)
{
	if
	:: RECIPIENTS(n) -> schedule[n] = AS_CHANNEL
	:: else -> schedule[n] = AS_DONE
	fi
}

/* startup.c: take_deliverable() */
inline take(n)
{
	if
	:: !mess[n].now && WITH(C_NO_TEXT) -> purge(n)
	:: else -> schedule_files(n)
	fi
}

/* The next number, or the next directory. */
inline next_of(stage)
{
	s_number++;
	if
	:: s_number == NN -> s_number = 0; s_at = stage
	:: else
	fi
}

#define BUSY(n) (s_number == n && !BOOTING)

#define CHANNEL(n) (s_far -> remote_[n].now : local_[n].now)

/* One process: an instance for each number knows what it does with that. */
proctype qmail_send(byte n)
{
	do
	/* qmail-send.c: settle_queue() */
	:: atomic { send_up && s_at == S_START && n == 0 && (MAY_SYNC || ordered) ->
		if
		:: WITH(O10) && !ordered ->
			SYNC_DIR(todo);
			SYNC_DIR(info);
			SYNC_DIR(local_);
			SYNC_DIR(remote_);
			SYNC_DIR(bounce)
		:: else
		fi;
		s_at = S_BOOT
	}
	/* startup.c: take_info() */
	:: atomic { send_up && s_at == S_BOOT && s_number == n ->
		listed[n] = info[n].now != 0;
		next_of(S_TODO)
	}
	/* startup.c: sync_todo() */
	/* startup.c: settle_message() */
	:: atomic { send_up && s_at == S_TODO && s_number == n &&
	    (MAY_SYNC || ordered || s_number < NN - 1) ->
		if
		:: listed[n] && todo[n].now && WITH(C_IN_TODO) -> listed[n] = 0; recheck[n] = 1
		:: else
		fi;
		if
		:: !ordered && s_number == NN - 1 -> SYNC_DIR(todo)
		:: else
		fi;
		next_of(S_FILES)
	}
	/* startup.c: take_file() */
	/* startup.c: settle_message() */
	:: atomic { send_up && s_at == S_FILES && s_number == n ->
		if
		:: listed[n] && !mess[n].now && WITH(C_NO_TEXT) -> listed[n] = 0; purge(n)
		:: !listed[n] && !info[n].now && !todo[n].now ->
			remove(local_[n]);
			remove(remote_[n]);
			remove(bounce[n])
		:: else
		fi;
		next_of(S_IDLE)
	}
	/* startup.c: schedule_message() */
	:: atomic { listed[n] && s_at == S_IDLE ->
		listed[n] = 0;
		/* Else its files may be half written, those of a new message perhaps. */
		assert(!todo[n].now);
		if
		:: schedule[n] == AS_NOTHING -> schedule_files(n)
		:: else
		fi;
		printf("qmail-send: number %d of the list is scheduled\n", n)
	}
	/* startup.c: recheck() */
	/* That is 123 s later: qmail-todo has begun with what is still in todo. */
	/* startup.c: take_removed() */
	:: atomic { recheck[n] && s_at == S_IDLE && (!todo[n].now || (t_at && t_number == n)) &&
	    (MAY_SYNC || ordered) ->
		recheck[n] = 0;
		if
		:: WITH(O12) && !ordered && !todo[n].now -> SYNC_DIR(todo)
		:: else
		fi;
		if
		:: info[n].now && !todo[n].now && schedule[n] == AS_NOTHING -> take(n)
		:: else
		fi
	}
	/* pass.c: pass_open() */
	/* pass.c: open_files() */
	:: atomic { s_at == S_IDLE && schedule[n] == AS_CHANNEL && !IS_PART(info[n].now) ->
		if
		:: !RECIPIENTS(n) || (mess[n].now && !info[n].now) -> schedule[n] = AS_DONE
		:: RECIPIENTS(n) && !mess[n].now -> purge(n)
		:: else ->
			s_number = n;
			s_far = !local_[n].now;
			s_message = MESSAGE(CHANNEL(n));
			if
			:: IS_WHOLE(CHANNEL(n)) ->
				printf("qmail-send: message %d to its recipient\n", s_message);
				/* The text, the sender and the recipients of one message. */
				assert(mess[n].now == WHOLE(s_message));
				assert(info[n].now == WHOLE(s_message));
				s_at = S_DELIVER
			:: else -> s_at = S_END
			fi
		fi
	}
	/* report.c: report_apply() */
	:: atomic { s_at == S_DELIVER && BUSY(n) ->
		finished = finished | BIT(s_message);
		if
		:: WITH(O9) -> skip
		:: else -> undurable = undurable | BIT(s_message)
		fi;
		s_at = S_MARK;
		printf("qmail-send: message %d is delivered\n", s_message)
	}
	/* report.c: write_failures() */
	:: atomic { s_at == S_DELIVER && BUSY(n) -> s_at = S_APPEND }
	/* bounce.c: open_file() */
	:: atomic { s_at == S_APPEND && BUSY(n) ->
		if
		:: bounce[n].now -> assert(MESSAGE(bounce[n].now) == s_message)
		:: else -> make(bounce[n], PART(s_message))
		fi;
		s_at = S_PARAGRAPH
	}
	/* bounce.c: bounce_append() */
	:: atomic { s_at == S_PARAGRAPH && BUSY(n) ->
		fill(bounce[n], s_message);
		s_at = S_COMMIT;
		printf("qmail-send: failure of message %d noted\n", s_message)
	}
	/* bounce.c: bounce_commit() */
	:: atomic { s_at == S_COMMIT && BUSY(n) && (MAY_SYNC || !WITH(O6_DATA)) ->
		if
		:: WITH(O6_DATA) -> settle(bounce[n], s_message)
		:: else
		fi;
		if
		:: WITH(O6_NAME) -> SYNC_DIR(bounce)
		:: else
		fi;
		s_at = S_MARK
	}
	/* jobs.c: jobs_mark() */
	:: atomic { s_at == S_MARK && BUSY(n) ->
		if
		:: CHANNEL(n) == WHOLE(s_message) && s_far -> mark(remote_[n], s_message)
		:: CHANNEL(n) == WHOLE(s_message) && !s_far -> mark(local_[n], s_message)
		:: CHANNEL(n) == WHOLE(s_message) -> skip	/* is_last(): the file goes */
		:: else
		fi;
		s_at = S_END
	}
	/* jobs.c: end_complete() */
	:: atomic { s_at == S_END && BUSY(n) ->
		if
		:: s_far && remote_[n].now && MESSAGE(remote_[n].now) == s_message ->
			remove(remote_[n])
		:: !s_far && local_[n].now && MESSAGE(local_[n].now) == s_message ->
			remove(local_[n])
		:: else
		fi;
		if
		:: RECIPIENTS(n) -> skip
		:: else -> schedule[n] = AS_DONE
		fi;
		printf("qmail-send: unlink %d/%d\n", s_far, n);
		s_end()
	}
	/* done.c: look_at() */
	/* done.c: judge() */
	:: atomic { s_at == S_IDLE && schedule[n] == AS_DONE && !IS_PART(info[n].now) ->
		if
		:: RECIPIENTS(n) || todo[n].now || !info[n].now -> schedule[n] = AS_NOTHING
		:: else ->
			s_number = n;
			if
			:: !mess[n].now -> purge(n); s_end()
			:: mess[n].now && !bounce[n].now -> s_at = S_REMOVE
			:: mess[n].now && IS_PART(bounce[n].now) -> s_at = S_UNBOUNCE
			:: else -> s_at = S_NOTICE
			fi
		fi
	}
	/* notice.c: notice_start() */
	/* notice.c: finish() */
	:: atomic { s_at == S_NOTICE && BUSY(n) && WITH(O7) ->
		send_notice(n);
		s_at = S_UNBOUNCE
	}
	/* Without O7: the other way round. */
	:: atomic { s_at == S_NOTICE && BUSY(n) && !WITH(O7) && IS_WHOLE(bounce[n].now) ->
		s_message = MESSAGE(bounce[n].now);
		remove(bounce[n])
	}
	:: atomic { s_at == S_NOTICE && BUSY(n) && !WITH(O7) && !bounce[n].now ->
		finished = finished | BIT(s_message);
		s_at = S_REMOVE
	}
	/* done.c: remove_bounce() */
	:: atomic { s_at == S_UNBOUNCE && BUSY(n) -> remove(bounce[n]); s_at = S_REMOVE }
	/* done.c: remove_message() */
	:: atomic { s_at == S_REMOVE && BUSY(n) ->
		remove(info[n]);
		schedule[n] = AS_NOTHING;
		pending[n] = 1;
		printf("qmail-send: unlink info/%d\n", n);
		s_end()
	}
	/* done.c: flush() */
	:: atomic { pending[n] && s_at == S_IDLE && clean_up && c_at[FOR_SEND] == C_FREE &&
	    (MAY_SYNC || ordered) ->
		if
		:: !ordered && WITH(O8_INFO) -> SYNC_DIR(info)
		:: else
		fi;
		if
		:: !ordered && WITH(O8_BOUNCE) -> SYNC_DIR(bounce)
		:: else
		fi;
		pending[n] = 0;
		c_at[FOR_SEND] = C_FOOP_INTD;
		c_number[FOR_SEND] = n;
		printf("qmail-send: asks for removal of mess/%d\n", n)
	}
	/* leftovers.c: is_leftover() */
	/* leftovers.c: leftovers_step() */
	:: atomic { s_at == S_IDLE && clean_up && c_at[FOR_SEND] == C_FREE && mess[n].now &&
	    !OPEN(n) && !todo[n].now && !info[n].now && !pending[n] ->
		c_at[FOR_SEND] = C_FOOP_INTD;
		c_number[FOR_SEND] = n;
		printf("qmail-send: mess/%d is a leftover\n", n)
	}
	od
}
