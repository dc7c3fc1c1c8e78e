"""Which addresses a request may go to: public ones, and those of networks that the operator names.

A name is looked up once for each connection and the connection goes to just the addresses that were checked, so a name
that changes its mind in between (DNS rebinding) gains nothing.
"""

import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from aiohttp.abc import AbstractResolver, ResolveResult

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: an IPv4 address in its last 32 bits


class Refused(OSError):
    """An address that no request may go to."""


def permitted(address: Address, networks: Sequence[Network]) -> None:
    """Nothing, where a request may go there. Raises `Refused` naming the address."""
    meant = _meant(address)
    if any(each.version == meant.version and meant in each for each in networks):
        return
    if not meant.is_global or meant.is_multicast:
        raise Refused(
            f"{address} is no public address; name its network in `networks` if requests should go there"
        )


def _meant(address: Address) -> Address:
    """The IPv4 address that an IPv6 one stands for, where it stands for one."""
    if isinstance(address, IPv4Address):
        return address
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def resolver(networks: Sequence[Network], inner: "AbstractResolver | None" = None) -> "AbstractResolver":
    """A resolver that gives only addresses a request may go to, all or none of a name's."""
    from aiohttp.abc import AbstractResolver
    from aiohttp.resolver import ThreadedResolver

    class Guarded(AbstractResolver):
        def __init__(self) -> None:
            self._inner = inner or ThreadedResolver()

        async def resolve(
            self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
        ) -> "list[ResolveResult]":
            found = await self._inner.resolve(host, port, family)
            for each in found:
                permitted(ip_address(each["host"].partition("%")[0]), networks)
            return found

        async def close(self) -> None:
            await self._inner.close()

    return Guarded()
