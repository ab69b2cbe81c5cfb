/*
 * User-Mode Linux 6.1 hands processes their registers in a buffer that ends before those of AMX. Such a processor's kernel takes only whole
 * ones, and every machine would die at its first process. So what UML leaves out is filled in with what the process has.
 * No header is needed, and of a library only errno.
 */
struct piece { void *base; unsigned long length; };
enum { peek_first = 1, peek_last = 3, get_registers = 0x4204, set_registers = 0x4205, all_registers = 0x202 };

extern int *__errno_location(void);

static long call(long request, long pid, void *what, void *data)
{
	long result;
	register void *fourth __asm__("r10") = data;
	__asm__ volatile("syscall"
			 : "=a"(result)
			 : "0"(101L), "D"(request), "S"(pid), "d"(what), "r"(fourth)
			 : "rcx", "r11", "memory");
	if (result >= 0)
		return result;
	*__errno_location() = (int)-result;
	return -1;
}

long ptrace(int request, int pid, void *what, void *data)
{
	static char whole[65536];
	struct piece *given = data, all = { whole, sizeof whole };

	if (request >= peek_first && request <= peek_last) { /* the C library gives back the word itself */
		long word, result = call(request, pid, what, &word);

		if (result < 0)
			return result;
		*__errno_location() = 0;
		return word;
	}
	if (request != set_registers || (long)what != all_registers)
		return call(request, pid, what, data);
	if (call(get_registers, pid, what, &all) < 0)
		return -1;
	if (given->length >= all.length)
		return call(request, pid, what, data);
	for (unsigned long at = 0; at < given->length; at++)
		whole[at] = ((char *)given->base)[at];
	return call(request, pid, what, &all);
}
