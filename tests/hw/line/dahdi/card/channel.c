/* One channel: its buffers, its events, and what a program may ask of it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "card.h"

enum { FCS = 2 };

void queue_event(struct channel *c, int event)
{
    if (c->event_count == EVENTS - 1)
        return;
    c->events[(c->event_head + c->event_count++) % EVENTS] = event;
    wake(c);
}

int take_event(struct channel *c)
{
    if (!c->event_count)
        return DAHDI_EVENT_NONE;
    int event = c->events[c->event_head];
    c->event_head = (c->event_head + 1) % EVENTS;
    c->event_count--;
    return event;
}

static bool is_hdlc(const struct channel *c)
{
    return c->sig == DAHDI_SIG_HDLCFCS || c->sig == DAHDI_SIG_HARDHDLC;
}

static unsigned char *buffer(struct queue *q, int index)
{
    return q->data + (q->head + index) % q->count * q->size;
}

static int *filled(struct queue *q, int index)
{
    return &q->filled[(q->head + index) % q->count];
}

static void drop_first(struct queue *q)
{
    q->head = (q->head + 1) % q->count;
    q->used--;
}

static int make_queue(struct queue *q, int count, int size)
{
    unsigned char *data = realloc(q->data, (size_t)count * size);
    if (!data)
        return -ENOMEM;
    *q = (struct queue){.data = data, .count = count, .size = size};
    return 0;
}

int set_buffers(struct channel *c, int count, int size)
{
    if (size < 16 || size > DAHDI_MAX_BLOCKSIZE || size * count > DAHDI_MAX_BUF_SPACE)
        return -EINVAL;
    if (count < 2 || count > MAX_BUFFERS)
        return -EINVAL;
    int error = make_queue(&c->rx, count, size);
    return error ? error : make_queue(&c->tx, count, size);
}

void flush(struct channel *c, int what)
{
    if (what & DAHDI_FLUSH_READ)
        c->rx.used = c->rx.at = 0;
    if (what & DAHDI_FLUSH_WRITE)
        c->tx.used = c->tx.at = 0;
    if (what & DAHDI_FLUSH_EVENT)
        c->event_count = 0;
}

void channel_alarm(struct channel *c, int alarms)
{
    if (alarms != c->alarms)
        queue_event(c, alarms ? DAHDI_EVENT_ALARM : DAHDI_EVENT_NOALARM);
    c->alarms = alarms;
}

int open_channel(struct channel *c, void *owner)
{
    if (!c->sig || !c->span->plugged)
        return -ENXIO;
    if (c->owner)
        return -EBUSY;
    int error = set_buffers(c, 2, 1024);
    if (error)
        return error;
    for (int octet = 0; octet < 256; octet++)
        c->rx_gain[octet] = c->tx_gain[octet] = (unsigned char)octet;
    memset(c->cadence, 0, sizeof c->cadence);
    c->cadence[0] = 1000, c->cadence[1] = 4000; /* zone cn */
    default_times(c);
    c->event_count = 0;
    c->owner = owner;
    c->audio = !(c->sig & DAHDI_SIG_CLEAR);
    c->polarity = c->transfer_ms = 0;
    hang_up(c);
    return 0;
}

void close_channel(struct channel *c)
{
    c->owner = NULL;
    c->looped = false;
    c->event_count = 0;
    flush(c, DAHDI_FLUSH_READ | DAHDI_FLUSH_WRITE);
    hang_up(c);
}

int read_channel(struct channel *c, unsigned char *into, int size)
{
    if (c->event_count)
        return -ELAST;
    if (!c->rx.used)
        return -EAGAIN;
    int there = *filled(&c->rx, 0);
    memcpy(into, buffer(&c->rx, 0), there < size ? there : size);
    drop_first(&c->rx);
    return there < size ? there : size;
}

static unsigned fcs(const unsigned char *octets, int size) /* ITU-T Q.921 §2.7 */
{
    unsigned crc = 0xFFFF;
    while (size--) {
        crc ^= *octets++;
        for (int bit = 0; bit < 8; bit++)
            crc = crc & 1 ? crc >> 1 ^ 0x8408 : crc >> 1;
    }
    return crc ^ 0xFFFF;
}

int write_channel(struct channel *c, const unsigned char *from, int size)
{
    if (c->event_count)
        return -ELAST;
    if (c->tx.used == c->tx.count)
        return -EAGAIN;
    int taken = size < c->tx.size ? size : c->tx.size;
    unsigned char *into = buffer(&c->tx, c->tx.used);
    memcpy(into, from, taken);
    if (is_hdlc(c) && taken > FCS) {
        unsigned check = fcs(into, taken - FCS);
        into[taken - 2] = (unsigned char)check;
        into[taken - 1] = (unsigned char)(check >> 8);
    }
    *filled(&c->tx, c->tx.used++) = taken;
    return taken;
}

/* A whole frame has come. */
static void receive_frame(struct channel *c, const unsigned char *frame, int size)
{
    if (!is_hdlc(c) || !c->owner || c->rx.used == c->rx.count || size <= FCS)
        return;
    if (size > c->rx.size) {
        queue_event(c, DAHDI_EVENT_OVERRUN);
        return;
    }
    unsigned char *into = buffer(&c->rx, c->rx.used);
    memcpy(into, frame, size);
    if (c->corrupt) {
        c->corrupt--;
        into[0] ^= 1;
    }
    if (fcs(into, size - FCS) != (into[size - 2] | (unsigned)into[size - 1] << 8)) {
        queue_event(c, DAHDI_EVENT_BADFCS);
        return;
    }
    *filled(&c->rx, c->rx.used++) = size;
    wake(c);
}

/* Eight octets of a line that has HDLC on it: bits are not stuffed here, a frame takes as long as its octets do. */
static void transmit_hdlc(struct channel *c, bool heard)
{
    for (int left = CHUNK; left && c->tx.used;) {
        int size = *filled(&c->tx, 0);
        int sent = size - c->tx.at < left ? size - c->tx.at : left;
        c->tx.at += sent;
        left -= sent;
        if (c->tx.at == size) {
            c->tx.at = 0;
            if (heard)
                receive_frame(c->far, buffer(&c->tx, 0), size);
            drop_first(&c->tx);
            wake(c);
        }
    }
}

void transmit(struct channel *c, unsigned char *chunk)
{
    memset(chunk, c->silence, CHUNK);
    if (is_hdlc(c)) {
        memset(chunk, 0x7E, CHUNK); /* flags */
        transmit_hdlc(c, c->far->span->plugged && !c->far->span->alarms);
        return;
    }
    for (int made = 0; made < CHUNK && c->tx.used;) {
        int size = *filled(&c->tx, 0);
        int some = size - c->tx.at < CHUNK - made ? size - c->tx.at : CHUNK - made;
        for (int i = 0; i < some; i++)
            chunk[made++] = c->tx_gain[buffer(&c->tx, 0)[c->tx.at++]];
        if (c->tx.at == size) {
            c->tx.at = 0;
            drop_first(&c->tx);
            wake(c);
        }
    }
    if (c->looped)
        memcpy(chunk, c->heard, CHUNK);
    /* A telephone on hook is fed no speech, unless it is told to be for caller ID. */
    if (c->sig == DAHDI_SIG_FXOKS && c->span->analog && c->state == ON_HOOK && !c->transfer_ms)
        memset(chunk, c->silence, CHUNK);
}

static void receive_octet(struct channel *c, unsigned char octet)
{
    if (c->rx.used == c->rx.count)
        return; /* nobody reads */
    buffer(&c->rx, c->rx.used)[c->rx.at++] = c->rx_gain[octet];
    if (c->rx.at == c->rx.size) {
        *filled(&c->rx, c->rx.used++) = c->rx.size;
        c->rx.at = 0;
        wake(c);
    }
}

void receive(struct channel *c, const unsigned char *chunk)
{
    memcpy(c->heard, chunk, CHUNK);
    if (is_hdlc(c) || !c->owner)
        return;
    for (int i = 0; i < CHUNK; i++) {
        if (c->slip > 0) { /* the clocks slip: an octet is lost */
            c->slip--;
            continue;
        }
        for (; c->slip < 0; c->slip++) /* or is there twice */
            receive_octet(c, chunk[i]);
        receive_octet(c, chunk[i]);
    }
}

static int iomux(const struct channel *c, int wanted)
{
    int there = (c->rx.used ? DAHDI_IOMUX_READ : 0) | (c->tx.used < c->tx.count ? DAHDI_IOMUX_WRITE : 0) |
                (c->tx.used ? 0 : DAHDI_IOMUX_WRITEEMPTY) | (c->event_count ? DAHDI_IOMUX_SIGEVENT : 0);
    return wanted & there;
}

static int set_gains(struct channel *c, const struct dahdi_gains *gains)
{
    if (!c->audio || (gains->chan && gains->chan != c->number))
        return -EINVAL;
    memcpy(c->rx_gain, gains->rxgain, sizeof c->rx_gain);
    memcpy(c->tx_gain, gains->txgain, sizeof c->tx_gain);
    return 0;
}

static int set_times(struct channel *c, const struct dahdi_params *params)
{
    c->preflash = params->preflashtime;
    c->flash = params->flashtime;
    c->rx_flash = params->rxflashtime;
    c->debounce = params->debouncetime;
    return 0;
}

static int set_polarity(struct channel *c, int polarity)
{
    if (!c->span->analog || c->sig != DAHDI_SIG_FXOKS)
        return -ENOTTY;
    if (polarity != c->polarity && c->far->sig == DAHDI_SIG_FXSKS)
        queue_event(c->far, DAHDI_EVENT_POLARITY);
    c->polarity = polarity;
    return 0;
}

int channel_ioctl(struct channel *c, unsigned request, void *argument, bool nonblock)
{
    int *value = argument;
    struct dahdi_bufferinfo *buffers = argument;
    switch (request) {
    case DAHDI_GETEVENT:
        *value = take_event(c);
        return 0;
    case DAHDI_IOMUX:
        *value = iomux(c, *value);
        return 0;
    case DAHDI_SET_BUFINFO:
        return set_buffers(c, buffers->numbufs, buffers->bufsize);
    case DAHDI_GET_BUFINFO: /* the core does not tell how many are full (dahdi_chanandpseudo_ioctl: "FIXME") */
        *buffers = (struct dahdi_bufferinfo){.numbufs = c->rx.count, .bufsize = c->rx.size, .readbufs = -1, .writebufs = -1};
        return 0;
    case DAHDI_FLUSH:
        flush(c, *value);
        return 0;
    case DAHDI_CHANNO:
        *value = c->number;
        return 0;
    case DAHDI_SETLAW:
        return *value < 0 || *value > DAHDI_LAW_ALAW ? -EINVAL : 0;
    case DAHDI_SETLINEAR:
        return !c->audio || *value ? -EINVAL : 0;
    case DAHDI_AUDIOMODE:
        if (c->sig != DAHDI_SIG_CLEAR)
            return -EINVAL;
        c->audio = *value;
        return 0;
    case DAHDI_SETGAINS:
        return set_gains(c, argument);
    case DAHDI_ECHOCANCEL:
        return c->audio ? 0 : -EINVAL;
    case DAHDI_LOOPBACK:
        c->looped = *value;
        return 0;
    case DAHDI_SETTXBITS:
        if (c->sig != DAHDI_SIG_CAS)
            return -EINVAL;
        c->tx_bits = *value & 15;
        return 0;
    case DAHDI_GETRXBITS:
        *value = c->rx_bits;
        return 0;
    case DAHDI_SET_PARAMS:
        return set_times(c, argument);
    case DAHDI_HOOK:
        return hook(c, *value, nonblock);
    case DAHDI_SETCADENCE:
        memcpy(c->cadence, argument, sizeof c->cadence);
        return 0;
    case DAHDI_SETPOLARITY:
        return set_polarity(c, *value);
    case DAHDI_ONHOOKTRANSFER:
        if (!c->span->analog || c->sig != DAHDI_SIG_FXOKS)
            return -ENOTTY;
        c->transfer_ms = *value;
        return 0;
    default:
        return -ENOTTY;
    }
}
