"""Secrets in hyperparameters and command lines: recognised by name or by shape, and masked."""

from __future__ import annotations

import re
from collections.abc import Sequence

MASK = "***"

_SECRET_NAME = re.compile(
    r"passw(?:or)?d|passphrase|credential|authorization|connection_?string|auth_?token"
    r"|(?:api|access|private|secret|account|auth|ssh|signing|encryption)_?key(?!board|point|word)"
    r"|(?:^|_)(?:secrets?|bearer|cookie)(?:_|$)"
)
_TOKEN_NAME = re.compile(
    r"(?:^|_)token$"
    r"|(?:^|_)(?:auth|access|hub|hf|api|bearer|refresh|session|github|gitlab|slack|bot|wandb|login)"
    r"_?tokens?(?:_|$)"
)
# Words of language models before `token`: `pad_token` is vocabulary, not a password.
_VOCABULARY = re.compile(
    r"(?:^|_)(?:pad|padding|bos|eos|unk|unknown|mask|cls|sep|class|image|img|video|audio|start|end|stop"
    r"|begin|special|next|last|first|per|each|additional|num|n|max|min|new|extra|text|blank|sos|eot"
    r"|register|query|summary|target|decoder|forced|user|system|assistant|think)_token$"
)
_WHOLE_VALUE = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----")
# Not inside a longer word, so that `task-...` is no `sk-...` (a key of which holds a digit).
_SHAPES = re.compile(
    r"(?<![A-Za-z0-9])(?:"
    r"(?:AKIA|ASIA)[0-9A-Z]{16}(?![0-9A-Z])"
    r"|hf_[A-Za-z0-9]{20,}"
    r"|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}"
    r"|xox[abeoprs]-[\w-]{10,}|AIza[\w-]{35}"
    r"|[Bb]earer [\w.~+/-]{16,}"
    r")|(?<![\w-])(?:sk-(?=[\w-]*\d)[\w-]{20,}|eyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*)"
)
_URL_LOGIN = re.compile(r"(?<=://)[^\s/@:'\"]{0,256}:[^\s/@'\"]{1,1024}(?=@)")
_WEBHOOK = re.compile(r"(?<=hooks\.slack\.com/services/)[\w/]+")
_SIGNATURE = re.compile(r"(?i)(?<=[?&])((?:x-amz-signature|x-goog-signature|sig|token)=)[^\s&'\"]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORDS = re.compile(r"\s+|(?:'[^']*'|\"[^\"]*\"|[^\s'\"])+|['\"]")
_NAME = re.compile(r"[\w.\-/@]{1,200}")


def is_secret_name(name: str, *, text: bool = True) -> bool:
    """Whether the value under *name* must not be shown; *text*: the value is a string.

    `max_tokens`, `tokenizer`, `token_dim`, `pad_token` are no secrets, nor is a number in `token`.
    """
    words = re.sub(r"[^a-z0-9]+", "_", _CAMEL.sub("_", name[-1000:]).lower())
    if _SECRET_NAME.search(words):
        return True
    return text and bool(_TOKEN_NAME.search(words)) and not _VOCABULARY.search(words)


def mask_text(text: str) -> str:
    """*text* with logins in URLs, and keys of well-known shapes, replaced by `***`."""
    if _WHOLE_VALUE.search(text):
        return MASK
    text = _URL_LOGIN.sub(MASK, text)
    text = _WEBHOOK.sub(MASK, text)
    text = _SIGNATURE.sub(rf"\g<1>{MASK}", text)
    return _SHAPES.sub(MASK, text)


def mask_arguments(arguments: Sequence[str]) -> list[str]:
    """Arguments with the values of secret options masked (`--api_key x`, `db.password=x`)."""
    masked: list[str] = []
    after_secret = False
    for argument in arguments:
        left, equals, right = argument.partition("=")
        option = left.lstrip("'\"+~")
        name = option.lstrip("-")
        secret = bool(_NAME.fullmatch(name)) and is_secret_name(name)
        if after_secret and not argument.startswith("--"):
            masked.append(MASK)
        elif secret and right:
            masked.append(f"{left}={MASK}")
        else:
            masked.append(mask_text(argument))
        after_secret = secret and option.startswith("-") and not equals
    return masked


def mask_command(command: str) -> str:
    """A command line with its secrets masked; spaces and quotes stay as they are."""
    parts = _WORDS.findall(command)
    words = [part for part in parts if not part.isspace()]
    masked = iter(mask_arguments(words))
    return "".join(part if part.isspace() else next(masked) for part in parts)
