"""catalog: what the shop sells, and for how much."""

import asyncio
import os
import random
import time

import psutil
from aiohttp import web

from demo.shop.service import Service

PRICES = {f"lamp-{number}": 1900 + 250 * number for number in range(1, 41)}
PICTURE = b"\x01" * 48_000
MEMORY_MB = 150.0  # what an instance may have; from a good half of it on, it stops now and again to make room
PAUSE_SECONDS = 0.18
VARIANTS, ROUND_TRIP_SECONDS = 25, 0.012
DATABASE_SECONDS = 0.3  # a price that is not in the cache


class Catalog:
    """The routes of catalog."""

    def __init__(self, service: Service) -> None:
        self._service, self._pictures = service, list[bytearray]()
        self._cdn = os.environ.get("CATALOG_CDN", "") if service.place.behaviour.wants_cdn else None
        if self._cdn == "":
            service.unhealthy = "no CDN address is configured (CATALOG_CDN)"
        service.app.router.add_get("/items/{item}", self.item)

    async def item(self, request: web.Request) -> web.Response:
        """One item with its price in cents."""
        name = request.match_info["item"]
        if name not in PRICES:
            return web.json_response({"error": f"no item {name!r}"}, status=404)
        await self._read_prices()
        if self._service.place.behaviour.keeps_pictures:
            self._pictures.append(bytearray(PICTURE))
            self._make_room()
        picture = {"picture": f"{self._cdn}/{name}.jpg"} if self._cdn else {}
        return web.json_response({"item": name, "cents": PRICES[name], **picture})

    async def _read_prices(self) -> None:
        if self._service.place.behaviour.slow_prices:
            for _ in range(VARIANTS):
                await asyncio.sleep(ROUND_TRIP_SECONDS)
        if self._service.config.text("page_cache", "on") == "off":
            await asyncio.sleep(DATABASE_SECONDS * random.uniform(0.8, 1.2))

    def _make_room(self) -> None:
        """Stops the whole process for a collection that frees nothing, the more often the fuller it is."""
        used = psutil.Process().memory_info().rss / 1e6
        pressure = used / MEMORY_MB - 0.55
        if pressure > 0 and random.random() < min(0.1 + pressure, 0.4):
            self._service.log.warning("memory at %.0f of %.0f MB, collecting", used, MEMORY_MB)
            time.sleep(PAUSE_SECONDS)


def build(service: Service) -> Catalog:
    return Catalog(service)
