"""The measures an investigation reads of each service: what customers feel, what runs short, and what it waits for.

Names of series are those of the Prometheus conventions, of node_exporter and blackbox_exporter, and of OpenTelemetry.
"""

from tools.metrics.named import METRICS, Fill, Level, Match, Matcher, Metric, Rate, Scope, Selector, Share

_CALLS = Selector("http_client_request_duration_seconds_count")
REAL = Matcher("origin", Match.EQUAL, "")  # samples that say where they come from were made up
CALLED, INSTANCE = "server_address", "instance"

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
CLOCK = Metric("clock_offset", "clock offset", Level(Selector("node_timex_offset_seconds")), "s", 2.0)
CERTIFICATE = Metric(
    "certificate_end", "end of the certificate", Level(Selector("probe_ssl_earliest_cert_expiry")), "s", 1.0
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
SHORT = (POOL, CPU, MEMORY, DISK)
EACH = (CLOCK, CERTIFICATE)  # read of each instance: one that is off would be lost in a mean


def scope_of(
    service: str, environment: str, *, called: str | None = None, instance: str | None = None
) -> Scope:
    """Real samples of a service, or of its calls to another, or of one instance."""
    named = {CALLED: called, INSTANCE: instance}
    only = tuple(Matcher(label, Match.EQUAL, value) for label, value in named.items() if value is not None)
    return Scope(environment, service, (REAL, *only))
