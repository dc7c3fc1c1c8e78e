"""The ten faults and what only looks guilty beside each."""

from demo.faults.fault import STAGING, Begin, Cause, Configure, Deploy, Fault, Herring, Restart, World

BEFORE, AFTER = (-34.0, -14.0), (16.0, 30.0)
MAIN = "hl-main"

# --- what looks guilty, and is not -----------------------------------------------------------------------------------

CHECKOUT_RELEASE = Herring("checkout 1.8.3", (Deploy("checkout", "1.8.3", "maya"),), *BEFORE)
CATALOG_RELEASE = Herring("catalog 3.2.3", (Deploy("catalog", "3.2.3", "priya"),), *BEFORE)
PAYMENTS_RELEASE = Herring("payments 2.3.10", (Deploy("payments", "2.3.10", "kofi"),), *BEFORE)
STAGING_RELEASE = Herring("payments 2.4.0", (Deploy("payments", "2.4.0", "raj", STAGING),), *BEFORE)
STAGING_CATALOG = Herring("catalog 3.2.2", (Deploy("catalog", "3.2.2", "priya", STAGING),), *BEFORE)
LATE_RESTART = Herring("restart", (Restart("catalog", "sam"),), *AFTER)
LATE_CONFIG = Herring(
    "newsletter_box", (Configure("checkout", "newsletter_box", "on", "off", "diego"),), *AFTER
)
DELIVERY = Herring(
    "free_delivery_from", (Configure("checkout", "free_delivery_from", "4000", "5000", "diego"),), *BEFORE
)
CATALOG_CONFIG = Herring(
    "sort_order", (Configure("catalog", "sort_order", "newest", "popular", "jonas"),), *BEFORE
)


def _noise(service: str, text: str, named: str, share: float, when: tuple[float, float]) -> Herring:
    return Herring(named, (World(service, {"noise": text, "noise_share": share}),), *when)


UNKNOWN_FORMAT = "thumbnail of lamp-% could not be made: unknown format"
NOT_COUNTED = "visit % could not be counted: statistics closed the connection"
THUMBNAILS = _noise("catalog", UNKNOWN_FORMAT, "thumbnail", 0.3, BEFORE)
STATISTICS = _noise("checkout", NOT_COUNTED, "statistics", 0.5, BEFORE)
LOUD_THUMBNAILS = _noise("catalog", UNKNOWN_FORMAT, "thumbnail", 0.9, (-40.0, -26.0))

# --- the faults ------------------------------------------------------------------------------------------------------

TEN = (
    Fault(
        "pool-release",
        (Cause("release", "payments 2.4.0"),),
        ("why are payments failing?", "why is checkout failing?", "pourquoi les paiements échouent ?"),
        (CHECKOUT_RELEASE, CATALOG_RELEASE, THUMBNAILS, LATE_RESTART, DELIVERY),
        strike=(Deploy("payments", "2.4.0", "raj"),),
    ),
    Fault(
        "slow-dependency",
        (Cause("dependency", "corvid-pay"),),
        ("why is checkout slow?", "why are payments so slow?", "pourquoi checkout est lent ?"),
        (CATALOG_RELEASE, STAGING_RELEASE, PAYMENTS_RELEASE, STATISTICS, LATE_CONFIG),
        strike=(World("payments", {"provider_seconds": 1.9}),),
    ),
    Fault(
        "memory-leak",
        (Cause("memory", "catalog"),),
        ("why is catalog slow?", "why is checkout slow?", "pourquoi le catalogue est lent ?"),
        (CHECKOUT_RELEASE, PAYMENTS_RELEASE, STATISTICS, DELIVERY),
        begin=Begin(versions={"catalog": "3.2.1"}),
    ),
    Fault(
        "bad-config",
        (Cause("config", "payments merchant_account"),),
        ("why are payments failing?", "why is checkout failing?", "pourquoi checkout échoue ?"),
        (PAYMENTS_RELEASE, CATALOG_RELEASE, CATALOG_CONFIG, THUMBNAILS, LATE_RESTART),
        strike=(Configure("payments", "merchant_account", MAIN, "hl-mian", "kofi"),),
    ),
    Fault(
        "disk-filling",
        (Cause("disk", "payments"),),
        ("why are payments failing?", "why is checkout failing?", "pourquoi les paiements échouent ?"),
        (CHECKOUT_RELEASE, CATALOG_RELEASE, STAGING_RELEASE, CATALOG_CONFIG, THUMBNAILS),
        begin=Begin(fills="payments"),
    ),
    Fault(
        "harmless-spike",
        (Cause("traffic", "checkout"),),
        ("why is checkout slow?", "is something wrong with checkout?", "pourquoi checkout est lent ?"),
        (CATALOG_RELEASE, STAGING_RELEASE, THUMBNAILS, DELIVERY),
        strike=(World("load", {"baskets_a_second": 15.0}),),
        harmless=True,
    ),
    Fault(
        "clock-skew",
        (Cause("clock", "payments"),),
        ("why are payments failing?", "why is checkout failing?", "pourquoi checkout échoue ?"),
        (CHECKOUT_RELEASE, PAYMENTS_RELEASE, STATISTICS, CATALOG_CONFIG),
        strike=(World("payments", {"clock_skew": 94.0}),),
    ),
    Fault(
        "certificate",
        (Cause("certificate", "payments"),),
        ("is something wrong with payments?", "why does payments log warnings?", "quel est le problème de payments ?"),
        (CHECKOUT_RELEASE, STAGING_CATALOG, STATISTICS, DELIVERY),
        begin=Begin(certificate="payments"),
        harmless=True,
    ),
    Fault(
        "noisy-errors",
        (Cause("release", "catalog 3.2.2"),),
        ("why is catalog slow?", "why is checkout slow?", "pourquoi le catalogue est lent ?"),
        (STATISTICS, PAYMENTS_RELEASE, LATE_CONFIG, CHECKOUT_RELEASE),
        always=(LOUD_THUMBNAILS,),
        strike=(Deploy("catalog", "3.2.2", "priya"),),
    ),
    Fault(
        "two-at-once",
        (Cause("release", "payments 2.4.0"), Cause("config", "catalog page_cache")),
        ("why is checkout slow and failing?", "why is checkout failing?", "pourquoi checkout est lent et échoue ?"),
        (CHECKOUT_RELEASE, STATISTICS, STAGING_CATALOG, DELIVERY),
        strike=(Deploy("payments", "2.4.0", "raj"), Configure("catalog", "page_cache", "on", "off", "jonas")),
    ),
)  # fmt: skip
