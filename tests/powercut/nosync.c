/* nosync - syncs that do nothing, for builds that the power-cut suite must catch.  Linked with
 * ld's --wrap, so that the sources stay as they are. */
int __wrap_fsync(int fd);
int __wrap_syncfs(int fd);
int __wrap_sync_file_range(int fd, long long offset, long long n, unsigned flags);

int
__wrap_fsync(int fd)
{
	(void)fd;
	return 0;
}

int
__wrap_syncfs(int fd)
{
	(void)fd;
	return 0;
}

int
__wrap_sync_file_range(int fd, long long offset, long long n, unsigned flags)
{
	(void)fd;
	(void)offset;
	(void)n;
	(void)flags;
	return 0;
}
