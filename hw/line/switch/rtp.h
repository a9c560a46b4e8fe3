/* RTP input and output of all streams, one call a tick for each (RFC 3550, RFC 3551, RFC 4733). Read by cffi too. */

struct rtp_counters {
    uint64_t source;            /* from an address that SDP did not name */
    uint64_t early;             /* before the far end's media was known */
    uint64_t direction;         /* while the far end should not send */
    uint64_t malformed;         /* no RTP version 2, or shorter than its header says */
    uint64_t payload;           /* of a payload type that was not agreed */
    uint64_t duplicate;         /* second copies */
    uint64_t unsent;            /* refused by the system */
    uint64_t late, concealed, inserted, skipped, restarts;      /* of the jitter buffers */
};

struct rtp_figures {
    uint32_t ssrc, remote_ssrc, timestamp, highest;
    uint32_t sent, octets, received, expected, late;
    uint32_t latched_ip;        /* network order */
    uint16_t latched_port;
    double jitter;              /* samples, RFC 3550 A.8 */
    int64_t heard_us;           /* when the last packet was taken, on the caller's clock; 0 before the first */
};

/* A telephone event that came (RFC 4733 2.3): one for each packet, copies included. */
struct rtp_event { int32_t slot; uint32_t timestamp; uint8_t event, end; uint16_t duration; };

/* A telephone event to send in this tick instead of audio; copies 0 for none. */
struct rtp_tone { uint8_t event, first, end, copies; uint16_t duration; };

struct rtp_remote {
    uint32_t ip;                /* network order */
    uint32_t source;            /* where its signalling came from, network order; ip again when that is no other */
    uint16_t port;              /* host order */
    uint8_t mulaw, sends, receives;
    uint8_t payload, payload_alaw, payload_mulaw, payload_event, payload_event_own;     /* 255: none */
};

struct rtp;

struct rtp *rtp_new(int slots, const uint8_t *alaw_to_mulaw, const uint8_t *mulaw_to_alaw);
void rtp_free(struct rtp *r);
int rtp_add(struct rtp *r, int slot, int fd, uint32_t ssrc, uint16_t sequence, uint32_t timestamp);
void rtp_set(struct rtp *r, int slot, const struct rtp_remote *remote);
void rtp_remove(struct rtp *r, int slot);
int rtp_receive(struct rtp *r, int64_t now_us, struct rtp_event *events, int room);
void rtp_play(struct rtp *r, int slots, uint8_t *frames, uint8_t *states);
int rtp_send(struct rtp *r, int slots, const uint8_t *frames, const struct rtp_tone *tones);
void rtp_figures(struct rtp *r, int slot, struct rtp_figures *figures);
void rtp_counters(struct rtp *r, struct rtp_counters *counters);

int clock_open(int64_t period_ns);
