/* options - what the sanitizers do in programs that run sandboxed, set-uid and under other uids.
 * Linked into every program of a build with SAN.  Leaks are not looked for: the check needs /proc
 * of other processes, which sandboxes deny, and programs leave their memory to the kernel. */
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

const char *
__asan_default_options(void)
{
	return "detect_leaks=0:abort_on_error=0:allocator_may_return_null=1";
}

const char *
__ubsan_default_options(void)
{
	return "print_stacktrace=1";
}
