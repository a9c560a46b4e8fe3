"""Builds ``hw.line.signalling._libpri``: the part of libpri (Q.921 and Q.931, GPL-2) that the D channel engine uses.

Only what is read is declared; the compiler fills in sizes and offsets, so that any libpri 1.4 ABI fits.
"""

from __future__ import annotations

from cffi import FFI

ffibuilder = FFI()
ffibuilder.set_source(
    "hw.line.signalling._libpri",
    """
    #include <sys/time.h>
    #include <libpri.h>
    """,
    libraries=["pri"],
)
ffibuilder.cdef(
    """
    #define PRI_NETWORK ...
    #define PRI_CPE ...
    #define PRI_SWITCH_EUROISDN_E1 ...
    #define PRI_TRANS_CAP_3_1K_AUDIO ...
    #define PRI_LAYER_1_ALAW ...
    #define PRI_UNKNOWN ...
    #define PRI_NATIONAL_ISDN ...
    #define PRI_INTERNATIONAL_ISDN ...
    #define PRI_TON_NATIONAL ...
    #define PRI_TON_INTERNATIONAL ...
    #define PRI_PRES_RESTRICTION ...
    #define PRI_PROG_INBAND_AVAILABLE ...

    #define PRES_ALLOWED_USER_NUMBER_NOT_SCREENED ...
    #define PRES_ALLOWED_NETWORK_NUMBER ...
    #define PRES_PROHIB_NETWORK_NUMBER ...
    #define PRES_PROHIB_USER_NUMBER_NOT_SCREENED ...

    #define PRI_EVENT_DCHAN_UP ...
    #define PRI_EVENT_DCHAN_DOWN ...
    #define PRI_EVENT_RESTART ...
    #define PRI_EVENT_RING ...
    #define PRI_EVENT_HANGUP ...
    #define PRI_EVENT_RINGING ...
    #define PRI_EVENT_ANSWER ...
    #define PRI_EVENT_HANGUP_ACK ...
    #define PRI_EVENT_RESTART_ACK ...
    #define PRI_EVENT_INFO_RECEIVED ...
    #define PRI_EVENT_PROCEEDING ...
    #define PRI_EVENT_SETUP_ACK ...
    #define PRI_EVENT_HANGUP_REQ ...
    #define PRI_EVENT_PROGRESS ...
    #define PRI_EVENT_KEYPAD_DIGIT ...

    enum PRI_TIMERS_AND_COUNTERS {
        PRI_TIMER_T200, PRI_TIMER_T203, PRI_TIMER_T303, PRI_TIMER_T305, PRI_TIMER_T308, PRI_TIMER_T309,
        PRI_TIMER_T313, ...
    };

    struct timeval { long tv_sec; long tv_usec; ...; };
    struct pri;
    struct pri_sr;
    typedef struct q931_call q931_call;

    typedef struct { int channel; ...; } pri_event_restart;
    typedef struct { int channel; int progressmask; q931_call *call; ...; } pri_event_ringing;
    typedef struct { int channel; q931_call *call; ...; } pri_event_answer;
    typedef struct {
        int channel; int callingpres; int callingplan; char callingnum[...]; char callingname[...]; int calledplan;
        char callednum[...]; int flexible; int complete; q931_call *call; ...;
    } pri_event_ring;
    typedef struct { int channel; int cause; q931_call *call; ...; } pri_event_hangup;
    typedef struct { int channel; ...; } pri_event_restart_ack;
    typedef struct { int channel; int progressmask; int cause; q931_call *call; ...; } pri_event_proceeding;
    typedef struct { int channel; q931_call *call; ...; } pri_event_setup_ack;
    typedef struct { int channel; q931_call *call; char digits[...]; ...; } pri_event_keypad_digit;
    typedef union {
        int e;
        pri_event_restart restart;
        pri_event_ring ring;
        pri_event_hangup hangup;
        pri_event_ringing ringing;
        pri_event_answer answer;
        pri_event_restart_ack restartack;
        pri_event_proceeding proceeding;
        pri_event_setup_ack setup_ack;
        pri_event_keypad_digit digit;
        ...;
    } pri_event;

    typedef int (*pri_io_cb)(struct pri *pri, void *buf, int buflen);
    struct pri *pri_new_cb(int fd, int node, int switchtype, pri_io_cb io_read, pri_io_cb io_write, void *userdata);
    void *pri_get_userdata(struct pri *pri);
    void pri_set_message(void (*message)(struct pri *pri, char *text));
    void pri_set_error(void (*error)(struct pri *pri, char *text));
    void pri_set_overlapdial(struct pri *pri, int state);
    void pri_hangup_fix_enable(struct pri *pri, int enable);
    int pri_set_timer(struct pri *pri, int timer, int value);
    char *pri_event2str(int id);

    pri_event *pri_check_event(struct pri *pri);
    pri_event *pri_schedule_run(struct pri *pri);
    struct timeval *pri_schedule_next(struct pri *pri);

    q931_call *pri_new_call(struct pri *pri);
    void pri_destroycall(struct pri *pri, q931_call *call);
    int pri_get_crv(struct pri *pri, q931_call *call, int *callmode);
    struct pri_sr *pri_sr_new(void);
    void pri_sr_free(struct pri_sr *sr);
    int pri_sr_set_channel(struct pri_sr *sr, int channel, int exclusive, int nonisdn);
    int pri_sr_set_bearer(struct pri_sr *sr, int transmode, int userl1);
    int pri_sr_set_called(struct pri_sr *sr, char *called, int calledplan, int complete);
    int pri_sr_set_caller(struct pri_sr *sr, char *caller, char *callername, int callerplan, int callerpres);
    int pri_setup(struct pri *pri, q931_call *call, struct pri_sr *req);

    int pri_setup_ack(struct pri *pri, q931_call *call, int channel, int nonisdn, int inband);
    int pri_information(struct pri *pri, q931_call *call, char digit);
    int pri_proceeding(struct pri *pri, q931_call *call, int channel, int info);
    int pri_acknowledge(struct pri *pri, q931_call *call, int channel, int info);
    int pri_progress(struct pri *pri, q931_call *call, int channel, int info);
    int pri_answer(struct pri *pri, q931_call *call, int channel, int nonisdn);
    int pri_hangup(struct pri *pri, q931_call *call, int cause);
    int pri_reset(struct pri *pri, int channel);

    extern "Python" int on_read(struct pri *, void *, int);
    extern "Python" int on_write(struct pri *, void *, int);
    extern "Python" void on_message(struct pri *, char *);
    extern "Python" void on_error(struct pri *, char *);
    """
)

if __name__ == "__main__":
    ffibuilder.compile(verbose=True)
