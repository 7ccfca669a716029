"""What goes wrong on the way to a host, in words that name it and say what to do."""

from __future__ import annotations

import socket

import asyncssh

from ....core.errors import SourceError

_UNREACHED = (
    "is the host up, and reachable from here? `ssh {host} true` must work without questions"
)


def explained(
    error: BaseException, host: str, timeout: float, *, key: str = "", other: bool = False
) -> SourceError:
    """What *error*, met on the way to *host*, means; *key* is what the host showed as its key,
    *other* says that another one is known."""
    if isinstance(error, SourceError):
        return error
    hint = _UNREACHED.format(host=host)
    if isinstance(error, TimeoutError):
        what = f"no answer within {timeout:g} s"
    elif isinstance(error, socket.gaierror):
        what = "there is no host of this name"
        hint = "check the name, or its Host line in ssh_config"
    elif isinstance(error, asyncssh.HostKeyNotVerifiable):
        what, hint = _key(error, host, key, other)
    elif isinstance(error, asyncssh.PermissionDenied):
        what = "permission denied: it takes none of our keys"
        hint = (
            f"`ssh -o BatchMode=yes {host} true` must work: load the key into ssh-agent, or name it"
            " as IdentityFile in ssh_config; passwords are not asked for"
        )
    elif isinstance(error, asyncssh.ConfigParseError | RecursionError):
        said = "it includes itself" if isinstance(error, RecursionError) else _short(error)
        what = f"the SSH configuration cannot be read: {said}"
        hint = "name another file as ssh_config"
    elif isinstance(error, asyncssh.KeyImportError | asyncssh.KeyEncryptionError):
        what, hint = f"a key cannot be read: {_short(error)}", "check IdentityFile in ssh_config"
    elif isinstance(error, asyncssh.ChannelOpenError):
        what = (
            f"refused by the host that it is reached through, or by its own limits: {_short(error)}"
        )
    elif isinstance(error, asyncssh.ConnectionLost | ConnectionResetError | BrokenPipeError):
        what = "the connection was closed"
    elif isinstance(error, asyncssh.Error):
        what = f"no agreement on a connection: {_short(error)}"
    elif isinstance(error, ConnectionRefusedError):
        what, hint = "connection refused", f"is sshd running there, at this port? {hint}"
    elif isinstance(error, OSError):
        what = f"cannot be reached: {error.strerror or _short(error)}"
    else:
        what = f"no connection: {_short(error)}"
    return SourceError(f"{host}: {what}", hint=hint)


def no_sftp(host: str, error: BaseException) -> SourceError:
    """The host lets us in, and then has no file service."""
    return SourceError(
        f"{host}: it offers no SFTP: {_short(error)}",
        hint="sshd_config needs the line: Subsystem sftp internal-sftp",
    )


def no_root(host: str, denied: bool) -> SourceError:
    """The host answers, but the directory cannot be entered."""
    if denied:
        return SourceError(f"{host}: permission denied", hint="its user must be able to list it")
    return SourceError(
        f"{host}: there is no such directory", hint="check the path: /~/ is the user's home"
    )


def _key(error: BaseException, host: str, key: str, other: bool) -> tuple[str, str]:
    shown = f" ({key})" if key else ""
    if other:
        return (
            f"its host key{shown} is not the one in known_hosts: it was set up anew, or somebody"
            " stands in between",
            f"if it was set up anew: `ssh-keygen -R {host}`, then `ssh {host}` once",
        )
    if "not trusted" in str(error):
        return (
            f"its host key{shown} is not known",
            f"`ssh {host}` once, compare the key and say yes: that adds it to known_hosts",
        )
    return f"its host key{shown} cannot be taken: {_short(error)}", f"`ssh {host}` says more"


def _short(error: BaseException) -> str:
    """An error's own words in one line; a server may write anything."""
    text = " ".join(str(error).split()) or type(error).__name__
    return "".join(c if c.isprintable() else "?" for c in text[:200])
