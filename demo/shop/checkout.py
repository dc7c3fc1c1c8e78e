"""checkout: turns a basket into an order: asks catalog for prices and payments for the money."""

import json

from aiohttp import ClientError, web

from demo.shop.addresses import NobodyListens
from demo.shop.service import REQUEST_ID, Service


class Checkout:
    """The routes of checkout."""

    def __init__(self, service: Service) -> None:
        self._service = service
        service.app.router.add_post("/checkout", self.order)

    async def order(self, request: web.Request) -> web.Response:
        """Orders a basket. 502 when payments or catalog cannot serve it."""
        basket = await request.json()
        try:
            cents = 0
            for item in basket["items"]:
                priced = await self._service.call("catalog", "GET", f"/items/{item}", on_behalf=request)
                if priced.status != 200:
                    return self._failed(request, f"item refused: catalog answered {priced.status}")
                cents += int(json.loads(priced.text or "{}")["cents"])
            order: dict[str, object] = {"basket": basket["id"], "cents": cents}
            paid = await self._service.call("payments", "POST", "/payments", on_behalf=request, body=order)
        except (ClientError, NobodyListens, TimeoutError) as error:
            return self._failed(request, f"upstream unreachable: {type(error).__name__}")
        if paid.status != 200:
            return self._failed(request, f"payment failed: payments answered {paid.status}")
        total: object = {"cents": cents}
        if self._service.place.behaviour.compact_totals:
            total = f"{cents / 100:.2f}"
        return web.json_response({"order": basket["id"], "total": total})

    def _failed(self, request: web.Request, why: str) -> web.Response:
        self._service.log.error("%s", why, extra={"fields": {"request_id": request[REQUEST_ID]}})
        return web.json_response({"error": why}, status=502)


def build(service: Service) -> Checkout:
    return Checkout(service)
