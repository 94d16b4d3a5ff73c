"""The sandbox's own control plane under /_sandbox: the ground truth, the clock, the faults.

Owns the JSON of these routes. No token leaves here: campaigns are named by their number.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, Final

import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from syncd.sandbox.campaign import SandboxCampaign
from syncd.sandbox.clock import MAX_ADVANCE_S, MAX_SPEED, iso_ms, parse_ms
from syncd.sandbox.faults import read_fault
from syncd.sandbox.jobs import Attempt, Job
from syncd.sandbox.refusals import RefusalError
from syncd.sandbox.verdict import verdict
from syncd.sandbox.world import World

DEFAULT_LIMIT: Final = 1000
MAX_LIMIT: Final = 10_000
Json = dict[str, object]


def control_routes(world: World) -> list[Route]:
    """The routes under /_sandbox."""

    def route(path: str, method: str, answer: Callable[[World, Request, Any], object]) -> Route:
        async def endpoint(request: Request) -> Response:
            body = await request.body()
            try:
                with world.book.lock:
                    value = answer(world, request, orjson.loads(body) if body else None)
            except ValueError as wrong:
                return _json({"error": str(wrong)}, 400)
            except RefusalError as refusal:
                return _json({"error": refusal.body["message"]}, 400)
            return _json(value)

        return Route(f"/_sandbox/{path}", endpoint, methods=[method])

    return [
        route("jobs", "GET", _jobs),
        route("calls", "GET", _calls),
        route("requests", "GET", _requests),
        route("verdict", "GET", lambda world, _request, _body: verdict(world.book)),
        route("clock", "GET", lambda world, _request, _body: _clock(world)),
        route("clock", "POST", _move_clock),
        route("faults", "GET", lambda world, _request, _body: _faults(world)),
        route("faults", "POST", _add_faults),
        route("faults", "DELETE", _clear_faults),
        route("knobs", "GET", lambda world, _request, _body: world.book.knobs.public()),
        route("knobs", "POST", _turn_knobs),
        route("tokens", "POST", _set_tokens),
        route("operator", "POST", _add_by_operator),
        route("reset", "POST", _reset),
    ]


def _json(value: object, status: int = 200) -> Response:
    body = orjson.dumps(value, option=orjson.OPT_APPEND_NEWLINE)
    return Response(body, status, media_type="application/json")


# --- lists --------------------------------------------------------------------------------------


def _jobs(world: World, request: Request, _: object) -> Json:
    """Every job in the order of its ID."""
    world.book.now_ms()
    jobs = ((campaign, job) for campaign in _campaigns(world, request) for job in campaign.created)
    return _page(request, jobs, lambda pair: pair[1].id, _job)


def _calls(world: World, request: Request, _: object) -> Json:
    """Every dialled attempt, in the order of dialling for each campaign."""
    world.book.now_ms()
    calls = (
        (campaign, attempt)
        for campaign in _campaigns(world, request)
        for attempt in campaign.dialled
    )
    return _page(request, calls, lambda pair: pair[0].index * 10**9 + pair[1].seq, _call)


def _requests(world: World, request: Request, _: object) -> Json:
    return _page(request, world.requests.entries(), lambda entry: entry["seq"], lambda entry: entry)


def _campaigns(world: World, request: Request) -> list[SandboxCampaign]:
    wanted = request.query_params.get("campaign")
    found = [
        campaign
        for campaign in world.book.campaigns.values()
        if wanted is None or wanted == str(campaign.id)
    ]
    if not found:
        raise ValueError("no campaign has this number")
    return found


def _page(
    request: Request,
    items: Iterable[Any],
    number: Callable[[Any], Any],
    shape: Callable[[Any], Json],
) -> Json:
    """A page of a list whose numbers grow: what comes after `after`, at most `limit`."""
    limit = _whole(request, "limit", DEFAULT_LIMIT)
    after = _whole(request, "after", 0)
    if not 1 <= limit <= MAX_LIMIT:
        raise ValueError(f"limit must be from 1 to {MAX_LIMIT}")
    found = list(islice((item for item in items if number(item) > after), limit + 1))
    more = len(found) > limit
    page = found[:limit]
    return {
        "items": [shape(item) for item in page],
        "next": number(page[-1]) if more else None,
    }


def _whole(request: Request, name: str, default: int) -> int:
    text = request.query_params.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()):
        raise ValueError(f"{name} must be a whole number")
    return int(text)


def _job(pair: tuple[SandboxCampaign, Job]) -> Json:
    campaign, job = pair
    return {
        "id": str(job.id),
        "campaign": campaign.id,
        "phone": job.phone,
        "payload": None if job.payload is None else orjson.loads(job.payload),
        "settings": job.settings.sent,
        "zone": job.hours.zone_name,
        "zone_known": job.settings.zone_known,
        "key": job.key,
        "test": job.test,
        "operator": job.operator,
        "redial_number": job.redial,
        "status": job.status,
        "attempts": len(job.attempts),
        "created_at": iso_ms(job.created_ms),
        "finished_at": None if job.finished_ms is None else iso_ms(job.finished_ms),
    }


def _call(pair: tuple[SandboxCampaign, Attempt]) -> Json:
    campaign, attempt = pair
    job = attempt.job
    local = job.hours.local(attempt.started_ms)
    return {
        "seq": campaign.index * 10**9 + attempt.seq,
        "campaign": campaign.id,
        "job_id": str(job.id),
        "phone": job.phone,
        "attempt": attempt.number,
        "redial_number": job.redial,
        "test": job.test,
        "at": iso_ms(attempt.started_ms),
        "local": local.isoformat(timespec="seconds"),
        "weekday": local.strftime("%a").lower(),
        "zone": job.hours.zone_name,
        "zone_known": job.settings.zone_known,
        "inside_windows": attempt.inside,
        "outcome": attempt.outcome.status if attempt.ended else None,
        "result": attempt.outcome.result if attempt.ended else None,
        "duration_seconds": attempt.outcome.duration_s if attempt.ended else None,
    }


# --- clock, faults, knobs, people at the vendor --------------------------------------------------


def _clock(world: World) -> Json:
    now_ms = world.book.now_ms()
    return {"now": iso_ms(now_ms), "now_ms": now_ms, "speed": world.book.clock.anchor.speed}


def _move_clock(world: World, _: Request, body: Any) -> Json:
    """`advance_seconds`, or `to` an instant; `speed` may come with it or alone."""
    wanted = body if isinstance(body, dict) else {}
    if not wanted or not wanted.keys() <= {"advance_seconds", "to", "speed"}:
        raise ValueError("give advance_seconds or to, and speed if you like")
    advance_s = _number(wanted, "advance_seconds", MAX_ADVANCE_S) or 0.0
    speed = _number(wanted, "speed", MAX_SPEED)
    if "to" in wanted:
        advance_s = (parse_ms(str(wanted["to"])) - world.book.now_ms()) / 1000
        if not 0 <= advance_s <= MAX_ADVANCE_S:
            raise ValueError("the clock moves forward only, and at most ten years")
    world.book.move_clock(advance_s=advance_s, speed=speed)
    return _clock(world)


def _number(wanted: Json, name: str, most: float) -> float | None:
    value = wanted.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= most:
        raise ValueError(f"{name} must be a number from 0 to {most:.0f}")
    return float(value)


def _faults(world: World) -> Json:
    return {"items": world.faults.waiting()}


def _add_faults(world: World, _: Request, body: Any) -> Json:
    """One fault or a list of them; all are queued, or none."""
    world.faults.add(*[read_fault(item) for item in (body if isinstance(body, list) else [body])])
    return _faults(world)


def _clear_faults(world: World, _request: Request, _body: object) -> Json:
    world.faults.clear()
    return _faults(world)


def _turn_knobs(world: World, _: Request, body: Any) -> Json:
    """Some or all knobs; all of them are turned, or none."""
    if not isinstance(body, dict):
        raise ValueError("knobs are an object of names and values")  # noqa: TRY004 - becomes a 400
    return world.book.turn(body).public()


def _set_tokens(world: World, _: Request, body: Any) -> Json:
    """Which tokens open a campaign from now on. No token is told back."""
    campaign = _fields(body, "campaign", "tokens")["campaign"]
    tokens = body["tokens"]
    if not isinstance(tokens, list) or not all(isinstance(token, str) for token in tokens):
        raise ValueError("tokens must be a list of texts")
    world.book.set_tokens(campaign, tokens)
    return {"campaign": campaign, "tokens": len(tokens)}


def _add_by_operator(world: World, _: Request, body: Any) -> Json:
    """Jobs that a person at the vendor makes, as items of addPhones."""
    wanted = _fields(body, "campaign", "jobs")
    return {"items": world.book.add_by_operator(wanted["campaign"], orjson.dumps(wanted["jobs"]))}


def _fields(body: Any, *names: str) -> dict[str, Any]:
    if not isinstance(body, dict) or body.keys() != set(names):
        raise ValueError(f"give {' and '.join(names)}")
    return body


def _reset(world: World, _request: Request, _body: object) -> Json:
    world.reset()
    return _clock(world)
