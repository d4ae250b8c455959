/* disk - what is in the page cache and what a power cut may leave of it.
 *
 * A name of the queue has the value it has now, and a set of values it may have after a power cut.
 * Values: 0 no such file; WHOLE(m) the file of message m; PART(m) the same, empty or incomplete;
 * DONE(m) a channel file of message m whose recipient is marked `D`.
 *
 * Two kinds of file systems (ordered):
 *	0	any: of what was not synced, any subset may be there, every name and every file's
 *		data by itself.  A sync of a file does not cover its name.
 *	1	lib/journal.h: names change in order; data only if it was written out before.  The
 *		last commit before the power cut is chosen freely (freeze); what happens between it
 *		and the power cut is lost.  A sync would be a commit, so none can end in between. */

#define WHOLE(m) (m)
#define PART(m) (NM + (m))
#define DONE(m) (2 * NM + (m))
#define MESSAGE(v) (((v) - 1) % NM + 1)
#define IS_WHOLE(v) ((v) >= 1 && (v) <= NM)
#define IS_PART(v) ((v) > NM && (v) <= 2 * NM)
#define IS_DONE(v) ((v) > 2 * NM)
#define BIT(v) (1 << (v))

typedef name {
	byte now;
	short disk
}

name pid_[NN];
name mess[NN];
name intd[NN];
name todo[NN];
name info[NN];
name local_[NN];
name remote_[NN];
name bounce[NN];

bit frozen;

/* No sync can end between the last commit and the power cut. */
#define MAY_SYNC (!frozen)

/* A new file, still empty, or one name more for a file (link). */
inline make(f, v)
{
	f.now = v;
	if
	:: frozen -> skip
	:: !frozen && ordered -> f.disk = BIT(v)
	:: else -> f.disk = f.disk | BIT(v)
	fi
}

inline remove(f)
{
	make(f, 0)
}

/* Its data comes in; not yet on disk. */
inline fill(f, m)
{
	f.now = WHOLE(m);
	if
	:: frozen -> skip
	:: !frozen && ordered -> f.disk = BIT(WHOLE(m)) | BIT(PART(m))
	:: else -> f.disk = f.disk | BIT(WHOLE(m))
	fi
}

/* fsync of the file, or its data written out where that is enough. */
inline settle(f, m)
{
	if
	:: frozen || f.now != WHOLE(m) -> skip
	:: else -> f.disk = f.disk & ~BIT(PART(m))
	fi
}

/* The same for mess: whatever name leads there, its inode is the number. */
inline settle_inode(f, m)
{
	if
	:: frozen || f.now != WHOLE(m) -> skip
	:: else -> f.disk = f.disk & (BIT(0) | BIT(WHOLE(m)))
	fi
}

/* A byte overwritten in place: no journal knows of it. */
inline mark(f, m)
{
	f.now = DONE(m);
	if
	:: f.disk & BIT(WHOLE(m)) -> f.disk = f.disk | BIT(DONE(m))
	:: else -> skip
	fi
}

inline sync_name(f)
{
	if
	:: ordered -> skip	/* the commit: nothing before it can be lost any more */
	:: !ordered && IS_DONE(f.now) ->
		f.disk = f.disk & (BIT(f.now) | BIT(WHOLE(MESSAGE(f.now))) |
		    BIT(PART(MESSAGE(f.now))))
	:: !ordered && IS_WHOLE(f.now) ->
		f.disk = f.disk & (BIT(f.now) | BIT(PART(MESSAGE(f.now))))
	:: else -> f.disk = BIT(f.now)
	fi
}

/* fsync of the directory; d: array of names. */
#if NN == 1
#define SYNC_DIR(d) sync_name(d[0])
#elif NN == 2
#define SYNC_DIR(d) sync_name(d[0]); sync_name(d[1])
#else
#define SYNC_DIR(d) sync_name(d[0]); sync_name(d[1]); sync_name(d[2])
#endif

/* After the power cut. */
inline reread(f)
{
	if
	:: f.disk & BIT(0) -> f.now = 0
	:: f.disk & BIT(1) -> f.now = 1
	:: f.disk & BIT(2) -> f.now = 2
	:: f.disk & BIT(3) -> f.now = 3
	:: f.disk & BIT(4) -> f.now = 4
	:: f.disk & BIT(5) -> f.now = 5
	:: f.disk & BIT(6) -> f.now = 6
	:: f.disk & BIT(7) -> f.now = 7
	:: f.disk & BIT(8) -> f.now = 8
	:: f.disk & BIT(9) -> f.now = 9
	fi;
	f.disk = BIT(f.now)
}

inline reread_all()
{
	each = 0;
	do
	:: each < NN ->
		reread(pid_[each]);
		reread(mess[each]);
		reread(intd[each]);
		reread(todo[each]);
		reread(info[each]);
		reread(local_[each]);
		reread(remote_[each]);
		reread(bounce[each]);
		each++
	:: else -> break
	od;
	each = 0
}
