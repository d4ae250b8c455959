/* model - the queue: processes, kills, power cuts, and what must hold.
 *
 * Nothing but the queue's files and the client's knowledge is kept from one process to the next.
 * `without` takes one thing out (run: names and numbers); 0 is the real system. */

#ifndef NM
#define NM 2			/* messages */
#endif
#ifndef NN
#define NN 2			/* numbers (inodes of mess) */
#endif
#ifndef NQ
#define NQ 2			/* qmail-queue processes at a time */
#endif

/* Set once; not part of a state. */
c_decl { static int without, in_order; };
#define WITH(e) c_expr { without != e }
#define ordered c_expr { in_order }

#define O1_DATA 1
#define O1_NAME 2
#define O2 3
#define O3 4
#define O4_DATA 5
#define O4_NAME 6
#define O5 7
#define O6_DATA 8
#define O6_NAME 9
#define O7 10
#define O8_INFO 11
#define O8_BOUNCE 12
#define O9 13
#define O4_ABSENCE 14
#define O10 15
#define O11 19
#define C_STALE_TODO 16
#define C_STALE_BOUNCE 17
#define C_NO_TEXT 18
#define C_VOID 20
#define O12 21
#define C_LISTED 22
#define C_IN_TODO 23

byte accepted;			/* bit of a message: its client saw success */
byte finished;			/* bit: delivered, or its bounce is queued */
byte undurable;			/* bit: delivered, not on disk */
byte far;			/* bit: its recipient is remote, else local */
#define FAR(m) (far & BIT(m))

bit send_up = 1;
bit todo_up = 1;
bit clean_up = 1;

byte kills;
byte cuts;
byte aborts;

byte each;

#include "disk.pml"

/* The bounce is queued, by the same way as any message (O3). */
inline send_notice(n)
{
	printf("qmail-send: bounce of message %d\n", MESSAGE(bounce[n].now));
	assert(mess[n].now == WHOLE(MESSAGE(bounce[n].now)));
	assert(info[n].now == WHOLE(MESSAGE(bounce[n].now)));
	finished = finished | BIT(MESSAGE(bounce[n].now))
}

#include "accept.pml"
#include "state.pml"
#include "clean.pml"
#include "send.pml"
#include "todo.pml"

inline forget(n)
{
	schedule[n] = AS_NOTHING;
	recheck[n] = 0;
	listed[n] = 0;
	pending[n] = 0
}

/* New ones of all but qmail-queue, without memory. */
inline start_anew()
{
	each = 0;
	do
	:: each < NN -> forget(each); each++
	:: else -> break
	od;
	each = 0;
	if
	:: t_at >= T_SURE && t_at < T_ASK -> t_old = 1
	:: else -> t_end()
	fi;
	s_end();
	s_at = S_START;
	send_up = 1;
	todo_up = 1;
	clean_up = 1
}

/* Without the rule, a qmail-clean that has something left to do outlives those who asked. */
inline outlive(k)
{
	if
	:: !WITH(C_VOID) && c_at[OLD + k] == C_FREE && c_at[k] != C_FREE && c_at[k] != C_ANSWERED ->
		c_at[OLD + k] = c_at[k];
		c_number[OLD + k] = c_number[k]
	:: else
	fi;
	c_end(k)
}

#define LIVES (!frozen)

proctype fate()
{
	do
	:: atomic { kills && LIVES && q_at[0] -> kills--; q_end(0); printf("qmail-queue 0 is killed\n") }
#if NQ > 1
	:: atomic { kills && LIVES && q_at[1] -> kills--; q_end(1); printf("qmail-queue 1 is killed\n") }
#endif
	:: atomic { kills && LIVES && send_up && !BOOTING ->
		kills--; s_end(); send_up = 0; printf("qmail-send is killed\n") }
	:: atomic { kills && LIVES && todo_up && t_at ->
		kills--; t_end(); todo_up = 0; printf("qmail-todo is killed\n") }
	:: atomic { kills && LIVES && clean_up && (c_at[0] || c_at[1]) ->
		kills--; c_end(0); c_end(1); clean_up = 0; printf("qmail-clean is killed\n") }
	/* If one goes, all go. */
	:: atomic { !(send_up && todo_up && clean_up) ->
		outlive(FOR_TODO);
		outlive(FOR_SEND);
		start_anew();
		printf("all are started anew\n")
	}
	:: atomic { ordered && cuts && !frozen -> frozen = 1; printf("the last commit\n") }
	:: atomic { cuts && (frozen || !ordered) ->
		cuts--;
		frozen = 0;
		q_end(0);
#if NQ > 1
		q_end(1);
#endif
		c_end(0);
		c_end(1);
		c_end(2);
		c_end(3);
		t_end();
		start_anew();
		reread_all();
		finished = finished & ~undurable;
		undurable = 0;
		printf("power cut\n")
	}
	/* Nothing more happens. */
	:: atomic { (kills || cuts) && LIVES -> kills = 0; cuts = 0 }
	:: atomic { timeout ->
		/* Every message that a client was told is safe has reached its end ... */
		assert((accepted & ~finished) == 0);
		/* ... nothing is stuck, and nothing is left over. */
		each = 0;
		do
		:: each < NN ->
			assert(!pid_[each].now && !mess[each].now && !intd[each].now);
			assert(!todo[each].now && !info[each].now);
			each++
		:: else -> break
		od;
		assert(next_message > NM);
		break
	}
	od
}

init
{
	atomic {
		c_code {
			const char *s;

			without = (s = getenv("MODEL_WITHOUT")) ? atoi(s) : 0;
			in_order = (s = getenv("MODEL_ORDERED")) ? atoi(s) : 0;
			now.kills = (s = getenv("MODEL_KILLS")) ? atoi(s) : 1;
			now.cuts = (s = getenv("MODEL_CUTS")) ? atoi(s) : 1;
			now.aborts = (s = getenv("MODEL_ABORTS")) ? atoi(s) : 0;
		};
		/* The first is local, which is no loss: both channels are treated alike. */
		if
		:: far = 0
		:: far = BIT(2)
		fi;
		each = 0;
		do
		:: each < NN ->
			pid_[each].disk = 1;
			mess[each].disk = 1;
			intd[each].disk = 1;
			todo[each].disk = 1;
			info[each].disk = 1;
			local_[each].disk = 1;
			remote_[each].disk = 1;
			bounce[each].disk = 1;
			run qmail_todo(each);
			run qmail_send(each);
			run clean_sweep(each);
			each++
		:: else -> break
		od;
		each = 0;
		run qmail_queue(0);
#if NQ > 1
		run qmail_queue(1);
#endif
		run fate();
		run qmail_clean(FOR_TODO);
		run qmail_clean(FOR_SEND);
		run qmail_clean(OLD + FOR_TODO);
		run qmail_clean(OLD + FOR_SEND)
	}
}
