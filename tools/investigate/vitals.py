"""The measures an investigation reads of each service: what customers feel, what runs short, and what it waits for.

Names of series are those of the Prometheus conventions, of node_exporter and blackbox_exporter, and of OpenTelemetry.
"""

from tools.metrics.named import METRICS, Fill, Match, Matcher, Metric, Rate, Scope, Selector, Share

_UP = Selector("up")
_CALLS = Selector("http_client_request_duration_seconds_count")
REAL = Matcher("origin", Match.EQUAL, "")  # samples that say where they come from were made up
CALLED = "server_address"

ERRORS, LATENCY, TRAFFIC = METRICS["error_rate"], METRICS["latency_p95"], METRICS["request_rate"]
POOL, CPU, MEMORY = METRICS["saturation"], METRICS["cpu"], METRICS["memory"]
DISK = Metric(
    "disk_left",
    "free space",
    Fill(Selector("node_filesystem_avail_bytes"), Selector("node_filesystem_size_bytes")),
    "%",
    10.0,
    scale=100.0,
)
# Means over the instances: each has a sample of `up` in every round of scraping.
CLOCK = Metric("clock_offset", "clock offset", Fill(Selector("node_timex_offset_seconds"), _UP), "s", 2.0)
CERTIFICATE = Metric(
    "certificate_end",
    "end of the certificate",
    Fill(Selector("probe_ssl_earliest_cert_expiry"), _UP),
    "s",
    1.0,
)
WAITED = Metric(
    "call_duration",
    "time of a call",
    Share(Selector("http_client_request_duration_seconds_sum"), _CALLS),
    "ms",
    20.0,
    scale=1_000.0,
)
CALLING = Rate(_CALLS)
_SERVED = Matcher("route", Match.NOT_PATTERN, "/healthz|/metrics")
REFUSED = Metric(
    "refused_rate",
    "refused requests (4xx)",
    Share(
        Selector("http_requests_total", (_SERVED, Matcher("code", Match.PATTERN, "4.."))),
        Selector("http_requests_total", (_SERVED,)),
    ),
    "%",
    5.0,
    scale=100.0,
)
FELT = (ERRORS, REFUSED, LATENCY)
SHORT = (POOL, CPU, MEMORY, DISK, CLOCK, CERTIFICATE)


def scope_of(service: str, environment: str, called: str | None = None) -> Scope:
    """Real samples of a service, or of its calls to another."""
    only = (REAL,) if called is None else (REAL, Matcher(CALLED, Match.EQUAL, called))
    return Scope(environment, service, only)
