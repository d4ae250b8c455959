/* accept - qmail-queue, several at once: S1 to S4.  One call of the system is one step; syncs that
 * follow each other are one step, as a power cut or kill between them leaves no more than one
 * before them.  Each of its client's messages is tried once. */

#define Q_IDLE 0
#define Q_CREATE 1
#define Q_LOOK 2
#define Q_LINK 3
#define Q_UNPID 4
#define Q_BODY 5
#define Q_INTD 6
#define Q_ENVELOPE 7
#define Q_SETTLE 8
#define Q_PUBLISH 9
#define Q_COMMIT 10
#define Q_DROP_INTD 11
#define Q_DROP_MESS 12

byte q_at[NQ];
byte q_message[NQ];
byte q_number[NQ];
byte q_refused[NQ];	/* bits: numbers refused, whose files are still open */
byte next_message = 1;

/* Is the inode n open in a qmail-queue?  Not older than 24 h, so no sweep takes it. */
#define HOLDS(i, n) ((q_at[i] > Q_CREATE && q_number[i] == n) || (q_refused[i] & BIT(n)))
#if NQ == 1
#define OPEN(n) (HOLDS(0, n))
#else
#define OPEN(n) (HOLDS(0, n) || HOLDS(1, n))
#endif
#define FREE(n) (!pid_[n].now && !mess[n].now && !OPEN(n))

#define QM q_message[i]
#define QN q_number[i]

inline q_end(i)
{
	q_at[i] = Q_IDLE;
	q_message[i] = 0;
	q_number[i] = 0;
	q_refused[i] = 0
}

/* enqueue.c: refuse_number() */
inline q_refuse(i)
{
	q_refused[i] = q_refused[i] | BIT(QN);
	remove(pid_[QN]);
	QN = 0;
	q_at[i] = Q_CREATE
}

proctype qmail_queue(byte i)
{
	do
	/* qmail-queue.c: main() */
	:: atomic { q_at[i] == Q_IDLE && next_message <= NM ->
		q_message[i] = next_message;
		next_message++;
		q_at[i] = Q_CREATE
	}
	/* enqueue.c: create_pid_file() */
	:: atomic { q_at[i] == Q_CREATE ->
		if
		:: FREE(0) -> QN = 0
#if NN > 1
		:: FREE(1) -> QN = 1
#endif
#if NN > 2
		:: FREE(2) -> QN = 2
#endif
		fi;
		make(pid_[QN], 1);
		q_at[i] = Q_LOOK;
		printf("qmail-queue %d: message %d is to be number %d\n", i, QM, QN)
	}
	/* enqueue.c: try_number() */
	:: atomic { q_at[i] == Q_LOOK ->
		if
		:: todo[QN].now && WITH(C_STALE_TODO) -> q_refuse(i)
		:: else -> q_at[i] = Q_LINK
		fi
	}
	/* enqueue.c: try_number() */
	:: atomic { q_at[i] == Q_LINK ->
		if
		:: mess[QN].now -> q_refuse(i)
		:: else -> make(mess[QN], PART(QM)); q_at[i] = Q_UNPID
		fi;
		printf("qmail-queue %d: link mess/%d\n", i, QN)
	}
	/* enqueue.c: remove_pid_name() */
	:: atomic { q_at[i] == Q_UNPID -> remove(pid_[QN]); q_at[i] = Q_BODY }
	/* enqueue.c: enqueue_message() */
	:: atomic { q_at[i] == Q_BODY -> fill(mess[QN], QM); q_at[i] = Q_INTD }
	/* enqueue.c: create_intd() */
	:: atomic { q_at[i] == Q_INTD -> make(intd[QN], 1); q_at[i] = Q_SETTLE }
	/* enqueue.c: settle_files() */
	:: atomic { q_at[i] == Q_SETTLE && (MAY_SYNC || ordered) ->
		if
		:: WITH(O1_DATA) -> settle_inode(mess[QN], QM)
		:: else
		fi;
		if
		:: WITH(O1_NAME) && !ordered -> SYNC_DIR(mess)
		:: else
		fi;
		q_at[i] = Q_PUBLISH
	}
	/* enqueue.c: link_todo() */
	:: atomic { q_at[i] == Q_PUBLISH ->
		if
		:: !mess[QN].now || !intd[QN].now -> q_at[i] = Q_DROP_INTD
		:: else ->
			make(todo[QN], WHOLE(QM));
			if
			:: WITH(O2) || frozen -> skip
			:: else -> todo[QN].disk = todo[QN].disk | BIT(PART(QM))
			fi;
			q_at[i] = Q_COMMIT
		fi;
		printf("qmail-queue %d: link todo/%d\n", i, QN)
	}
	/* enqueue.c: enqueue_publish() */
	:: atomic { q_at[i] == Q_COMMIT && (MAY_SYNC || !WITH(O3)) ->
		if
		:: WITH(O3) -> SYNC_DIR(todo)
		:: else
		fi;
		accepted = accepted | BIT(QM);
		printf("qmail-queue %d: message %d accepted\n", i, QM);
		q_end(i)
	}
	/* enqueue.c: enqueue_abandon() */
	:: atomic { (q_at[i] == Q_BODY || q_at[i] == Q_SETTLE) && aborts ->
		aborts--;
		q_at[i] = Q_DROP_INTD;
		printf("qmail-queue %d: client has gone\n", i)
	}
	/* enqueue.c: enqueue_abandon() */
	:: atomic { q_at[i] == Q_DROP_INTD -> remove(intd[QN]); q_at[i] = Q_DROP_MESS }
	/* enqueue.c: enqueue_abandon() */
	:: atomic { q_at[i] == Q_DROP_MESS -> remove(mess[QN]); q_end(i) }
	od
}
