/* openr2 (Debian's, unmodified) as the far end of one R2 channel, simulated or of DAHDI.
 *
 * openr2 drives a DAHDI channel by system calls. With ADDRESS a folder like /dev/dahdi that is what it does here, and
 * CHANNEL is DAHDI's number. Else its descriptor is the simulated span's audio socket, and this program's own read, write
 * and ioctl, which the dynamic linker prefers to libc's, stand for the driver.
 *
 * openr2_peer ADDRESS CHANNEL answer ANI_DIGITS DNIS_DIGITS     takes one call, answers it, waits for its end
 * openr2_peer ADDRESS CHANNEL refuse|busy ANI_DIGITS DNIS_DIGITS    takes one call and refuses it (unallocated, busy)
 * openr2_peer ADDRESS CHANNEL call|stay CALLER CALLED            calls; call: hangs up 300 ms after the answer
 *
 * Prints a line for each thing that openr2 tells.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <openr2.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* dahdi/user.h, as far as it is needed here. */
#define GET_PARAMS_NR 5 /* the structure begins with 12 ints: 0 channel, 3 signalling, 10 law */
#define GETEVENT _IOR(0xDA, 8, int)
#define IOMUX _IOWR(0xDA, 9, int)
#define SPECIFY _IOW(0xDA, 38, int)
#define GETRXBITS _IOR(0xDA, 43, int)
#define SETTXBITS _IOW(0xDA, 43, int)
enum { IOMUX_READ = 1, IOMUX_WRITE = 2, IOMUX_SIGEVENT = 8 };
enum { EVENT_NONE = 0, EVENT_BITSCHANGED = 13, SIG_CAS = 1 << 15, LAW_ALAW = 2 };

#define FRAME 160
static int audio = -1, signalling, channel, bits_changed, have_frame, made_frame, over;
static int bits = -1;
static unsigned char heard[FRAME], said[FRAME];
static const char *mode;
static long long hang_up_at, now_ms, began_ms;

static void tell(const char *what, const char *more)
{
    printf("%s %s\n", what, more ? more : "");
    fflush(stdout);
}

ssize_t read(int fd, void *into, size_t size)
{
    if (fd != audio)
        return syscall(SYS_read, fd, into, size);
    if (!have_frame) {
        errno = EAGAIN;
        return -1;
    }
    have_frame = 0;
    memcpy(into, heard, FRAME);
    return FRAME;
}

ssize_t write(int fd, const void *from, size_t size)
{
    if (fd != audio)
        return syscall(SYS_write, fd, from, size);
    memcpy(said, from, size < FRAME ? size : FRAME);
    made_frame = 1;
    return (ssize_t)size;
}

int ioctl(int fd, unsigned long request, ...)
{
    va_list list;
    va_start(list, request);
    void *argument = va_arg(list, void *);
    va_end(list);
    if (fd != audio)
        return (int)syscall(SYS_ioctl, fd, request, argument);
    int *value = argument;
    unsigned char packet[2] = {(unsigned char)channel, 0};
    switch (request) {
    case IOMUX: {
        int wanted = *value;
        *value = (wanted & IOMUX_SIGEVENT && bits_changed ? IOMUX_SIGEVENT : 0) |
                 (wanted & IOMUX_READ && have_frame ? IOMUX_READ : 0) |
                 (wanted & IOMUX_WRITE && !made_frame ? IOMUX_WRITE : 0);
        return 0;
    }
    case SETTXBITS:
        packet[1] = (unsigned char)*value;
        send(signalling, packet, 2, 0);
        return 0;
    case GETRXBITS:
        *value = bits;
        return 0;
    case GETEVENT:
        *value = bits_changed ? EVENT_BITSCHANGED : EVENT_NONE;
        bits_changed = 0;
        return 0;
    default:
        if (_IOC_NR(request) == GET_PARAMS_NR && _IOC_DIR(request) & _IOC_READ) {
            value[0] = channel;
            value[3] = SIG_CAS;
            value[10] = LAW_ALAW;
        }
        return 0; /* buffers, law, flush, echo, gains: nothing to do */
    }
}

static void on_init(openr2_chan_t *c) { (void)c; tell("init", 0); }
static void on_offered(openr2_chan_t *c, const char *ani, const char *dnis, openr2_calling_party_category_t category)
{
    char text[80];
    snprintf(text, sizeof text, "%s %s %d", dnis, ani, (int)category);
    tell("offered", text);
    if (!strcmp(mode, "refuse"))
        openr2_chan_disconnect_call(c, OR2_CAUSE_UNALLOCATED_NUMBER);
    else if (!strcmp(mode, "busy"))
        openr2_chan_disconnect_call(c, OR2_CAUSE_BUSY_NUMBER);
    else
        openr2_chan_accept_call(c, OR2_CALL_WITH_CHARGE);
}
static void on_accepted(openr2_chan_t *c, openr2_call_mode_t how)
{
    (void)how;
    tell("accepted", 0);
    if (!strcmp(mode, "answer"))
        openr2_chan_answer_call(c);
}
static void on_answered(openr2_chan_t *c) 
{
    (void)c;
    tell("answered", 0);
    hang_up_at = strcmp(mode, "call") ? 0 : now_ms + 300;
}
static void on_disconnect(openr2_chan_t *c, openr2_call_disconnect_cause_t cause)
{
    tell("disconnect", openr2_proto_get_disconnect_string(cause));
    openr2_chan_disconnect_call(c, OR2_CAUSE_NORMAL_CLEARING);
}
static void on_end(openr2_chan_t *c) { (void)c; tell("end", 0); over = 1; }
static void on_read(openr2_chan_t *c, const unsigned char *b, int n) { (void)c; (void)b; (void)n; }
static void on_alarm(openr2_chan_t *c, int alarm) { (void)c; (void)alarm; }
static void on_os_error(openr2_chan_t *c, int e) { (void)c; tell("os-error", strerror(e)); over = 1; }
static void on_error(openr2_chan_t *c, openr2_protocol_error_t e)
{
    (void)c;
    tell("protocol-error", openr2_proto_get_error(e));
    over = 1;
}
static void on_blocked(openr2_chan_t *c) { (void)c; tell("blocked", 0); }
static void on_idle(openr2_chan_t *c) { (void)c; tell("idle", 0); }
static void on_log(openr2_context_t *c, openr2_log_level_t l, const char *f, va_list a) { (void)c; (void)l; vfprintf(stderr, f, a); }
static int on_digit(openr2_chan_t *c, char d) { (void)c; (void)d; return 1; }
static void on_ani(openr2_chan_t *c, char d) { (void)c; (void)d; }
static void on_pulse(openr2_chan_t *c) { (void)c; }

static int join(const char *address, char kind)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    int joined = socket(AF_UNIX, SOCK_SEQPACKET, 0);
    snprintf(name.sun_path, sizeof name.sun_path, "%s.%c", address, kind);
    if (connect(joined, (struct sockaddr *)&name, sizeof name)) {
        perror(name.sun_path);
        exit(2);
    }
    return joined;
}

/* Wait for bits or audio: 1 when a frame has come, 0 when not, -1 when the far end has closed the span. */
static int wait_for_simulator(void)
{
    unsigned char packet[8];
    struct pollfd polls[2] = {{signalling, POLLIN, 0}, {audio, POLLIN, 0}};
    poll(polls, 2, 1000);
    if (polls[0].revents) {
        if (recv(signalling, packet, sizeof packet, 0) != 2)
            return -1;
        if (packet[0] == channel) {
            bits_changed |= bits != packet[1];
            bits = packet[1];
        }
    }
    if (!polls[1].revents)
        return 0;
    if (recv(audio, heard, FRAME, 0) != FRAME)
        return -1;
    have_frame = 1;
    now_ms += 20;
    return 1;
}

/* The same on a card, where openr2 reads and writes by itself. */
static int wait_for_card(openr2_chan_t *chan)
{
    struct timespec now;
    struct pollfd card = {openr2_chan_get_fd(chan), POLLIN | POLLPRI, 0};
    poll(&card, 1, 20);
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (!began_ms)
        began_ms = now.tv_sec * 1000LL + now.tv_nsec / 1000000;
    now_ms = now.tv_sec * 1000LL + now.tv_nsec / 1000000 - began_ms;
    if (ioctl(card.fd, GETRXBITS, &bits))
        return -1;
    bits &= 0xF; /* a dynamic span has the next channels' above */
    return 1;
}

/* A channel of a card; openr2 opens one itself only so that it blocks. */
static int open_channel(const char *devices)
{
    char name[200];
    snprintf(name, sizeof name, "%s/channel", devices);
    int fd = open(name, O_RDWR | O_NONBLOCK);
    if (fd < 0 || ioctl(fd, SPECIFY, &channel)) {
        perror(name);
        exit(2);
    }
    return fd;
}

int main(int count, char **given)
{
    static openr2_event_interface_t events = {
        on_init, on_offered, on_accepted, on_answered, on_disconnect, on_end, on_read, on_alarm, on_os_error, on_error,
        on_blocked, on_idle, on_log, on_digit, on_ani, on_pulse,
    };
    if (count != 6)
        return 2;
    setvbuf(stdout, NULL, _IOLBF, 0);
    channel = atoi(given[2]);
    mode = given[3];
    int calls = !strcmp(mode, "call") || !strcmp(mode, "stay");
    int on_card = !access(given[1], X_OK); /* a folder */
    if (!on_card) {
        signalling = join(given[1], 'c');
        audio = join(given[1], 'b');
    }
    openr2_context_t *context = openr2_context_new(NULL, &events, NULL, OR2_VAR_CHINA, calls ? 0 : atoi(given[4]),
                                                   calls ? 0 : atoi(given[5]));
    if (getenv("OPENR2_TRACE"))
        openr2_context_set_log_level(context, OR2_LOG_CAS_TRACE | OR2_LOG_MF_TRACE | OR2_LOG_ERROR | OR2_LOG_WARNING);
    int fd = on_card ? open_channel(given[1]) : audio;
    openr2_chan_t *chan = openr2_chan_new_from_fd(context, fd, NULL, NULL);
    if (!chan) {
        tell("failed", openr2_context_error_string(openr2_context_get_last_error(context)));
        return 1;
    }
    openr2_chan_set_idle(chan);
    openr2_chan_enable_read(chan);
    for (int called = 0; now_ms < 60000;) {
        int frame = on_card ? wait_for_card(chan) : wait_for_simulator();
        if (frame < 0)
            return over ? 0 : 3;
        made_frame = 0;
        openr2_chan_process_event(chan);
        if (calls && !called && bits == 0xB && now_ms >= 200) {
            called = 1;
            openr2_chan_make_call(chan, given[4], given[5], OR2_CALLING_PARTY_CATEGORY_NATIONAL_SUBSCRIBER);
        }
        if (calls && hang_up_at && now_ms >= hang_up_at) {
            hang_up_at = 0;
            openr2_chan_disconnect_call(chan, OR2_CAUSE_NORMAL_CLEARING);
        }
        if (frame && !on_card) {
            if (!made_frame)
                memset(said, 0xD5, FRAME);
            send(audio, said, FRAME, 0);
        }
        if (over && ++over > 20)
            return 0;
    }
    return 4;
}
