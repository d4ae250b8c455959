/* state - where qmail-clean, qmail-todo and qmail-send are, and what they have in memory. */

#define FOR_TODO 0
#define FOR_SEND 1
#define OLD 2			/* + FOR_TODO, FOR_SEND */

#define C_FREE 0
#define C_TODO_INTD 1
#define C_TODO_TODO 2
#define C_TODO_SYNC 3
#define C_ANSWERED 4
#define C_FOOP_INTD 5
#define C_FOOP_SYNC 6
#define C_FOOP_MESS 7

byte c_at[4];
byte c_number[4];

#define T_IDLE 0
#define T_SURE 1
#define T_OPEN 2
#define T_OLD 3
#define T_INFO 4
#define T_CHANNEL 5
#define T_FILL 6
#define T_SYNC 7
#define T_ASK 8
#define T_WAIT 9

byte t_at;
bit t_old;	/* its qmail-send is gone; it ends its batch, the successor waits for that */
byte t_number;
byte t_message;			/* whose envelope was read; 0: no text belongs to it */
bit t_bounce;			/* bounce/N was removed */

/* What qmail-send's memory says of a number. */
#define AS_NOTHING 0
#define AS_CHANNEL 1		/* a pass over the channel file is due */
#define AS_DONE 2		/* on the done list */

#define S_IDLE 0
#define S_BOOT 1
#define S_DELIVER 2
#define S_APPEND 3
#define S_PARAGRAPH 4
#define S_COMMIT 5
#define S_MARK 6
#define S_END 7
#define S_NOTICE 8
#define S_UNBOUNCE 9
#define S_REMOVE 10
#define S_START 11
#define S_TODO 12
#define S_FILES 13
#define BOOTING (s_at == S_BOOT || s_at == S_START || s_at == S_TODO || s_at == S_FILES)

byte s_at = S_START;
byte s_number;		/* of the job; while booting: the next one to look at */
bit s_far;		/* the job is on the remote channel */
byte s_message;		/* whose channel file the job has read (its inode) */
byte schedule[NN];
bit recheck[NN];
bit listed[NN];		/* found at the start, not yet scheduled */
bit pending[NN];	/* info is removed, the text not yet asked for */
