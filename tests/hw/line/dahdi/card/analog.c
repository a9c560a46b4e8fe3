/* Signalling that goes with the channel: CAS bits as they are, and loop start with them as DAHDI does it on digital spans.
 * FXO signalling runs a telephone (an FXS port), FXS signalling a line (an FXO port).
 */
#include <errno.h>
#include "card.h"

enum { A = 8, B = 4 };
enum { KEWL_TIME = 500, AFTER_KEWL_TIME = 300, RING_DEBOUNCE = 2000, RING_TRAILER = 50 };

void default_times(struct channel *c)
{
    c->preflash = 50;
    c->flash = 750;
    c->rx_flash = 1250;
    c->debounce = 600;
}

static void set_hook(struct channel *c, enum tx tx, enum state state, int timer)
{
    static const int fxs[] = {[TX_ONHOOK] = 5, [TX_OFFHOOK] = 15, [TX_START] = 15, [TX_KEWL] = 0};
    static const int fxo[] = {[TX_ONHOOK] = 5, [TX_OFFHOOK] = 5, [TX_START] = 0, [TX_KEWL] = 15};
    c->tx_bits = c->sig == DAHDI_SIG_FXSKS ? fxs[tx] : c->sig == DAHDI_SIG_FXOKS ? fxo[tx] : 13;
    c->state = state;
    c->out_timer = timer;
}

void hang_up(struct channel *c)
{
    if (c->sig & DAHDI_SIG_CLEAR)
        return;
    c->kewl_on_hook = false;
    if (c->sig == DAHDI_SIG_FXSKS)
        c->ring_debounce = RING_DEBOUNCE;
    if (c->sig == DAHDI_SIG_CAS)
        c->tx_bits = c->idle_bits;
    else if (c->sig == DAHDI_SIG_FXOKS && c->state != ON_HOOK && !(c->rx_hook == RX_ONHOOK && c->in_timer <= 0))
        set_hook(c, TX_KEWL, KEWL, KEWL_TIME); /* the line's current is interrupted: the far end is told */
    else
        set_hook(c, TX_ONHOOK, ON_HOOK, 0);
}

int hook(struct channel *c, int what, bool nonblock)
{
    if (c->sig & DAHDI_SIG_CLEAR || c->sig == DAHDI_SIG_CAS)
        return -EINVAL;
    switch (what) {
    case DAHDI_ONHOOK:
        hang_up(c);
        return 0;
    case DAHDI_OFFHOOK:
        if (c->state == KEWL || c->state == AFTERKEWL)
            return -EBUSY;
        set_hook(c, TX_OFFHOOK, DEBOUNCE, c->debounce);
        return 0;
    case DAHDI_RING:
    case DAHDI_START:
        if (c->state != ON_HOOK)
            return -EBUSY;
        if (c->sig != DAHDI_SIG_FXOKS)
            return -EINVAL; /* ground start is not simulated */
        c->cadence_at = 0;
        set_hook(c, TX_START, RINGON, c->cadence[0]);
        return nonblock ? -EINPROGRESS : 0;
    case DAHDI_FLASH:
        if (c->state != OFF_HOOK)
            return -EBUSY;
        set_hook(c, TX_OFFHOOK, PREFLASH, c->preflash);
        return nonblock ? -EINPROGRESS : 0;
    case DAHDI_RINGOFF:
        set_hook(c, TX_ONHOOK, ON_HOOK, 0);
        return 0;
    default:
        return -EINVAL;
    }
}

static void next_of_cadence(struct channel *c, bool on)
{
    if (++c->cadence_at >= 16 || !c->cadence[c->cadence_at])
        c->cadence_at = 0;
    int ms = c->cadence[c->cadence_at];
    set_hook(c, on ? TX_START : TX_OFFHOOK, on ? RINGON : RINGOFF, ms);
    queue_event(c, on ? DAHDI_EVENT_RINGERON : DAHDI_EVENT_RINGEROFF);
}

static void out_timer(struct channel *c)
{
    switch (c->state) {
    case RINGON:
        next_of_cadence(c, false);
        break;
    case RINGOFF:
        next_of_cadence(c, true);
        break;
    case PREFLASH:
        set_hook(c, TX_ONHOOK, FLASH, c->flash);
        break;
    case FLASH:
        set_hook(c, TX_OFFHOOK, OFF_HOOK, 0);
        queue_event(c, DAHDI_EVENT_HOOKCOMPLETE);
        break;
    case DEBOUNCE:
        set_hook(c, TX_OFFHOOK, OFF_HOOK, 0);
        if (c->rx_hook == RX_ONHOOK)
            c->in_timer = c->rx_flash;
        break;
    case KEWL:
        set_hook(c, TX_ONHOOK, AFTERKEWL, AFTER_KEWL_TIME);
        queue_event(c, DAHDI_EVENT_HOOKCOMPLETE);
        break;
    case AFTERKEWL:
        if (c->kewl_on_hook)
            queue_event(c, DAHDI_EVENT_ONHOOK);
        c->state = ON_HOOK;
        c->told_off_hook = false;
        break;
    default:
        break;
    }
}

/* The far end of an FXO port's line: ringing, or its current. */
static void line_hook(struct channel *c, enum rx rx)
{
    if (rx == RX_RING && !c->ring_debounce)
        queue_event(c, DAHDI_EVENT_RINGBEGIN);
    if (rx == RX_ONHOOK && c->state == OFF_HOOK) {
        c->ring_debounce = RING_DEBOUNCE;
        c->ring_trailer = 0;
        queue_event(c, DAHDI_EVENT_ONHOOK);
    }
}

/* The telephone at an FXS port. */
static void telephone_hook(struct channel *c, enum rx rx)
{
    if (rx == RX_OFFHOOK) {
        c->kewl_on_hook = false;
        if (c->in_timer > 0)
            queue_event(c, DAHDI_EVENT_WINKFLASH);
        else if (!c->told_off_hook) {
            queue_event(c, DAHDI_EVENT_RINGOFFHOOK);
            c->told_off_hook = true;
        }
        c->in_timer = 0;
    } else {
        if (c->state != DEBOUNCE && c->state != KEWL && c->state != AFTERKEWL)
            c->in_timer = c->rx_flash;
        if (c->state == KEWL)
            c->kewl_on_hook = true;
    }
}

void hear_bits(struct channel *c, int bits)
{
    if (bits == c->rx_bits)
        return;
    c->rx_bits = bits;
    enum rx rx = bits & A ? RX_OFFHOOK : RX_ONHOOK;
    switch (c->sig) {
    case DAHDI_SIG_CAS:
        queue_event(c, DAHDI_EVENT_BITSCHANGED);
        return;
    case DAHDI_SIG_FXSKS:
        rx = !(bits & B) ? RX_RING : bits & A ? RX_ONHOOK : RX_OFFHOOK;
        if (rx != c->rx_hook)
            line_hook(c, rx);
        break;
    case DAHDI_SIG_FXOKS:
        if (rx != c->rx_hook)
            telephone_hook(c, rx);
        break;
    default:
        break;
    }
    c->rx_hook = rx;
}

/* One ms has passed. */
void hook_timers(struct channel *c)
{
    if (c->out_timer && !--c->out_timer)
        out_timer(c);
    if (c->in_timer && !--c->in_timer) {
        queue_event(c, DAHDI_EVENT_ONHOOK);
        c->told_off_hook = false;
    }
    if (c->ring_debounce)
        c->ring_debounce--;
    if (c->transfer_ms > 0)
        c->transfer_ms--;
    if (c->sig != DAHDI_SIG_FXSKS)
        return;
    if (c->rx_hook == RX_RING)
        c->ring_trailer = RING_TRAILER;
    else if (c->ring_trailer && !--c->ring_trailer && !c->ring_debounce)
        queue_event(c, DAHDI_EVENT_RINGOFFHOOK);
}
