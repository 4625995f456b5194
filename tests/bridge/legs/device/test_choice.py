"""Which device is meant by an index, a part of a name, or nothing."""

import pytest

from bridge.legs.device.choice import DeviceChoice, Direction, find, usable
from bridge.legs.device.host import Device, DeviceError

DEVICES = [
    Device(0, "Built-in Microphone", "Fake", 2, 0, 48_000),
    Device(1, "USB Headset 7", "Fake", 1, 2, 48_000, is_default_output=True),
    Device(2, "Headset", "Fake", 1, 2, 48_000, is_default_input=True),
    Device(3, "Monitor Speakers", "Fake", 0, 2, 44_100),
    Device(4, "USB Camera", "Fake", 1, 0, 48_000),
]


@pytest.mark.parametrize(
    ("asked", "direction", "index"),
    [
        (None, "microphone", 2),
        ("", "microphone", 2),
        (None, "loudspeaker", 1),
        (4, "microphone", 4),
        ("4", "microphone", 4),
        ("7", "microphone", 1),
        ("camera", "microphone", 4),
        ("CAMERA", "microphone", 4),
        ("headset", "microphone", 2),
        ("usb", "loudspeaker", 1),
        ("speakers", "loudspeaker", 3),
    ],
)
def test_a_device_is_found(asked: str | int | None, direction: Direction, index: int) -> None:
    assert find(DEVICES, asked, direction).index == index


@pytest.mark.parametrize(
    ("asked", "direction", "words"),
    [
        (3, "microphone", "no microphone number 3"),
        (9, "loudspeaker", "no loudspeaker number 9"),
        ("9", "loudspeaker", "no loudspeaker number 9"),
        ("speakers", "microphone", "no microphone is called 'speakers'"),
        ("usb", "microphone", "several microphones"),
    ],
)
def test_what_is_not_there_is_said_with_what_is(
    asked: str | int, direction: Direction, words: str
) -> None:
    with pytest.raises(DeviceError, match=words) as caught:
        find(DEVICES, asked, direction)
    assert caught.value.trouble == "gone"
    assert "1 (USB Headset 7)" in str(caught.value)


def test_a_default_is_preferred_to_others_with_the_same_part_of_a_name() -> None:
    twice = [
        Device(0, "USB Headset", "Windows WASAPI", 1, 0, 48_000),
        Device(1, "USB Headset", "MME", 1, 0, 44_100, is_default_input=True),
    ]
    assert find(twice, "usb headset", "microphone").index == 1


def test_no_device_of_a_direction_is_said() -> None:
    with pytest.raises(DeviceError, match="no microphone: connect one") as caught:
        find(DEVICES[3:4], None, "microphone")
    assert caught.value.trouble == "none"


def test_the_first_one_is_taken_where_the_system_names_no_default() -> None:
    assert find(DEVICES[:1], None, "microphone").index == 0


def test_a_choice_has_two_directions() -> None:
    choice = DeviceChoice("usb", 3)
    assert (choice.of("microphone"), choice.of("loudspeaker")) == ("usb", 3)
    assert [device.index for device in usable(DEVICES, "microphone")] == [0, 1, 2, 4]
