"""Carriers by name: each has a machine, and its traits say the same name."""

from typing import get_args

import pytest

from bridge.wire.carriers.base import CarrierName
from bridge.wire.carriers.make import make_wire, traits_of

NAMES: tuple[CarrierName, ...] = get_args(CarrierName)


@pytest.mark.parametrize("name", NAMES)
def test_every_carrier_has_a_machine_of_its_name(name: CarrierName) -> None:
    assert make_wire(name).traits.name == name
    assert traits_of(name) is make_wire(name).traits


@pytest.mark.parametrize("name", NAMES)
def test_every_socket_has_a_machine_of_its_own(name: CarrierName) -> None:
    assert make_wire(name) is not make_wire(name)
