/* The simulated cards as /dev/dahdi: a FUSE folder whose files channel, ctl and timer take DAHDI's system calls.
 *
 *   card FOLDER KIND KIND ...      (e1, fxo4, fxs4 ...: two of them are joined by a cable)
 *
 * By the encoding of their numbers LOADZONE, INDIRECT and ECHOCANCEL_PARAMS cannot be carried. Nothing blocks here: what
 * would have to wait is EAGAIN, and IOMUX tells what is there. A test writes to two files more:
 *
 *   system.conf    what dahdi_cfg would apply
 *   control        one command:  pass MS | step MS | run | stop | alarm SPAN BITS | unplug SPAN | plug SPAN | event CHANNEL CODE |
 *                  battery CHANNEL ON | corrupt CHANNEL FRAMES | slip CHANNEL OCTETS | errors SPAN BPV CRC4 EBIT FAS
 *
 * Time stands still unless it is told to pass or to run; "step" is EAGAIN while somebody has audio that he has not read:
 * so the line waits for programs that a busy machine makes late. It prints "ready" once the folder is there, and ends with its
 * standard input.
 */
#define FUSE_USE_VERSION 35
#include <errno.h>
#include <fcntl.h>
#include <fuse_lowlevel.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "card.h"

enum { CHANNEL = 2, CTL, TIMER, CONTROL, SYSTEM_CONF, LAST, STEP_MS = 10, LONGEST_MS = 1000 };
static const char *const names[LAST] = {[CHANNEL] = "channel", [CTL] = "ctl", [TIMER] = "timer", [CONTROL] = "control",
                                        [SYSTEM_CONF] = "system.conf"};

struct file {
    fuse_ino_t kind;
    bool nonblock, removed;
    struct channel *channel;
    int timer_ms, timer_left, timer_tripped; /* samples, as DAHDI counts them: 8 a ms */
    struct fuse_pollhandle *poll;
    short wanted;
    struct file *next;
};

static struct file *files;
static bool running;
static long long run_ms;

static int file_events(const struct file *f)
{
    if (f->kind == TIMER)
        return f->timer_tripped ? POLLPRI : 0;
    if (f->removed || f->kind != CHANNEL || !f->channel)
        return f->removed ? POLLERR | POLLIN | POLLOUT : 0;
    const struct channel *c = f->channel;
    return (c->rx.used ? POLLIN | POLLRDNORM : 0) | (c->tx.used < c->tx.count ? POLLOUT | POLLWRNORM : 0) |
           (c->event_count ? POLLPRI : 0);
}

static void wake_file(struct file *f)
{
    if (f->poll && file_events(f) & (f->wanted | POLLERR | POLLHUP))
        fuse_lowlevel_notify_poll(f->poll);
}

void wake(struct channel *c)
{
    if (c->owner)
        wake_file(c->owner);
}

/* -- the test's commands ------------------------------------------------------------------------------------------- */

static void advance(int ms)
{
    pass(ms);
    for (struct file *f = files; f; f = f->next) {
        if (f->kind != TIMER || !f->timer_ms)
            continue;
        for (f->timer_left -= ms * CHUNK; f->timer_left <= 0; f->timer_left += f->timer_ms)
            f->timer_tripped++;
        wake_file(f);
    }
}

static bool all_read(void)
{
    for (const struct file *f = files; f; f = f->next)
        if (f->channel && f->channel->audio && f->channel->rx.used)
            return false;
    return true;
}

static int unplug(struct span *s)
{
    for (struct file *f = files; f; f = f->next)
        if (f->channel && f->channel->span == s) {
            f->channel = NULL;
            f->removed = true;
            wake_file(f);
        }
    return plug(s, false);
}

static long long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

static int command(const char *text)
{
    char word[16] = "";
    int a[5] = {0};
    int given = sscanf(text, "%15s %d %d %d %d %d", word, &a[0], &a[1], &a[2], &a[3], &a[4]) - 1;
    struct span *s = span_of(a[0]);
    struct channel *c = channel_of(a[0]);
    if (!strcmp(word, "pass") && given == 1)
        return advance(a[0]), 0;
    if (!strcmp(word, "step") && given == 1)
        return all_read() ? advance(a[0]), 0 : -EAGAIN;
    if ((!strcmp(word, "run") || !strcmp(word, "stop")) && !given)
        return running = word[0] == 'r', run_ms = now_ms(), 0;
    if (!strcmp(word, "alarm") && given == 2 && s)
        return set_alarms(s, a[1]);
    if (!strcmp(word, "unplug") && given == 1 && s)
        return unplug(s);
    if (!strcmp(word, "plug") && given == 1 && !s && a[0] > 0 && a[0] <= span_count)
        return plug(&spans[a[0] - 1], true);
    if (!strcmp(word, "event") && given == 2 && c)
        return queue_event(c, a[1]), 0;
    if (!strcmp(word, "battery") && given == 2 && c) /* an FXO port tells of its line as of its own alarm */
        return channel_alarm(c, a[1] ? 0 : DAHDI_ALARM_RED), 0;
    if (!strcmp(word, "corrupt") && given == 2 && c)
        return c->corrupt = a[1], 0;
    if (!strcmp(word, "slip") && given == 2 && c)
        return c->slip += a[1], 0;
    if (!strcmp(word, "errors") && given == 5 && s)
        return memcpy(s->errors, a + 1, sizeof s->errors), 0;
    return -EINVAL;
}

/* -- DAHDI's files ------------------------------------------------------------------------------------------------- */

static int specify(struct file *f, int number)
{
    struct channel *c = channel_of(number);
    if (!c)
        return -EINVAL;
    int error = open_channel(c, f);
    if (!error)
        f->channel = c;
    return error;
}

static int attach_canceller(const struct dahdi_attach_echocan *wanted)
{
    bool known = !wanted->echocan[0] || !strcmp(wanted->echocan, "mg2") || !strcmp(wanted->echocan, "oslec");
    return known && channel_of(wanted->chan) ? 0 : -EINVAL;
}

static int timer_ioctl(struct file *f, unsigned request, int value)
{
    if (request == DAHDI_TIMERCONFIG)
        f->timer_ms = f->timer_left = value > 0 ? value : 0;
    else if (request == DAHDI_TIMERACK)
        f->timer_tripped -= value < 1 || value > f->timer_tripped ? f->timer_tripped : value;
    else
        return -ENOTTY;
    return 0;
}

static int common_ioctl(struct file *f, unsigned request, void *argument)
{
    int number = *(int *)argument;
    switch (request) {
    case DAHDI_GET_PARAMS:
        if (!f->channel && !channel_of(number))
            return -EINVAL;
        channel_params(f->channel ? f->channel : channel_of(number), argument);
        return 0;
    case DAHDI_SPANSTAT:
        if (!span_of(number))
            return -EINVAL;
        span_info(span_of(number), argument);
        return 0;
    case DAHDI_GETVERSION:
        *(struct dahdi_versioninfo *)argument = (struct dahdi_versioninfo){"2.11.1 (simulated)", "MG2, OSLEC"};
        return 0;
    case DAHDI_ATTACH_ECHOCAN:
        return attach_canceller(argument);
    default:
        return -ENOTTY;
    }
}

static int any_ioctl(struct file *f, unsigned request, void *argument)
{
    if (f->removed)
        return -ENODEV;
    if (f->kind == TIMER)
        return timer_ioctl(f, request, *(int *)argument);
    if (f->kind == CHANNEL && !f->channel)
        return request == DAHDI_SPECIFY ? specify(f, *(int *)argument) : -ENOSYS;
    int error = f->channel ? channel_ioctl(f->channel, request, argument, f->nonblock) : -ENOTTY;
    return error == -ENOTTY ? common_ioctl(f, request, argument) : error;
}

static void on_ioctl(fuse_req_t request, fuse_ino_t ino, unsigned number, void *address, struct fuse_file_info *info,
                     unsigned flags, const void *given, size_t given_size, size_t wanted)
{
    (void)ino, (void)address, (void)flags;
    union {
        int number;
        unsigned char octets[sizeof(struct dahdi_gains) + 64];
    } argument = {0};
    if (given_size > sizeof argument || wanted > sizeof argument) {
        fuse_reply_err(request, ENOTTY);
        return;
    }
    if (given_size)
        memcpy(&argument, given, given_size);
    int error = any_ioctl((struct file *)info->fh, number, &argument);
    if (error)
        fuse_reply_err(request, -error);
    else
        fuse_reply_ioctl(request, 0, &argument, wanted);
}

static void on_read(fuse_req_t request, fuse_ino_t ino, size_t size, off_t at, struct fuse_file_info *info)
{
    (void)ino, (void)at;
    struct file *f = (struct file *)info->fh;
    unsigned char octets[DAHDI_MAX_BLOCKSIZE];
    int most = size < sizeof octets ? (int)size : (int)sizeof octets;
    int there = f->removed ? -ENODEV : !f->channel ? -EINVAL : read_channel(f->channel, octets, most);
    if (there < 0)
        fuse_reply_err(request, -there);
    else
        fuse_reply_buf(request, (char *)octets, (size_t)there);
}

static int write_file(struct file *f, const char *octets, size_t size)
{
    if (f->removed)
        return -ENODEV;
    if (f->channel)
        return write_channel(f->channel, (const unsigned char *)octets, (int)size);
    if (f->kind != CONTROL && f->kind != SYSTEM_CONF)
        return -EINVAL;
    char text[8192];
    snprintf(text, sizeof text, "%.*s", (int)size, octets);
    int error = f->kind == CONTROL ? command(text) : configure(text);
    return error ? error : (int)size;
}

static void on_write(fuse_req_t request, fuse_ino_t ino, const char *octets, size_t size, off_t at,
                     struct fuse_file_info *info)
{
    (void)ino, (void)at;
    int taken = write_file((struct file *)info->fh, octets, size);
    if (taken < 0)
        fuse_reply_err(request, -taken);
    else
        fuse_reply_write(request, (size_t)taken);
}

static void on_poll(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *info, struct fuse_pollhandle *handle)
{
    (void)ino;
    struct file *f = (struct file *)info->fh;
    if (handle) {
        if (f->poll)
            fuse_pollhandle_destroy(f->poll);
        f->poll = handle;
    }
    f->wanted = (short)info->poll_events;
    fuse_reply_poll(request, (unsigned)file_events(f));
}

static void on_open(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *info)
{
    struct file *f = calloc(1, sizeof *f);
    if (!f || ino < CHANNEL || ino >= LAST) {
        free(f);
        fuse_reply_err(request, f ? EISDIR : ENOMEM);
        return;
    }
    f->kind = ino;
    f->nonblock = info->flags & O_NONBLOCK;
    f->next = files;
    files = f;
    info->fh = (uintptr_t)f;
    info->direct_io = info->nonseekable = 1;
    fuse_reply_open(request, info);
}

static void on_release(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *info)
{
    (void)ino;
    struct file *f = (struct file *)info->fh, **at = &files;
    while (*at != f)
        at = &(*at)->next;
    *at = f->next;
    if (f->channel)
        close_channel(f->channel);
    if (f->poll)
        fuse_pollhandle_destroy(f->poll);
    free(f);
    fuse_reply_err(request, 0);
}

/* -- the folder ---------------------------------------------------------------------------------------------------- */

static struct stat status_of(fuse_ino_t ino)
{
    struct stat status = {.st_ino = ino, .st_nlink = 1, .st_mode = ino == FUSE_ROOT_ID ? S_IFDIR | 0755 : S_IFREG | 0666};
    return status;
}

static void on_getattr(fuse_req_t request, fuse_ino_t ino, struct fuse_file_info *info)
{
    (void)info;
    struct stat status = status_of(ino);
    fuse_reply_attr(request, &status, 60);
}

static void on_setattr(fuse_req_t request, fuse_ino_t ino, struct stat *wanted, int which, struct fuse_file_info *info)
{
    (void)wanted, (void)which;
    on_getattr(request, ino, info);
}

static void on_lookup(fuse_req_t request, fuse_ino_t parent, const char *name)
{
    (void)parent;
    for (fuse_ino_t ino = CHANNEL; ino < LAST; ino++)
        if (!strcmp(names[ino], name)) {
            struct fuse_entry_param entry = {.ino = ino, .attr = status_of(ino), .attr_timeout = 60, .entry_timeout = 60};
            fuse_reply_entry(request, &entry);
            return;
        }
    fuse_reply_err(request, ENOENT);
}

static void run(struct fuse_session *session)
{
    struct fuse_buf buffer = {0};
    struct pollfd polls[2] = {{fuse_session_fd(session), POLLIN, 0}, {STDIN_FILENO, POLLIN, 0}};
    while (!fuse_session_exited(session)) {
        poll(polls, 2, running ? STEP_MS : -1);
        if (polls[1].revents) /* whoever started this is gone */
            break;
        if (polls[0].revents) {
            int size = fuse_session_receive_buf(session, &buffer);
            if (size == -EINTR)
                continue;
            if (size <= 0)
                break;
            fuse_session_process_buf(session, &buffer);
        }
        long long due = running ? now_ms() - run_ms : 0;
        if (due >= STEP_MS) {
            run_ms += due;
            advance(due < LONGEST_MS ? (int)due : LONGEST_MS);
        }
    }
    free(buffer.mem);
}

int main(int count, char **given)
{
    static const struct fuse_lowlevel_ops operations = {
        .lookup = on_lookup, .getattr = on_getattr, .setattr = on_setattr, .open = on_open, .release = on_release,
        .read = on_read, .write = on_write, .ioctl = on_ioctl, .poll = on_poll,
    };
    if (count < 4 || count % 2 || count - 2 > MAX_SPANS) {
        fprintf(stderr, "card FOLDER KIND KIND ...: an even number of spans, at most %d\n", MAX_SPANS);
        return 2;
    }
    make_spans(count - 2, given + 2);
    char *words[] = {given[0], "-o", "fsname=dahdi-card", NULL};
    struct fuse_args arguments = FUSE_ARGS_INIT(3, words);
    struct fuse_session *session = fuse_session_new(&arguments, &operations, sizeof operations, NULL);
    if (!session || fuse_session_mount(session, given[1]))
        return 1;
    puts("ready");
    fflush(stdout);
    run(session);
    fuse_session_unmount(session);
    fuse_session_destroy(session);
    return 0;
}
