"""Messages to a gateway: signed, once, and told apart by what its answer means."""

import hashlib
import hmac
import json

import httpx
import msgspec
import pytest

from ar_bridge.channels import (
    ChannelRefusedError,
    ChannelSetupError,
    ChannelTransientError,
    ChannelUnknownError,
    Gateway,
    WebhookChannel,
)
from ar_bridge.clock import VirtualClock
from tests.channels.cases import NOW, SLOTS, message

SECRET = "shared-with-the-gateway"
GATEWAY = Gateway(url="https://gateway.company.example/messages", secret=SECRET)


class Service:
    """What takes the messages, and answers as it is told."""

    def __init__(self, *answers: int | Exception) -> None:
        self.answers = list(answers)
        self.taken: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.taken.append(request)
        answer = self.answers.pop(0) if self.answers else 202
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer, text="as told")


def channel(service: Service, name: str = "webhook") -> WebhookChannel:
    transport = httpx.MockTransport(service)
    return WebhookChannel(GATEWAY, VirtualClock(NOW), name=name, transport=transport)


def test_what_is_posted_is_signed_and_says_all() -> None:
    service = Service()
    receipt = channel(service, "sms").send(message("+44 20 7946 0000"), SLOTS)
    (request,) = service.taken
    stamp = request.headers["Arb-Timestamp"]
    expected = hmac.new(SECRET.encode(), f"{stamp}.".encode() + request.content, hashlib.sha256)
    assert request.headers["Arb-Signature"] == f"v1={expected.hexdigest()}"
    assert int(stamp) == int(NOW.timestamp())
    assert request.headers["Idempotency-Key"] == message().message_id
    told = json.loads(request.content)
    assert (told["channel"], told["customer"]) == ("sms", "C1")
    assert told["to"] == ["+44 20 7946 0000"]
    assert "https://pay.example/1" in told["text"] and "{{" not in told["text"] + told["html"]
    assert (receipt.channel, receipt.response) == ("sms", "202 as told")


def test_the_same_message_again_has_the_same_bytes_and_key() -> None:
    service = Service(503)
    way = channel(service)
    with pytest.raises(ChannelTransientError):
        way.send(message(), SLOTS)
    way.send(message(), SLOTS)
    first, second = service.taken
    assert first.content == second.content
    assert first.headers["Idempotency-Key"] == second.headers["Idempotency-Key"]


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (httpx.ConnectError("refused"), ChannelTransientError),
        (429, ChannelTransientError),
        (503, ChannelTransientError),
        (401, ChannelSetupError),
        (403, ChannelSetupError),
        (404, ChannelSetupError),
        (302, ChannelSetupError),
        (400, ChannelRefusedError),
        (422, ChannelRefusedError),
        (408, ChannelUnknownError),
        (409, ChannelUnknownError),
        (500, ChannelUnknownError),
        (502, ChannelUnknownError),
        (httpx.ReadTimeout("silence"), ChannelUnknownError),
        (httpx.RemoteProtocolError("cut off"), ChannelUnknownError),
    ],
)
def test_what_an_answer_means(answer: int | Exception, trouble: type[Exception]) -> None:
    with pytest.raises(trouble) as caught:
        channel(Service(answer)).send(message(), SLOTS)
    assert type(caught.value) is trouble


@pytest.mark.parametrize("url", ["http://gateway.company.example/x", "ftp://127.0.0.1/x"])
def test_messages_never_travel_in_the_open(url: str) -> None:
    with pytest.raises(ValueError, match="https"):
        Gateway(url=url, secret=SECRET)


def test_this_machine_may_be_asked_without_encryption_but_never_without_a_secret() -> None:
    local = Gateway(url="http://127.0.0.1:9000/x", secret=SECRET)
    with pytest.raises(ValueError, match="secret"):
        msgspec.structs.replace(local, secret="")
