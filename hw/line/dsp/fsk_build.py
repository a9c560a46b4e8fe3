"""Builds ``hw.line.dsp._fsk``: spandsp's Bell 202 receiver (LGPL-2.1) on A-law octets, with the octets it carries."""

from __future__ import annotations

from cffi import FFI

ffibuilder = FFI()
ffibuilder.set_source(
    "hw.line.dsp._fsk",
    """
    #include <stdint.h>
    #include <stdlib.h>
    #include <string.h>
    #include <spandsp.h>

    #define FRAME 160
    #define MOST 8
    #define CUTOFF_DBM0 -38.0f

    typedef struct {
        fsk_rx_state_t *fsk;
        int carrier;
        int bits;               /* of the octet that is coming: 0 none, 1 its start bit, 2 to 9 its data */
        unsigned octet;
        int count;              /* octets that this frame has brought */
        uint8_t octets[MOST];
    } bell202_rx;

    /* Start bit 0, eight data bits with the lowest first, stop bit 1; an octet without its stop bit is none. */
    static void put_bit(void *user_data, int bit)
    {
        bell202_rx *rx = user_data;
        if (bit < 0) {
            if (bit == SIG_STATUS_CARRIER_UP || bit == SIG_STATUS_CARRIER_DOWN)
                rx->carrier = bit == SIG_STATUS_CARRIER_UP;
            rx->bits = 0;
        } else if (rx->bits == 0) {
            rx->bits = bit == 0;
            rx->octet = 0;
        } else if (rx->bits <= 8) {
            rx->octet |= (unsigned)bit << (rx->bits++ - 1);
        } else {
            if (bit == 1 && rx->count < MOST)
                rx->octets[rx->count++] = (uint8_t)rx->octet;
            rx->bits = 0;
        }
    }

    static void bell202_free(bell202_rx *rx)
    {
        if (rx != NULL && rx->fsk != NULL)
            fsk_rx_free(rx->fsk);
        free(rx);
    }

    /* NULL without memory. */
    static bell202_rx *bell202_new(void)
    {
        bell202_rx *rx = calloc(1, sizeof *rx);
        if (rx == NULL)
            return NULL;
        rx->fsk = fsk_rx_init(NULL, &preset_fsk_specs[FSK_BELL202], FSK_FRAME_MODE_ASYNC, put_bit, rx);
        if (rx->fsk == NULL) {
            free(rx);
            return NULL;
        }
        fsk_rx_signal_cutoff(rx->fsk, CUTOFF_DBM0);
        return rx;
    }

    /* Hear one frame; ``octets`` [MOST] takes what it brought. Returns how many, −1 for none and no carrier. */
    static int bell202_hear(bell202_rx *rx, const uint8_t *frame, uint8_t *octets)
    {
        int16_t pcm[FRAME];
        for (int i = 0; i < FRAME; i++)
            pcm[i] = alaw_to_linear(frame[i]);
        rx->count = 0;
        fsk_rx(rx->fsk, pcm, FRAME);
        memcpy(octets, rx->octets, rx->count);
        return rx->count || rx->carrier ? rx->count : -1;
    }
    """,
    libraries=["spandsp"],
)
ffibuilder.cdef(
    """
    typedef struct { ...; } bell202_rx;
    bell202_rx *bell202_new(void);
    void bell202_free(bell202_rx *rx);
    int bell202_hear(bell202_rx *rx, const uint8_t *frame, uint8_t *octets);
    #define MOST ...
    """
)

if __name__ == "__main__":
    ffibuilder.compile(verbose=True)
