"""An Argo CD on loopback that holds applications in memory and answers as its REST API documents.

An operation moves one step each time the application is looked at: asked for, running, and its end.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from aiohttp import web

from tools.contract import Clock
from tools.times import iso

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class ArgoStandIn:
    """`broken` versions do not sync; `ill` ones sync and are Degraded."""

    applications: dict[str, dict[str, Any]]
    tags: Mapping[str, list[str]]  # by repository
    clock: Clock
    broken: frozenset[str] = frozenset()
    ill: frozenset[str] = frozenset()
    refusals: list[tuple[str, str, int, str]] = field(
        default_factory=list
    )  # method, end of path, status, text
    sent: list[tuple[str, str, Any]] = field(default_factory=list)
    blind: bool = False  # the token may not see resources

    def add(self, app: web.Application) -> None:
        app.middlewares.append(self._listen)
        one = "/api/v1/applications/{name}"
        for method, path, handler in (
            ("GET", one, self._get),
            ("PATCH", one, self._patch),
            ("POST", one + "/sync", self._sync),
            ("POST", one + "/rollback", self._rollback),
            ("POST", one + "/resource/actions/v2", self._action),
            ("GET", one + "/managed-resources", self._resources),
            ("GET", one + "/manifests", self._manifests),
            ("GET", "/api/v1/repositories/{repository}/refs", self._refs),
        ):
            app.router.add_route(method, path, handler)

    @web.middleware
    async def _listen(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.headers.get("Authorization") != "Bearer secret":
            return said("no session information", 401, 16)
        if request.method != "GET":
            self.sent.append((request.method, request.path, await request.json()))
        for each in self.refusals:
            if request.method == each[0] and request.path.endswith(each[1]):
                self.refusals.remove(each)
                return said(each[3], each[2], 9)
        if request.match_info.get("name", "payments") not in {*self.applications, "payments"}:
            return said("permission denied", 403, 7)
        return await handler(request)

    def _of(self, request: web.Request) -> dict[str, Any]:
        return self.applications[request.match_info["name"]]

    async def _get(self, request: web.Request) -> web.Response:
        application = self._of(request)
        self._move(application)
        return web.json_response(application)

    def _move(self, application: dict[str, Any]) -> None:
        """One step of what was asked for; with auto-sync a source that is not synced asks by itself."""
        status, operation = application["status"], application.get("operation")
        if operation is not None:
            status["operationState"] = {
                "phase": "Running",
                "message": "",
                "startedAt": iso(self.clock() + timedelta(seconds=len(status["history"]))),
                "operation": operation,
                "syncResult": {
                    "resources": [{"kind": "Deployment", "name": "web", "message": "web configured"}]
                },
            }
            del application["operation"]
        elif status.get("operationState", {}).get("phase") == "Running":
            self._finish(application)
        elif automatic(application) and status["sync"]["status"] == "OutOfSync":
            application["operation"] = {"sync": {}, "source": application["spec"]["source"]}

    def _finish(self, application: dict[str, Any]) -> None:
        status = application["status"]
        state = status["operationState"]
        source = state["operation"]["source"]
        text = json.dumps(source)
        bad = any(version in text for version in self.broken)
        state["phase"] = "Failed" if bad else "Succeeded"
        state["message"] = "one or more objects failed to apply" if bad else "successfully synced"
        state["finishedAt"] = iso(self.clock())
        synced = source == application["spec"]["source"] and not bad
        status["sync"]["status"] = "Synced" if synced else "OutOfSync"
        if not bad:
            ill = any(version in text for version in self.ill)
            status["health"] = (
                {"status": "Degraded", "message": "pods crash"} if ill else {"status": "Healthy"}
            )
            entry = history(
                len(status["history"]), source, self.clock(), state["operation"].get("by", "sayso")
            )
            status["history"].append(entry)

    async def _patch(self, request: web.Request) -> web.Response:
        body, application = await request.json(), self._of(request)
        if body["patchType"] != "merge":
            return said("unknown patch type", 400, 3)
        patch = json.loads(body["patch"])
        before = json.dumps(application["spec"])
        merge(application, patch)
        if json.dumps(application["spec"]) != before:
            application["status"]["sync"]["status"] = "OutOfSync"
        return web.json_response(application)

    async def _sync(self, request: web.Request) -> web.Response:
        application, body = self._of(request), await request.json()
        if "operation" in application:
            return said("another operation is already in progress", 400, 9)
        application["operation"] = {
            "sync": {"prune": body["prune"]},
            "info": body.get("infos", []),
            "source": json.loads(json.dumps(application["spec"]["source"])),
        }
        return web.json_response(application)

    async def _rollback(self, request: web.Request) -> web.Response:
        application, body = self._of(request), await request.json()
        if automatic(application):
            return said("rollback cannot be initiated when auto-sync is enabled", 400, 9)
        found = [each for each in application["status"]["history"] if each["id"] == body["id"]]
        if not found:
            return said(f"application does not have deployment with id {body['id']}", 400, 3)
        application["operation"] = {"sync": {}, "source": found[0]["source"]}
        return web.json_response(application)

    async def _action(self, request: web.Request) -> web.Response:
        body, application = await request.json(), self._of(request)
        assert body["action"] == "restart"
        application["restarted"] = iso(self.clock())
        return web.json_response({})

    async def _resources(self, request: web.Request) -> web.Response:
        application = self._of(request)
        if self.blind:
            return said("permission denied", 403, 7)
        last = application["status"]["history"][-1]["source"]
        annotations = {}
        if "restarted" in application:
            annotations["kubectl.kubernetes.io/restartedAt"] = application["restarted"]
        live = workload(last["targetRevision"], application["replicas"], annotations)
        drifted = workload(
            last["targetRevision"], application["replicas"] + application.get("drift", 0), annotations
        )
        target = workload(application["spec"]["source"]["targetRevision"], application["replicas"], {})
        item = {
            "group": "apps",
            "kind": "Deployment",
            "namespace": "shop",
            "name": "web",
            "liveState": json.dumps({**drifted, "status": {"readyReplicas": application["replicas"]}}),
            "targetState": json.dumps(target),
            "normalizedLiveState": json.dumps(drifted),
            "predictedLiveState": json.dumps(live),
        }
        return web.json_response({"items": [item]})

    async def _manifests(self, request: web.Request) -> web.Response:
        revision = request.query["revision"]
        if not any(revision in tags for tags in self.tags.values()):
            return said(f"unable to resolve '{revision}' to a commit SHA", 400, 2)
        added = {"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "limits"}}
        texts = [json.dumps(workload(revision, 2, {})), json.dumps(added)]
        return web.json_response({"manifests": texts, "namespace": "shop", "revision": "abc"})

    async def _refs(self, request: web.Request) -> web.Response:
        return web.json_response({"branches": ["main"], "tags": self.tags[request.match_info["repository"]]})


def said(message: str, status: int, code: int) -> web.Response:
    return web.json_response({"error": message, "code": code, "message": message}, status=status)


def automatic(application: Mapping[str, Any]) -> bool:
    automated = application["spec"].get("syncPolicy", {}).get("automated")
    return automated is not None and automated.get("enabled") is not False


def merge(value: dict[str, Any], patch: Mapping[str, Any]) -> None:
    """As RFC 7386 has it."""
    for key, wanted in patch.items():
        if isinstance(wanted, Mapping) and isinstance(value.get(key), dict):
            merge(value[key], wanted)
        elif wanted is None:
            value.pop(key, None)
        else:
            value[key] = json.loads(json.dumps(wanted))


def history(id_: int, source: Mapping[str, Any], at: datetime, by: str) -> dict[str, Any]:
    return {
        "id": id_,
        "revision": "0123456789abcdef",
        "deployedAt": iso(at),
        "source": dict(source),
        "initiatedBy": {"username": by},
    }


def workload(revision: str, replicas: int, annotations: Mapping[str, str]) -> dict[str, Any]:
    container = {"name": "web", "image": f"registry.example/web:{revision.removeprefix('v')}"}
    template = {"metadata": {"annotations": dict(annotations)}, "spec": {"containers": [container]}}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"replicas": replicas, "template": template},
    }


def application(name: str, sources: list[tuple[dict[str, Any], datetime]], replicas: int) -> dict[str, Any]:
    """An application whose history is `sources`, oldest first, and which wants the last of them."""
    resource = {
        "group": "apps",
        "version": "v1",
        "kind": "Deployment",
        "name": "web",
        "namespace": "shop",
        "status": "Synced",
        "health": {"status": "Healthy"},
    }
    return {
        "metadata": {"name": name, "namespace": "argocd"},
        "spec": {"project": "shop", "source": json.loads(json.dumps(sources[-1][0]))},
        "status": {
            "sync": {"status": "Synced", "revision": "0123456789abcdef"},
            "health": {"status": "Healthy"},
            "history": [history(id_, source, at, "raj") for id_, (source, at) in enumerate(sources)],
            "resources": [resource, {"version": "v1", "kind": "Service", "name": "web", "status": "Synced"}],
        },
        "replicas": replicas,
    }
