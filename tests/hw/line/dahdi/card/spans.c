/* The machine's spans: what they are, system.conf, alarms, and the time that passes on their lines. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "card.h"

enum { DIGITAL = DAHDI_SIG_HDLCFCS | DAHDI_SIG_HARDHDLC | DAHDI_SIG_CAS | DAHDI_SIG_FXSKS | DAHDI_SIG_FXOKS };
enum { ALL_ONES = 0xFF, DEAF = DAHDI_ALARM_RED | DAHDI_ALARM_BLUE | DAHDI_ALARM_LOS | DAHDI_ALARM_LFA | DAHDI_ALARM_LMFA };

struct span spans[MAX_SPANS];
int span_count;
static bool has_zone;

/* "e1", or an analog card: "fxo4", "fxs8". */
void make_spans(int count, char **kinds)
{
    int number = 0;
    for (; span_count < count; span_count++) {
        struct span *s = &spans[span_count];
        s->number = span_count + 1;
        s->analog = strncmp(kinds[span_count], "e1", 2);
        s->fxo = !strncmp(kinds[span_count], "fxo", 3); /* an FXO port is run by FXS signalling */
        s->channels = s->analog ? atoi(kinds[span_count] + 3) : MAX_CHANNELS;
        s->plugged = true;
        for (int i = 0; i < s->channels; i++) {
            struct channel *c = &s->channel[i];
            *c = (struct channel){.number = ++number, .position = i + 1, .span = s, .tx_bits = 13, .rx_bits = 13};
            c->capabilities = s->analog ? s->fxo ? DAHDI_SIG_FXSKS : DAHDI_SIG_FXOKS : DIGITAL;
            c->law = s->analog ? DAHDI_LAW_MULAW : DAHDI_LAW_ALAW; /* as analog cards come */
            c->silence = s->analog ? 0xFF : 0xD5;
            c->far = &spans[span_count ^ 1].channel[i];
        }
    }
}

struct span *span_of(int number)
{
    return number > 0 && number <= span_count && spans[number - 1].plugged ? &spans[number - 1] : NULL;
}

struct channel *channel_of(int number)
{
    for (int i = 0; i < span_count; i++)
        for (int k = 0; k < spans[i].channels; k++)
            if (spans[i].channel[k].number == number && spans[i].plugged)
                return &spans[i].channel[k];
    return NULL;
}

/* -- system.conf --------------------------------------------------------------------------------------------------- */

static int configure_span(const char *value)
{
    int number, timing;
    if (sscanf(value, "%d,%d,", &number, &timing) != 2 || !span_of(number) || span_of(number)->analog)
        return -EINVAL;
    struct span *s = span_of(number);
    s->timing = timing;
    s->line_config = (strstr(value, ",ccs") ? DAHDI_CONFIG_CCS : 0) | (strstr(value, ",hdb3") ? DAHDI_CONFIG_HDB3 : 0) |
                     (strstr(value, ",crc4") ? DAHDI_CONFIG_CRC4 : 0);
    return 0;
}

static int configure_channels(int sig, const char *value)
{
    int bits = 0;
    const char *idle = strchr(value, ':');
    for (const char *bit = idle ? idle + 1 : ""; *bit == '0' || *bit == '1'; bit++)
        bits = bits << 1 | (*bit - '0');
    for (const char *range = value; range && *range && *range != ':';) {
        int first, last, used = 0;
        if (sscanf(range, "%d%n-%d%n", &first, &used, &last, &used) < 2)
            last = first;
        for (int number = first; number <= last; number++) {
            struct channel *c = channel_of(number);
            if (!c || (c->capabilities & sig) != sig)
                return -EINVAL;
            if (c->owner)
                return -EBUSY;
            c->sig = sig;
            c->idle_bits = bits;
            c->state = ON_HOOK;
            hang_up(c);
        }
        range = used && range[used] == ',' ? range + used + 1 : NULL;
    }
    return 0;
}

static int configure_line(const char *key, const char *value)
{
    static const struct {
        const char *key;
        int sig;
    } kinds[] = {{"bchan", DAHDI_SIG_CLEAR}, {"dchan", DAHDI_SIG_HDLCFCS}, {"hardhdlc", DAHDI_SIG_HARDHDLC},
                 {"cas", DAHDI_SIG_CAS}, {"fxsks", DAHDI_SIG_FXSKS}, {"fxoks", DAHDI_SIG_FXOKS}};
    if (!strcmp(key, "span"))
        return configure_span(value);
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(key, kinds[i].key))
            return configure_channels(kinds[i].sig, value);
    if (!strcmp(key, "loadzone") || !strcmp(key, "defaultzone"))
        has_zone = true;
    else if (strcmp(key, "echocanceller"))
        return -EINVAL;
    return 0;
}

/* As dahdi_cfg does, line by line; what it cannot do is an error, and the lines before stay. */
int configure(const char *system_conf)
{
    char line[256], key[32], value[200];
    for (const char *at = system_conf; *at; at += strcspn(at, "\n"), at += *at == '\n') {
        snprintf(line, sizeof line, "%.*s", (int)strcspn(at, "\n"), at);
        if (line[0] == '#' || !line[0])
            continue;
        int error = sscanf(line, "%31[a-z0-9]=%199s", key, value) == 2 ? configure_line(key, value) : -EINVAL;
        if (error) {
            fprintf(stderr, "system.conf: %s: %s\n", line, strerror(-error));
            return error;
        }
    }
    return has_zone ? 0 : -ENODATA; /* the core rings no telephone without one */
}

/* -- alarms -------------------------------------------------------------------------------------------------------- */

int set_alarms(struct span *s, int alarms)
{
    bool changed = !alarms != !s->alarms;
    s->alarms = alarms;
    for (int i = 0; changed && i < s->channels; i++)
        channel_alarm(&s->channel[i], alarms);
    return 0;
}

/* Pull a card out or put it back, without its configuration. main.c tells the files that were open. */
int plug(struct span *s, bool in)
{
    s->plugged = in;
    for (int i = 0; i < s->channels; i++) {
        struct channel *c = &s->channel[i];
        close_channel(c);
        c->sig = DAHDI_SIG_NONE;
        c->tx_bits = 13;
        c->alarms = 0;
    }
    s->line_config = s->alarms = 0;
    return set_alarms(&spans[(s->number - 1) ^ 1], in ? 0 : DAHDI_ALARM_RED);
}

/* -- time ---------------------------------------------------------------------------------------------------------- */

static bool hears(const struct span *s)
{
    return s->plugged && spans[(s->number - 1) ^ 1].plugged && !(s->alarms & DEAF);
}

static void pass_one(struct span *a, struct span *b)
{
    unsigned char from_a[CHUNK], from_b[CHUNK], nothing[CHUNK];
    memset(nothing, ALL_ONES, CHUNK);
    for (int i = 0; i < a->channels && i < b->channels; i++) {
        struct channel *left = &a->channel[i], *right = &b->channel[i];
        transmit(left, from_a);
        transmit(right, from_b);
        receive(left, hears(a) ? from_b : nothing);
        receive(right, hears(b) ? from_a : nothing);
        if (hears(a))
            hear_bits(left, right->tx_bits);
        if (hears(b))
            hear_bits(right, left->tx_bits);
        hook_timers(left);
        hook_timers(right);
    }
}

void pass(int ms)
{
    while (ms-- > 0)
        for (int i = 0; i + 1 < span_count; i += 2)
            pass_one(&spans[i], &spans[i + 1]);
}

/* -- what is told -------------------------------------------------------------------------------------------------- */

void span_info(const struct span *s, struct dahdi_spaninfo *info)
{
    *info = (struct dahdi_spaninfo){
        .spanno = s->number, .alarms = s->alarms, .bpvcount = s->errors[0], .crc4count = s->errors[1],
        .ebitcount = s->errors[2], .fascount = s->errors[3], .syncsrc = s->timing ? s->number : 0,
        .totalchans = s->channels, .totalspans = span_count, .lineconfig = s->line_config,
        .manufacturer = "OneCall", .devicetype = "simulated card",
    };
    for (int i = 0; i < s->channels; i++)
        info->numchans += s->channel[i].sig != DAHDI_SIG_NONE;
    snprintf(info->name, sizeof info->name, "SIM/%d", s->number);
    snprintf(info->desc, sizeof info->desc, "Simulated %s, span %d", s->analog ? "analog card" : "E1", s->number);
    snprintf(info->spantype, sizeof info->spantype, "%s", s->analog ? "ANALO" : "E1"); /* as the core cuts it off */
}

void channel_params(const struct channel *c, struct dahdi_params *params)
{
    bool bits = !(c->sig & DAHDI_SIG_CLEAR);
    *params = (struct dahdi_params){
        .channo = c->number, .spanno = c->span->number, .chanpos = c->position, .sigtype = c->sig,
        .sigcap = c->capabilities, .rxbits = bits ? c->rx_bits : -1,
        .txbits = bits ? c->tx_bits : -1, .rxhooksig = bits ? (int)c->rx_hook : -1, .curlaw = c->law,
        .rxisoffhook = c->sig == DAHDI_SIG_CAS ? c->rx_bits != c->idle_bits : bits && c->rx_hook != RX_ONHOOK,
        .idlebits = bits ? c->idle_bits : 0, .chan_alarms = (unsigned)c->alarms, .preflashtime = c->preflash,
        .flashtime = c->flash, .rxflashtime = c->rx_flash, .debouncetime = c->debounce,
    };
    snprintf(params->name, sizeof params->name, "SIM/%d/%d", c->span->number, c->position);
}
