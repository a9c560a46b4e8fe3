/*
 * libre's loop one turn at a time, so that asyncio can drive it; and libre's complaints about what it cannot parse,
 * counted instead of written. Comes before shim.c in one translation unit.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <re.h>
#include <re_dbg.h>

static int wake_fd = -1;
static int poll_fd = -1;
static struct tmr anchor;
static uint64_t undecodable;

/* -- complaints ---------------------------------------------------------------------------------------------------- */

static ssize_t complain(void *cookie, const char *text, size_t size)
{
	(void)cookie;
	if (memmem(text, size, "msg decode err", 14))
		undecodable++;
	else if (write(STDERR_FILENO, text, size) < 0)
		return 0;
	return (ssize_t)size;
}

/*
 * libre writes a line to stderr for every packet that is no SIP message: any stranger could fill the journal. Python
 * writes to descriptor 2 by itself and is not touched by this.
 */
static void quieten(void)
{
	static const cookie_io_functions_t functions = { .write = complain };
	FILE *stream = fopencookie(NULL, "w", functions);

	if (!stream)
		return;
	(void)setvbuf(stream, NULL, _IOLBF, BUFSIZ);
	stderr = stream;
}

/* Packets so far that libre could not decode. */
static uint64_t hw_undecodable(void)
{
	return undecodable;
}

/* -- the loop ------------------------------------------------------------------------------------------------------ */

static void anchor_handler(void *arg)
{
	(void)arg;
	tmr_start(&anchor, 3600 * 1000, anchor_handler, NULL);
}

static void wake_handler(int flags, void *arg)
{
	eventfd_t value;
	(void)flags;
	(void)arg;
	(void)eventfd_read(wake_fd, &value);
	re_cancel();
}

/*
 * libre does not tell its epoll descriptor. It is made inside poll_method_set(), and a new descriptor is always the
 * lowest free one; that it is an epoll descriptor is checked.
 */
static int find_epoll(int maxfds)
{
	char path[64], target[64];
	ssize_t n;
	int err, fd, probe;

	err = fd_setsize(maxfds);
	if (err)
		return -err;
	probe = dup(STDERR_FILENO);
	if (probe < 0)
		return -errno;
	close(probe);
	err = poll_method_set(METHOD_EPOLL);
	if (err)
		return -err;
	fd = probe;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	n = readlink(path, target, sizeof(target) - 1);
	if (n < 0)
		return -errno;
	target[n] = 0;
	return strcmp(target, "anon_inode:[eventpoll]") ? -EPROTO : fd;
}

/* Start libre once in the process's one loop; returns a descriptor that is readable when hw_step() is due, or -errno. */
static int hw_start(int maxfds)
{
	int err;

	if (poll_fd >= 0)
		return poll_fd;
	err = libre_init();
	if (err)
		return -err;
	err = find_epoll(maxfds);
	if (err < 0)
		return err;
	wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (wake_fd < 0)
		return -errno;
	poll_fd = err;
	err = fd_listen(wake_fd, FD_READ, wake_handler, NULL);
	if (err)
		return -err;
	tmr_init(&anchor);
	anchor_handler(NULL);
	quieten();
	dbg_init(DBG_ERR, DBG_NONE);  /* its warnings about peers reach us as error codes, and are counted */
	return poll_fd;
}

/* One turn without waiting: whatever is readable and due. The wake-up makes re_main() return after it. */
static int hw_step(void)
{
	if (eventfd_write(wake_fd, 1))
		return errno;
	return re_main(NULL);
}

/* Milliseconds to libre's next timer. */
static uint64_t hw_next_ms(void)
{
	return tmr_next_timeout(anchor.le.list);
}
