/* Jitter buffer of one RTP stream: a ring of octets addressed by RTP timestamp.
 *
 * A packet is copied to its place, each tick takes FRAME octets from the play position. The *lead* of a packet is how
 * many samples before its turn it came. The delay adapts in whole frames: one is inserted when packets come late, one
 * is skipped when the latest packet of five seconds still had more than SLACK to spare; both wait for a quiet frame
 * where they can.
 */
#define FRAME 160               /* samples in a tick: 20 ms */
#define RING 4096               /* samples: 512 ms; a power of two that divides 2^32 */
#define TARGET 320              /* lead of the first packet: 40 ms */
#define SLACK 320               /* lead that the latest packet may keep: 40 ms */
#define TIGHT 40                /* lead under which a frame is inserted before packets are late: 5 ms */
#define DELAY_MAX 1600          /* longest lead: 200 ms */
#define WINDOW 50               /* ticks over which the least lead is taken: 1 s */
#define WINDOWS 5               /* windows that must agree before a frame is skipped */
#define PATIENCE 25             /* ticks to wait for a quiet frame */
#define CONCEAL 3               /* lost frames in a row worth concealing, then silence */
#define STALL 50                /* lost frames in a row after which the next packet starts afresh */

enum { FRAME_HEARD = 0, FRAME_LOST = 1, FRAME_SILENT = 2 };

struct jitter {
    int running, urgent, want, waited, missing, ticks, windows;
    uint32_t play;              /* timestamp of the next sample to be played */
    uint32_t first;             /* timestamp of the packet that began it: before there is nothing to miss */
    int32_t least, least_long;  /* least lead in this window, in the windows since the last change */
    uint64_t late, concealed, inserted, skipped, restarts;
    uint8_t octets[RING], valid[RING];
};

static void jitter_reset(struct jitter *j)
{
    j->running = j->urgent = j->want = j->waited = j->missing = 0;
    memset(j->valid, 0, RING);
}

static void jitter_measure_again(struct jitter *j)
{
    j->least = j->least_long = INT32_MAX;
    j->ticks = j->windows = 0;
}

static void jitter_start(struct jitter *j, uint32_t timestamp)
{
    jitter_reset(j);
    jitter_measure_again(j);
    j->restarts++;
    j->running = 1;
    j->first = timestamp;
    j->play = timestamp - TARGET;
}

/* Put n octets in their place. Returns 0 when they came twice or too late. */
static int jitter_put(struct jitter *j, uint32_t timestamp, const uint8_t *octets, int n)
{
    int32_t lead = (int32_t)(timestamp - j->play);
    int i;

    if (!j->running || lead < -DELAY_MAX || lead > RING - n) {
        jitter_start(j, timestamp);
        lead = TARGET;
    }
    if (lead < j->least)
        j->least = lead;
    if (lead < 0) {
        j->late++;
        j->urgent = 1;
        return 0;
    }
    if (j->valid[timestamp % RING])
        return 0;
    for (i = 0; i < n; i++) {
        j->octets[(timestamp + i) % RING] = octets[i];
        j->valid[(timestamp + i) % RING] = 1;
    }
    return 1;
}

/* Once a window: does the delay fit what was seen? want is +1 to insert a frame, -1 to skip one. */
static void jitter_review(struct jitter *j)
{
    if (++j->ticks < WINDOW)
        return;
    j->ticks = 0;
    if (j->least == INT32_MAX)
        return;
    if (j->least < j->least_long)
        j->least_long = j->least;
    if (j->least > DELAY_MAX)
        j->want = -1, j->waited = PATIENCE;
    else if (j->least < TIGHT)
        j->want = 1;
    else if (++j->windows >= WINDOWS) {
        j->want = j->least_long > SLACK ? -1 : 0;
        j->windows = 0;
        j->least_long = INT32_MAX;
    }
    j->least = INT32_MAX;
}

/* Whether a frame is quiet enough (about -30 dBm0) to be doubled or left out unheard. */
static int jitter_quiet(const uint8_t *frame, int mulaw)
{
    int i, sum = 0;

    for (i = 0; i < FRAME; i++)
        sum += (mulaw ? ~frame[i] : frame[i] ^ 0x55) & 0x7F;
    return sum < FRAME * 0x28;
}

/* Take FRAME octets from the play position into frame; what is missing is silence. Returns how many were there. */
static int jitter_take(struct jitter *j, uint8_t *frame, uint8_t silence)
{
    int i, found = 0;

    for (i = 0; i < FRAME; i++) {
        uint32_t at = (j->play + i) % RING;
        frame[i] = j->valid[at] ? j->octets[at] : silence;
        found += j->valid[at];
        j->valid[at] = 0;
    }
    j->play += FRAME;
    return found;
}

/* The frame of this tick; FRAME_LOST asks for concealment. */
static int jitter_get(struct jitter *j, uint8_t *frame, int mulaw)
{
    uint8_t silence = mulaw ? 0xFF : 0xD5;
    int found;

    if (!j->running) {
        memset(frame, silence, FRAME);
        return FRAME_SILENT;
    }
    jitter_review(j);
    if (j->urgent || (j->want > 0 && j->waited >= PATIENCE)) {
        j->urgent = j->want = j->waited = 0;
        j->inserted++;
        jitter_measure_again(j);
        memset(frame, silence, FRAME);
        return FRAME_LOST;
    }
    found = jitter_take(j, frame, silence);
    if (j->want && found == FRAME) {
        int quiet = jitter_quiet(frame, mulaw);
        if (j->want > 0 && quiet)
            j->waited = PATIENCE;       /* the next tick doubles this frame */
        else if (j->want < 0 && (quiet || j->waited >= PATIENCE)) {
            found = jitter_take(j, frame, silence);
            j->want = j->waited = 0;
            j->skipped++;
            jitter_measure_again(j);
        } else
            j->waited++;
    }
    if (found) {
        j->missing = 0;
        return FRAME_HEARD;
    }
    if ((int32_t)(j->play - j->first) <= 0)
        return FRAME_SILENT;
    if (++j->missing > CONCEAL) {
        if (j->missing >= STALL)
            jitter_reset(j);
        return FRAME_SILENT;
    }
    j->concealed++;
    return FRAME_LOST;
}
