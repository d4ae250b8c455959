/* tracer - what the two parts of the tracer share: tracer.c, which follows processes, and
 * disturb.c, which does something to their system calls. */
#ifndef TRACER_H
#define TRACER_H

#include <stdbool.h>
#include <sys/types.h>

#define TRACEES_MAX 4096
#define NAME_MAX_BYTES 40

enum action { NOTHING, COUNT, KILL_ENTRY, KILL_EXIT, FAIL, FAILING, SHORT, CLOCK };

struct plan {
	long generation;
	char program[NAME_MAX_BYTES];
	long instance;
	enum action action;
	long n, arg;
	long number;		/* of the calls that count; -1: all do */
	char kind;
};

struct tracee {
	pid_t pid;		/* 0: free place */
	char name[NAME_MAX_BYTES];
	bool known;		/* its parent has told of it, or it is the command */
	bool waiting;		/* stopped at birth until its parent tells */
	bool target;
	long generation;	/* of the plan that made it the target */
	bool inside;		/* between entry and exit of a system call */
	bool altered;		/* this call gets `result` */
	bool shortened;
	bool told;		/* that the action has begun */
	long calls;		/* of those that count, entered so far */
	long result;
	unsigned long long length;	/* as asked for, when shortened */
};

/* Tells whoever has started the tracer. */
void event(const char *format, ...);
/* The target enters a system call, or leaves one that was entered. */
void disturb(const struct plan *p, struct tracee *e);
/* Takes the vDSO away from a program that begins, so that it asks for the clock by system calls:
 * also where nothing is done to it, so that calls have the same numbers in every run. */
void hide_vdso(pid_t pid);

#endif
