/* What the simulated card needs of dahdi/user.h, under its names. A test compares each number with that header where
 * it is installed; the machine of tests/dahdi has it.
 */
#ifndef CARD_USER_H
#define CARD_USER_H

#include <linux/ioctl.h>

#define DAHDI_CODE 0xDA

struct dahdi_params {
    int channo, spanno, chanpos, sigtype, sigcap, rxisoffhook, rxbits, txbits, txhooksig, rxhooksig, curlaw, idlebits;
    char name[40];
    int prewinktime, preflashtime, winktime, flashtime, starttime, rxwinktime, rxflashtime, debouncetime;
    int pulsebreaktime, pulsemaketime, pulseaftertime;
    unsigned int chan_alarms;
};

struct dahdi_spaninfo {
    int spanno;
    char name[20], desc[40];
    int alarms, txlevel, rxlevel, bpvcount, crc4count, ebitcount, fascount;
    unsigned int fecount, cvcount, becount, prbs, errsec;
    int irqmisses, syncsrc, numchans, totalchans, totalspans, lbo, lineconfig;
    char lboname[40], location[40], manufacturer[40], devicetype[40];
    int irq, linecompat;
    char spantype[6];
} __attribute__((packed));

struct dahdi_bufferinfo {
    int txbufpolicy, rxbufpolicy, numbufs, bufsize, readbufs, writebufs;
};

struct dahdi_gains {
    int chan;
    unsigned char rxgain[256], txgain[256];
};

struct dahdi_attach_echocan {
    int chan;
    char echocan[16];
};

struct dahdi_ring_cadence {
    int ringcadence[16];
};

struct dahdi_versioninfo {
    char version[80], echo_canceller[80];
};

#define DAHDI_FLUSH _IOW(DAHDI_CODE, 3, int)
#define DAHDI_GET_PARAMS _IOWR(DAHDI_CODE, 5, struct dahdi_params)
#define DAHDI_SET_PARAMS _IOW(DAHDI_CODE, 5, struct dahdi_params)
#define DAHDI_HOOK _IOW(DAHDI_CODE, 7, int)
#define DAHDI_GETEVENT _IOR(DAHDI_CODE, 8, int)
#define DAHDI_IOMUX _IOWR(DAHDI_CODE, 9, int)
#define DAHDI_SPANSTAT _IOWR(DAHDI_CODE, 10, struct dahdi_spaninfo)
#define DAHDI_SETGAINS _IOW(DAHDI_CODE, 16, struct dahdi_gains)
#define DAHDI_GET_BUFINFO _IOR(DAHDI_CODE, 27, struct dahdi_bufferinfo)
#define DAHDI_SET_BUFINFO _IOW(DAHDI_CODE, 27, struct dahdi_bufferinfo)
#define DAHDI_AUDIOMODE _IOW(DAHDI_CODE, 32, int)
#define DAHDI_ECHOCANCEL _IOW(DAHDI_CODE, 33, int)
#define DAHDI_CHANNO _IOR(DAHDI_CODE, 34, int)
#define DAHDI_SPECIFY _IOW(DAHDI_CODE, 38, int)
#define DAHDI_SETLAW _IOW(DAHDI_CODE, 39, int)
#define DAHDI_SETLINEAR _IOW(DAHDI_CODE, 40, int)
#define DAHDI_SETCADENCE _IOW(DAHDI_CODE, 42, struct dahdi_ring_cadence)
#define DAHDI_GETRXBITS _IOR(DAHDI_CODE, 43, int)
#define DAHDI_SETTXBITS _IOW(DAHDI_CODE, 43, int)
#define DAHDI_TIMERCONFIG _IOW(DAHDI_CODE, 47, int)
#define DAHDI_TIMERACK _IOW(DAHDI_CODE, 48, int)
#define DAHDI_ONHOOKTRANSFER _IOW(DAHDI_CODE, 51, int)
#define DAHDI_GETVERSION _IOR(DAHDI_CODE, 57, struct dahdi_versioninfo)
#define DAHDI_LOOPBACK _IOW(DAHDI_CODE, 58, int)
#define DAHDI_ATTACH_ECHOCAN _IOW(DAHDI_CODE, 59, struct dahdi_attach_echocan)
#define DAHDI_SETPOLARITY _IOW(DAHDI_CODE, 92, int)

#define ELAST 500
#define DAHDI_MAX_BLOCKSIZE 8192
#define DAHDI_MAX_BUF_SPACE 32768

#define DAHDI_LAW_MULAW 1
#define DAHDI_LAW_ALAW 2
#define DAHDI_FLUSH_READ 1
#define DAHDI_FLUSH_WRITE 2
#define DAHDI_FLUSH_EVENT 4
#define DAHDI_IOMUX_READ 1
#define DAHDI_IOMUX_WRITE 2
#define DAHDI_IOMUX_WRITEEMPTY 4
#define DAHDI_IOMUX_SIGEVENT 8

#define DAHDI_SIG_NONE 0
#define DAHDI_SIG_FXSKS ((1 << 2) | (1 << 13))
#define DAHDI_SIG_FXOKS ((1 << 5) | (1 << 12))
#define DAHDI_SIG_CLEAR (1 << 7)
#define DAHDI_SIG_HDLCFCS ((1 << 9) | (1 << 8) | (1 << 7))
#define DAHDI_SIG_CAS (1 << 15)
#define DAHDI_SIG_HARDHDLC ((1 << 19) | (1 << 7))

#define DAHDI_CONFIG_CCS (1 << 8)
#define DAHDI_CONFIG_HDB3 (1 << 9)
#define DAHDI_CONFIG_CRC4 (1 << 10)

#define DAHDI_ALARM_RED (1 << 3)
#define DAHDI_ALARM_BLUE (1 << 4)
#define DAHDI_ALARM_NOTOPEN (1 << 5)
#define DAHDI_ALARM_LOS (1 << 8)
#define DAHDI_ALARM_LFA (1 << 9)
#define DAHDI_ALARM_LMFA (1 << 10)

#define DAHDI_ONHOOK 0
#define DAHDI_OFFHOOK 1
#define DAHDI_FLASH 3
#define DAHDI_START 4
#define DAHDI_RING 5
#define DAHDI_RINGOFF 6

#define DAHDI_EVENT_NONE 0
#define DAHDI_EVENT_ONHOOK 1
#define DAHDI_EVENT_RINGOFFHOOK 2
#define DAHDI_EVENT_WINKFLASH 3
#define DAHDI_EVENT_ALARM 4
#define DAHDI_EVENT_NOALARM 5
#define DAHDI_EVENT_OVERRUN 7
#define DAHDI_EVENT_BADFCS 8
#define DAHDI_EVENT_RINGERON 10
#define DAHDI_EVENT_RINGEROFF 11
#define DAHDI_EVENT_HOOKCOMPLETE 12
#define DAHDI_EVENT_BITSCHANGED 13
#define DAHDI_EVENT_POLARITY 17
#define DAHDI_EVENT_RINGBEGIN 18
#define DAHDI_EVENT_REMOVED 20

#endif
