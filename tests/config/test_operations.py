"""The guide for operators says what there is."""

import re
from pathlib import Path

from bridge.calls.rooms import Rooms
from bridge.clock import wall_clock
from bridge.gateway.admission import Admission, AdmissionLimits
from bridge.gateway.door import MAX_CONNECTIONS, DoorLimits
from bridge.gateway.drain import Drain
from bridge.gateway.loop_lag import LoopLag
from bridge.gateway.memory import SPARE_BYTES, MemoryRoom
from bridge.gateway.metrics import Metrics
from bridge.gateway.phone_metrics import phone_metrics
from bridge.gateway.phone_totals import PhoneTotals
from bridge.gateway.rtc import voices
from bridge.gateway.rtc_metrics import rtc_metrics
from bridge.gateway.service_metrics import service_metrics
from bridge.gateway.tls import LOOK_S
from bridge.legs.webrtc.options import RtcOptions
from bridge.phone_config import PhoneConfig

GUIDE = (Path(__file__).parents[2] / "config" / "operations.md").read_text()


def test_the_guide_names_every_metric_and_no_other() -> None:
    memory = MemoryRoom(PhoneConfig().memory_share)
    process = service_metrics(
        lag=LoopLag(),
        memory=memory,
        admission=Admission(),
        drain=Drain(),
        n_connections=lambda: 0,
        n_served=lambda: 0,
    )
    rooms = Rooms(wall_clock, voices(RtcOptions()))
    sources = [process, phone_metrics(PhoneTotals(), list), rtc_metrics(rooms)]
    families = Metrics(sources).collect()
    names = {f"{each.name}_total" if each.type == "counter" else each.name for each in families}

    assert set(re.findall(r"tipring_\w+", GUIDE)) == names


def test_the_guide_names_the_limits_that_hold() -> None:
    limits = AdmissionLimits()
    assert f"{1000 * limits.refuse_lag_s:.0f} ms late" in GUIDE
    assert f"below {1000 * limits.take_lag_s:.0f} ms" in GUIDE
    assert f"past {100 * PhoneConfig().memory_share:.0f} %" in GUIDE
    assert f"{SPARE_BYTES // 2**20} MiB" in GUIDE
    assert f"at most {MAX_CONNECTIONS:,}" in GUIDE
    assert f"{DoorLimits().max_per_source} from one address" in GUIDE
    assert LOOK_S == 5
