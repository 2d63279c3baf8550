import hashlib
import hmac
import socket
import time

import pytest

from predictive.config_file import effective, load_config
from predictive.errors import ConfigError, DeliveryError
from predictive.notices import post

SECRET = "the-shared-secret"  # noqa: S105 - made up
QUICK = (0.0, 0.01)
LEAST = "source: {kind: files, path: data, tables: {contacts: {file: c.csv}, deals: {file: d.csv}}}\n"


def send(receiver, **options):
    post(receiver.address, SECRET, b'{"notices": []}', delivery="d1", **({"pauses": QUICK} | options))


def test_a_receiver_can_check_who_sent_it_and_when(receiver):
    send(receiver)
    ((headers, body),) = receiver.got
    signed = headers["X-Predictive-Timestamp"].encode() + b"." + body
    expected = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert headers["X-Predictive-Signature"] == f"sha256={expected}"
    assert abs(int(headers["X-Predictive-Timestamp"]) - time.time()) < 60
    assert (headers["Content-Type"], body) == ("application/json", b'{"notices": []}')


@pytest.mark.parametrize("failures", [[503], [500, 502], ["hang up"], [429, "hang up"]])
def test_what_may_pass_is_tried_again_under_the_same_name(receiver, failures):
    receiver.answers = list(failures)
    send(receiver)
    assert len(receiver.got) == len(failures) + 1
    assert {headers["X-Predictive-Delivery"] for headers, _ in receiver.got} == {"d1"}


@pytest.mark.parametrize(
    ("answers", "attempts", "said"),
    [
        ([500, 503, 502], 3, "it answered 502 at the last of 3 attempts"),
        (["hang up"] * 3, 3, "it could not be reached (RemoteDisconnected) at the last of 3 attempts"),
        ([400], 1, "it answered 400, so nothing more was tried"),
        ([307], 1, "it answered 307, so nothing more was tried"),
    ],
)
def test_a_failure_says_what_happened_and_neither_address_nor_secret(receiver, answers, attempts, said):
    receiver.answers = list(answers)
    with pytest.raises(DeliveryError) as caught:
        send(receiver)
    assert str(caught.value) == f"notices.webhook: {said}"
    assert len(receiver.got) == attempts
    assert caught.value.__cause__ is None


def test_nobody_listening_and_nobody_answering_end_in_time():
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/secret"
        with pytest.raises(DeliveryError, match=r"could not be reached \(ConnectionRefusedError\)"):
            post(address, SECRET, b"{}", delivery="d", pauses=())
        silent.listen()
        start = time.monotonic()
        with pytest.raises(DeliveryError, match=r"could not be reached \(TimeoutError\) at the last of 2 attempts"):
            post(address, SECRET, b"{}", delivery="d", pauses=(0.0,), timeout=0.1)
        assert 0.2 <= time.monotonic() - start < 5


def load(tmp_path, notices):
    file = tmp_path / "config.yaml"
    file.write_text(LEAST + f"notices: {notices}\n")
    return load_config(file)


def test_secrets_are_in_no_printed_configuration(tmp_path, monkeypatch):
    monkeypatch.setenv("HOOK", "https://hooks.example/T0KEN")
    config = load(tmp_path, "{webhook: '${HOOK}', secret: 1234567}")
    assert config.notices.secret.get_secret_value() == "1234567"
    assert config.notices.webhook.get_secret_value() == "https://hooks.example/T0KEN"
    for text in (repr(config), str(config), effective(config), config.model_dump_json()):
        assert "T0KEN" not in text
        assert "1234567" not in text


@pytest.mark.parametrize(
    ("notices", "said"),
    [
        ("{webhook: T0KEN, secret: s}", "the address begins with neither https:// nor http:// (it is not shown here)"),
        ("{webhook: 'https://hooks.example/T0KEN'}", "needs a secret to sign with; give notices.secret"),
        ("{webhook: 'https://hooks.example/T0KEN', secret: [T0KEN]}", "notices.secret: input should be a valid string"),
        ("{file: notices.xlsx}", "'notices.xlsx' is neither .csv nor .json"),
    ],
)
def test_what_is_wrong_is_said_without_quoting_it(tmp_path, notices, said):
    with pytest.raises(ConfigError) as caught:
        load(tmp_path, notices)
    assert said.lower() in str(caught.value).lower()
    assert "T0KEN" not in str(caught.value)
