import httpx

from tests.fakes.calls import FakeCalls


async def test_models_are_listed_in_the_order_of_the_service(
    client: httpx.AsyncClient, calls: FakeCalls
) -> None:
    response = await client.get("/api/models")

    assert response.json() == {
        "next": None,
        "previous": None,
        "results": [{"name": name} for name in calls.names],
        "total": 3,
    }


async def test_models_come_in_pages(client: httpx.AsyncClient) -> None:
    first = (await client.get("/api/models?pageSize=2")).json()
    second = (await client.get(first["next"])).json()

    assert [each["name"] for each in second["results"]] == ["tipring/tone"]
    assert second["next"] is None
