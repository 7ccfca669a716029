"""What a bucket's client says, taken apart: its words can hold signatures, keys and whole bodies. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Why = Literal["odd", "gone", "changed", "past", "silent", "busy", "credentials", "refused", "other"]

_STATUS = re.compile(r"non-2xx status code: ([1-5][0-9]{2})")
_CODE = re.compile(r"<Code>([A-Za-z][A-Za-z0-9]{1,63})</Code>")
_ODD = re.compile(r'[Pp]ath "((?:[^"\\]|\\.){0,4096})"')
# Where machines of a cloud ask who they are.
_IDENTITY = ("169.254.", "metadata.google.internal", "fd00:ec2", "CredentialProvider") + (
    "/latest/api/token",
    "/latest/meta-data",
    "/metadata/identity",
)
_SILENT = ("TimedOut", "timed out", "kind: Timeout", "deadline has elapsed")
_STATUS_WORDS = {
    301: "the bucket is in another region",
    400: "the request was not understood",
    401: "the credentials were refused",
    403: "access is denied",
    404: "there is no such bucket, container or server path",
    405: "the server does not allow this: it may not be a store of this kind",
    429: "the server asks to be asked less",
    503: "the server is overloaded or asks to slow down",
}
_CODE_WORDS = {
    "InvalidAccessKeyId": "the access key is not known there",
    "SignatureDoesNotMatch": "the secret key does not fit the access key",
    "AuthenticationFailed": "the credentials were refused",
    "ExpiredToken": "the credentials have expired",
    "RequestTimeTooSkewed": "the clock of this machine is off",
    "NoSuchBucket": "there is no such bucket",
    "ContainerNotFound": "there is no such container",
    "AuthorizationHeaderMalformed": "the credentials or the region do not fit the bucket",
    "PermanentRedirect": "the bucket is in another region",
}
_HINTS: dict[int, str] = {
    301: "set region in the source's settings",
    400: "check endpoint and region in the source's settings",
    401: "check the variables with the credentials, profile or env_prefix",
    403: "check the credentials, that they may list and read, or anonymous = true for a public bucket",
    404: "check the name of the bucket or container, endpoint and region",
    405: "check endpoint in the source's settings",
}


@dataclass(frozen=True)
class Fault:
    """An error in words for a person: no URL, no body, no header of the exchange is in them."""

    why: Why
    words: str
    hint: str = ""
    key: str = ""

    @property
    def again(self) -> bool:
        """Whether asking once more may help."""
        return self.why == "busy"


def explain(error: BaseException) -> Fault:
    """What went wrong with a request."""
    name, text = type(error).__name__, str(error)
    if name == "InvalidPathError" or (name == "ValueError" and "path" in text.lower()):
        found = _ODD.search(text)
        return Fault("odd", "a key that is no path", key=_plain(found[1]) if found else "")
    status = int(found[1]) if (found := _STATUS.search(text)) else 0
    code = found[1] if (found := _CODE.search(text)) else ""
    # Asking for credentials failed, not asking the bucket; a status would be the other server's.
    if any(mark in text for mark in _IDENTITY):
        return Fault(
            "credentials",
            "no credentials were found",
            "set the provider's variables (AWS_ACCESS_KEY_ID ..., GOOGLE_APPLICATION_CREDENTIALS, "
            "AZURE_STORAGE_ACCOUNT_KEY ...), profile (needs boardlake[aws]), or anonymous = true for a "
            "public bucket",
        )
    if name == "PreconditionError":
        status = 412
    if "StartTooLarge" in text:
        status = 416
    if isinstance(error, FileNotFoundError):
        status = 404
    return answered(status, code) if status else _without_answer(name, text)


def answered(status: int, code: str) -> Fault:
    """What a server's refusal means, by status and the provider's code for it."""
    if status == 412:
        return Fault("changed", "is another version now")
    if status == 416:
        return Fault("past", "ends before that")
    why: Why = "busy" if status >= 500 or status == 429 else "refused"
    if status == 404 and code not in ("NoSuchBucket", "ContainerNotFound"):
        why = "gone"
    return Fault(why, _said(status, code), _HINTS.get(status, ""))


def _said(status: int, code: str) -> str:
    words = _CODE_WORDS.get(code) or _STATUS_WORDS.get(status)
    if not words:
        words = "the server failed" if status >= 500 else "the server refused"
    return f"{words} ({status}{f' {code}' if code else ''})"


def _without_answer(name: str, text: str) -> Fault:
    if any(mark in text for mark in _SILENT):
        return Fault("silent", "the server does not answer in time", "see timeout in the settings")
    if "dns error" in text or "lookup address" in text:
        return Fault(
            "silent", "the name of the server is not known", "check endpoint and the network"
        )
    if "without LOCATION" in text:
        return Fault("refused", _STATUS_WORDS[301], _HINTS[301])
    if "certificate" in text:
        return Fault("refused", "the server's certificate is not trusted", "check endpoint")
    if "Connect" in text:
        return Fault("busy", "the server cannot be reached", "check endpoint and the network")
    if "HttpError" in text or "reqwest" in text or "HTTP error" in text:
        return Fault("busy", "the connection broke off")
    if "issing" in text and "redential" in text:
        return Fault(
            "credentials", "no credentials were found", "see the variables of the provider"
        )
    return Fault("other", f"the client failed ({name})")


def _plain(text: str) -> str:
    """Undo Rust's escapes in a quoted string."""

    def one(found: re.Match[str]) -> str:
        if found[1]:
            point = int(found[1], 16)
            return chr(point) if point < 0x110000 else ""
        return {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}.get(found[2], found[2])

    return re.sub(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|(.))", one, text, flags=re.DOTALL)
