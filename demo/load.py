"""Customers: honest traffic on checkout and catalog, in production and a little in staging."""

import argparse
import asyncio
import random
from pathlib import Path

from aiohttp import ClientError, ClientSession, ClientTimeout

from demo.shop.addresses import Addresses, NobodyListens
from demo.shop.live import CONDITIONS, Live
from demo.shop.orphan import orphaned

RATES = {"production": 7.0, "staging": 0.5}  # baskets a second


async def shop(http: ClientSession, addresses: Addresses, number: int, chance: random.Random) -> None:
    """One customer: looks at some lamps, then buys one to three of them."""
    items = [f"lamp-{chance.randint(1, 40)}" for _ in range(chance.randint(1, 3))]
    try:
        async with http.get(f"{addresses.url('catalog')}/items/{items[0]}") as answer:
            await answer.read()
        basket = {"id": f"B{number}", "items": items}
        async with http.post(f"{addresses.url('checkout')}/checkout", json=basket) as answer:
            await answer.read()
    except (ClientError, NobodyListens, TimeoutError, OSError):
        return  # a customer who finds the shop closed leaves; the services' own figures tell


async def crowd(home: Path, environment: str, rate: float, http: ClientSession) -> None:
    """Customers arriving at random, `rate` a second on average."""
    addresses, chance, number = Addresses(home, environment), random.Random(), 0
    inside: set[asyncio.Task[None]] = set()
    conditions = Live(home, CONDITIONS, environment, "load")
    while True:
        number += 1
        task = asyncio.create_task(shop(http, addresses, number, chance))
        inside.add(task)
        task.add_done_callback(inside.discard)
        await asyncio.sleep(chance.expovariate(conditions.number("baskets_a_second", rate)))


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--parent", type=int, required=True)
    arguments = parser.parse_args()
    async with ClientSession(timeout=ClientTimeout(total=8)) as http:
        crowds = [asyncio.create_task(crowd(arguments.home, *entry, http)) for entry in RATES.items()]
        await orphaned(arguments.parent)  # customers do not outlive the shop
        for task in crowds:
            task.cancel()


if __name__ == "__main__":
    asyncio.run(main())
