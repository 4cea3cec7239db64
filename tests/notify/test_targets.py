"""T23: addresses that point inside, in every form there is. What counts is the socket: whatever is written or resolved, or
resolved otherwise the second time, no connection is made to an address that is neither public nor allowed by the operator."""

from __future__ import annotations

import asyncio
import ipaddress
import os
import socket
import ssl
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from services.notify.models import Webhook as WebhookRow
from services.notify.webhooks import sending, targets
from services.notify.webhooks.rules import Outcome
from services.notify.webhooks.sending import Sender
from services.notify.webhooks.targets import Reach
from shared.problems import Invalid
from shared.settings import Settings, SettingsError, from_environment, networks
from tests.notify.receiver import Receiver
from tests.notify.subscriber import Subscriber

PUBLIC = Reach(public=True, allowed=())

NUMERIC = [
    # 127.0.0.1 and its block, in every writing of inet_aton, with and without a dot at the end
    *("127.0.0.1", "127.0.0.2", "127.255.255.254", "127.0.0.1.", "127.1", "127.0.1", "127.000.000.001", "0127.0.0.1"),
    *(
        "2130706433",
        "017700000001",
        "0x7f000001",
        "0x7f.0.0.1",
        "0x7f.0x0.0x0.0x1",
        "0177.0.0.1",
        "0177.0x0.0.01",
        "0X7F000001",
    ),
    *("127.65530", "0x7f.1", "00000000177.1", "2130706434", "127.0.0.0x1", "4294967295", "0", "0.0.0.0", "0x0"),
    # digits and dots that Unicode maps to ASCII's
    *("①②⑦.⓪.⓪.①", "127。0。0。1", "127．0．0．1", "１２７.０.０.１", "127｡0｡0｡1", "𝟏𝟐𝟕.𝟎.𝟎.𝟏", "٣٢.٠.٠.١"),
    # private, shared, link-local, test networks, broadcast, multicast, reserved, relays; the clouds' metadata
    *("10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.254", "192.168.0.1", "169.254.169.254", "169.254.170.2"),
    *(
        "100.64.0.1",
        "100.100.100.200",
        "192.0.0.192",
        "192.0.2.1",
        "198.18.0.1",
        "198.51.100.1",
        "203.0.113.1",
        "192.88.99.1",
        "168.63.129.16",
    ),
    *(
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "0xa9fea9fe",
        "2852039166",
        "0251.0376.0251.0376",
    ),
    # IPv6: loopback, unspecified, unique local, link-local, site-local, multicast, documentation, discard
    *("[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[0000:0000:0000:0000:0000:0000:0000:0001]", "[fc00::1]", "[fd00:ec2::254]"),
    *("[fe80::1]", "[fe80::1%25lo]", "[::1%25lo]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]", "[3fff::1]", "[100::1]"),
    # IPv4 written in IPv6: mapped, compatible, translated (NAT64, well known and local), 6to4, Teredo, ISATAP
    *("[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::ffff:a9fe:a9fe]", "[::ffff:10.0.0.1]", "[0:0:0:0:0:ffff:7f00:0001]"),
    *("[::127.0.0.1]", "[::ffff:0:127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::7f00:1]"),
    *("[2002:7f00:1::]", "[2002:a9fe:a9fe::1]", "[2002:c0a8:1::1]", "[2001:0:7f00:1::]", "[2001::80ff:fffe]"),
    *("[fe80::5efe:127.0.0.1]", "[2001:20::1]", "[2001:10::1]", "[5f00::1]", "[4000::1]"),
]
NAMES = [
    *("localhost", "LOCALHOST", "localhost.", "foo.localhost", "localhost.localdomain", "ip6-localhost", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ"),
    *("metadata.google.internal", "instance-data", "kubernetes.default.svc", "redis", "postgres", "printer.local", "intranet"),
    *("router.lan", "nas.home.arpa", "1.0.0.127.in-addr.arpa"),
    # names of the Internet that resolve to an address inside
    *("localtest.example.org", "127.0.0.1.nip.example.org", "inside.example.org", "metadata.example.org", "six.example.org"),
    *("mapped.example.org", "half.example.org", "nat64.example.org"),
]
TRICKS = [
    *(
        "https://127.0.0.1@example.org/",
        "https://example.org@127.0.0.1/",
        "https://user:word@example.org/",
        "https://@127.0.0.1/",
    ),
    *("https://example.org#@127.0.0.1/", "https://example.org?@127.0.0.1/", "https://example.org\\@127.0.0.1/"),
    *("https://127.0.0.1\\.example.org/", "https://127.0.0.1 .example.org/", "https:// 127.0.0.1/", "https://127.0.0.1%00/"),
    *(
        "https://127.0.0.1%2f.example.org/",
        "https://%31%32%37.0.0.1/",
        "https:\\\\127.0.0.1/",
        "https:127.0.0.1",
        "//127.0.0.1/",
    ),
    *("https:///127.0.0.1/", "https://example.org:25/", "https://example.org:0/", "https://example.org:99999/"),
    *("http://example.org/", "file:///etc/passwd", "gopher://127.0.0.1:6379/_FLUSHALL", "unix:///var/run/docker.sock"),
    *(
        "https://[::1",
        "https://]::1[/",
        "https://[127.0.0.1]/",
        "https://[::1]x/",
        "https://exa\tmple.org/",
        "https://127.0.0.1\r\nX: y/",
    ),
    *("https://", "https://.", "https://..", "https://-/", "javascript:alert(1)", "https://a..b.example.org/", ""),
]
RESOLVED = {
    "localtest.example.org": ["127.0.0.1"],
    "127.0.0.1.nip.example.org": ["127.0.0.1"],
    "inside.example.org": ["10.1.2.3"],
    "metadata.example.org": ["169.254.169.254"],
    "six.example.org": ["::1"],
    "mapped.example.org": ["::ffff:127.0.0.1"],
    "half.example.org": ["93.184.215.14", "127.0.0.1"],
    "nat64.example.org": ["64:ff9b::7f00:1"],
}
"""What a name server of the attacker's answers."""

_watching: list[list[Any]] = []


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if event == "socket.connect" and _watching and isinstance(arguments[1], tuple):
        _watching[-1].append(arguments[1])
        raise ConnectionRefusedError("this test connects to nobody")


_hooked: list[bool] = []


@pytest.fixture
def connected() -> Iterator[list[Any]]:
    """Every address that a socket of this process is connected to, which then does not happen; Unix sockets are left alone."""
    if not _hooked:
        sys.addaudithook(_audit)  # there is no way to take one away again: it does nothing while nobody watches
        _hooked.append(True)
    seen: list[Any] = []
    _watching.append(seen)
    yield seen
    _watching.pop()


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """The test's name server; numbers and names of this machine are read as the system reads them, and nobody is asked."""
    answers = dict(RESOLVED)

    def lookup(host: str, port: int) -> list[tuple[Any, ...]]:
        if host in answers:
            return [entry for address in answers[host] for entry in found(address, port)]
        if host.strip(".").lower() in ("localhost", "ip6-localhost", "foo.localhost", "localhost.localdomain"):
            return [*found("127.0.0.1", port), *found("::1", port)]
        try:
            return found(str(socket.inet_ntoa(socket.inet_aton(host))), port)
        except OSError:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known") from None

    monkeypatch.setattr(sending, "lookup", lookup)
    return answers


def found(address: str, port: int) -> list[tuple[Any, ...]]:
    return socket.getaddrinfo(address, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)


def send(reach: Reach, *urls: str) -> list[Outcome]:
    """One attempt at each address, with nothing before it: as if it had come past the first gate."""

    async def attempt() -> list[Outcome]:
        sender = Sender(reach, 30)
        try:
            return [await sender.send(url, {"webhook-id": "x"}, b"{}") for url in urls]
        finally:
            await sender.close()

    return asyncio.run(attempt())


def first_gate(address: str) -> Invalid | None:
    """What is wrong with an address, by the text of it."""
    try:
        targets.read(address, PUBLIC)
    except Invalid as problem:
        return problem
    return None


ADDRESSES = [*(f"https://{host}/hooks" for host in (*NUMERIC, *NAMES)), *TRICKS]


def test_no_address_that_points_inside_is_ever_connected_to(connected: list[Any], names: dict[str, list[str]]) -> None:
    assert len(NUMERIC) + len(NAMES) > 60 and len(set(ADDRESSES)) == len(ADDRESSES)
    problems = {address: first_gate(address) for address in ADDRESSES}
    assert {problem.field for problem in problems.values() if problem} == {"url"}
    assert all(problem.detail.endswith(".") for problem in problems.values() if problem)
    # Only by asking a name server is it found out where these lead, the last of which is a name in Arabic digits.
    assert {address.split("/")[2] for address, problem in problems.items() if problem is None} == {*RESOLVED, "٣٢.٠.٠.١"}
    http = [address.replace("https:", "http:", 1) for address in ADDRESSES]
    inside = [address for address in (*ADDRESSES, *http) if "example.org:" not in address]
    outcomes = send(PUBLIC, *inside)
    assert connected == []
    assert {outcome.status_code for outcome in outcomes} == {None}
    assert {outcome.error for outcome in outcomes} <= {"target-refused", "name-unknown"}


def test_a_public_address_is_connected_to_over_https_and_exactly_that_one(
    connected: list[Any], names: dict[str, list[str]]
) -> None:
    names["hooks.example.org"] = ["93.184.215.14"]
    names["nat64.example.org"] = ["64:ff9b::5db8:d70e"]
    public = [
        "https://hooks.example.org/x",
        "https://nat64.example.org/x",
        "https://93.184.215.14:8443/",
        "https://[2606:4700::1]/",
    ]
    assert [str(targets.read(url, PUBLIC)) for url in public] == public
    assert [outcome.error for outcome in send(PUBLIC, *public)] == ["unreachable"] * 4
    assert [place[:2] for place in connected] == [
        ("93.184.215.14", 443),
        ("64:ff9b::5db8:d70e", 443),
        ("93.184.215.14", 8443),
        ("2606:4700::1", 443),
    ]
    del connected[:]
    plain = ["http://hooks.example.org/x", "http://93.184.215.14/", "https://hooks.example.org:22/"]
    assert [outcome.error for outcome in send(PUBLIC, *plain)] == ["target-refused"] * 3
    assert [outcome.error for outcome in send(Reach(public=False, allowed=()), *public)] == ["target-refused"] * 4
    assert connected == []


def test_a_name_that_resolves_differently_the_second_time_gains_nothing(
    connected: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def rebinding(host: str, port: int) -> list[tuple[Any, ...]]:
        asked.append(host)
        return found("93.184.215.14" if len(asked) % 2 else "127.0.0.1", port)

    monkeypatch.setattr(sending, "lookup", rebinding)
    # Each connection asks once, and goes to what was answered then; the second answer is looked at like the first.
    outcomes = send(PUBLIC, *["https://rebind.example.org/"] * 4)
    assert [outcome.error for outcome in outcomes] == ["unreachable", "target-refused"] * 2
    assert [place[0] for place in connected] == ["93.184.215.14"] * 2
    assert len(asked) == 4


def test_the_socket_itself_refuses_what_a_resolver_let_through(connected: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    async def careless(self: Sender, target: sending.Target) -> list[tuple[Any, ...]]:
        return found("127.0.0.1", target.port)

    monkeypatch.setattr(Sender, "_addresses", careless)
    assert [outcome.error for outcome in send(PUBLIC, "https://careless.example.org/")] == ["target-refused"]
    assert connected == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_listener_on_this_machine_never_sees_a_connection(
    subscribing: Callable[..., Subscriber], names: dict[str, list[str]]
) -> None:
    """By the user's path: each address is subscribed and tested; those that no name server would be asked for are refused."""
    subscriber = subscribing(webhook_public=True, webhook_allow="")
    port = subscriber.receiver.port
    refused = 0
    for host in (*NUMERIC, *NAMES):
        for scheme in ("http", "https"):
            terms = {"community": subscriber.community, "url": f"{scheme}://{host}:{port}/"}
            answer = subscriber.try_call("POST", "", terms)
            if answer.status_code == 422:
                assert answer.json()["errors"][0]["field"] == "url", answer.text
                refused += 1
                continue
            assert answer.status_code == 201, answer.text
            tried = subscriber.call("POST", f"/{answer.json()['id']}/test")
            assert tried["error"]["kind"] in ("target-refused", "name-unknown"), (host, tried)
    assert refused > 180
    # One of which somebody else wrote the row, and one whose name leads elsewhere since it was subscribed.
    names["moved.example.org"] = ["127.0.0.1"]
    webhook = subscriber.subscribe(url=f"https://moved.example.org:{port}/")
    subscriber.notify.host.run(
        lambda tx: tx.session.get(WebhookRow, webhook["id"]).__setattr__("url", f"http://2130706433:{port}/")
    )
    subscriber.happen(1)
    subscriber.attempted(webhook, 1)
    assert subscriber.log(webhook)[0]["attempts"][0]["error"]["kind"] == "target-refused"
    assert subscriber.receiver.connections == 0


def test_the_operator_allows_networks_and_ports_inside(names: dict[str, list[str]], connected: list[Any]) -> None:
    reach = Reach(False, networks("127.0.0.1:9000, 10.1.0.0/16, [fd00::/8]:8443"))
    names["receiver.internal"] = ["10.1.2.3"]
    names["half.internal"] = ["10.1.2.3", "10.2.0.1"]
    allowed = ["http://127.0.0.1:9000/", "https://10.1.2.3/", "http://receiver.internal:81/", "https://[fd00::1]:8443/"]
    assert [str(targets.read(url, reach)) for url in allowed] == allowed
    send(reach, *allowed)
    assert [place[:2] for place in connected] == [("127.0.0.1", 9000), ("10.1.2.3", 443), ("10.1.2.3", 81), ("fd00::1", 8443)]
    del connected[:]
    others = [
        "http://127.0.0.1:9001/",
        "http://127.0.0.2:9000/",
        "https://[fd00::1]/",
        "http://half.internal/",
        "https://8.8.8.8/",
    ]
    assert [outcome.error for outcome in send(reach, *others)] == ["target-refused"] * 5
    assert connected == []


def test_what_the_operator_allows_is_checked_at_the_start() -> None:
    given = {"FENGHE_DATABASE_URL": "sqlite://", "FENGHE_REDIS_URL": "redis://x", "FENGHE_TOKEN_KEYS": "x"}
    assert from_environment(given | {"FENGHE_WEBHOOK_ALLOW": "10.0.0.0/8"}).webhook_allow == "10.0.0.0/8"
    for wrong in ("example.org", "10.0.0.1/8", "127.0.0.1:0", "127.0.0.1:port", "[::1"):
        with pytest.raises(SettingsError, match="FENGHE_WEBHOOK_ALLOW cannot be used"):
            from_environment(given | {"FENGHE_WEBHOOK_ALLOW": wrong})
    assert Settings.model_fields["webhook_public"].default is True


def test_proxies_of_the_environment_are_not_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1/")
        monkeypatch.setenv(name.upper(), "http://127.0.0.1:1/")
    (outcome,) = send(Reach(False, networks("127.0.0.1")), receiver.url())
    assert outcome.delivered


def certificate(folder: Path, name: str) -> tuple[Path, ssl.SSLContext]:
    """A certificate for a name, of an authority of its own, and a server's TLS with it."""
    key, own = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    authority = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Test authority")])
    now = datetime.now(UTC)

    def build(subject: x509.Name, of: Any) -> x509.CertificateBuilder:
        valid = x509.CertificateBuilder().not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
        named = valid.subject_name(subject).issuer_name(authority).serial_number(x509.random_serial_number())
        return named.public_key(of.public_key())

    root = build(authority, key).add_extension(x509.BasicConstraints(True, None), True).sign(key, hashes.SHA256())
    leaf = build(x509.Name([]), own).add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), True)
    pem = serialization.Encoding.PEM
    (folder / "root.pem").write_bytes(root.public_bytes(pem))
    private = own.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "own.pem").write_bytes(private + leaf.sign(key, hashes.SHA256()).public_bytes(pem))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(folder / "own.pem")
    return folder / "root.pem", context


def test_the_certificate_is_verified_against_the_name(
    tmp_path: Path, names: dict[str, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    root, tls = certificate(tmp_path, "hooks.example.org")
    asked: list[str | None] = []
    tls.sni_callback = lambda connection, name, context: asked.append(name)
    names["hooks.example.org"] = names["other.example.org"] = ["127.0.0.1"]
    reach = Reach(False, networks("127.0.0.1"))
    with Receiver(tls) as receiver:
        urls = [f"https://{host}:{receiver.port}/x" for host in ("hooks.example.org", "other.example.org", "127.0.0.1")]
        assert [outcome.error for outcome in send(reach, *urls)] == ["certificate"] * 3
        monkeypatch.setenv("SSL_CERT_FILE", os.fspath(root))
        outcomes = send(reach, *urls)
        assert [(outcome.status_code, outcome.error) for outcome in outcomes] == [
            (204, None),
            (None, "certificate"),
            (None, "certificate"),
        ]
        assert [request.headers["host"] for request in receiver.received] == [f"hooks.example.org:{receiver.port}"]
        assert {"hooks.example.org", "other.example.org"} <= set(asked)


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "2606:4700:4700::1111", "240e::1", "64:ff9b::808:808", "223.5.5.5"])
def test_public_addresses_are_public(address: str) -> None:
    assert targets.is_public(ipaddress.ip_address(address))
