"""What Meta's refusals mean, in one table: what becomes of the post, and what a person does.

One row for each row of Meta's "Error Codes" (Instagram Platform, read 2026-06) and "Handling
Errors" (Graph API), and for the undocumented subcodes that others have met in containers.
None of this decides about ``media_publish``: after that call only 200 with an id is a success,
and everything else is asked after, never concluded (pipeline/reconcile.py).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from mediawatch.errors import Handling

#: Seconds that an account rests after Meta blocked it, at the least.
BLOCKED_FOR = 86400.0
#: New containers in place of failed ones, where Meta's pages give no number.
REBUILDS = 3


class Remedy(StrEnum):
    """Who mends it, and how."""

    RETRY = "retry"  # Meta, by itself
    WAIT = "wait"  # time
    REBUILD = "rebuild"  # mediawatch, with a new container
    FIX_FILE = "fix file"  # the owner: the file, or what goes with it
    FIX_HOSTING = "fix hosting"  # Meta by itself, or else the owner: the way to the upload
    RECONNECT = "reconnect"  # the owner: the account's token or its permissions
    HOLD = "hold"  # nobody knows: a person looks
    STOP = "stop"  # Instagram restrains the account: no post of it is tried


class Scope(StrEnum):
    """Whose calls a limit is about."""

    APP = "app"
    PAGE = "page"
    ACCOUNT = "account"


_HANDLINGS = {
    Remedy.RETRY: Handling.RETRY,
    Remedy.WAIT: Handling.WAIT,
    Remedy.REBUILD: Handling.RETRY,
    Remedy.FIX_FILE: Handling.HOLD,
    Remedy.FIX_HOSTING: Handling.RETRY,
    Remedy.RECONNECT: Handling.PARK,
    Remedy.HOLD: Handling.HOLD,
    Remedy.STOP: Handling.PARK,
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What becomes of a post that met this error.

    ``remedy``: what a person does next. ``tries``: at most so many in all; None: as many as the
    settings allow. ``pause``: seconds between tries at the most. ``retry_after``: seconds to
    wait, or that the account rests. ``scope``: whose calls must pause.
    """

    code: str
    kind: Remedy
    remedy: str
    tries: int | None = None
    pause: float | None = None
    retry_after: float | None = None
    scope: Scope | None = None

    @property
    def handling(self) -> Handling:
        """The same in the words of the whole house."""
        return _HANDLINGS[self.kind]

    @property
    def stops_account(self) -> bool:
        """Whether every post of the account would meet the same."""
        return self.kind in {Remedy.RECONNECT, Remedy.STOP}

    @property
    def rebuilds(self) -> int:
        """How many new containers may be made where a container itself ended so."""
        if self.stops_account or self.kind in {Remedy.FIX_FILE, Remedy.HOLD}:
            return 0
        return REBUILDS if self.tries is None else self.tries - 1


def _retry(remedy: str, tries: int | None = None) -> Verdict:
    return Verdict("meta-busy", Remedy.RETRY, remedy, tries=tries)


def _limit(scope: Scope, whose: str) -> Verdict:
    return Verdict(
        "rate-limit",
        Remedy.WAIT,
        f"Nothing to do: {whose} made too many calls, and mediawatch goes on by itself. If it "
        "happens often, look for other programs that use the same app.",
        retry_after=900.0,
        scope=scope,
    )


def _rebuild(remedy: str, tries: int | None = None, pause: float | None = None) -> Verdict:
    return Verdict("container-lost", Remedy.REBUILD, remedy, tries=tries, pause=pause)


def _token(remedy: str) -> Verdict:
    return Verdict("token", Remedy.RECONNECT, remedy)


def _permission(remedy: str) -> Verdict:
    return Verdict("permission", Remedy.RECONNECT, f"{remedy} {_THEN_RETRY}")


def _hosting(remedy: str) -> Verdict:
    return Verdict("not-fetchable", Remedy.FIX_HOSTING, remedy, tries=3, pause=60.0)


def _picture(remedy: str) -> Verdict:
    return Verdict("picture-refused", Remedy.FIX_FILE, remedy)


def _video(remedy: str) -> Verdict:
    return Verdict("video-refused", Remedy.FIX_FILE, remedy)


def _words(remedy: str) -> Verdict:
    return Verdict("caption", Remedy.FIX_FILE, remedy)


def _post(remedy: str) -> Verdict:
    return Verdict("post-refused", Remedy.FIX_FILE, remedy)


def _refused(remedy: str) -> Verdict:
    return Verdict("refused", Remedy.HOLD, remedy)


_THEN_RETRY = "Then `mediawatch posts retry --all`; mediawatch goes on with what waits."
_NEW_TOKEN = (
    "Make a new access token for the account, put it where the old one lies (`mediawatch config "
    "show` tells), and restart mediawatch; it goes on with what waits."
)
_LOOK = "Look at `mediawatch posts show`; then `mediawatch posts retry`."
_REPORT = "This is a mistake of mediawatch: please report it with the log."
_BY_ITSELF = "Nothing to do: mediawatch makes a new container by itself."
_SHAPE = "Open the picture, save it as a plain JPEG, and put it back into the folder."
_TRANSCODE = "Save the video as MP4 (H.264, AAC) within Instagram's limits, and put it back."
_TAGS = "Mend the product tags of the post and put the file back."

BUSY = _retry("Nothing to do: Meta is unwell, and mediawatch tries again by itself.")
RATE = _limit(Scope.APP, "the app")
PERMISSION = _permission(
    "Give the app the permission to publish for this account (instagram_content_publish, or "
    "instagram_business_content_publish) and pass App Review if it asks for it."
)
REFUSED = _refused(_LOOK)
#: A subcode that nobody has told of: one new container, then a person.
UNKNOWN_SUBCODE = replace(REFUSED, kind=Remedy.REBUILD, tries=2)

_BLOCKED = Verdict(
    "account-blocked",
    Remedy.STOP,
    "Open Instagram with this account, look at Account Status, and post less for a while; "
    "mediawatch goes on by itself after a day.",
    retry_after=BLOCKED_FOR,
)
_RESTRICTED = Verdict(
    "account-restricted",
    Remedy.STOP,
    f"Open Instagram with this account and do what it asks. {_THEN_RETRY}",
)
_QUOTA = Verdict(
    "quota",
    Remedy.WAIT,
    "Nothing to do: Instagram's number of posts in 24 hours is used up, and mediawatch goes on "
    "when it allows the next one.",
    retry_after=3600.0,
)
_NOT_READY = Verdict(
    "container-not-ready",
    Remedy.WAIT,
    "Nothing to do: Meta still works on it, and mediawatch asks again by itself.",
    retry_after=5.0,
)

#: (code, subcode or None) -> verdict. Code None: seen in the status of containers only.
TABLE: dict[tuple[int | None, int | None], Verdict] = {
    (-2, None): BUSY,
    (-2, 2207003): _hosting(
        "Meta waited too long for the file: check how fast ftp.public_url is from elsewhere."
    ),
    (-2, 2207020): _rebuild(_BY_ITSELF),
    (-1, None): _retry("Nothing to do: Meta failed inside, and mediawatch tries again.", 5),
    (-1, 2207001): _retry("Nothing to do: Instagram failed inside; mediawatch tries again.", 5),
    (-1, 2207032): _rebuild(_BY_ITSELF, 3),
    (-1, 2207053): _rebuild(_BY_ITSELF, 2),
    (-1, 2207073): _refused("Delete the post in the Instagram app: Meta cannot do it for apps."),
    (1, None): _retry(
        "Meta does not say what is wrong. mediawatch tries again; if it stays so, check "
        "instagram.version and instagram.graph_url.",
        5,
    ),
    (1, 2207057): _post("Choose a cover within the length of the video and put it back."),
    (2, None): BUSY,
    (3, None): _permission("Add the Instagram product to the app in Meta's App Dashboard."),
    (4, None): RATE,
    (4, 2207051): _BLOCKED,
    (9, None): _QUOTA,
    (9, 2207042): _QUOTA,
    (10, None): PERMISSION,
    (17, None): _limit(Scope.ACCOUNT, "the account"),
    (20, 1772107): _refused("Look whether the comment is there before anything is sent again."),
    (24, None): _rebuild(_BY_ITSELF),
    (24, 2207006): _rebuild(
        "mediawatch makes a new container; if it stays so, check that the token is the account's."
    ),
    (24, 2207008): _rebuild(_BY_ITSELF, pause=60.0),
    (25, None): _RESTRICTED,
    (25, 2207050): _RESTRICTED,
    (32, None): _limit(Scope.PAGE, "the Page"),
    (100, None): _refused(f"Meta takes a part of the request for wrong. {_LOOK}"),
    (100, 33): _retry(
        "Meta cannot find what it has itself, or the token may not see it. mediawatch asks "
        "again; if it stays so, check the token and instagram.user_id."
    ),
    (100, 2207023): _refused(_REPORT),
    (100, 2207028): _post("Give the album two to ten pictures or videos."),
    (100, 2207035): _post(_TAGS),
    (100, 2207036): _post(_TAGS),
    (100, 2207037): _post(_TAGS),
    (100, 2207040): _words(
        "Use at most 20 @ and 30 # in the caption, and put the file back with it."
    ),
    **dict.fromkeys(
        ((100, sub) for sub in (9050, 9052, *range(9054, 9059), 9060, 9062, 9063, 9064)),
        _post("Choose other music or audio settings for the post, and put it back."),
    ),
    (10, 9053): _permission("Meta has not opened audio to this app: leave the audio out."),
    (102, None): _token(_NEW_TOKEN),
    (104, None): _token(f"Meta saw no token, or no valid appsecret_proof. {_NEW_TOKEN}"),
    (190, None): _token(
        f"{_NEW_TOKEN} Check that instagram.login fits the kind of the token, too."
    ),
    (190, 458): _token(f"The owner removed the app: connect it again. {_NEW_TOKEN}"),
    (190, 459): _token(
        f"Log in at facebook.com with the owner's account and pass its check. {_THEN_RETRY}"
    ),
    (190, 460): _token(f"The password was changed. {_NEW_TOKEN}"),
    (190, 463): _token(f"The token has run out. {_NEW_TOKEN}"),
    (190, 464): _token(f"Confirm the owner's Facebook account at facebook.com. {_THEN_RETRY}"),
    (190, 467): _token(_NEW_TOKEN),
    (190, 492): _token(
        f"Give the owner a role on the Page that may publish. {_NEW_TOKEN} Or, if the token "
        "stays the same: `mediawatch posts retry --all`."
    ),
    (341, None): RATE,
    (352, None): _video(_TRANSCODE),
    (352, 2207026): _video(_TRANSCODE),
    (368, None): _BLOCKED,
    (506, None): _refused("Facebook takes it for a copy of an earlier post: change its words."),
    (613, None): _limit(Scope.ACCOUNT, "the account"),
    (613, 1996): _limit(Scope.ACCOUNT, "the account"),
    (803, None): _refused("Meta does not know this id: check instagram.user_id."),
    (2500, None): _refused("Check instagram.graph_url and instagram.version."),
    (9004, None): _hosting("Check that ftp.public_url is open to the world."),
    (9004, 2207052): _hosting(
        "Check that ftp.public_url is open to the world (robots.txt and bot rules too)."
    ),
    (9007, None): _NOT_READY,
    (9007, 2207027): _NOT_READY,
    (36000, None): _picture(_SHAPE),
    (36000, 2207004): _picture("Save the picture with fewer pixels or a lower quality."),
    (36001, None): _picture(_SHAPE),
    (36001, 2207005): _picture(_SHAPE),
    (36002, None): _refused(_LOOK),
    (36003, None): _picture("Crop the picture to between 4:5 and 1.91:1, and put it back."),
    (36003, 2207009): _picture("Crop the picture to between 4:5 and 1.91:1, and put it back."),
    (36004, None): _words("Shorten the caption to 2,200 characters and put the file back."),
    (36004, 2207010): _words("Shorten the caption to 2,200 characters and put the file back."),
    (80001, None): _limit(Scope.PAGE, "the Page"),
    (80002, None): _limit(Scope.ACCOUNT, "the account"),
    (80006, None): _limit(Scope.ACCOUNT, "the account"),
    (None, 2207076): _rebuild(_TRANSCODE, 2),
    (None, 2207077): _rebuild("Check that ftp.public_url is open, and how fast it is.", 3),
    (None, 2207081): _post("Leave the trial settings out: the account may not use Trial Reels."),
    (None, 2207082): _rebuild(f"{_TRANSCODE} Give it a sound track of its own.", 2),
    (None, 2207085): _video(_TRANSCODE),
}
