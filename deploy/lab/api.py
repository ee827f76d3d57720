"""As much of the Kubernetes API as Helm needs, in memory and on loopback.

It keeps objects, tells watchers, and counts generations. What becomes of the objects is the business of
`lab.cluster`, which writes their status.
"""

import asyncio
import base64
import copy
import json
import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, NamedTuple

import yaml
from aiohttp import web

from lab.chart import Manifest, name_of
from lab.discovery import GROUPS, described

_WATCH_SECONDS = 60
_SETTLED_BUDGET = {
    "observedGeneration": 1,
    "currentHealthy": 1,
    "desiredHealthy": 1,
    "disruptionsAllowed": 1,
    "expectedPods": 1,
}


class Key(NamedTuple):
    """What an object is known by."""

    group: str
    plural: str
    namespace: str | None
    name: str


class _Asked(NamedTuple):
    """What a path is about; `name` is empty for all of a kind."""

    group: str
    plural: str
    namespace: str | None
    name: str

    @property
    def kind(self) -> str:
        return GROUPS[self.group][self.plural]


class _Watcher(NamedTuple):
    wants: Callable[[Key, Manifest], bool]
    events: "asyncio.Queue[tuple[str, Manifest]]"


class Api:
    """A server on a port of its own, from `start` to `stop`."""

    def __init__(self) -> None:
        self.objects: dict[Key, Manifest] = {}
        self._watchers: list[_Watcher] = []
        self._version = 0
        self._lock = threading.RLock()
        self._loop = asyncio.new_event_loop()

    def start(self) -> str:
        """Serve, and return a kubeconfig for it."""
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        port = asyncio.run_coroutine_threadsafe(self._serve(), self._loop).result(10)
        return yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "clusters": [{"name": "lab", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
                "contexts": [{"name": "lab", "context": {"cluster": "lab", "user": "lab"}}],
                "current-context": "lab",
                "users": [{"name": "lab", "user": {}}],
            }
        )

    def stop(self) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def of_kind(self, *kinds: str) -> list[Manifest]:
        """Return the objects of some kinds, as they are now."""
        with self._lock:
            return [each for each in self.objects.values() if each["kind"] in kinds]

    def data(self, kind: str, name: str) -> dict[str, str]:
        """Return what a ConfigMap or Secret holds, as text.

        Raises
        ------
        LookupError
            There is none, and a pod that needs it does not start.
        """
        for each in self.of_kind(kind):
            if name_of(each) == name:
                plain = dict(each.get("stringData", {}))
                held = each.get("data", {})
                if kind == "Secret":
                    held = {key: base64.b64decode(value).decode() for key, value in held.items()}
                return {**held, **plain}
        raise LookupError(f"there is no {kind} {name}")

    def apply(self, manifest: Manifest) -> None:
        """Create or replace an object."""
        plural = next(
            plural
            for plural, kind in GROUPS[manifest["apiVersion"]].items()
            if kind == manifest["kind"]
        )
        metadata = manifest["metadata"]
        self._put(
            Key(manifest["apiVersion"], plural, metadata["namespace"], metadata["name"]), manifest
        )

    def set_status(self, key: Key, status: Manifest) -> None:
        """Say how an object is doing, and tell those who watch it."""
        with self._lock:
            known = self.objects.get(key)
            if known is None or known.get("status") == status:
                return
            self._tell("MODIFIED", key, self._stamped({**known, "status": status}))

    def _put(self, key: Key, manifest: Manifest) -> Manifest:
        with self._lock:
            before = self.objects.get(key)
            now = copy.deepcopy(manifest)
            now["metadata"] |= _birth(before, key)
            if before is not None:
                same = before.get("spec") == now.get("spec")
                generation = before["metadata"]["generation"] + (0 if same else 1)
                now["metadata"]["generation"] = generation
                now["status"] = before.get("status", {})
            if key.plural == "poddisruptionbudgets":
                generation = now["metadata"]["generation"]
                now["status"] = {**_SETTLED_BUDGET, "observedGeneration": generation}
            now = self._stamped(now)
            self._tell("ADDED" if before is None else "MODIFIED", key, now)
            return now

    def _stamped(self, manifest: Manifest) -> Manifest:
        self._version += 1
        metadata = {**manifest["metadata"], "resourceVersion": str(self._version)}
        return {**manifest, "metadata": metadata}

    def _tell(self, event: str, key: Key, manifest: Manifest) -> None:
        if event == "DELETED":
            self.objects.pop(key, None)
        else:
            self.objects[key] = manifest
        for watcher in list(self._watchers):
            if watcher.wants(key, manifest):
                self._loop.call_soon_threadsafe(watcher.events.put_nowait, (event, manifest))

    async def _serve(self) -> int:
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_route("*", "/{path:.*}", self._answer)
        # Watchers would listen for ever.
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        port: int = self._runner.addresses[0][1]
        return port

    async def _end(self) -> None:
        watching = asyncio.all_tasks() - {asyncio.current_task()}
        for task in watching:
            task.cancel()
        await asyncio.gather(*watching, return_exceptions=True)
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        parts = request.path.strip("/").split("/")
        said = described(parts)
        if said is not None:
            return web.json_response(said)
        asked = _asked(parts)
        if asked is None:
            return _missing(request.path)
        if request.method == "GET":
            return await self._read(request, asked)
        if "protobuf" in request.headers.get("Content-Type", ""):
            return web.json_response({"kind": "Status", "code": 415}, status=415)
        return await self._write(request, asked)

    async def _read(self, request: web.Request, asked: _Asked) -> web.StreamResponse:
        if asked.name:
            found = self.objects.get(Key(*asked))
            return _missing(asked.name) if found is None else web.json_response(found)
        wants = _selector(request, asked)
        found_all = [each for key, each in list(self.objects.items()) if wants(key, each)]
        if request.query.get("watch") in {"1", "true"}:
            return await self._stream(request, asked, wants, found_all)
        version = {"resourceVersion": str(self._version)}
        return web.json_response(
            {
                "kind": f"{asked.kind}List",
                "apiVersion": asked.group,
                "metadata": version,
                "items": found_all,
            }
        )

    async def _stream(
        self,
        request: web.Request,
        asked: _Asked,
        wants: Callable[[Key, Manifest], bool],
        known: list[Manifest],
    ) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        await response.prepare(request)
        watcher = _Watcher(wants, asyncio.Queue())
        self._watchers.append(watcher)
        if request.query.get("sendInitialEvents") == "true":
            for each in known:
                await response.write(_line("ADDED", each))
            await response.write(_line("BOOKMARK", _bookmark(asked, self._version)))
        try:
            while True:
                event, manifest = await asyncio.wait_for(watcher.events.get(), _WATCH_SECONDS)
                await response.write(_line(event, manifest))
        except (TimeoutError, ConnectionError):
            return response
        finally:
            self._watchers.remove(watcher)

    async def _write(self, request: web.Request, asked: _Asked) -> web.StreamResponse:
        if request.method == "DELETE":
            known = self.objects.get(Key(*asked))
            if known is None:
                return _missing(asked.name)
            self._tell("DELETED", Key(*asked), known)
            return web.json_response({"kind": "Status", "status": "Success", "code": 200})
        body = yaml.safe_load(await request.text())
        key = Key(asked.group, asked.plural, asked.namespace, asked.name or name_of(body))
        known = self.objects.get(key)
        if request.method == "PATCH" and "apply-patch" not in request.headers["Content-Type"]:
            if known is None:
                return _missing(asked.name)
            body = _merged(known, body)
        body = {"apiVersion": asked.group, "kind": asked.kind, **body}
        return web.json_response(self._put(key, body), status=201 if known is None else 200)


def _birth(before: Manifest | None, key: Key) -> Manifest:
    if before is not None:
        kept = ("uid", "creationTimestamp", "generation")
        return {name: before["metadata"][name] for name in kept}
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    place = {"namespace": key.namespace} if key.namespace else {}
    return {"uid": str(uuid.uuid4()), "creationTimestamp": now, "generation": 1, **place}


def _asked(parts: list[str]) -> _Asked | None:
    group, rest = ("v1", parts[2:]) if parts[0] == "api" else ("/".join(parts[1:3]), parts[3:])
    if group not in GROUPS or not rest:
        return None
    namespace = None
    if rest[0] == "namespaces" and len(rest) > 2:  # noqa: PLR2004 - namespaces/NAME/what is asked
        namespace, rest = rest[1], rest[2:]
    if rest[0] not in GROUPS[group]:
        return None
    return _Asked(group, rest[0], namespace, rest[1] if len(rest) > 1 else "")


def _selector(request: web.Request, asked: _Asked) -> Callable[[Key, Manifest], bool]:
    pairs = request.query.get("labelSelector", "").split(",")
    labels = dict(pair.split("=", 1) for pair in pairs if "=" in pair)
    name = request.query.get("fieldSelector", "").removeprefix("metadata.name=")

    def wants(key: Key, manifest: Manifest) -> bool:
        has = manifest["metadata"].get("labels") or {}
        return (
            key[:2] == asked[:2]
            and asked.namespace in {None, key.namespace}
            and labels.items() <= has.items()
            and name in {"", key.name}
        )

    return wants


def _bookmark(asked: _Asked, version: int) -> Manifest:
    metadata = {
        "resourceVersion": str(version),
        "annotations": {"k8s.io/initial-events-end": "true"},
    }
    return {"kind": asked.kind, "apiVersion": asked.group, "metadata": metadata}


def _line(event: str, manifest: Manifest) -> bytes:
    return json.dumps({"type": event, "object": manifest}).encode() + b"\n"


def _missing(name: str) -> web.Response:
    status = {
        "kind": "Status",
        "apiVersion": "v1",
        "status": "Failure",
        "reason": "NotFound",
        "message": f"{name} not found",
        "code": 404,
    }
    return web.json_response(status, status=404)


def _merged(known: Any, change: Any) -> Any:
    """Merge a patch the way JSON merge patches are."""
    if not isinstance(known, dict) or not isinstance(change, dict):
        return change
    merged = {key: value for key, value in known.items() if change.get(key, value) is not None}
    for key, value in change.items():
        if value is not None:
            merged[key] = _merged(known.get(key), value)
    return merged
