"""Faults beside the ten, played after the rules were made; only `callers-clock` was thought of along with one."""

from demo.faults.fault import Begin, Cause, Configure, Fault, World
from demo.faults.ten import (
    CATALOG_RELEASE,
    CHECKOUT_RELEASE,
    DELIVERY,
    LATE_CONFIG,
    PAYMENTS_RELEASE,
    STAGING_CATALOG,
    STAGING_RELEASE,
    STATISTICS,
    THUMBNAILS,
)

VARIANTS = (
    Fault(
        "callers-clock",
        (Cause("clock", "checkout"),),
        ("why is checkout failing?", "why are payments failing?", "pourquoi checkout échoue ?"),
        (PAYMENTS_RELEASE, CATALOG_RELEASE, THUMBNAILS, LATE_CONFIG),
        strike=(World("checkout", {"clock_skew": -75.0}),),
    ),
    Fault(
        "cold-cache",
        (Cause("config", "catalog page_cache"),),
        ("why is checkout slow?", "why is catalog so slow?", "pourquoi checkout est lent ?"),
        (CATALOG_RELEASE, PAYMENTS_RELEASE, STATISTICS, THUMBNAILS),
        strike=(Configure("catalog", "page_cache", "on", "off", "jonas"),),
    ),
    Fault(
        "sluggish-provider",
        (Cause("dependency", "corvid-pay"),),
        ("why is checkout slow?", "why are payments slow?", "pourquoi les paiements sont lents ?"),
        (PAYMENTS_RELEASE, CHECKOUT_RELEASE, STATISTICS, STAGING_RELEASE),
        strike=(World("payments", {"provider_seconds": 0.28}),),
    ),
    Fault(
        "catalogs-certificate",
        (Cause("certificate", "catalog"),),
        (
            "is something wrong with checkout?",
            "what is wrong with catalog?",
            "quel est le problème de catalog ?",
        ),
        (CHECKOUT_RELEASE, STAGING_CATALOG, STATISTICS, DELIVERY),
        begin=Begin(certificate="catalog"),
        harmless=True,
    ),
    Fault(
        "nothing-wrong",
        (),
        ("why is checkout slow?", "why are payments failing?", "pourquoi le catalogue est lent ?"),
        (CHECKOUT_RELEASE, STAGING_CATALOG, PAYMENTS_RELEASE, THUMBNAILS, DELIVERY),
        harmless=True,
    ),
)
