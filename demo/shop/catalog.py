"""catalog: what the shop sells, and for how much."""

import os

from aiohttp import web

from demo.shop.service import Service

PRICES = {f"lamp-{number}": 1900 + 250 * number for number in range(1, 41)}


class Catalog:
    """The routes of catalog."""

    def __init__(self, service: Service) -> None:
        self._cdn = os.environ.get("CATALOG_CDN", "") if service.place.behaviour.wants_cdn else None
        if self._cdn == "":
            service.unhealthy = "no CDN address is configured (CATALOG_CDN)"
        service.app.router.add_get("/items/{item}", self.item)

    async def item(self, request: web.Request) -> web.Response:
        """One item with its price in cents."""
        name = request.match_info["item"]
        if name not in PRICES:
            return web.json_response({"error": f"no item {name!r}"}, status=404)
        picture = {"picture": f"{self._cdn}/{name}.jpg"} if self._cdn else {}
        return web.json_response({"item": name, "cents": PRICES[name], **picture})


def build(service: Service) -> Catalog:
    return Catalog(service)
