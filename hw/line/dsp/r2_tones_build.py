"""Builds ``hw.line.dsp._r2_tones``: spandsp's MFC-R2 tones (LGPL-2.1) on A-law octets."""

from __future__ import annotations

from cffi import FFI

ffibuilder = FFI()
ffibuilder.set_source(
    "hw.line.dsp._r2_tones",
    """
    #include <stdint.h>
    #include <spandsp.h>

    #define FRAME 160

    /* Hear one frame; the signal that is there at its end as spandsp's character, 0 for none. */
    static int r2_hear(r2_mf_rx_state_t *rx, const uint8_t *octets)
    {
        int16_t pcm[FRAME];
        for (int i = 0; i < FRAME; i++)
            pcm[i] = alaw_to_linear(octets[i]);
        r2_mf_rx(rx, pcm, FRAME);
        return r2_mf_rx_get(rx);
    }

    /* One frame of the signal that was put last. */
    static void r2_say(r2_mf_tx_state_t *tx, uint8_t *octets)
    {
        int16_t pcm[FRAME];
        int made = r2_mf_tx(tx, pcm, FRAME);
        for (int i = 0; i < FRAME; i++)
            octets[i] = linear_to_alaw(i < made ? pcm[i] : 0);
    }
    """,
    libraries=["spandsp"],
)
ffibuilder.cdef(
    """
    typedef struct r2_mf_tx_state_s r2_mf_tx_state_t;
    typedef struct r2_mf_rx_state_s r2_mf_rx_state_t;
    r2_mf_tx_state_t *r2_mf_tx_init(r2_mf_tx_state_t *s, int fwd);
    int r2_mf_tx_put(r2_mf_tx_state_t *s, char digit);
    int r2_mf_tx_free(r2_mf_tx_state_t *s);
    r2_mf_rx_state_t *r2_mf_rx_init(r2_mf_rx_state_t *s, int fwd, void *callback, void *user_data);
    int r2_mf_rx_free(r2_mf_rx_state_t *s);
    int r2_hear(r2_mf_rx_state_t *rx, const uint8_t *octets);
    void r2_say(r2_mf_tx_state_t *tx, uint8_t *octets);
    """
)

if __name__ == "__main__":
    ffibuilder.compile(verbose=True)
