"""The client against a cluster that is slow, busy, forgetful, or says no; and all that it never asks for."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from aiohttp import web

from tests.fakes import kubernetes_objects as made
from tests.fakes.kubernetes import TOKEN, KubernetesStandIn, shop_cluster
from tests.fakes.kubernetes_access import NoPause, cluster_at
from tests.fakes.logservers import served
from tests.fakes.shop import NOW, now
from tools.contract import ToolFailed, ToolUnavailable
from tools.kubernetes.access import Persona
from tools.kubernetes.client import Cluster
from tools.kubernetes.objects import Pod, WorkloadObject
from tools.kubernetes.observations import ConfigMap
from tools.kubernetes.refusals import Attempt, Forbidden, Invalid, Missing, Unheard, refusal
from tools.kubernetes.resources import CONFIG_MAPS, DEPLOYMENTS, PODS, Resource
from tools.kubernetes.wire import LONGEST_LINE


@pytest.fixture
def server() -> KubernetesStandIn:
    return shop_cluster(now)


@pytest.fixture
async def url(server: KubernetesStandIn) -> AsyncIterator[str]:
    async with server.open() as address:
        yield address


def crowded(server: KubernetesStandIn, count: int) -> None:
    owner = server.of("replicasets")[0]
    for number in range(count):
        server.put("pods", made.pod(owner, 100 + number, NOW - timedelta(hours=1)))


async def listed(cluster: Cluster, most: int = 2_000) -> list[str]:
    found = await cluster.listed(PODS, "shop", Pod, most=most)
    return [each.metadata.name for each in found.items]


async def test_a_long_list_is_read_page_by_page(server: KubernetesStandIn, url: str) -> None:
    crowded(server, 90)
    server.slow_page = 25
    names = await listed(cluster_at(url))
    assert len(set(names)) == len(names) == len(server.of("pods"))
    assert [one.query.get("continue") for one in server.asked] == [None, "25", "50", "75"]


async def test_a_list_that_is_too_long_says_so(server: KubernetesStandIn, url: str) -> None:
    crowded(server, 90)
    found = await cluster_at(url).listed(PODS, "shop", Pod, most=40)
    assert (len(found.items), found.cut) == (40, True)
    whole = await cluster_at(url).listed(PODS, "shop-staging", Pod, most=40)
    assert (len(whole.items), whole.cut) == (1, False)


async def test_a_list_that_the_cluster_gave_up_on_is_begun_again_once(
    server: KubernetesStandIn, url: str
) -> None:
    crowded(server, 40)
    server.slow_page, server.expiring = 25, 1
    assert len(await listed(cluster_at(url))) == len(server.of("pods"))
    server.expiring = 2
    with pytest.raises(ToolUnavailable, match="pods change faster than they can be listed"):
        await listed(cluster_at(url))


async def test_a_busy_cluster_is_asked_again_when_it_says_so(server: KubernetesStandIn, url: str) -> None:
    pause = NoPause()
    server.busy = 2
    assert await listed(cluster_at(url, pause))
    assert pause.seconds == [1.0, 1.0]
    server.busy = 9
    with pytest.raises(ToolUnavailable, match="is busy"):
        await listed(cluster_at(url, pause))


async def test_a_token_that_is_refused_twice_is_somebodys_to_renew(
    server: KubernetesStandIn, url: str
) -> None:
    with pytest.raises(ToolFailed, match="does not accept our credentials") as caught:
        await listed(cluster_at(url, token="old-token-of-yesterday"))
    assert len(server.asked) == 2
    assert "old-token" not in str(caught.value)


def test_there_is_no_way_to_ask_for_a_secret() -> None:
    for name in ("secrets", "Secrets", "serviceaccounts/token"):
        with pytest.raises(ValueError, match="are never asked for"):
            Resource("", "v1", name)


async def test_config_maps_are_refused_unless_they_are_allowed(server: KubernetesStandIn, url: str) -> None:
    with pytest.raises(Forbidden, match=r"tools\.kubernetes\.config_maps is off"):
        await cluster_at(url).listed(CONFIG_MAPS, "shop", ConfigMap)
    assert server.asked == []
    found = await cluster_at(url, config_maps=True).listed(CONFIG_MAPS, "shop", ConfigMap)
    assert found.items == ()


async def test_values_of_config_maps_do_not_pass(server: KubernetesStandIn, url: str) -> None:
    server.put("configmaps", made.config_map("a", "shop", {"URL": "postgres://me:pass@db/x"}, NOW, "helm"))
    (one,) = (await cluster_at(url, config_maps=True).listed(CONFIG_MAPS, "shop", ConfigMap)).items
    assert one.data == {"URL": "(hidden)"}


async def test_names_stay_inside_their_piece_of_the_address(server: KubernetesStandIn, url: str) -> None:
    with pytest.raises(ToolFailed):
        await cluster_at(url).one(DEPLOYMENTS, "shop", "../../secrets/payments-db", WorkloadObject)
    assert server.asked[0].path.startswith("/apis/apps/v1/namespaces/shop/deployments/")


async def test_what_is_not_there_is_missing(url: str) -> None:
    with pytest.raises(Missing, match='deployments.apps "nobody" not found'):
        await cluster_at(url).one(DEPLOYMENTS, "shop", "nobody", WorkloadObject)


async def test_nonsense_is_a_failure_and_not_an_empty_cluster(server: KubernetesStandIn, url: str) -> None:
    server.put(
        "pods", {"metadata": {"name": "x", "namespace": "shop"}, "spec": {"containers": [{"image": 3}]}}
    )
    with pytest.raises(
        ToolFailed, match=r"in another form than its API to list pods .* spec\.containers\.0\.name"
    ):
        await listed(cluster_at(url))


ATTEMPT = Attempt("the cluster", "patch", "deployments", "apps", "shop", "payments")


@pytest.mark.parametrize(
    ("status", "message", "kind"),
    [
        (
            403,
            'deployments.apps "payments" is forbidden: User "sayso" cannot patch resource "deployments"',
            Forbidden,
        ),
        (403, 'admission webhook "a.b" denied the request: no', Invalid),
        (403, 'deployments.apps "payments" is forbidden: exceeded quota: q, requested: pods=1', Invalid),
        (403, "no", Forbidden),
        (422, "spec.replicas: Invalid value", Invalid),
        (500, "etcdserver: request timed out", ToolUnavailable),
        (504, "<html>gateway</html>", ToolUnavailable),
        (418, "tea", ToolFailed),
    ],
)
def test_a_refusal_is_told_as_who_should_act(status: int, message: str, kind: type[Exception]) -> None:
    body = f'{{"kind": "Status", "message": {message!r}}}'.replace("'", '"') if status == 422 else message
    error = refusal(status, str(body).encode(), ATTEMPT)
    assert type(error) is kind
    assert "deployments" in str(error)


def test_the_token_is_in_no_text_of_a_way_in(url: str) -> None:
    cluster = cluster_at("http://127.0.0.1:1")
    assert TOKEN not in repr(cluster._wire.access)


@pytest.mark.parametrize("body", ["", "<html>", "[]", "[" * 100_000, '{"metadata": 1}'])
async def test_an_answer_to_a_change_that_nobody_can_read_leaves_open_whether_it_was_made(body: str) -> None:
    async def patched(_: web.Request) -> web.Response:
        return web.Response(text=body, content_type="application/json")

    def add(app: web.Application) -> None:
        app.router.add_patch("/{path:.*}", patched)

    async with served(add) as url:
        cluster = cluster_at(url)
        with pytest.raises(Unheard, match="whether it was done is not known"):
            await cluster.patch(DEPLOYMENTS, "shop", "payments", {}, WorkloadObject, dry_run=False)
        with pytest.raises(ToolFailed):
            await cluster.patch(DEPLOYMENTS, "shop", "payments", {}, WorkloadObject, dry_run=True)


async def test_a_line_of_a_log_that_does_not_end_is_not_kept_whole() -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(40):
            await response.write(b"x" * LONGEST_LINE)
        await response.write(b"\nlast\n")
        return response

    def add(app: web.Application) -> None:
        app.router.add_get("/{path:.*}", endless)

    async with (
        served(add) as url,
        cluster_at(url).log("shop", "payments-1", {}) as lines,
    ):
        first, last = [line async for line in lines]
    assert len(first) < 4 * LONGEST_LINE
    assert last == b"last"


@pytest.mark.parametrize("token", [TOKEN, "two\nlines"])
async def test_a_name_or_a_token_that_is_more_than_a_header_is_not_sent(
    token: str, server: KubernetesStandIn, url: str
) -> None:
    cluster = cluster_at(url, token=token).acting_as(Persona("eve\nImpersonate-Group: system:masters"))
    with pytest.raises(ToolFailed, match="no header may have") as caught:
        await listed(cluster)
    assert token not in str(caught.value)
    assert server.asked == []
