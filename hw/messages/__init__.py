"""The words of the link between the control process and the line and phone processes.

A trunk call and a phone call look the same from here: a *leg* that is dialled, alerts, is answered and is cleared with
a Q.850 cause. Commands go down, events come up. Every name (leg, player, recorder) is chosen by the side that creates
the thing: the control process names legs it dials, the line and phone processes name the legs that come in. A leg's
audio is the *port* of the same name: trunk timeslots take their leg's name, RTP ports are opened under it.

Bad commands are never fatal: they are answered by a ``Fault`` that names the subject and the reason.
"""

from __future__ import annotations

from hw.messages.commands import (
    Accept,
    Alert,
    Answer,
    Block,
    CloseRtp,
    Dial,
    Flash,
    Hangup,
    Mix,
    Modify,
    OpenRtp,
    PauseRecord,
    Play,
    Proceed,
    Progress,
    Record,
    ReferResult,
    Restart,
    RestoreBindings,
    SendDigits,
    SendSms,
    SetAccounts,
    SetRtp,
    SetSipTrunks,
    SmsTaken,
    Stop,
    StopRecord,
)
from hw.messages.events import (
    Alerting,
    Answered,
    AuthFailed,
    Cleared,
    Digit,
    Fault,
    Incoming,
    LineState,
    MediaOffer,
    Played,
    Proceeding,
    Recorded,
    Refer,
    Refused,
    Registered,
    RtpLost,
    RtpOpened,
    RtpQuality,
    SmsFailed,
    SmsReceived,
    SmsReport,
    SmsSent,
    Snapshot,
    Stats,
    Unregistered,
)
from hw.messages.values import (
    Account,
    Binding,
    ChannelState,
    Codec,
    Direction,
    LegPhase,
    LegState,
    Media,
    PlayItem,
    SipTrunk,
)

__all__ = [
    "Accept",
    "Account",
    "Alert",
    "Alerting",
    "Answer",
    "Answered",
    "AuthFailed",
    "Binding",
    "Block",
    "ChannelState",
    "Cleared",
    "CloseRtp",
    "Codec",
    "Dial",
    "Digit",
    "Direction",
    "Fault",
    "Flash",
    "Hangup",
    "Incoming",
    "LegEvent",
    "LegPhase",
    "LegState",
    "LineCommand",
    "LineEvent",
    "LineState",
    "Media",
    "MediaOffer",
    "Message",
    "Mix",
    "Modify",
    "OpenRtp",
    "PauseRecord",
    "PhoneCommand",
    "PhoneEvent",
    "Play",
    "PlayItem",
    "Played",
    "Proceed",
    "Proceeding",
    "Progress",
    "Record",
    "Recorded",
    "Refer",
    "ReferResult",
    "Refused",
    "Registered",
    "Restart",
    "RestoreBindings",
    "RtpLost",
    "RtpOpened",
    "RtpQuality",
    "SendDigits",
    "SendSms",
    "SetAccounts",
    "SetRtp",
    "SetSipTrunks",
    "SipTrunk",
    "SmsFailed",
    "SmsReceived",
    "SmsReport",
    "SmsSent",
    "SmsTaken",
    "Snapshot",
    "Stats",
    "Stop",
    "StopRecord",
    "Unregistered",
]

LineCommand = (
    Dial | Proceed | Alert | Progress | Answer | Hangup | Flash | OpenRtp | SetRtp | CloseRtp | Mix | Play | Stop
    | Record | PauseRecord | StopRecord | SendDigits | Block | Restart | SendSms | SmsTaken
)
PhoneCommand = (
    SetAccounts | RestoreBindings | SetSipTrunks | Dial | Proceed | Alert | Progress | Answer | Hangup | Modify | Accept
    | ReferResult
)
LegEvent = Proceeding | Alerting | Progress | Answered | Cleared | Digit | Flash | MediaOffer | Refer
LineEvent = (
    Snapshot | Incoming | Proceeding | Alerting | Progress | Answered | Cleared | Digit | Flash | LineState | Refused
    | Fault | Stats | RtpOpened | RtpQuality | RtpLost | Played | Recorded | SmsSent | SmsFailed
    | SmsReport | SmsReceived
)
PhoneEvent = (
    Snapshot | Incoming | Proceeding | Alerting | Progress | Answered | Cleared | Digit | LineState | Fault | Stats
    | Registered | Unregistered | AuthFailed | MediaOffer | Refer
)
Message = LineCommand | PhoneCommand | LineEvent | PhoneEvent
