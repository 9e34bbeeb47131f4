"""How Graph says no: the error envelope, and the documented wording of each error.

Source: Meta's "Error Codes" page for the Instagram Platform, and messages seen live.
"""

from __future__ import annotations

import secrets
from collections import defaultdict
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Wording:
    """The words for one (code, subcode). ``{name}`` stands for a fact of the case."""

    message: str
    title: str = ""
    advice: str = ""
    http: int = 400
    kind: str = "OAuthException"
    transient: bool = False


_SLOW_DOWN = (
    "(#80002) There have been too many calls to this Instagram account. Wait a bit and try again."
    " For more info, please refer to"
    " https://developers.facebook.com/docs/graph-api/overview/rate-limiting."
)
_MISSING = (
    "Unsupported {verb} request. Object with ID '{id}' does not exist, cannot be loaded due to"
    " missing permissions, or does not support this operation. Please read the Graph API"
    " documentation at https://developers.facebook.com/docs/graph-api"
)
_EXPIRED_TOKEN = (
    "Error validating access token: Session has expired on Thursday, 29-Jul-21 10:00:00 PDT."
    " The current time is Friday, 30-Jul-21 06:41:07 PDT."
)
_SESSION = "Error validating access token: "
_INVALIDATED = (
    _SESSION + "The session has been invalidated because the user changed their password or"
    " Facebook has changed the session for security reasons."
)
_ADDRESS = (
    "Error validating verification code. Please make sure your redirect_uri is identical to the"
    " one you used in the OAuth dialog request"
)
_UNKNOWN_BUILDER = "The media builder with creation id = {id} does not exist or has been expired."
_CAROUSEL_SIZE = (
    "Your post won't work as a carousel. Carousels need at least 2 photos/videos and no more than"
    " 10 photos/videos."
)
_ASPECT = (
    "The submitted image with aspect ratio {ratio} cannot be published. Please submit an image"
    " with a valid aspect ratio."
)
_CAPTION = (
    "The submitted image's caption was {length} characters long. The maximum number of characters"
    " permitted for a caption is {limit}. Please submit media with a shorter caption."
)
_NOT_FETCHED = "The media could not be fetched from this URI: {uri}"

WORDINGS: dict[tuple[int, int | None], Wording] = {
    (-2, 2207003): Wording(
        "Timeout", "Timeout", "It takes too long to download the media.", transient=True
    ),
    (-2, 2207020): Wording(
        "Media expired",
        "Media expired",
        "The media you are trying to access has expired. Please try to upload again.",
    ),
    (-1, 2207001): Wording("Fatal", "Instagram server error", transient=True),
    (-1, 2207032): Wording(
        "Fatal", "Create media failed", "Create media fail, please try to re-create media"
    ),
    (-1, 2207053): Wording("Fatal", "Unknown upload error", "unknown upload error"),
    (1, None): Wording("An unknown error has occurred.", http=500, transient=True),
    (1, 2207057): Wording(
        "Thumbnail offset is out of range",
        "Invalid thumbnail offset",
        "Thumbnail offset must be greater than or equal to 0 and less than video duration,"
        " i.e. {len}",
    ),
    (2, None): Wording(
        "An unexpected error has occurred. Please retry your request later.",
        http=500,
        transient=True,
    ),
    (4, None): Wording("(#4) Application request limit reached", transient=True),
    (4, 2207051): Wording(
        "Application request limit reached",
        "action is blocked",
        "We restrict certain activity to protect our community. Tell us if you think we made a"
        " mistake.",
        http=403,
    ),
    (9, 2207042): Wording(
        "Application request limit reached",
        "Maximum posts reached",
        "You reached maximum number of posts that is allowed to be published by Content"
        " Publishing API.",
    ),
    (10, None): Wording("(#10) Application does not have permission for this action", http=403),
    (20, 1772107): Wording("(#20) The parameter fields cannot be used to create a comment"),
    (24, 2207006): Wording(
        "The requested resource does not exist",
        "Media not found",
        "The media with {id} cannot be found",
    ),
    (24, 2207008): Wording(
        "The requested resource does not exist", "Media builder not found", _UNKNOWN_BUILDER
    ),
    (25, 2207050): Wording(
        "Account restricted", "Account restricted", "The Instagram account is restricted."
    ),
    (100, None): Wording("(#100) {why}"),
    (100, 33): Wording(_MISSING, kind="GraphMethodException"),
    (100, 36007): Wording("This authorization code has expired."),
    (100, 36008): Wording(_ADDRESS),
    (100, 36009): Wording("This authorization code has been used."),
    (101, None): Wording(
        "Error validating application. Cannot get application info due to a system error."
    ),
    (100, 2207023): Wording(
        "Invalid parameter", "Unknown media type", "The media type {kind} is unknown."
    ),
    (100, 2207028): Wording("Invalid parameter", "Carousel size", _CAROUSEL_SIZE),
    (100, 2207040): Wording(
        "Invalid parameter", "Too many tags", "Cannot use more than {limit} tags per created media."
    ),
    (190, None): Wording("Invalid OAuth access token - Cannot parse access token"),
    (190, 458): Wording(_SESSION + "The user has not authorized the application."),
    (190, 459): Wording(_SESSION + "The user is enrolled in a blocking, logged-in checkpoint"),
    (190, 460): Wording(_INVALIDATED),
    (190, 463): Wording(_EXPIRED_TOKEN),
    (190, 467): Wording(_SESSION + "This may be because the user logged out."),
    (200, None): Wording("Permissions error", http=403),
    (352, 2207026): Wording(
        "The video format is not supported",
        "Unsupported video",
        "The video format is not supported. Please check spec for supported {kind} format",
    ),
    (2500, None): Wording("Unknown path components: {path}"),
    (9004, 2207052): Wording(
        "Only photo or video can be accepted as media type.",
        "Media download has failed. The media URI doesn't meet our requirements.",
        _NOT_FETCHED,
    ),
    (9007, 2207027): Wording(
        "Media ID is not available",
        "Media not ready",
        "The media is not ready for publishing, please wait for a moment",
        transient=True,
    ),
    (36000, 2207004): Wording(
        "The image size is too large.",
        "Image size too large",
        "The image is too large to download. It should be less than 8 MiB.",
    ),
    (36001, 2207005): Wording(
        "The image format is not supported",
        "Unsupported image format",
        "The image format {format} is not supported. Supported formats are: JPEG.",
    ),
    (36003, 2207009): Wording(
        "The aspect ratio is not supported", "Unsupported aspect ratio", _ASPECT
    ),
    (36004, 2207010): Wording("The caption is too long", "Caption too long", _CAPTION),
    (80002, None): Wording(_SLOW_DOWN, transient=True),
}


class Refusal(Exception):
    """A request that Graph answers with its error envelope.

    The wording is looked up by ``code`` and ``subcode``; ``http`` and ``message`` replace its
    parts; ``facts`` fill its gaps.
    """

    def __init__(
        self,
        code: int,
        subcode: int | None = None,
        *,
        http: int | None = None,
        message: str | None = None,
        **facts: object,
    ) -> None:
        wording = WORDINGS.get((code, subcode), Wording("An error has occurred."))
        gaps = defaultdict[str, object](lambda: "?", facts)
        self.message = message or wording.message.format_map(gaps)
        super().__init__(f"{code}/{subcode}: {self.message}")
        self.code = code
        self.subcode = subcode
        self.http = http or wording.http
        self.kind = wording.kind
        self.title = wording.title
        self.advice = wording.advice.format_map(gaps)
        self.transient = wording.transient

    def envelope(self) -> dict[str, Any]:
        """The JSON that Meta sends: ``{"error": {...}}`` with a fresh trace id."""
        error: dict[str, Any] = {"message": self.message, "type": self.kind, "code": self.code}
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        error["is_transient"] = self.transient
        if self.title:
            error["error_user_title"] = self.title
            error["error_user_msg"] = self.advice
        error["fbtrace_id"] = "A" + secrets.token_urlsafe(16)[:21]
        return {"error": error}


class Unusable(Exception):
    """A video that cannot be had or used: ``subcode`` for the container's status, why in words.

    Meta takes the call and tells it later, as a number within the status text.
    """

    def __init__(self, why: str, subcode: int = 2207026) -> None:
        super().__init__(why)
        self.subcode = subcode


def invalid(why: str) -> Refusal:
    """The general "invalid parameter" refusal, code 100."""
    return Refusal(100, why=why)


def missing(object_id: str, verb: str) -> Refusal:
    """Refusal 100/33 for an object that is not there; ``verb`` is ``get`` or ``post``."""
    return Refusal(100, 33, id=object_id, verb=verb)
