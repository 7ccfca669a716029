"""One connection to one host over asyncssh: opened at the first use, opened again where it broke."""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import random
import threading
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import asyncssh

from ....core.errors import SourceError, UsageError
from . import hosts
from . import words as ssh_words

# What it says at the level of information, of each connection, is no log of ours.
asyncssh.set_log_level("WARNING")

_T = TypeVar("_T")
_SYSTEM_CONFIG = "/etc/ssh/ssh_config"
_KNOWN_HOSTS = ["~/.ssh/known_hosts", "~/.ssh/known_hosts2"]
_KNOWN_TO_ALL = ["/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2"]
_MAX_KNOWN_HOSTS = 16 << 20
_MAX_JUMPS = 8
# A host that was away is tried again after so long: until then all its files fail at once.
_AWAY_S = 60.0
# sshd drops new connections while too many others log in (MaxStartups).
_TRIES = 6
# Commands at a time: sshd allows ten sessions a connection (MaxSessions), and SFTP is one of them.
_COMMANDS = 4
# The next scan of a watch comes soon: until then a connection is kept.
_KEPT_S = 30.0


class _Loop:
    """The one event loop of all connections of this process, in a thread of its own."""

    def __init__(self) -> None:
        self.pid = os.getpid()
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="ssh", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread at the end of the process, which nobody's connection shall hold up."""
        if self.pid == os.getpid() and self._thread.is_alive():
            self.loop.call_soon_threadsafe(self.loop.stop)
            self._thread.join(5)


_lock = threading.Lock()
_running: _Loop | None = None
_links: dict[tuple[Any, ...], Link] = {}
_tasks: set[asyncio.Task[None]] = set()


def wait(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """Run *coroutine* in the loop of all connections and wait for it; from any other thread."""
    global _running
    with _lock:
        if _running is None or _running.pid != os.getpid():
            _running = _Loop()
            atexit.register(_running.stop)
        loop = _running.loop
    future = asyncio.run_coroutine_threadsafe(coroutine, loop)
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise


@dataclass
class Answer:
    """What a command on a host wrote, and how it ended; `status` is None where a signal ended it."""

    out: bytes
    err: bytes
    status: int | None


@dataclass(frozen=True)
class Way:
    """How a host is reached: a name that `ssh` would take, over the jump hosts that lead to it."""

    host: str
    user: str = ""
    port: int | None = None
    config: str = "~/.ssh/config"
    over: Way | None = None


def share(way: Way, timeout: float) -> Link:
    """The connection to a host, one for all who ask for it; `Link.give_back` when it is done with."""
    key = (way, timeout)
    with _lock:
        link = _links.get(key)
        if link is None:
            link = _links[key] = Link(way, timeout)
        link.users += 1
        return link


class _Client(asyncssh.SSHClient):
    """Decides on a host key that no known_hosts file has, and remembers it for the message."""

    def __init__(self, accept: bool) -> None:
        self.accept = accept
        self.other = False
        self.unknown = ""

    def validate_host_public_key(
        self, host: str, addr: str, port: int, key: asyncssh.SSHKey
    ) -> bool:
        """Whether a key that is not known is taken."""
        self.unknown = f"{key.get_algorithm()} {key.get_fingerprint()}"
        return self.accept


@dataclass
class Link:
    """A connection to one host; its coroutines run in the loop of `wait`.

    `remarks` are what a user has to know of a connection that was made all the same.
    """

    way: Way
    timeout: float
    users: int = 0
    remarks: list[str] = field(default_factory=list)
    _connection: asyncssh.SSHClientConnection | None = None
    _sftp: asyncssh.SFTPClient | None = None
    _over: Link | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _commands: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(_COMMANDS))
    _away: tuple[float, SourceError] | None = None
    _strikes: int = 0
    _left_at: float = 0.0

    @property
    def host(self) -> str:
        """The name that its user knows."""
        return self.way.host

    def give_back(self) -> None:
        """One user less; nobody's connection is closed a while later. Not from the loop itself."""
        with _lock:
            self.users -= 1
            self._left_at = time.monotonic()
            if self.users > 0:
                return
        wait(self._close_later())

    async def _close_later(self) -> None:
        loop = asyncio.get_running_loop()
        loop.call_later(_KEPT_S + 1, lambda: _tasks.add(loop.create_task(self._close_if_unused())))

    async def _close_if_unused(self) -> None:
        with _lock:
            if self.users > 0 or time.monotonic() - self._left_at < _KEPT_S:
                return
            _links.pop((self.way, self.timeout), None)
        await self._close()
        _tasks.difference_update([task for task in _tasks if task.done()])

    async def connection(self) -> asyncssh.SSHClientConnection:
        """The open connection. Raises SourceError in words, within the time-out."""
        async with self._lock:
            if self._connection is not None and not self._connection.is_closed():
                return self._connection
            self._connection = self._sftp = None
            if self._away and time.monotonic() - self._away[0] < _AWAY_S:
                raise self._away[1]
            try:
                self._connection = await self._connect()
            except SourceError as error:
                self._away = (time.monotonic(), error)
                raise
            self._away, self._strikes = None, 0
            return self._connection

    async def sftp(self) -> asyncssh.SFTPClient:
        """The file service of the host. Raises SourceError in words, and ConnectionLost where the
        connection had broken: it is worth another try."""
        connection = await self.connection()
        async with self._lock:
            if self._sftp is None:
                try:
                    async with asyncio.timeout(self.timeout):
                        self._sftp = await connection.start_sftp_client()
                except (OSError, asyncssh.Error) as error:
                    if await _gone(connection):
                        raise asyncssh.ConnectionLost("") from error
                    raise ssh_words.no_sftp(self.host, error) from error
            return self._sftp

    async def run(self, command: str, given: bytes = b"", *, silence: float, most: int) -> Answer:
        """Run *command* in the user's shell on the host, with *given* as its input.

        Raises SourceError where the connection breaks, where it writes nothing for *silence*
        seconds, and where it writes more than *most* bytes.
        """
        async with self._commands:
            for again in (True, False):
                connection = await self.connection()
                try:
                    return await self._run(connection, command, given, silence, most)
                except (OSError, asyncssh.Error) as error:
                    # Commands only look: one that was cut off is run once more.
                    if again and await _gone(connection):
                        self.broke(connection)
                        continue
                    raise ssh_words.explained(error, self.host, self.timeout) from error
        raise SourceError(f"{self.host}: the connection was closed")

    async def _run(
        self,
        connection: asyncssh.SSHClientConnection,
        command: str,
        given: bytes,
        silence: float,
        most: int,
    ) -> Answer:
        async with asyncio.timeout(self.timeout):
            process = await connection.create_process(
                command, encoding=None, request_pty=False, stderr=asyncssh.PIPE
            )
        try:
            out, err, _ = await asyncio.gather(
                self._collect(process.stdout, silence, most),
                self._collect(process.stderr, 0, 1 << 16),
                self._feed(process.stdin, given),
            )
            async with asyncio.timeout(self.timeout):
                await process.wait_closed()
        finally:
            process.close()
        if connection.is_closed():
            raise asyncssh.ConnectionLost("")
        return Answer(bytes(out), bytes(err), process.exit_status)

    async def _collect(
        self, reader: asyncssh.SSHReader[bytes], silence: float, most: int
    ) -> bytearray:
        """All that comes; what is more than *most* is an error, or dropped where silence counts not."""
        data = bytearray()
        while True:
            async with asyncio.timeout(silence or None):
                chunk = await reader.read(1 << 18)
            if not chunk:
                return data
            if len(data) + len(chunk) <= most:
                data += chunk
            elif silence:
                raise SourceError(
                    f"{self.host}: the listing is longer than {most >> 20} MB",
                    hint="make it two sources, or exclude directories",
                )

    async def _feed(self, writer: asyncssh.SSHWriter[bytes], given: bytes) -> None:
        # Whoever does not read its input has ended, and says why.
        with contextlib.suppress(BrokenPipeError, ConnectionError, asyncssh.Error):
            if given:
                writer.write(given)
                await writer.drain()
            writer.write_eof()

    def broke(self, connection: asyncssh.SSHClientConnection | None = None) -> None:
        """Forget the connection, so that the next use opens another one."""
        if self._connection is not None and connection in (None, self._connection):
            self._connection.abort()
            self._connection = self._sftp = None

    def silent(self) -> None:
        """Nothing came for a whole time-out: the third time in a row the host counts as away."""
        self._strikes += 1
        if self._strikes >= 3:
            error = ssh_words.explained(TimeoutError(), self.host, self.timeout)
            self._away = (time.monotonic(), error)
            self.broke()

    def spoke(self) -> None:
        """Something came."""
        self._strikes = 0

    def try_again(self) -> None:
        """A new scan: whether the host is back is to be found out."""
        self._away = None

    async def _connect(self) -> asyncssh.SSHClientConnection:
        client = _Client(accept=False)
        dropped: Exception | None = None
        try:
            async with asyncio.timeout(self.timeout):
                for tries in range(_TRIES):
                    try:
                        return await self._try(client)
                    except (ConnectionResetError, asyncssh.ConnectionLost) as error:
                        dropped = error
                        await asyncio.sleep(random.uniform(0.1, 0.3) * 2**tries)
        except UsageError as error:
            raise SourceError(f"{self.host}: {error.message}", hint=error.hint) from error
        except (OSError, asyncssh.Error, ValueError, RecursionError) as error:
            # Between two tries the time runs out: what went wrong was the one before.
            known = dropped if dropped is not None and isinstance(error, TimeoutError) else error
            raise ssh_words.explained(
                known, self.host, self.timeout, key=client.unknown, other=client.other
            ) from error
        raise ssh_words.explained(
            dropped or asyncssh.ConnectionLost(""), self.host, self.timeout
        ) from dropped

    async def _try(self, client: _Client) -> asyncssh.SSHClientConnection:
        way = self.way
        files = _config_files(way.config)
        user, port = way.user or (), way.port or ()
        # Keys and known hosts are looked up as OpenSSH does it, which asyncssh does otherwise.
        found = asyncssh.SSHClientConnectionOptions(
            host=way.host,
            port=port,
            username=user,
            config=files,
            client_keys=None,
            known_hosts=b"",
        )
        over = await self._jump(found.tunnel)
        known = _known_hosts(found.config)
        port_known = found.port if found.port != asyncssh.DEFAULT_PORT else None
        trusted = known.match(found.host_key_alias or found.host, "", port_known)
        strict = next(
            filter(None, (hosts.option(f, way.host, "StrictHostKeyChecking") for f in files)), ""
        )
        client.accept = strict.lower() in ("no", "off") and not any(trusted)
        client.other = any(trusted)
        connection = await asyncssh.connect(
            way.host,
            port,
            username=user,
            config=files,
            tunnel=over,
            proxy_command=None if over else _proxy(found.config),
            known_hosts=known,
            client_factory=lambda: client,
            client_keys=_identities(found.config),
            ignore_encrypted=True,
            agent_forwarding=False,
            command=None,
            request_pty=False,
            keepalive_interval=max(1.0, self.timeout / 2),
            keepalive_count_max=2,
        )
        self.remarks = []
        if client.unknown:
            self.remarks.append(
                f"the host key of {way.host} is not known ({client.unknown}): taken, since"
                f" {way.config} says StrictHostKeyChecking {strict}"
            )
        return connection

    async def _jump(self, tunnel: object) -> asyncssh.SSHClientConnection | None:
        """The connection to the last jump host, if any; one for all hosts behind it."""
        over = self.way.over
        if over is None and isinstance(tunnel, str):
            for hop in tunnel.split(",")[:_MAX_JUMPS]:
                over = _hop(hop.strip(), self.way.config, over)
            if over is not None and over.over is None and over.host == self.way.host:
                # `Host *` with a ProxyJump holds for the jump host, too.
                over = None
        if over is None:
            return None
        if self._over is None:
            self._over = share(over, self.timeout)
        try:
            return await self._over.connection()
        except SourceError as error:
            message = f"{self.host}: its jump host cannot be reached: {error.message}"
            raise SourceError(message, hint=error.hint) from error

    async def _close(self) -> None:
        """End the connection, and leave that to the jump host to others."""
        connection, self._connection, self._sftp = self._connection, None, None
        over, self._over = self._over, None
        if connection is not None:
            connection.close()
            with contextlib.suppress(OSError, asyncssh.Error):
                async with asyncio.timeout(1):
                    await connection.wait_closed()
            connection.abort()
        if over is not None:
            with _lock:
                over.users -= 1
                over._left_at = 0.0
            await over._close_if_unused()


async def _gone(connection: asyncssh.SSHClientConnection) -> bool:
    """Whether what went wrong was the connection, which shows only a moment later."""
    await asyncio.sleep(0.05)
    return connection.is_closed()


def _hop(text: str, config: str, over: Way | None) -> Way:
    """A jump host as ProxyJump names it: [user@]host[:port], or the same as a URI."""
    user, _, rest = text.removeprefix("ssh://").rpartition("@")
    host, colon, port = rest.rpartition(":")
    if not colon or not port.isdigit() or host.endswith(":"):
        host, port = rest, ""
    return Way(host.strip("[]"), user, int(port) if port else None, config, over)


def _config_files(config: str) -> list[str]:
    """The files that OpenSSH would read: the system's only beside the user's usual one."""
    path = os.path.expanduser(config)
    usual = os.path.expanduser("~/.ssh/config")
    if path != usual:
        if not os.path.isfile(path):
            raise SourceError(
                f"{config}: there is no such SSH configuration", hint="ssh_config names the file"
            )
        return [path]
    return [file for file in (usual, _SYSTEM_CONFIG) if os.path.isfile(file)]


def _known_hosts(config: asyncssh.config.SSHClientConfig) -> asyncssh.SSHKnownHosts:
    """The keys of all known_hosts files that there are; a line that is none costs only itself."""
    lines: list[str] = []
    for name, usual in (
        ("UserKnownHostsFile", _KNOWN_HOSTS),
        ("GlobalKnownHostsFile", _KNOWN_TO_ALL),
    ):
        for file in cast(list[str], config.get(name, usual)):
            with contextlib.suppress(OSError), open(os.path.expanduser(file), "rb") as opened:
                text = opened.read(_MAX_KNOWN_HOSTS).decode("utf-8", "replace")
                lines += text.splitlines()
    try:
        return asyncssh.import_known_hosts("\n".join(lines))
    except ValueError:
        known = asyncssh.import_known_hosts("")
        for line in lines:
            with contextlib.suppress(ValueError):
                known.load(line)
        return known


def _proxy(config: asyncssh.config.SSHClientConfig) -> list[str] | None:
    """The command that is the way to the host, if any. Its complaints must not get into the
    connection, and asyncssh takes the end of them for the end of the connection."""
    command = config.get("ProxyCommand")
    if not isinstance(command, str):
        return None
    return ["sh", "-c", f"exec 9>&2 2>/dev/null; {command}\nexit $?"]


def _identities(config: asyncssh.config.SSHClientConfig) -> Any:
    """The files with keys that the configuration names and that are there; else the usual ones."""
    named = cast(list[str], config.get("IdentityFile", []))
    files = [os.path.expanduser(file) for file in named]
    return [file for file in files if os.access(file, os.R_OK)]
