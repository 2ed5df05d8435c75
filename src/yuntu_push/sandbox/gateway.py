"""The platform's gateway: every `/open_api/` request passes here, faults and log included."""

import asyncio
import time
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from yuntu_push.sandbox.answers import Code, Refused, envelope, request_id
from yuntu_push.sandbox.bodies import drain, read_form, read_json, read_json_of_get
from yuntu_push.sandbox.checking import check_fields, from_text
from yuntu_push.sandbox.clock import wire_time
from yuntu_push.sandbox.endpoints.qianchuan import check_part, is_plain_id
from yuntu_push.sandbox.faults import Effect, Fault, FaultPlan
from yuntu_push.sandbox.grants import grant_of
from yuntu_push.sandbox.journal import Entry, Journal, shown_fields
from yuntu_push.sandbox.options import GetBody, SlowUpload
from yuntu_push.sandbox.permissions import ISV_GROUP
from yuntu_push.sandbox.records import Platform
from yuntu_push.sandbox.routes import Endpoint, FileKind, endpoints
from yuntu_push.sandbox.settle import settle
from yuntu_push.sandbox.spoiling import SPOILING, html_answer, json_answer, spoiled
from yuntu_push.sandbox.statefile import save_world
from yuntu_push.sandbox.upload_format import (
    MAX_QIANCHUAN_ZIP,
    MAX_ZIP,
    check_signature,
    parse_dmp_zip,
    parse_plain_zip,
)
from yuntu_push.sandbox.wire import Connections, Dropped, NoAnswer
from yuntu_push.sandbox.world import Call, Upload, World


class GatewayTimeout(Exception):  # noqa: N818 - an answer of the gateway, not a failure of ours
    """The gateway lost patience: HTTP 504 instead of an envelope."""


class Gateway:
    """Answers the platform's interface for one world."""

    def __init__(
        self, world: World, journal: Journal, plan: FaultPlan, connections: Connections
    ) -> None:
        self.world = world
        self.journal = journal
        self.plan = plan
        self._endpoints = endpoints()
        self._connections = connections
        self._recent: dict[str, deque[float]] = {}

    async def answer(self, request: Request) -> Response:
        """One request: faults, the platform's work, the answer, a line in the log."""
        began = time.monotonic()
        path = request.url.path
        agent = request.headers.get("user-agent", "")
        entry = self.journal.open(wire_time(self.world.clock.now()), request.method, path, agent)
        faults = self.plan.strike(path)
        entry.faults = [fault.effect.value for fault in faults]
        try:
            response = await self._answer(request, entry, faults)
            entry.http_status = response.status_code
        except Dropped:
            entry.message = entry.message or "连接已断开"
            response = NoAnswer(self._connections)
        except ClientDisconnect:
            entry.message = "客户端中断了请求"
            response = Response()
        entry.milliseconds = round((time.monotonic() - began) * 1000, 1)
        return response

    async def _answer(self, request: Request, entry: Entry, faults: list[Fault]) -> Response:
        slow, complaint = await self._before(faults)
        entry.request_id = rid = request_id(self.world.clock.now())
        spoiling = [fault for fault in faults if fault.effect in SPOILING]
        early = next((fault for fault in spoiling if not fault.after), None)
        if early is not None:
            await drain(request)
            return spoiled(early, None, entry, rid)
        response = await self._respond(request, entry, slow, complaint)
        if any(fault.effect is Effect.DROP_AFTER for fault in faults):
            raise Dropped
        for fault in spoiling:
            response = spoiled(fault, response, entry, rid)
        return response

    async def _before(self, faults: list[Fault]) -> tuple[float, str]:
        slow, complaint = 1.0, ""
        for fault in faults:
            match fault.effect:
                case Effect.DROP_BEFORE:
                    raise Dropped
                case Effect.DELAY:
                    await asyncio.sleep(max(fault.seconds, 0.0))
                case Effect.CLOCK_JUMP:
                    with suppress(ValueError):  # at the end of time it stays where it is
                        self.world.clock.advance(fault.seconds)
                case Effect.LIST_LAG:
                    self.world.list_lag = fault.seconds
                case Effect.SLOW:
                    slow *= fault.factor
                case Effect.FAIL_PARSE:
                    complaint = fault.message
                case _:
                    pass
        return slow, complaint

    async def _respond(
        self, request: Request, entry: Entry, slow: float, complaint: str
    ) -> Response:
        rid = entry.request_id
        endpoint = self._endpoints.get(f"{request.method} {request.url.path}")
        if endpoint is None:
            await drain(request)
            return self._not_found(request, entry)
        hints: dict[str, str] = {}
        try:
            if settle(self.world):
                save_world(self.world)
            given = await self._read(endpoint, request, entry)
            self._limit_rate(endpoint, hints)
            token = request.headers.get("access-token", "")
            call = self._check(endpoint, given, token)
            call = replace(call, slow=slow, complaint=complaint)
            if endpoint.file is not FileKind.NONE:
                call = await self._digest_file(endpoint.file, call)
            data = endpoint.handler(call)
        except Refused as refusal:
            entry.code, entry.message = int(refusal.code), refusal.message
            return json_answer(envelope(int(refusal.code), refusal.message, {}, rid), hints)
        except GatewayTimeout:
            entry.message = f"上传超过 {self.world.options.upload_limit:g} 秒"
            return html_answer(504, "504 Gateway Time-out")
        entry.code, entry.message = int(Code.OK), "OK"
        self._count(endpoint)
        return json_answer(envelope(Code.OK, "OK", data, rid))

    def _count(self, endpoint: Endpoint) -> None:
        calls, key = self.world.state.calls, endpoint.declaration.key
        calls[key] = calls.get(key, 0) + 1
        if key.startswith("POST"):
            save_world(self.world)

    async def _read(self, endpoint: Endpoint, request: Request, entry: Entry) -> dict[str, Any]:
        declaration = endpoint.declaration
        values: dict[str, Any]
        match declaration.place:
            case "query":
                values = from_text(declaration, request.query_params)
                if self.world.options.get_body is GetBody.READ:
                    values = {**await read_json_of_get(request), **values}
            case "body":
                values, entry.bytes_in = await read_json(request)
            case "form":
                began = time.monotonic()
                is_dmp = endpoint.file is FileKind.DMP
                form = await read_form(request, MAX_ZIP if is_dmp else MAX_QIANCHUAN_ZIP)
                entry.bytes_in = form.size
                if is_dmp:
                    self._check_time(time.monotonic() - began)
                values = {**from_text(declaration, form.text), **form.files}
        entry.fields = shown_fields(values, declaration.fields)
        return values

    def _check(self, endpoint: Endpoint, given: Mapping[str, Any], token: str) -> Call:
        declaration = endpoint.declaration
        grant = grant_of(self.world, token) if declaration.token else None
        # Service providers' endpoints refuse everybody by themselves, with a code of their own.
        wanted = "" if endpoint.permission == ISV_GROUP else endpoint.permission
        if grant is not None and wanted and wanted not in grant.permissions:
            code = self.world.options.permission_code
            raise Refused(code, f"无权限:应用缺少「{wanted}」权限,开通后须重新授权")
        fields = check_fields(declaration, given, self.world.options)
        return Call(self.world, grant, fields, access_token=token)

    def _check_time(self, seconds: float) -> None:
        options = self.world.options
        if not 0 < options.upload_limit < seconds:
            return
        match options.slow_upload:
            case SlowUpload.DROP:
                raise Dropped
            case SlowUpload.REFUSE:
                raise Refused(Code.SYSTEM, f"上传超时(限 {options.upload_limit:g} 秒)")
            case SlowUpload.GATEWAY:
                raise GatewayTimeout

    async def _digest_file(self, kind: FileKind, call: Call) -> Call:
        data: bytes = call.fields["file"]
        md5 = check_signature(data, call.fields.get("file_signature"))
        salt, bad_ids = self.world.state.salt.encode(), self.world.options.bad_ids
        result: Any = None
        # Reading takes a while and leaves the event loop to the others.
        if kind is FileKind.DMP:
            call.advertiser()  # nobody makes the platform read a file it has no right to send
            result = await asyncio.to_thread(parse_dmp_zip, data, salt, bad_ids)
            return replace(call, upload=Upload(len(data), md5, result))
        call.advertiser(Platform.QIANCHUAN)
        if kind is FileKind.QIANCHUAN_PART:
            check_part(call, len(data))
        if kind is FileKind.QIANCHUAN or call.fields["is_finished"] == 1:
            earlier = self.world.parts.get(call.fields.get("file_key", ""), [])
            whole = b"".join([*earlier, data])
            md5 = check_signature(whole, None)
            result = await asyncio.to_thread(parse_plain_zip, whole, salt, is_plain_id)
        return replace(call, upload=Upload(len(data), md5, result))

    def _limit_rate(self, endpoint: Endpoint, hints: dict[str, str]) -> None:
        qps = self.world.options.qps
        if not qps:
            return
        recent = self._recent.setdefault(endpoint.declaration.key, deque())
        now = time.monotonic()
        while recent and recent[0] <= now - 1:
            recent.popleft()
        if len(recent) >= qps:
            hints |= {"X-RateLimit-RetryIn": "1", "X-RateLimit-Dimension": "developer_qps"}
            raise Refused(Code.DEVELOPER_RATE_LIMIT, "请求过于频繁:超过开发者在该接口的频率限制")
        recent.append(now)

    def _not_found(self, request: Request, entry: Entry) -> Response:
        path = request.url.path
        known = {key.partition(" ")[2] for key in self._endpoints}
        if path in known:
            methods = [m for m in ("GET", "POST") if f"{m} {path}" in self._endpoints]
            entry.message = f"该接口应使用 {'、'.join(methods)}"
            return PlainTextResponse("405 method not allowed", 405, {"Allow": ", ".join(methods)})
        entry.message = "路径缺少结尾的斜杠" if f"{path}/" in known else "没有该接口"
        return PlainTextResponse("404 page not found", 404)
