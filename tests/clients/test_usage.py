"""What was used and what it costs: az and the binary's own client read the same bill."""

import datetime

import pytest

from harness import DIGEST, Server, own_client

VAULT = "metered"


@pytest.fixture(scope="module")
def used(az):
    """A vault in which a key of the HSM's has signed twice, and somebody has asked for a key that is not there."""
    az(f"keyvault create -g dev -l eastus --sku premium --retention-days 7 --name {VAULT}")
    az(f"keyvault key create --vault-name {VAULT} -n k --kty EC-HSM --curve P-256")
    for _ in range(2):
        az(f"keyvault key sign --vault-name {VAULT} -n k --algorithm ES256 --digest {DIGEST}")
    az.refuses(f"keyvault key show --vault-name {VAULT} -n none")
    return VAULT


def lines(usage):
    """Quantity and cost by meter, of the metered vault."""
    return {
        line["meterDetails"]["meterName"]: (float(line["usageQuantity"]), float(line["pretaxCost"]))
        for line in usage
        if line["instanceName"] == VAULT
    }


def test_az_lists_usage_with_its_costs(az, used):
    whole = az("consumption usage list")
    counted = lines(whole)
    assert counted["KeySign"] == (2, 0.000006)
    assert counted["KeyCreate"] == (1, 0.000003)
    assert counted["KeyGet (refused)"] == (1, 0)
    assert counted["HSM-protected key versions"] == (1, 1)
    one = next(line for line in whole if line["instanceName"] == VAULT)
    assert one["currency"] == "USD"
    assert one["instanceId"].endswith(f"/providers/Microsoft.KeyVault/vaults/{VAULT}")
    assert one["isEstimated"] is True
    hsm = next(line for line in whole if line["instanceName"] == "devhsm")
    assert (hsm["meterDetails"]["meterName"], float(hsm["usageQuantity"])) == ("Standard_B1 hours", 1)


def test_az_asks_by_dates_by_billing_period_and_by_pages(az, used):
    today = datetime.datetime.now(datetime.timezone.utc).date()
    first = today.replace(day=1)
    before = (first - datetime.timedelta(days=1)).replace(day=1)
    whole, by_dates, by_period, longer_ago, top = az.together(
        "consumption usage list",
        f"consumption usage list --start-date {first} --end-date {today}",
        f"consumption usage list --billing-period-name {today:%Y%m}",
        f"consumption usage list --start-date {before} --end-date {before}",
        "consumption usage list --top 1 --include-meter-details",
    )
    assert lines(by_dates) == lines(by_period) == lines(whole) != {}
    assert longer_ago == []
    assert len(top) == 1


def test_az_may_read_usage_only_with_a_right_to(az_as, used):
    refused = az_as("KEY_VAULT_CRYPTO_OFFICER_").refuses("consumption usage list")
    assert "usageDetails" in refused.text or "subscription" in refused.text, refused.text


def test_the_own_client_reads_the_same_bill(az, server, used, folder):
    strongroom = own_client(server, folder / "own")
    by_az = lines(az("consumption usage list"))
    own = strongroom(f"usage --vault-name {VAULT}")
    assert {line["meter"]: (line["quantity"], float(line["cost"])) for line in own} == by_az
    table = strongroom.text(f"usage --vault-name {VAULT} -o table").splitlines()
    assert table[0].split() == ["Month", "Container", "Meter", "Quantity", "Unit", "UnitPrice", "Cost", "Currency"]
    assert table[-1].split()[0] == "Total"
    csv = strongroom.text(f"usage --vault-name {VAULT} -o csv").splitlines()
    assert len(csv) == len(own) + 1


def test_prices_are_those_of_a_file(folder):
    prices = folder / "prices.toml"
    prices.write_text('currency = "EUR"\nmanaged_hsm_per_hour.Standard_B1 = "1.25"\n')
    server = Server(folder / "priced", "--ephemeral", "--prices", str(prices))
    try:
        strongroom = own_client(server, folder / "own-priced")
        strongroom("key create --vault-name devvault -n k --kty EC")
        told = {(line["container"], line["meter"]): line for line in strongroom("usage")}
        hours = told["devhsm", "Standard_B1 hours"]
        assert (hours["cost"], hours["currency"]) == ("1.25", "EUR")
        # Counted, and without a price.
        assert told["devvault", "KeyCreate"]["quantity"] == 1
        assert told["devvault", "KeyCreate"]["cost"] is None
        assert "Total" not in strongroom.text("usage -o table")
    finally:
        server.stop()
