"""The query parameters that choose among calls.

Dates are RFC 3339; a bare date means its start in `fromDate` and its end in `toDate`, and a time
without a zone is UTC.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, time
from typing import Annotated, Final, Literal, TypeVar

from fastapi import Depends, Query, Request

from bridge.api.problems import Problems
from bridge.api.schemas.base import DURATION_PATTERN, seconds
from bridge.calls.queries import CallQuery

T = TypeVar("T")

_METADATA: Final = "metadata."
_DATE: Final = "A date such as 2026-01-31 or 2026-01-31T08:00:00Z is needed here."
_TIME: Final = "A time of day such as 08:00:00 is needed here."

Text = Annotated[str | None, Query(min_length=1)]
DurationText = Annotated[str | None, Query(pattern=DURATION_PATTERN)]


async def _call_query(  # noqa: PLR0913 - one argument for each query parameter
    request: Request,
    *,
    agent_ids: Annotated[list[str] | None, Query(alias="agentIds")] = None,
    duration_min: Annotated[DurationText, Query(alias="durationMin")] = None,
    duration_max: Annotated[DurationText, Query(alias="durationMax")] = None,
    from_date: Annotated[str | None, Query(alias="fromDate")] = None,
    to_date: Annotated[str | None, Query(alias="toDate")] = None,
    time_of_day_start: Annotated[str | None, Query(alias="timeOfDayStart")] = None,
    time_of_day_end: Annotated[str | None, Query(alias="timeOfDayEnd")] = None,
    voice_id: Annotated[str | None, Query(alias="voiceId")] = None,
    search: Text = None,
    sort: Literal["created", "-created"] = "-created",
) -> CallQuery:
    problems = Problems()
    query = CallQuery(
        created_from=_parsed(from_date, _day_start, problems.at("fromDate"), _DATE),
        created_to=_parsed(to_date, _day_end, problems.at("toDate"), _DATE),
        day_from=_parsed(time_of_day_start, _time_of_day, problems.at("timeOfDayStart"), _TIME),
        day_to=_parsed(time_of_day_end, _time_of_day, problems.at("timeOfDayEnd"), _TIME),
        min_duration_s=None if duration_min is None else seconds(duration_min),
        max_duration_s=None if duration_max is None else seconds(duration_max),
        metadata=_metadata(request),
        search=search,
        voice=voice_id,
        agent_ids=tuple(agent_ids or ()),
        newest_first=sort == "-created",
    )
    problems.raise_any()
    return query


AskedCalls = Annotated[CallQuery, Depends(_call_query)]


def _metadata(request: Request) -> dict[str, str]:
    asked = request.query_params.items()
    return {key.removeprefix(_METADATA): value for key, value in asked if key.startswith(_METADATA)}


def _parsed(
    text: str | None, parse: Callable[[str], T], problems: Problems, sentence: str
) -> T | None:
    try:
        return None if text is None else parse(text)
    except (ValueError, OverflowError):
        problems.add(sentence)
        return None


def _day_start(text: str) -> datetime:
    return _instant(text, time.min)


def _day_end(text: str) -> datetime:
    return _instant(text, time.max)


def _instant(text: str, at: time) -> datetime:
    if len(text) == len("2026-01-31"):
        return datetime.combine(date.fromisoformat(text), at, UTC)
    # A plus that was not escaped arrives as a space.
    instant = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else text)
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)


def _time_of_day(text: str) -> time:
    parsed = time.fromisoformat(text)
    if parsed.tzinfo is not None:
        raise ValueError("times of day are in UTC")
    return parsed
