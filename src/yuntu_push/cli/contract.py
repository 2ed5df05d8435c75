"""The shape of every command's `data` in the envelope: what scripts may rely on.

`yuntu-push schema COMMAND` prints these as JSON Schema, and tests hold real answers against them.
Ids are strings, times ISO 8601 with offset, paths absolute.
"""

from yuntu_push.cli.contract_setup import (
    AccountsData,
    AuthStatus,
    AuthStatusData,
    ChannelData,
    ChannelRemovedData,
    ChannelsData,
    ChecksData,
    ConfigCheckData,
    ConfigData,
    DemoData,
    DiffData,
    ExplanationData,
    GuideData,
    InitData,
    LoginData,
    LogoutData,
    MovedData,
    QuotasData,
    RejectsData,
    ScheduleData,
)
from yuntu_push.cli.contract_work import (
    PushData,
    PushesData,
    SegmentData,
    SegmentsData,
)

# What each command answers; several where its arguments decide which.
ANSWERS: dict[str, tuple[type, ...]] = {
    "init": (InitData,),
    "guide": (GuideData,),
    "demo": (DemoData,),
    "doctor": (ChecksData,),
    "quota": (QuotasData,),
    "explain": (ExplanationData,),
    "config show": (ConfigData,),
    "config check": (ConfigCheckData,),
    "channel add": (ChannelData,),
    "channel show": (ChannelData,),
    "channel list": (ChannelsData,),
    "channel set-secret": (ChannelData,),
    "channel remove": (ChannelRemovedData,),
    "auth login": (LoginData,),
    "auth status": (AuthStatusData,),
    "auth refresh": (AuthStatus,),
    "auth logout": (LogoutData,),
    "auth move": (MovedData,),
    "accounts list": (AccountsData,),
    "accounts refresh": (AccountsData,),
    "segment build": (SegmentData,),
    "segment show": (SegmentData,),
    "segment verify": (SegmentData,),
    "segment combine": (SegmentData,),
    "segment list": (SegmentsData,),
    "segment remove": (SegmentsData,),
    "segment rejects": (RejectsData,),
    "segment diff": (DiffData,),
    "push create": (PushData,),
    "push status": (PushData, PushesData),
    "push show": (PushData,),
    "push list": (PushesData,),
    "push resume": (PushData, PushesData),
    "push cancel": (PushData,),
    "push copy": (PushData,),
    "push confirm": (PushData,),
    "schedule print": (ScheduleData,),
}
# These print their own output, without the envelope.
BARE = frozenset({"sandbox serve", "schema", "completion", "config path"})
