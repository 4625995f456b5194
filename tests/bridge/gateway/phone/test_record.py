import json

from bridge.clock import VIRTUAL_EPOCH
from bridge.gateway.phone.carriers.base import PhoneNumbers
from bridge.gateway.phone.record import History, PhoneCallRecord, PhoneEnd, log_line, shown
from bridge.legs.carrier.figures import Interruption


def record(id_: str = "1", **fields: object) -> PhoneCallRecord:
    made = PhoneCallRecord(id=id_, carrier="twilio", created=VIRTUAL_EPOCH)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def ended(id_: str) -> PhoneCallRecord:
    return record(id_, end=PhoneEnd("hangup"))


def test_the_history_keeps_the_newest_of_those_that_have_ended_and_all_others() -> None:
    history = History(most=2)
    live = record("live")
    for each in (live, ended("1"), ended("2"), ended("3")):
        history.add(each)
        if each.end is not None:
            history.ended(each)

    assert [each.id for each in history.newest_first()] == ["live", "3", "2"]
    assert history.get("1") is None
    assert history.get("live") is live


def test_a_call_is_found_by_its_carriers_id_the_newest_first() -> None:
    history = History()
    old, new = record("1", carrier_call_id="CA1"), record("2", carrier_call_id="CA1")
    for each in (old, new):
        history.add(each)

    assert history.find("twilio", "CA1") is new
    assert history.find("plivo", "CA1") is None


def test_a_state_is_waiting_until_the_socket_is_there_and_ended_after_the_end() -> None:
    states = [
        record(stages=stages, end=end).state
        for stages, end in (({}, None), ({"socket": 0.0}, None), ({}, PhoneEnd("hangup")))
    ]

    assert states == ["waiting", "live", "ended"]


def personal() -> PhoneCallRecord:
    call = record(
        carrier_call_id="CA0123456789",
        numbers=PhoneNumbers("+15550100001", "sip:alice@bridge.example"),
        end=PhoneEnd("hangup", "+1 555-010-0001 at sip:bob@x left https://x/y"),
    )
    call.figures.interruptions.append(Interruption(1.0, "my secret", "the rest", 100.0, 220.4))
    return call


def test_the_line_for_the_log_holds_no_number_no_address_and_nothing_that_was_said() -> None:
    line = log_line(personal())

    assert json.loads(line)["endDetail"] == "… at … left …"
    for private in ("5550100001", "555-010", "alice", "secret", "CA0123456789"):
        assert private not in line
    assert (json.loads(line)["interruptions"], json.loads(line)["worstOverrunMs"]) == (1, 220)


def test_whoever_has_a_key_sees_all_of_it() -> None:
    view = shown(personal())

    assert (view["from"], view["carrierCallId"]) == ("+15550100001", "CA0123456789")
    assert view["interruptions"] == [
        {
            "at": 1.0,
            "heardText": "my secret",
            "unheardText": "the rest",
            "unheardMs": 100,
            "overrunMs": 220,
        }
    ]


def test_a_hostile_number_stays_on_its_line() -> None:
    hostile = PhoneNumbers("\n\u202e\x00" * 5, "")
    line = log_line(record(numbers=hostile, end=PhoneEnd("hangup")))

    assert line.isascii()
    assert line.isprintable()
