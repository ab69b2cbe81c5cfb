/** The shells that targets have as /bin/sh, each as a command line that reads its script from stdin. */
export const shells: readonly (readonly [string, ...string[]])[] = [['dash'], ['bash', '--posix'], ['busybox', 'ash'], ['mksh']];
