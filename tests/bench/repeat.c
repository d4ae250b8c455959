/* repeat - run a command again and again.
 *	repeat COUNT PARALLEL FILE COMMAND [ARGUMENT...]
 * COUNT times in all, PARALLEL at once, each with FILE as standard input.  Exit: 0 if all of them
 * ended with 0. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static void
begin(const char *file, char **command)
{
	posix_spawn_file_actions_t actions;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, file, O_RDONLY, 0);
	if (posix_spawn(&pid, command[0], &actions, NULL, command, environ) != 0) {
		fprintf(stderr, "repeat: %s cannot be run\n", command[0]);
		exit(111);
	}
	posix_spawn_file_actions_destroy(&actions);
}

int
main(int argc, char **argv)
{
	int count, parallel, running = 0, bad = 0, status;

	if (argc < 5)
		return 100;
	count = atoi(argv[1]);
	parallel = atoi(argv[2]);
	while (count > 0 || running > 0) {
		if (count > 0 && running < parallel) {
			begin(argv[3], argv + 4);
			count--;
			running++;
		} else if (wait(&status) != -1) {
			running--;
			bad |= status != 0;
		}
	}
	return bad;
}
