"""Which addresses a webhook may be sent to.

Two gates. The first looks at the text of an address when somebody gives it, and says what is wrong with it. The second looks
at the network address that is about to be connected to, and is the one that counts: whatever a name resolves to, now or the
second time, no connection is made to an address that is not public, unless the operator allowed it by FENGHE_WEBHOOK_ALLOW.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network

from yarl import URL

from shared.problems import Invalid
from shared.settings import Network, Settings, networks

LONGEST = 2000
LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)", re.ASCII)
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
INSIDE = frozenset(
    {
        *("localhost", "localdomain", "local", "internal", "intranet", "lan", "home", "corp", "private", "svc", "cluster"),
        *("arpa", "test", "invalid", "onion", "alt"),
    }
)
"""Last labels of names that are nobody's on the Internet (RFC 6761, 6762, 8375, 9476 and usage)."""
GLOBAL_UNICAST = IPv6Network("2000::/3")
NAT64 = IPv6Network("64:ff9b::/96")
NOT_PUBLIC = tuple(
    ip_network(block)
    for block in (
        *("192.0.0.0/24", "192.88.99.0/24", "168.63.129.16/32"),
        *("3fff::/20", "2001:10::/28", "2001:20::/28", "2001::/32", "2002::/16"),
    )
)
"""What `ipaddress`, or some versions of it, take for public: protocol assignments (RFC 6890; one cloud's metadata are there),
6to4 relays, another cloud's host of its machines; documentation (RFC 9637), ORCHID, Teredo and 6to4."""
HTTPS, UNPRIVILEGED = 443, 1024
Address = IPv4Address | IPv6Address


@dataclass(frozen=True)
class Reach:
    """How far webhooks of this deployment may go."""

    public: bool
    allowed: tuple[Network, ...]

    @classmethod
    def of(cls, settings: Settings) -> Reach:
        """As the operator has set it."""
        return cls(settings.webhook_public, networks(settings.webhook_allow))

    @property
    def anywhere(self) -> bool:
        """Whether they may go anywhere at all."""
        return self.public or bool(self.allowed)

    def has(self, address: str, port: int, encrypted: bool) -> bool:
        """Whether a connection may be made to a network address (as text, without a name)."""
        try:
            found = ip_address(address)
        except ValueError:
            return False
        if "%" in address:  # a zone (fe80::1%eth0): of one link, never of the Internet
            return False
        plain = found.ipv4_mapped or found if isinstance(found, IPv6Address) else found
        if any(plain in network and chosen in (None, port) for network, chosen in self.allowed):
            return True
        return self.public and encrypted and _port_is_public(port) and is_public(found)


def is_public(address: Address) -> bool:
    """Whether an address is one of the Internet. Of the IPv6 addresses that are made of an IPv4 address only NAT64's count, for
    they are what a name server gives in networks without IPv4, and only where the address in it is public too."""
    if isinstance(address, IPv6Address):
        if address in NAT64:
            return is_public(IPv4Address(address.packed[-4:]))
        if address not in GLOBAL_UNICAST:
            return False
    if not address.is_global or address.is_multicast or address.is_reserved:
        return False
    return not any(address in block for block in NOT_PUBLIC if block.version == address.version)


def _port_is_public(port: int) -> bool:
    return port == HTTPS or port >= UNPRIVILEGED


def read(text: str, reach: Reach) -> URL:
    """The address of a receiver, as it will be used. Raises Invalid, naming `url`, with what is wrong with it."""
    if not text.isprintable() or any(character in text for character in " \\<>\"'`{}|^"):
        raise _wrong("An address contains no blanks, backslashes, quotes or control characters.")
    try:
        url = URL(text)
        host, port = (url.raw_host or "").lower(), url.port or 0
    except ValueError:
        raise _wrong("This is not an address; it reads like https://example.org/hooks/fenghe.") from None
    if not url.absolute or not host or len(str(url)) > LONGEST:
        raise _wrong(f"This is not an address of at most {LONGEST} characters; it reads like https://example.org/hooks/fenghe.")
    if not reach.anywhere:
        raise _wrong("This deployment sends no webhooks; its operator can allow them (FENGHE_WEBHOOK_PUBLIC).")
    if url.scheme not in ("https", "http") or (url.scheme == "http" and not reach.allowed):
        raise _wrong("Only https is sent to, so that nobody on the way can read along.")
    if url.raw_user is not None or url.raw_password is not None or "@" in text.partition("://")[2].partition("/")[0]:
        raise _wrong("An address has no name or password in it; what is sent is signed with the webhook's secret.")
    if "#" in text:
        raise _wrong("An address of a receiver has no part after #.")
    if not 0 < port < 65536:
        raise _wrong("The port is not one from 1 to 65535.")
    _check_host(host, port, url.scheme == "https", reach)
    return url


def _check_host(host: str, port: int, encrypted: bool, reach: Reach) -> None:
    try:
        ip_address(host)
    except ValueError:
        labels = host.split(".")
        if not all(LABEL.fullmatch(label) for label in labels) or len(host) > 253:
            raise _wrong("The host is not a name of the Internet, like example.org.") from None
        if NUMBER.fullmatch(labels[-1]):
            raise _wrong("The host is a number in a form that is not accepted; write a name.") from None
        if not reach.allowed and (len(labels) < 2 or labels[-1] in INSIDE):
            raise _wrong("The host is a name of an internal network; it must be one of the Internet.") from None
        if encrypted and not reach.allowed and not _port_is_public(port):
            raise _wrong("The port must be 443, or 1024 and above.") from None
        return
    if not reach.has(host, port, encrypted):
        raise _wrong("The host is an address that is not public, or not allowed with this port; write a name of the Internet.")


def _wrong(detail: str) -> Invalid:
    return Invalid("url", detail, "target-refused")
