from hypothesis import given
from hypothesis import strategies as st

from bridge.calls.paging import Key, Page, Window, cut

ITEMS = "abcdefg"
KEYS: list[Key] = [(at, "") for at in range(len(ITEMS))]


def shown(window: Window) -> tuple[str, Window | None, Window | None]:
    page = cut(ITEMS, KEYS, window)
    assert page.total == 7
    return "".join(page.items), page.previous, page.next


def test_the_first_window_has_no_previous_one() -> None:
    assert shown(Window(3)) == ("abc", None, Window(3, after=(2, "")))


def test_a_window_in_the_middle_has_both() -> None:
    assert shown(Window(2, after=(2, ""))) == (
        "de",
        Window(2, before=(3, "")),
        Window(2, after=(4, "")),
    )


def test_the_last_window_has_no_next_one() -> None:
    assert shown(Window(3, after=(4, ""))) == ("fg", Window(3, before=(5, "")), None)


def test_a_window_before_an_item_ends_just_before_it() -> None:
    assert shown(Window(2, before=(4, "")))[0] == "cd"
    assert shown(Window(5, before=(2, ""))) == ("ab", None, Window(5, after=(1, "")))


def test_a_window_past_the_end_is_empty() -> None:
    assert shown(Window(3, after=(99, ""))) == ("", None, None)
    assert cut("", [], Window()) == Page((), 0)


def test_an_anchor_that_is_gone_still_stands_for_its_place() -> None:
    assert cut("ace", [(0, ""), (2, ""), (4, "")], Window(1, after=(1, ""))).items == ("c",)


@given(
    numbers=st.sets(st.integers(-5, 40)), size=st.integers(1, 7), gone=st.sets(st.integers(-5, 40))
)
def test_paging_both_ways_shows_everything_once(
    numbers: set[int], size: int, gone: set[int]
) -> None:
    items = sorted(numbers)
    keys: list[Key] = [(number, "") for number in items]
    page = cut(items, keys, Window(size))
    forth = list(page.items)
    while page.next is not None:
        page = cut(items, keys, page.next)
        forth.extend(page.items)
    back = list(page.items)
    while page.previous is not None:
        page = cut(items, keys, page.previous)
        back[:0] = page.items

    assert forth == back == items
