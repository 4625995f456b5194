from bridge.talk.screen.held_key import LET_GO_S, REPEAT_WITHIN_S, HeldKey


def test_a_held_key_talks_until_its_repeats_cease() -> None:
    key = HeldKey()

    assert key.press(0.0)
    assert key.tick(0.4)
    now_s = 0.5  # the first repeat
    while now_s < 3.0:
        assert key.press(now_s)
        assert key.tick(now_s + 0.02)
        now_s += 0.03
    assert key.tick(now_s - 0.03 + LET_GO_S)
    assert not key.tick(now_s + LET_GO_S)


def test_a_tap_talks_until_the_next_tap() -> None:
    key = HeldKey()

    key.press(0.0)
    assert key.tick(REPEAT_WITHIN_S + 10)
    assert not key.press(REPEAT_WITHIN_S + 11)
    assert not key.tick(REPEAT_WITHIN_S + 11.1)


def test_two_quick_taps_are_a_short_hold() -> None:
    key = HeldKey()

    key.press(0.0)
    key.press(0.3)

    assert not key.tick(0.3 + LET_GO_S + 0.01)


def test_a_new_press_after_letting_go_talks_again() -> None:
    key = HeldKey()
    key.press(0.0)
    key.press(0.5)
    key.tick(2.0)

    assert key.press(3.0)
    assert key.tick(20.0)  # a tap this time
