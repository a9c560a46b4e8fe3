"""Lines that are run over a serial port: voice modems (ITU-T V.253) and GSM modules (3GPP TS 27.007, TS 27.005)."""
