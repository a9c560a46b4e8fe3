/* One system call reads all the packets that a stream has, one sends its packet; nothing here blocks or allocates after
 * rtp_new. Descriptors belong to the caller. Every packet that is not taken is counted. */

#define BATCH 8                 /* packets of one stream in one system call */
#define PACKET 1500
#define NONE 255
#define RELATCH_US 1000000      /* another source port is believed once the old one was silent for so long */

struct stream {
    int used, fd, known, heard;
    struct rtp_remote remote;
    uint32_t to_ip;
    uint16_t to_port, sequence;
    uint32_t ssrc, timestamp, event_timestamp, sent, octets;
    uint8_t marker;
    uint32_t remote_ssrc, base, cycles, received;
    uint16_t highest;
    double jitter;
    int64_t transit, heard_us;
    struct jitter buffer;
};

struct rtp {
    int slots, epoll;
    const uint8_t *alaw_to_mulaw, *mulaw_to_alaw;
    struct rtp_counters counters;
    struct mmsghdr messages[BATCH];
    struct iovec vectors[BATCH];
    struct sockaddr_in sources[BATCH];
    uint8_t packets[BATCH][PACKET];
    uint8_t control[BATCH][CMSG_SPACE(sizeof(struct timespec))];
    struct stream streams[];
};

struct rtp *rtp_new(int slots, const uint8_t *alaw_to_mulaw, const uint8_t *mulaw_to_alaw)
{
    struct rtp *r = calloc(1, sizeof *r + slots * sizeof(struct stream));

    if (!r)
        return NULL;
    r->slots = slots;
    r->alaw_to_mulaw = alaw_to_mulaw;
    r->mulaw_to_alaw = mulaw_to_alaw;
    r->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (r->epoll < 0) {
        free(r);
        return NULL;
    }
    return r;
}

void rtp_free(struct rtp *r)
{
    close(r->epoll);
    free(r);
}

int rtp_add(struct rtp *r, int slot, int fd, uint32_t ssrc, uint16_t sequence, uint32_t timestamp)
{
    struct stream *s = &r->streams[slot];
    struct epoll_event event = { .events = EPOLLIN, .data = { .u32 = slot } };
    int on = 1;

    memset(s, 0, sizeof *s);
    if (setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) || epoll_ctl(r->epoll, EPOLL_CTL_ADD, fd, &event))
        return -errno;
    s->used = 1;
    s->fd = fd;
    s->ssrc = ssrc;
    s->sequence = sequence;
    s->timestamp = timestamp;
    s->marker = 0x80;
    return 0;
}

void rtp_set(struct rtp *r, int slot, const struct rtp_remote *remote)
{
    struct stream *s = &r->streams[slot];

    if (!s->known || s->remote.ip != remote->ip || s->remote.port != remote->port)
        s->to_ip = remote->ip, s->to_port = remote->port, s->heard = 0;
    if (s->known && s->remote.mulaw != remote->mulaw)
        jitter_reset(&s->buffer);
    s->remote = *remote;
    s->known = 1;
}

void rtp_remove(struct rtp *r, int slot)
{
    struct stream *s = &r->streams[slot];

    r->counters.late += s->buffer.late;
    r->counters.concealed += s->buffer.concealed;
    r->counters.inserted += s->buffer.inserted;
    r->counters.skipped += s->buffer.skipped;
    r->counters.restarts += s->buffer.restarts;
    epoll_ctl(r->epoll, EPOLL_CTL_DEL, s->fd, NULL);
    s->used = s->known = 0;
}

static uint32_t get32(const uint8_t *p) { return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3]; }
static uint16_t get16(const uint8_t *p) { return p[0] << 8 | p[1]; }
static void put32(uint8_t *p, uint32_t v) { p[0] = v >> 24; p[1] = v >> 16; p[2] = v >> 8; p[3] = v; }
static void put16(uint8_t *p, uint16_t v) { p[0] = v >> 8; p[1] = v; }

/* Where the payload begins and ends (RFC 3550 5.1). Returns its length, negative for what is no RTP. */
static int payload_of(const uint8_t *p, int n, int *offset)
{
    int at = 12, padding = 0;

    if (n < 12 || p[0] >> 6 != 2)
        return -1;
    at += 4 * (p[0] & 15);
    if (p[0] & 0x10) {
        if (n < at + 4)
            return -1;
        at += 4 + 4 * get16(p + at + 2);
    }
    if (p[0] & 0x20)
        padding = n > at ? p[n - 1] : 0;
    *offset = at;
    return n - at - padding;
}

/*
 * Only the address that SDP named is heard, and the one that the signalling came from: behind a NAT that is the only
 * true one. The port may be another one too. What is heard first is answered.
 */
static int source_fits(struct stream *s, const struct sockaddr_in *from, int64_t now_us)
{
    uint32_t ip = from->sin_addr.s_addr;
    uint16_t port = ntohs(from->sin_port);

    if (ip != s->remote.ip && ip != s->remote.source)
        return 0;
    if (ip != s->to_ip || port != s->to_port) {
        if (s->heard && now_us - s->heard_us < RELATCH_US)
            return 0;
        s->to_ip = ip;
        s->to_port = port;
    }
    return 1;
}

/* Sequence numbers and jitter (RFC 3550 A.1, A.8); arrival_us by the system's time stamp of the packet. */
static void account(struct stream *s, uint32_t ssrc, uint16_t sequence, uint32_t timestamp, int64_t arrival_us)
{
    int64_t transit = arrival_us * 8 / 1000 - timestamp, change = transit - s->transit;
    uint16_t ahead = sequence - s->highest;

    if (!s->received || ssrc != s->remote_ssrc || (ahead > 3000 && ahead < 65436)) {
        if (ssrc != s->remote_ssrc)
            jitter_reset(&s->buffer);
        s->remote_ssrc = ssrc;
        s->base = s->highest = sequence;
        s->cycles = s->received = 0;
        s->jitter = 0;
    } else {
        if (ahead < 3000) {
            s->cycles += sequence < s->highest;
            s->highest = sequence;
        }
        if (change > -8000 && change < 8000)
            s->jitter += ((change < 0 ? -change : change) - s->jitter) / 16;
    }
    s->transit = transit;
    s->received++;
}

static int take_event(struct rtp_event *event, int slot, uint32_t timestamp, const uint8_t *p, int n)
{
    if (n < 4)
        return 0;
    event->slot = slot;
    event->timestamp = timestamp;
    event->event = p[0];
    event->end = p[1] >> 7;
    event->duration = get16(p + 2);
    return 1;
}

static void take_audio(struct rtp *r, struct stream *s, uint32_t timestamp, uint8_t *p, int n, int mulaw)
{
    int i;

    if (mulaw != s->remote.mulaw)
        for (i = 0; i < n; i++)
            p[i] = (mulaw ? r->mulaw_to_alaw : r->alaw_to_mulaw)[p[i]];
    if (!jitter_put(&s->buffer, timestamp, p, n))
        r->counters.duplicate += (int32_t)(timestamp - s->buffer.play) >= 0;
}

/* One packet. Returns 1 when it was a telephone event and event is filled. */
static int take(struct rtp *r, int slot, uint8_t *p, int n, const struct sockaddr_in *from, int64_t now_us,
                int64_t arrival_us, struct rtp_event *event)
{
    struct stream *s = &r->streams[slot];
    int offset, length, type;
    uint32_t timestamp;

    if (!s->known)
        return r->counters.early++, 0;
    if (!source_fits(s, from, now_us))
        return r->counters.source++, 0;
    length = payload_of(p, n, &offset);
    if (length <= 0 || length > RING / 2)
        return r->counters.malformed++, 0;
    if (!s->remote.receives)
        return r->counters.direction++, 0;
    type = p[1] & 0x7F;
    timestamp = get32(p + 4);
    s->heard = 1;
    s->heard_us = now_us;
    account(s, get32(p + 8), get16(p + 2), timestamp, arrival_us);
    if (type == s->remote.payload_event || type == s->remote.payload_event_own)
        return take_event(event, slot, timestamp, p + offset, length);
    if (type == s->remote.payload_alaw || type == s->remote.payload_mulaw)
        take_audio(r, s, timestamp, p + offset, length, type == s->remote.payload_mulaw);
    else
        r->counters.payload++;
    return 0;
}

static int64_t arrival_us(struct msghdr *message)
{
    struct cmsghdr *c = CMSG_FIRSTHDR(message);
    struct timespec t;

    if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_TIMESTAMPNS)
        memcpy(&t, CMSG_DATA(c), sizeof t);
    else
        clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int receive_batch(struct rtp *r, int fd)
{
    int i;

    for (i = 0; i < BATCH; i++) {
        r->vectors[i] = (struct iovec){ r->packets[i], PACKET };
        r->messages[i].msg_hdr = (struct msghdr){ .msg_name = &r->sources[i], .msg_namelen = sizeof r->sources[i],
            .msg_iov = &r->vectors[i], .msg_iovlen = 1, .msg_control = r->control[i],
            .msg_controllen = sizeof r->control[i] };
    }
    return recvmmsg(fd, r->messages, BATCH, MSG_DONTWAIT, NULL);
}

/* Read every packet that has come. Returns how many telephone events were put into events (room for them all or the
 * rest is left in the sockets for the next call). */
int rtp_receive(struct rtp *r, int64_t now_us, struct rtp_event *events, int room)
{
    struct epoll_event ready[256];
    int found = 0, n, i, k, got;

    n = epoll_wait(r->epoll, ready, 256, 0);
    while (n > 0) {
        for (i = 0; i < n; i++) {
            int slot = ready[i].data.u32;
            if (found + BATCH > room)
                return found;
            got = receive_batch(r, r->streams[slot].fd);
            for (k = 0; k < got; k++)
                found += take(r, slot, r->packets[k], r->messages[k].msg_len, &r->sources[k], now_us,
                              arrival_us(&r->messages[k].msg_hdr), &events[found]);
        }
        if (n < 256)            /* what else has come meanwhile is for the next tick */
            break;
        n = epoll_wait(r->epoll, ready, 256, 0);
    }
    return found;
}

/* The frame of this tick for slots 0 to slots-1; states as jitter_get says. */
void rtp_play(struct rtp *r, int slots, uint8_t *frames, uint8_t *states)
{
    int i;

    for (i = 0; i < slots; i++) {
        struct stream *s = &r->streams[i];
        if (s->used)
            states[i] = jitter_get(&s->buffer, frames + i * FRAME, s->remote.mulaw);
        else
            memset(frames + i * FRAME, 0xD5, FRAME), states[i] = FRAME_SILENT;
    }
}

static void send_packet(struct rtp *r, struct stream *s, int type, uint32_t timestamp, const uint8_t *payload, int n)
{
    struct sockaddr_in to = { .sin_family = AF_INET, .sin_addr = { s->to_ip }, .sin_port = htons(s->to_port) };
    uint8_t packet[12 + FRAME];

    packet[0] = 0x80;
    packet[1] = type | s->marker;
    put16(packet + 2, s->sequence++);
    put32(packet + 4, timestamp);
    put32(packet + 8, s->ssrc);
    memcpy(packet + 12, payload, n);
    s->marker = 0;
    if (sendto(s->fd, packet, 12 + n, MSG_DONTWAIT, (struct sockaddr *)&to, sizeof to) < 0)
        r->counters.unsent++;
    else
        s->sent++, s->octets += n;
}

static void send_tone(struct rtp *r, struct stream *s, const struct rtp_tone *tone)
{
    uint8_t payload[4] = { tone->event, tone->end ? 0x80 | 10 : 10 };   /* volume -10 dBm0 */
    int i;

    if (tone->first) {
        s->event_timestamp = s->timestamp;
        s->marker = 0x80;
    }
    put16(payload + 2, tone->duration);
    for (i = 0; i < tone->copies; i++)
        send_packet(r, s, s->remote.payload_event, s->event_timestamp, payload, 4);
}

/* Send one frame, or the tone in its place, on every stream whose far end wants some. Returns how many streams sent. */
int rtp_send(struct rtp *r, int slots, const uint8_t *frames, const struct rtp_tone *tones)
{
    int i, count = 0;

    for (i = 0; i < slots; i++) {
        struct stream *s = &r->streams[i];
        if (!s->used)
            continue;
        if (s->known && s->remote.sends) {
            if (tones[i].copies)
                send_tone(r, s, &tones[i]);
            else
                send_packet(r, s, s->remote.payload, s->timestamp, frames + i * FRAME, FRAME);
            count++;
        } else
            s->marker = 0x80;
        s->timestamp += FRAME;
    }
    return count;
}

void rtp_figures(struct rtp *r, int slot, struct rtp_figures *f)
{
    struct stream *s = &r->streams[slot];

    f->ssrc = s->ssrc;
    f->remote_ssrc = s->remote_ssrc;
    f->timestamp = s->timestamp;
    f->highest = s->cycles << 16 | s->highest;
    f->sent = s->sent;
    f->octets = s->octets;
    f->received = s->received;
    f->expected = s->received ? f->highest - s->base + 1 : 0;
    f->late = s->buffer.late;
    f->latched_ip = s->to_ip;
    f->latched_port = s->to_port;
    f->jitter = s->jitter;
    f->heard_us = s->heard_us;
}

void rtp_counters(struct rtp *r, struct rtp_counters *c)
{
    int i;

    *c = r->counters;
    for (i = 0; i < r->slots; i++)
        if (r->streams[i].used) {
            const struct jitter *j = &r->streams[i].buffer;
            c->late += j->late;
            c->concealed += j->concealed;
            c->inserted += j->inserted;
            c->skipped += j->skipped;
            c->restarts += j->restarts;
        }
}

/* A timer descriptor on CLOCK_MONOTONIC that becomes readable every period_ns; negative errno when refused. */
int clock_open(int64_t period_ns)
{
    struct timespec period = { period_ns / 1000000000, period_ns % 1000000000 };
    struct itimerspec setting = { period, period };
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);

    if (fd < 0 || timerfd_settime(fd, 0, &setting, NULL))
        return -errno;
    return fd;
}
