"""Notices: event subscriptions with the real az, and what their receivers get, read by the SDKs of others."""

import json

import pytest

from receiver import Receiver

EVENTS = "eventgrid event-subscription"
NEW_SECRET = "Microsoft.KeyVault.SecretNewVersionCreated"


@pytest.fixture
def receiver():
    receiver = Receiver()
    yield receiver
    receiver.stop()


@pytest.fixture(scope="module")
def vault_id(az):
    return az("keyvault show --name devvault --query id")


def create_certificate(az, name):
    (az.folder / "policy.json").write_text(az.text("keyvault certificate get-default-policy"))
    az(f"keyvault certificate create --vault-name devvault --name {name} --policy @policy.json")


def test_an_event_subscription_is_made_shown_changed_and_removed(az, receiver, vault_id):
    where = f"--name events --source-resource-id {vault_id}"
    url = f"{receiver.base_url}/in?code=s3cret"
    made = az(
        f"{EVENTS} create {where} --endpoint {url} --event-delivery-schema cloudeventschemav1_0 --labels a b"
        f" --included-event-types {NEW_SECRET} --subject-begins-with pass --max-delivery-attempts 5 --event-ttl 60"
        " --expiration-date 2099-01-01"
    )
    assert made["id"] == f"{vault_id}/providers/Microsoft.EventGrid/eventSubscriptions/events"
    assert (made["name"], made["type"]) == ("events", "Microsoft.EventGrid/eventSubscriptions")
    assert (made["topic"], made["provisioningState"], made["labels"]) == (vault_id, "Succeeded", ["a", "b"])
    assert (made["eventDeliverySchema"], made["expirationTimeUtc"][:10]) == ("CloudEventSchemaV1_0", "2099-01-01")
    assert made["retryPolicy"] == {"eventTimeToLiveInMinutes": 60, "maxDeliveryAttempts": 5}
    filtered = made["filter"]
    assert (filtered["includedEventTypes"], filtered["subjectBeginsWith"]) == ([NEW_SECRET], "pass")
    destination = made["destination"]
    assert (destination["endpointType"], destination["endpointBaseUrl"]) == ("WebHook", receiver.base_url)
    assert "s3cret" not in json.dumps(made), "its URL may have a secret in it"
    shown, full, listed = az.together(
        f"{EVENTS} show {where}",
        f"{EVENTS} show {where} --include-full-endpoint-url true",
        f"{EVENTS} list --source-resource-id {vault_id}",
    )
    assert shown == made and listed == [made]
    assert full["destination"]["endpointUrl"] == url
    changed = az(f"{EVENTS} update {where} --subject-ends-with word --labels c")
    assert (changed["filter"]["subjectEndsWith"], changed["filter"]["subjectBeginsWith"]) == ("word", "pass")
    assert changed["labels"] == ["c"] and az(f"{EVENTS} show {where}") == changed
    az(f"{EVENTS} delete {where}")
    assert az(f"{EVENTS} list --source-resource-id {vault_id}") == []
    assert az.refuses(f"{EVENTS} show {where}").code == "ResourceNotFound"


def test_a_receiver_gets_cloud_events(az, receiver, vault_id, server):
    where = f"--name cloud --source-resource-id {vault_id}"
    az(f"{EVENTS} create {where} --endpoint {receiver.base_url}/ --event-delivery-schema cloudeventschemav1_0")
    made = az("keyvault secret set --vault-name devvault --name told --value hush --expires 2099-01-01T00:00:00Z")
    event = receiver.next_event()
    assert (event.get_type(), event.get_source(), event.get_subject()) == (NEW_SECRET, vault_id, "told")
    data, version = event.get_data(), made["id"].rsplit("/", 1)[1]
    assert (data["VaultName"], data["ObjectType"], data["ObjectName"]) == ("devvault", "Secret", "told")
    assert (data["Version"], data["Id"].rsplit("/", 2)[1:]) == (version, ["told", version])
    assert data["EXP"] == 4_070_908_800 and data["NBF"] is None
    create_certificate(az, "site")
    trio = {receiver.next_event().get_type() for _ in range(3)}
    assert trio == {f"Microsoft.KeyVault.{kind}NewVersionCreated" for kind in ("Certificate", "Key", "Secret")}
    az(f"{EVENTS} delete {where}")
    assert receiver.arrived.empty()


def test_whoever_asks_for_no_schema_gets_event_grids_own(az, receiver, vault_id):
    where = f"--name own --source-resource-id {vault_id}"
    made = az(f"{EVENTS} create {where} --endpoint {receiver.base_url}/")
    assert made["eventDeliverySchema"] == "EventGridSchema"
    az("keyvault key create --vault-name devvault --name told --kty EC")
    headers, body = receiver.next()
    [event] = json.loads(body)
    assert headers["aeg-subscription-name"] == "own"
    assert (event["topic"], event["eventType"]) == (vault_id, "Microsoft.KeyVault.KeyNewVersionCreated")
    az(f"{EVENTS} delete {where}")


def test_who_does_not_agree_is_not_told(az, receiver, vault_id):
    receiver.allowed_origin = "somebody.example.com"
    where = f"--name refused --source-resource-id {vault_id}"
    endpoint = f"--endpoint {receiver.base_url}/in?code=s3cret --event-delivery-schema cloudeventschemav1_0"
    refused = az.refuses(f"{EVENTS} create {where} {endpoint}")
    assert "(Url validation)" in refused.text and "s3cret" not in refused.text
    assert az(f"{EVENTS} list --source-resource-id {vault_id}") == []


def test_a_certificate_that_renews_itself_is_told_of(az, receiver, vault_id, server):
    where = f"--name renewals --source-resource-id {vault_id} --event-delivery-schema cloudeventschemav1_0"
    kind = "Microsoft.KeyVault.CertificateNewVersionCreated"
    only = f"--included-event-types {kind} --subject-begins-with renewed"
    az(f"{EVENTS} create {where} --endpoint {receiver.base_url}/ {only}")
    create_certificate(az, "renewed")
    server.advance(330)
    first, second = receiver.next_event(), receiver.next_event()
    assert {first.get_subject(), second.get_subject()} == {"renewed"}
    assert first.get_data()["Version"] != second.get_data()["Version"]
    current = az("keyvault certificate show --vault-name devvault --name renewed --query id")
    assert current.endswith(second.get_data()["Version"])
