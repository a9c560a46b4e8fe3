/* A machine's trunk cards as DAHDI's core has them, in virtual time: spans in pairs joined by a cable (1 to 2, 3 to 4),
 * their channels, and what goes over from one to the other. main.c shows them to other processes as /dev/dahdi.
 *
 * The behaviour is that of dahdi-base.c 2.11: buffers, events, alarms, hook states and their times. Errors are negative
 * errnos, times are ms, octets are what is on the line.
 */
#ifndef CARD_H
#define CARD_H

#include <stdbool.h>
#include "user.h"

enum { CHUNK = 8, MAX_SPANS = 4, MAX_CHANNELS = 31, EVENTS = 64, MAX_BUFFERS = 64 };

/* Whole buffers in order; the one behind the last is being filled (receive), the first being emptied (transmit). */
struct queue {
    unsigned char *data;
    int filled[MAX_BUFFERS], count, size, head, used, at;
};

/* State of the signalling that a channel sends, and what it last heard (analog.c). */
enum tx { TX_ONHOOK, TX_OFFHOOK, TX_START, TX_KEWL };
enum state { ON_HOOK, OFF_HOOK, RINGON, RINGOFF, PREFLASH, FLASH, DEBOUNCE, KEWL, AFTERKEWL };
enum rx { RX_ONHOOK, RX_OFFHOOK, RX_RING };

struct channel {
    int number, position, capabilities, sig, idle_bits;
    struct span *span;
    struct channel *far;
    void *owner; /* the open file, if any */
    struct queue rx, tx;
    int events[EVENTS], event_head, event_count;
    bool audio, looped;
    unsigned char rx_gain[256], tx_gain[256], heard[CHUNK];
    int law, silence, corrupt, slip, alarms;
    int tx_bits, rx_bits;
    enum state state;
    enum rx rx_hook;
    int preflash, flash, rx_flash, debounce; /* times that SET_PARAMS sets */
    int out_timer, in_timer, ring_debounce, ring_trailer, cadence_at, cadence[16], polarity, transfer_ms;
    bool told_off_hook, kewl_on_hook;
};

struct span {
    int number, channels, alarms, timing, line_config, errors[4];
    bool analog, fxo, plugged;
    struct channel channel[MAX_CHANNELS];
};

extern struct span spans[MAX_SPANS];
extern int span_count;

/* Something that a reader or a poll may wait for has come. */
void wake(struct channel *c);

/* spans.c */
void make_spans(int count, char **kinds);
struct span *span_of(int number);
struct channel *channel_of(int number);
int configure(const char *system_conf);
int set_alarms(struct span *s, int alarms);
int plug(struct span *s, bool in);
void pass(int ms);
void span_info(const struct span *s, struct dahdi_spaninfo *info);
void channel_params(const struct channel *c, struct dahdi_params *params);

/* channel.c */
void queue_event(struct channel *c, int event);
int take_event(struct channel *c);
int open_channel(struct channel *c, void *owner);
void close_channel(struct channel *c);
int set_buffers(struct channel *c, int count, int size);
void flush(struct channel *c, int what);
void channel_alarm(struct channel *c, int alarms);
int read_channel(struct channel *c, unsigned char *into, int size);
int write_channel(struct channel *c, const unsigned char *from, int size);
void transmit(struct channel *c, unsigned char *chunk);
void receive(struct channel *c, const unsigned char *chunk);
int channel_ioctl(struct channel *c, unsigned request, void *argument, bool nonblock);

/* analog.c: and CAS */
int hook(struct channel *c, int what, bool nonblock);
void hang_up(struct channel *c);
void default_times(struct channel *c);
void hear_bits(struct channel *c, int bits);
void hook_timers(struct channel *c);

#endif
