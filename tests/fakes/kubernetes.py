"""A Kubernetes API server on loopback: objects in memory, the documented protocol, and a controller that takes steps.

It speaks what sayso's client and `kubectl` ask: lists in pages, strategic merge patches with dry run and strict
validation against Kubernetes' own schemas, conflicts, refusals as `Status`, logs, metrics. Each look at a Deployment
moves its rollout on by one step, so that nothing has to wait.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import kubernetes_validate
from aiohttp import web

from tests.fakes import kubernetes_objects as made
from tests.fakes.kubernetes_merge import fields_fit, merged, replaced, selects
from tests.fakes.logservers import served
from tools.contract import Clock
from tools.kubernetes.images import Image

SCHEMAS = "1.32"
TOKEN = "eyJhbGciOi-not-a-real-token"
KINDS = {
    "pods": "Pod", "events": "Event", "configmaps": "ConfigMap", "deployments": "Deployment",
    "statefulsets": "StatefulSet", "daemonsets": "DaemonSet", "replicasets": "ReplicaSet",
    "horizontalpodautoscalers": "HorizontalPodAutoscaler", "secrets": "Secret",
}  # fmt: skip
GROUPS = {
    "apps": ("v1", ("deployments", "statefulsets", "daemonsets", "replicasets")),
    "autoscaling": ("v2", ("horizontalpodautoscalers",)),
    "metrics.k8s.io": ("v1beta1", ("pods",)),
}
CORE = ("pods", "events", "configmaps", "secrets")
PATCHES: Mapping[str, Callable[[Any, Any], Any]] = {
    "application/strategic-merge-patch+json": merged,
    "application/json-patch+json": replaced,
}
Object = dict[str, Any]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    groups: tuple[str, ...]
    body: Any


@dataclass
class KubernetesStandIn:
    """The server. Its switches break it in the ways that real ones break."""

    clock: Clock
    objects: dict[tuple[str, str, str], Object] = field(default_factory=dict)
    metrics: dict[tuple[str, str], Object] | None = field(default_factory=dict)  # None: no metrics server
    logs: dict[tuple[str, str, bool], list[tuple[datetime, str]]] = field(default_factory=dict)
    broken: Mapping[str, str] = field(default_factory=dict)  # version -> how its pods fail
    denied: set[tuple[str, str]] = field(default_factory=set)  # verb and resource that nobody may
    admission: Callable[[Object], tuple[int, str] | None] = lambda _: None
    warnings: tuple[str, ...] = ()
    impersonators: bool = True
    busy: int = 0  # requests that are answered with 429 first
    expiring: int = 0  # pages that are answered with 410 first
    failing: int = 0  # patches that are carried out and answered with 500
    dropping: int = 0  # patches that are answered with 500 and forgotten
    racing: int = 0  # patches before which somebody else changes the status
    slow_page: int = 250
    frozen: bool = False  # the controller sleeps
    token: str = TOKEN
    asked: list[Asked] = field(default_factory=list)
    before_patch: Callable[["KubernetesStandIn"], None] = lambda _: None
    _version: int = 1000
    _steps: dict[tuple[str, str], int] = field(default_factory=dict)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[str]:
        """Serves until the block ends; yields the address."""
        async with served(self.add) as url:
            yield url

    def add(self, app: web.Application) -> None:
        app.middlewares.append(self._guard)
        app.router.add_get("/api", self._versions)
        app.router.add_get("/apis", self._groups)
        app.router.add_get("/api/v1", self._core)
        app.router.add_get("/apis/{group}/{version}", self._group)
        for start in ("/api/v1", "/apis/{group}/{version}"):
            base = f"{start}/namespaces/{{namespace}}/{{plural}}"
            app.router.add_get(base, self._list)
            app.router.add_get(f"{base}/{{name}}", self._get)
            app.router.add_patch(f"{base}/{{name}}", self._patch)
        app.router.add_get("/api/v1/namespaces/{namespace}/pods/{name}/log", self._log)

    # --- what a test puts there ---------------------------------------------------------------------------------

    def put(self, plural: str, value: Object) -> Object:
        meta = value["metadata"]
        self.objects[plural, meta["namespace"], meta["name"]] = value
        return value

    def find(self, plural: str, name: str, namespace: str = "shop") -> Object:
        return self.objects[plural, namespace, name]

    def of(self, plural: str, namespace: str = "shop") -> list[Object]:
        return [
            value for (kind, where, _), value in self.objects.items() if (kind, where) == (plural, namespace)
        ]

    def run(
        self, name: str, versions: Mapping[str, timedelta], replicas: int = 2, namespace: str = "shop"
    ) -> Object:
        """A Deployment whose versions came one after the other, each so long ago; the last one runs."""
        now = self.clock()
        ages = list(versions.items())
        image = f"registry.example:5000/shop/{name}"
        last, age = ages[-1]
        pods = made.template(name, f"{image}:{last}")
        owner = self.put(
            "deployments", made.deployment(name, namespace, pods, replicas, now - age, len(ages))
        )
        for number, (version, since) in enumerate(ages, 1):
            earlier = made.template(name, f"{image}:{version}")
            count = replicas if version == last else 0
            one = self.put("replicasets", made.replica_set(owner, earlier, count, now - since, number))
            for each in range(count):
                self.put("pods", made.pod(one, each, now - since))
        return owner

    def patches(self, *, dry: bool = False) -> list[Asked]:
        """The patches that came, tried or meant."""
        return [one for one in self.asked if one.method == "PATCH" and ("dryRun" in one.query) == dry]

    # --- the protocol -------------------------------------------------------------------------------------------

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        text = await request.text()
        groups = tuple(request.headers.getall("Impersonate-Group", []))
        body = json.loads(text) if text else None
        self.asked.append(
            Asked(request.method, request.path, dict(request.query), dict(request.headers), groups, body)
        )
        if request.headers.get("Authorization") != f"Bearer {self.token}":
            return status(401, "Unauthorized", "Unauthorized")
        if self.busy:
            self.busy -= 1
            return status(429, "TooManyRequests", "please try again", {"Retry-After": "1"})
        if (user := request.headers.get("Impersonate-User")) and not self.impersonators:
            message = f'users "{user}" is forbidden: User "sayso" cannot impersonate resource "users" in API group ""'
            return status(403, "Forbidden", message)
        if (no := self._may_not(request, user or "sayso")) is not None:
            return no
        try:
            return await handler(request)
        except web.HTTPNotFound:
            return status(404, "NotFound", "the server could not find the requested resource")

    def _may_not(self, request: web.Request, user: str) -> web.Response | None:
        plural, group = request.match_info.get("plural", ""), request.match_info.get("group", "")
        named = "name" in request.match_info
        verb = "patch" if request.method == "PATCH" else "get" if named else "list"
        resource = "pods/log" if request.path.endswith("/log") else plural
        if group == "metrics.k8s.io":
            resource = "podmetrics"  # a rule for pods of the core is none for those
        if (verb, resource) not in self.denied:
            return None
        what = f"{resource}.{group}" if group else resource
        where = f'in API group "{group}" in the namespace "{request.match_info["namespace"]}"'
        return status(
            403,
            "Forbidden",
            f'{what} is forbidden: User "{user}" cannot {verb} resource "{resource}" {where}',
        )

    async def _versions(self, _: web.Request) -> web.Response:
        return web.json_response(
            {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": []}
        )

    async def _groups(self, _: web.Request) -> web.Response:
        listed = [
            {"name": group, "versions": [version], "preferredVersion": version}
            for group, (number, _) in GROUPS.items()
            for version in [{"groupVersion": f"{group}/{number}", "version": number}]
        ]
        return web.json_response({"kind": "APIGroupList", "apiVersion": "v1", "groups": listed})

    async def _core(self, _: web.Request) -> web.Response:
        return web.json_response(served_kinds("v1", CORE))

    async def _group(self, request: web.Request) -> web.Response:
        group = request.match_info["group"]
        if group not in GROUPS or (group == "metrics.k8s.io" and self.metrics is None):
            return status(404, "NotFound", "the server could not find the requested resource")
        version, plurals = GROUPS[group]
        return web.json_response(served_kinds(f"{group}/{version}", plurals))

    async def _list(self, request: web.Request) -> web.Response:
        match, query = request.match_info, request.query
        plural, namespace = match["plural"], match["namespace"]
        if match.get("group") == "metrics.k8s.io":
            if self.metrics is None:
                return status(404, "NotFound", "the server could not find the requested resource")
            found = [each for (where, _), each in self.metrics.items() if where == namespace]
        else:
            found = self.of(plural, namespace)
        found = [
            each
            for each in found
            if selects(query.get("labelSelector", ""), each["metadata"].get("labels", {}))
            and fields_fit(query.get("fieldSelector", ""), each)
        ]
        if "continue" in query and self.expiring:
            self.expiring -= 1
            return status(
                410, "Expired", "The provided continue parameter is too old to display a consistent list."
            )
        start, size = int(query.get("continue", "0")), min(int(query.get("limit", "500")), self.slow_page)
        rest = str(start + size) if start + size < len(found) else ""
        kind = "PodMetricsList" if match.get("group") == "metrics.k8s.io" else f"{KINDS[plural]}List"
        return web.json_response(
            {
                "kind": kind,
                "apiVersion": api_version(match),
                "metadata": {"resourceVersion": str(self._version), **({"continue": rest} if rest else {})},
                "items": found[start : start + size],
            }
        )

    async def _get(self, request: web.Request) -> web.Response:
        match = request.match_info
        key = (match["plural"], match["namespace"], match["name"])
        if key not in self.objects:
            return not_found(match)
        if match["plural"] == "deployments" and not self.frozen:
            self._step(self.objects[key])
        return web.json_response(self.objects[key])

    async def _patch(self, request: web.Request) -> web.Response:
        match, query = request.match_info, request.query
        key = (match["plural"], match["namespace"], match["name"])
        if request.content_type not in PATCHES:
            return status(415, "UnsupportedMediaType", f"the body is {request.content_type}")
        if key not in self.objects:
            return not_found(match)
        dry = query.get("dryRun") == "All"
        if not dry and self._disturbed(key):
            return status(500, "InternalError", "etcdserver: leader changed")
        now, patch = self.objects[key], await request.json()
        current = now["metadata"]["resourceVersion"]
        after = PATCHES[request.content_type](now, patch)
        if after["metadata"]["resourceVersion"] != current:
            return conflict(match)
        if (no := self._refused(after)) is not None:
            return no
        if after["spec"] != now["spec"]:
            after["metadata"]["generation"] += 1
        if not dry:
            self._kept(key, now, after, query.get("fieldManager", "unknown"))
            if self.failing:
                self.failing -= 1
                return status(500, "InternalError", "etcdserver: request timed out")
        return web.json_response(after, headers=[("Warning", warning(text)) for text in self.warnings])

    def _disturbed(self, key: tuple[str, str, str]) -> bool:
        """Whether a patch is forgotten; what comes between it and the look before it."""
        self.before_patch(self)
        if self.racing:
            self.racing -= 1
            self._changed(self.objects[key])
        self.dropping -= (dropped := self.dropping > 0)
        return dropped

    def _kept(self, key: tuple[str, str, str], now: Object, after: Object, manager: str) -> None:
        if after != now:
            self._changed(after, manager)
        if after["spec"].get("template") != now["spec"].get("template"):
            self._steps[key[1:]] = 0
        self.objects[key] = after

    def _refused(self, after: Object) -> web.Response | None:
        name = after["metadata"]["name"]
        try:
            kubernetes_validate.validate(after, SCHEMAS, strict=True)
        except kubernetes_validate.ValidationError as error:
            return status(422, "Invalid", f'Deployment.apps "{name}" is invalid: {error.message}')
        if (no := self.admission(after)) is not None:
            code, message = no
            return status(code, "Forbidden" if code == 403 else "Invalid", message)
        return None

    async def _log(self, request: web.Request) -> web.StreamResponse:
        match, query = request.match_info, request.query
        if ("pods", match["namespace"], match["name"]) not in self.objects:
            return not_found(match)
        key = (match["name"], query.get("container", ""), query.get("previous") == "true")
        if key not in self.logs:
            which = "previous terminated container" if key[2] else "container"
            message = f'{which} "{key[1]}" in pod "{key[0]}" not found'
            return status(400, "BadRequest", message)
        lines = self.logs[key]
        if since := query.get("sinceTime"):
            lines = [line for line in lines if line[0] >= datetime.fromisoformat(since)]
        if tail := query.get("tailLines"):
            lines = lines[-int(tail) :]
        stamps = query.get("timestamps") == "true"
        text = "".join(f"{nano(at)} {said}\n" if stamps else f"{said}\n" for at, said in lines)
        return web.Response(text=text, content_type="text/plain")

    # --- the controller -----------------------------------------------------------------------------------------

    def _changed(self, value: Object, manager: str = "kube-controller-manager") -> None:
        self._version += 1
        value["metadata"]["resourceVersion"] = str(self._version)
        entry = {
            "manager": manager,
            "operation": "Update",
            "apiVersion": "apps/v1",
            "time": made.stamp(self.clock() + timedelta(seconds=self._version - 1000)),
            "fieldsType": "FieldsV1",
            "fieldsV1": {},
        }
        others = [one for one in value["metadata"].get("managedFields", []) if one["manager"] != manager]
        value["metadata"]["managedFields"] = [*others, entry]

    def _step(self, owner: Object) -> None:
        """One step of the Deployment controller: first the new ReplicaSet, then its pods, then the old ones end."""
        meta, spec, state = owner["metadata"], owner["spec"], owner["status"]
        key, wanted = (meta["namespace"], meta["name"]), spec["replicas"]
        if key not in self._steps:
            if state["observedGeneration"] < meta["generation"]:
                self._settle(owner, wanted)
            return
        self._steps[key] += 1
        step = self._steps[key]
        current = self._current(owner)
        version = Image.of(spec["template"]["spec"]["containers"][0]["image"]).version
        state["observedGeneration"] = meta["generation"]
        if step == 1:
            state |= {"replicas": wanted + 1, "updatedReplicas": 1}
            # As the real controller does: a deadline that was missed before stands until something gets on.
            if state["conditions"][1]["reason"] != "ProgressDeadlineExceeded":
                self._gets_on(state)
            self._starting(current, version)
        elif version in self.broken:
            self._gets_on(state)
            if step == 3:
                at = made.stamp(self.clock() + timedelta(seconds=self._version - 1000))
                state["conditions"] = made.conditions(meta["name"], spec["template"], at, stuck=True)
        elif step == 2:
            state |= {"updatedReplicas": wanted, "replicas": wanted + 1}
        else:
            del self._steps[key]
            self._settle(owner, wanted)
        self._changed(owner)

    def _gets_on(self, state: Object) -> None:
        at = made.stamp(self.clock())
        state["conditions"][1] |= {"status": "True", "reason": "ReplicaSetUpdated", "lastUpdateTime": at}

    def _current(self, owner: Object) -> Object:
        """The ReplicaSet of the template, made where there is none, with the highest revision."""
        meta = owner["metadata"]
        name = f"{meta['name']}-{made.hash_of(owner['spec']['template'])}"
        key = ("replicasets", meta["namespace"], name)
        own = [each for each in self.of("replicasets", meta["namespace"]) if _owned(each, owner)]
        newest = max((_revision(each) for each in own), default=0)
        if key not in self.objects:
            one = made.replica_set(owner, owner["spec"]["template"], 1, self.clock(), newest + 1)
            self.put("replicasets", one)
        elif _revision(self.objects[key]) < newest:
            self.objects[key]["metadata"]["annotations"] |= {
                "deployment.kubernetes.io/revision": str(newest + 1)
            }
        return self.objects[key]

    def _starting(self, replica_set: Object, version: str) -> None:
        now = self.clock()
        container = replica_set["spec"]["template"]["spec"]["containers"][0]
        failing = {
            "CrashLoopBackOff": made.crashing(container["name"], container["image"], now, restarts=3),
            "ImagePullBackOff": made.not_pulled(container["name"], container["image"], now),
        }
        self.put("pods", made.pod(replica_set, 0, now, failing.get(self.broken.get(version, ""))))

    def _settle(self, owner: Object, wanted: int) -> None:
        meta, state = owner["metadata"], owner["status"]
        current = self._current(owner)
        for each in self.of("pods", meta["namespace"]):
            sets = {
                one["metadata"]["name"]
                for one in self.of("replicasets", meta["namespace"])
                if _owned(one, owner)
            }
            if each["metadata"]["ownerReferences"][0]["name"] in sets:
                del self.objects["pods", meta["namespace"], each["metadata"]["name"]]
        for number in range(wanted):
            self.put("pods", made.pod(current, number, self.clock()))
        counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
        state |= {**dict.fromkeys(counts, wanted), "observedGeneration": meta["generation"]}
        state["conditions"] = made.conditions(
            meta["name"], owner["spec"]["template"], made.stamp(self.clock())
        )
        self._changed(owner)


def _owned(replica_set: Object, owner: Object) -> bool:
    return bool(replica_set["metadata"]["ownerReferences"][0]["uid"] == owner["metadata"]["uid"])


def _revision(replica_set: Object) -> int:
    return int(replica_set["metadata"]["annotations"]["deployment.kubernetes.io/revision"])


def api_version(match: Mapping[str, str]) -> str:
    return f"{match['group']}/{match['version']}" if "group" in match else "v1"


def nano(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"


def not_found(match: Mapping[str, str]) -> web.Response:
    what = f"{match['plural']}.{match['group']}" if "group" in match else match.get("plural", "pods")
    return status(404, "NotFound", f'{what} "{match["name"]}" not found')


def warning(text: str) -> str:
    quoted = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'299 - "{quoted}"'


def conflict(match: Mapping[str, str]) -> web.Response:
    return status(
        409,
        "Conflict",
        f'Operation cannot be fulfilled on {match["plural"]}.{match["group"]} "{match["name"]}": the object has been '
        "modified; please apply your changes to the latest version and try again",
    )


def served_kinds(group_version: str, plurals: tuple[str, ...]) -> Object:
    verbs = ["get", "list", "patch"]
    resources = [
        {
            "name": each,
            "singularName": KINDS[each].lower(),
            "namespaced": True,
            "kind": KINDS[each],
            "verbs": verbs,
        }
        for each in plurals
    ]
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": group_version,
        "resources": resources,
    }


def status(code: int, reason: str, message: str, headers: Mapping[str, str] | None = None) -> web.Response:
    """A failure as Kubernetes writes it."""
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "code": code,
    }
    return web.json_response(body, status=code, headers=headers)


def shop_cluster(clock: Clock, **switches: Any) -> KubernetesStandIn:
    """payments 2.4.0 and checkout 1.8.2 in production (`shop`), payments 2.3.9 in staging (`shop-staging`)."""
    cluster = KubernetesStandIn(clock, **switches)
    days, hour = timedelta(days=1), timedelta(hours=1)
    cluster.run("payments", {"2.3.9": 11 * days, "2.4.0": hour})
    cluster.run("checkout", {"1.8.2": hour})
    cluster.run("payments", {"2.3.8": 30 * days, "2.3.9": hour}, replicas=1, namespace="shop-staging")
    return cluster
