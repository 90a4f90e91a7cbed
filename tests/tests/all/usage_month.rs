//! A month on the development clock, and its bill made out by hand.
//!
//! The prices are those of `dev.prices.toml`: 0.03 for 10 000 operations, 1.00 for an HSM-protected key version and
//! month, 3.20 for an hour of a Standard_B1.

use domain::{ContainerKind, UnixTime, metering::Month};
use e2e::{
    client::{Principal, SECONDS_PER_DAY, Target},
    containers::{Container, Making},
    process::Server,
};
use serde_json::{Value, json};

const MINUTE: i64 = 60;
const VAULT: &str = "billvault";
const HSM: &str = "billhsm";

fn create(data: &Target, key: &str, kty: &str) {
    data.call("POST", &format!("/keys/{key}/create"), Some(&json!({"kty": kty, "crv": "P-256"}))).expect(key);
}

fn sign(data: &Target, key: &str, times: usize) {
    for _ in 0..times {
        data.sign(key, &[7; 32]).expect(key);
    }
}

fn done(data: &Target, method: &str, path: &str) {
    data.call(method, path, None).expect(path);
}

/// Lines as `strongroom usage` prints them: meter, quantity, cost.
fn bill(server: &Server, container: &str, month: Month) -> Vec<(String, i64, String)> {
    let month = month.to_string();
    let printed = server.printed(&["usage", "--month", &month, "--container", container, "-o", "json"]);
    let lines: Vec<Value> = serde_json::from_str(&printed).unwrap();
    let line = |line: &Value| {
        assert_eq!((line["month"].as_str(), line["container"].as_str()), (Some(month.as_str()), Some(container)));
        let text = |name: &str| line[name].as_str().unwrap().to_owned();
        (text("meter"), line["quantity"].as_i64().unwrap(), text("cost"))
    };
    lines.iter().map(line).collect()
}

fn by_hand(lines: &[(&str, i64, &str)]) -> Vec<(String, i64, String)> {
    lines.iter().map(|(meter, quantity, cost)| ((*meter).to_owned(), *quantity, (*cost).to_owned())).collect()
}

/// What happens in the vault on the 3rd.
fn use_the_vault(keys: &Target) {
    for key in ["used", "rotated", "gone"] {
        create(keys, key, "EC-HSM");
    }
    sign(keys, "soft", 4);
    sign(keys, "used", 5);
    sign(keys, "rotated", 1);
    done(keys, "POST", "/keys/rotated/rotate");
    sign(keys, "rotated", 1);
    sign(keys, "gone", 2);
    done(keys, "DELETE", "/keys/gone");
    done(keys, "GET", "/deletedkeys/gone");
    done(keys, "POST", "/deletedkeys/gone/recover");
    done(keys, "DELETE", "/keys/gone");
    done(keys, "DELETE", "/deletedkeys/gone");
    done(keys, "GET", "/keys/unused");
    assert_eq!(keys.sign("gone", &[7; 32]).status, 404);
    assert_eq!(keys.sign("gone", &[7; 32]).status, 404);
    assert_eq!(keys.by(Principal::Named("NOBODY")).sign("used", &[7; 32]).status, 403);
}

/// Lives through a month that is far enough ahead for what comes forty days before it, and to ten minutes after it.
fn live_through_a_month(server: &Server) -> Month {
    let client = server.client();
    let (now, _) = client.clock();
    let month = Month::from_number(Month::of(UnixTime(now)).number() + 3).unwrap();
    let at = |day: i64, minute: i64| {
        client.advance_to(month.begin().0 + (day - 1) * SECONDS_PER_DAY + minute * MINUTE);
    };

    at(-40, 0);
    let vault = Container::made(client, ContainerKind::Vault, VAULT);
    let keys = vault.data();
    for key in ["old", "before", "unused"] {
        create(&keys, key, "EC-HSM");
    }
    create(&keys, "soft", "EC");
    sign(&keys, "old", 3);
    at(-10, 0);
    sign(&keys, "before", 2);

    at(1, 10);
    let hsm = Container::new(client, ContainerKind::ManagedHsm, HSM);
    hsm.put(Making { retention_days: 90, purge_protection: false }).expect("a managed HSM");
    create(&hsm.data(), "k", "EC-HSM");
    sign(&hsm.data(), "k", 3);
    at(3, 0);
    use_the_vault(&keys);
    at(10, 40);
    hsm.delete().expect("deleting");
    at(20, 40);
    hsm.purge().expect("purging");
    client.advance_to(month.end().0 + 10 * MINUTE);
    month
}

#[test]
fn a_month_costs_exactly_what_was_reckoned_by_hand() {
    let server = Server::ephemeral();
    let month = live_through_a_month(&server);
    let of_vault = [
        ("KeyCreate", 3, "0.000009"),
        ("KeyGet", 1, "0.000003"),
        ("KeyDelete", 2, "0.000006"),
        // A look at what is deleted.
        ("KeyGetDeleted", 1, "0.00"),
        ("KeyRecover", 1, "0.000003"),
        ("KeyPurge", 1, "0.000003"),
        ("KeyRotate", 1, "0.000003"),
        ("KeySign", 13, "0.000039"),
        ("KeySign (refused)", 3, "0.00"),
        // "used"; "rotated" twice; "gone", though purged; "before", for its thirty days reach into the month. Neither
        // "old" nor "unused" nor "soft", which is no HSM's.
        ("HSM-protected key versions", 5, "5.00"),
    ];
    assert_eq!(bill(&server, VAULT, month), by_hand(&of_vault));
    // From 00:10 on the 1st to 00:40 on the 20th: 19 days of 24 hours, and one that had begun. 457 times 3.20.
    let of_hsm = [("KeyCreate", 1, "0.00"), ("KeySign", 3, "0.00"), ("Standard_B1 hours", 457, "1462.40")];
    assert_eq!(bill(&server, HSM, month), by_hand(&of_hsm));

    let next = month.next().unwrap();
    // Used on the 3rd: their thirty days reach into the next month.
    assert_eq!(bill(&server, VAULT, next), by_hand(&[("HSM-protected key versions", 4, "4.00")]));
    assert_eq!(bill(&server, HSM, next), by_hand(&[]));

    let table = server.printed(&["usage", "--month", &month.to_string(), "--vault-name", VAULT, "-o", "table"]);
    let total = table.lines().last().unwrap();
    // 5.00, and 22 operations at 0.000003.
    assert!(total.contains("Total") && total.contains("5.000066") && total.ends_with("USD"), "{table}");
    let csv = server.printed(&["usage", "--month", &month.to_string(), "--hsm-name", HSM, "-o", "csv"]);
    assert!(csv.starts_with("container,cost,currency,kind,meter,month,"), "{csv}");
    assert!(csv.contains(&format!("{HSM},1462.40,USD,managedHsm,Standard_B1 hours,{month},457,")), "{csv}");
    server.assert_no_panic();
}

#[test]
fn metrics_of_a_development_server_are_told_on_its_machine() {
    let server = Server::ephemeral();
    let vault = Container::made(server.client(), ContainerKind::Vault, VAULT);
    create(&vault.data(), "k", "EC");
    sign(&vault.data(), "k", 2);
    assert_eq!(vault.data().sign("none", &[7; 32]).status, 404);
    let page = server.client().plain_text("/metrics");
    for sample in [
        "strongroom_operations_total{operation=\"KeySign\",outcome=\"done\",kind=\"vault\"} 2\n",
        "strongroom_operations_total{operation=\"KeySign\",outcome=\"refused\",kind=\"vault\"} 1\n",
        "strongroom_operations_total{operation=\"KeyCreate\",outcome=\"done\",kind=\"vault\"} 1\n",
        "strongroom_operations_total{operation=\"VaultPut\",outcome=\"done\",kind=\"none\"} ",
        "# TYPE strongroom_request_duration_seconds histogram\n",
        "strongroom_open_keys 1\n",
        "strongroom_lane_working{lane=\"durable\"} 0\n",
    ] {
        assert!(page.contains(sample), "{sample} in {page}");
    }
    assert!(!page.contains(VAULT) && !page.contains("k1"), "no label names a container");
}
