"""Objects as a Kubernetes API server writes them, with defaults filled in: what the stand-in holds."""

import copy
import hashlib
import json
from datetime import UTC, datetime
from typing import Any

Object = dict[str, Any]


def stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def uid(*parts: str) -> str:
    found = hashlib.sha256("/".join(parts).encode()).hexdigest()
    return f"{found[:8]}-{found[8:12]}-4{found[13:16]}-8{found[17:20]}-{found[20:32]}"


def hash_of(template: Object) -> str:
    """As the controller names ReplicaSets: by their template, without its own label."""
    bare = copy.deepcopy(template)
    bare["metadata"].get("labels", {}).pop("pod-template-hash", None)
    return safe(hashlib.sha256(json.dumps(bare, sort_keys=True).encode()).hexdigest()[:10])


def safe(digits: str) -> str:
    """Hexadecimal digits as Kubernetes writes names that it makes: without vowels, so that they say nothing."""
    return digits.translate(str.maketrans("0123456789abcdef", "bcdfghjklmnpqrst"))


def template(app: str, image: str, **spec: Any) -> Object:
    container = {
        "name": app,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"containerPort": 8080, "protocol": "TCP"}],
        "env": [
            {"name": "LOG_LEVEL", "value": "info"},
            {"name": "PROVIDER_API_KEY", "value": "kf83hfKJHf93hfkwqoA8"},
            {
                "name": "DATABASE_PASSWORD",
                "valueFrom": {"secretKeyRef": {"name": f"{app}-db", "key": "password"}},
            },
        ],
        "envFrom": [{"configMapRef": {"name": f"{app}-settings"}}],
        "resources": {
            "requests": {"cpu": "100m", "memory": "128Mi"},
            "limits": {"cpu": "500m", "memory": "256Mi"},
        },
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    }
    return {
        "metadata": {"creationTimestamp": None, "labels": {"app": app}},
        "spec": {
            "containers": [container],
            "restartPolicy": "Always",
            "terminationGracePeriodSeconds": 30,
            "dnsPolicy": "ClusterFirst",
            "securityContext": {},
            "schedulerName": "default-scheduler",
            **spec,
        },
    }


def deployment(
    name: str, namespace: str, pods: Object, replicas: int, since: datetime, revision: int
) -> Object:
    at = stamp(since)
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": uid("deployment", namespace, name),
            "resourceVersion": "1000",
            "generation": revision,
            "creationTimestamp": at,
            "labels": {"app": name},
            "annotations": {"deployment.kubernetes.io/revision": str(revision)},
            "managedFields": [
                {
                    "manager": "kubectl-client-side-apply",
                    "operation": "Update",
                    "apiVersion": "apps/v1",
                    "time": at,
                    "fieldsType": "FieldsV1",
                    "fieldsV1": {"f:spec": {"f:replicas": {}}},
                }
            ],
        },
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": pods,
            "strategy": {
                "type": "RollingUpdate",
                "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"},
            },
            "revisionHistoryLimit": 10,
            "progressDeadlineSeconds": 600,
        },
        "status": {
            "observedGeneration": revision,
            "replicas": replicas,
            "updatedReplicas": replicas,
            "readyReplicas": replicas,
            "availableReplicas": replicas,
            "conditions": conditions(name, pods, at),
        },
    }


def conditions(name: str, pods: Object, at: str, *, stuck: bool = False) -> list[Object]:
    replica_set = f"{name}-{hash_of(pods)}"
    available = {
        "type": "Available",
        "status": "True",
        "lastUpdateTime": at,
        "lastTransitionTime": at,
        "reason": "MinimumReplicasAvailable",
        "message": "Deployment has minimum availability.",
    }
    done = {
        "type": "Progressing",
        "status": "True",
        "lastUpdateTime": at,
        "lastTransitionTime": at,
        "reason": "NewReplicaSetAvailable",
        "message": f'ReplicaSet "{replica_set}" has successfully progressed.',
    }
    late = {
        **done,
        "status": "False",
        "reason": "ProgressDeadlineExceeded",
        "message": f'ReplicaSet "{replica_set}" has timed out progressing.',
    }
    return [available, late if stuck else done]


def replica_set(owner: Object, pods: Object, replicas: int, since: datetime, revision: int) -> Object:
    digest, name = hash_of(pods), owner["metadata"]["name"]
    labelled = copy.deepcopy(pods)
    labelled["metadata"].setdefault("labels", {})["pod-template-hash"] = digest
    copied = {
        key: value
        for key, value in owner["metadata"]["annotations"].items()
        if key != "kubectl.kubernetes.io/last-applied-configuration"
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{name}-{digest}",
            "namespace": owner["metadata"]["namespace"],
            "uid": uid("replicaset", owner["metadata"]["namespace"], name, digest),
            "resourceVersion": "1000",
            "generation": 1,
            "creationTimestamp": stamp(since),
            "labels": {"app": name, "pod-template-hash": digest},
            "annotations": {**copied, "deployment.kubernetes.io/revision": str(revision)},
            "ownerReferences": [
                {
                    "apiVersion": "apps/v1",
                    "kind": "Deployment",
                    "name": name,
                    "uid": owner["metadata"]["uid"],
                    "controller": True,
                    "blockOwnerDeletion": True,
                }
            ],
        },
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name, "pod-template-hash": digest}},
            "template": labelled,
        },
        "status": {"replicas": replicas, "observedGeneration": 1},
    }


def pod(owner: Object, number: int, since: datetime, status: Object | None = None) -> Object:
    """A pod of a ReplicaSet: running and ready, unless another status is given."""
    meta, spec = owner["metadata"], owner["spec"]["template"]["spec"]
    name = f"{meta['name']}-{safe(uid(meta['name'], str(number))[:5])}"
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": meta["namespace"],
            "uid": uid("pod", name),
            "resourceVersion": "1000",
            "creationTimestamp": stamp(since),
            "labels": dict(owner["spec"]["template"]["metadata"]["labels"]),
            "ownerReferences": [
                {"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": meta["name"], "uid": meta["uid"]}
            ],
        },
        "spec": {**copy.deepcopy(spec), "nodeName": "node-2"},
        "status": {**well(spec, since), **(status or {})},
    }


def well(spec: Object, since: datetime) -> Object:
    at = stamp(since)
    return {
        "phase": "Running",
        "startTime": at,
        "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": at}],
        "containerStatuses": [
            {
                "name": each["name"],
                "ready": True,
                "restartCount": 0,
                "image": each["image"],
                "imageID": "",
                "started": True,
                "state": {"running": {"startedAt": at}},
                "lastState": {},
            }
            for each in spec["containers"]
        ],
    }


def unready(since: datetime, reason: str = "ContainersNotReady") -> list[Object]:
    return [{"type": "Ready", "status": "False", "reason": reason, "lastTransitionTime": stamp(since)}]


def crashing(
    name: str, image: str, since: datetime, *, restarts: int = 7, reason: str = "Error", code: int = 1
) -> Object:
    """A container that ends soon after each start."""
    ended = {
        "exitCode": code,
        "reason": reason,
        "startedAt": stamp(since),
        "finishedAt": stamp(since),
        "containerID": "containerd://0a",
    }
    waiting = {
        "reason": "CrashLoopBackOff",
        "message": f"back-off 5m0s restarting failed container={name} pod=x",
    }
    return {
        "conditions": unready(since),
        "containerStatuses": [
            {
                "name": name,
                "ready": False,
                "restartCount": restarts,
                "image": image,
                "imageID": "",
                "started": False,
                "state": {"waiting": waiting},
                "lastState": {"terminated": ended},
            }
        ],
    }


def not_pulled(name: str, image: str, since: datetime) -> Object:
    waiting = {"reason": "ImagePullBackOff", "message": f'Back-off pulling image "{image}"'}
    status = {
        "name": name,
        "ready": False,
        "restartCount": 0,
        "image": image,
        "imageID": "",
        "state": {"waiting": waiting},
    }
    return {"phase": "Pending", "conditions": unready(since), "containerStatuses": [status]}


def event(
    about: Object, reason: str, message: str, at: datetime, *, kind: str = "Warning", count: int = 1
) -> Object:
    meta = about["metadata"]
    return {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {
            "name": f"{meta['name']}.{uid(meta['name'], reason, stamp(at))[:16]}",
            "namespace": meta["namespace"],
            "resourceVersion": "1000",
            "creationTimestamp": stamp(at),
        },
        "involvedObject": {
            "kind": about["kind"],
            "namespace": meta["namespace"],
            "name": meta["name"],
            "uid": meta["uid"],
        },
        "reason": reason,
        "message": message,
        "source": {"component": "kubelet", "host": "node-2"},
        "firstTimestamp": stamp(at),
        "lastTimestamp": stamp(at),
        "count": count,
        "type": kind,
        "eventTime": None,
        "reportingComponent": "kubelet",
        "reportingInstance": "node-2",
    }


def pod_metrics(about: Object, at: datetime, cpu: str = "4523n", memory: str = "131072Ki") -> Object:
    containers = [
        {"name": each["name"], "usage": {"cpu": cpu, "memory": memory}}
        for each in about["spec"]["containers"]
    ]
    meta = about["metadata"]
    return {
        "kind": "PodMetrics",
        "apiVersion": "metrics.k8s.io/v1beta1",
        "metadata": {
            "name": meta["name"],
            "namespace": meta["namespace"],
            "creationTimestamp": stamp(at),
            "labels": meta["labels"],
        },
        "timestamp": stamp(at),
        "window": "15.032s",
        "containers": containers,
    }


def autoscaler(owner: Object, least: int, most: int) -> Object:
    name, namespace = owner["metadata"]["name"], owner["metadata"]["namespace"]
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": uid("hpa", name),
            "resourceVersion": "1000",
        },
        "spec": {
            "scaleTargetRef": {"kind": "Deployment", "name": name, "apiVersion": "apps/v1"},
            "minReplicas": least,
            "maxReplicas": most,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
                }
            ],
        },
        "status": {"currentReplicas": least, "desiredReplicas": least},
    }


def config_map(name: str, namespace: str, data: dict[str, str], at: datetime, manager: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "uid": uid("configmap", name),
            "resourceVersion": "1000",
            "creationTimestamp": stamp(at),
            "managedFields": [
                {
                    "manager": manager,
                    "operation": "Update",
                    "apiVersion": "v1",
                    "time": stamp(at),
                    "fieldsType": "FieldsV1",
                    "fieldsV1": {"f:data": {"f:RETRIES": {}}},
                }
            ],
        },
        "data": data,
    }
