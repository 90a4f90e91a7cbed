// What the JavaScript SDK makes of the secrets of a vault. test_js_sdk.py says what the results should be.

import { all, credential, paged, refusal, require, run, url } from "./scenarios.mjs";

const { SecretClient } = require("@azure/keyvault-secrets");

const secrets = new SecretClient(url, credential);

const scenarios = {
  async setAndGet() {
    const notBefore = new Date("2020-01-01T00:00:00Z");
    const expiresOn = new Date("2035-01-01T00:00:00Z");
    const made = await secrets.setSecret("given", "grüße, 世界", {
      contentType: "text/plain",
      notBefore,
      expiresOn,
      tags: { a: "b" },
    });
    const { value, properties } = await secrets.getSecret("given");
    return {
      value,
      same: properties.id === made.properties.id,
      contentType: properties.contentType,
      dates: [properties.notBefore, properties.expiresOn],
      tags: properties.tags,
      recovery: [properties.recoveryLevel, properties.recoverableDays],
      managed: properties.managed ?? null,
    };
  },

  async updateAndVersions() {
    const first = await secrets.setSecret("versions", "one", { tags: { n: "1" } });
    const second = await secrets.setSecret("versions", "two");
    const version = first.properties.version;
    const changed = await secrets.updateSecretProperties("versions", version, {
      contentType: "old",
      enabled: false,
      tags: { n: "2" },
    });
    const disabled = await refusal(() => secrets.getSecret("versions", { version }));
    await secrets.updateSecretProperties("versions", version, { enabled: true });
    const old = await secrets.getSecret("versions", { version });
    const latest = await secrets.getSecret("versions");
    const listed = (await all(secrets.listPropertiesOfSecretVersions("versions"))).map((each) => each.id);
    return {
      changed: [changed.enabled, changed.contentType, changed.tags],
      disabled,
      old: old.value,
      latest: latest.value,
      same: listed.sort().join() === [first.properties.id, second.properties.id].sort().join(),
    };
  },

  async pages() {
    const names = Array.from({ length: 30 }, (_, number) => `page-${String(number).padStart(2, "0")}`);
    for (const name of names) await secrets.setSecret(name, name);
    const { sizes, found } = await paged(secrets.listPropertiesOfSecrets().byPage({ maxPageSize: 20 }));
    const listed = found.map((each) => each.name);
    return {
      complete: names.every((name) => listed.includes(name)),
      full: sizes.slice(0, -1).every((size) => size === 20),
      values: found.some((each) => "value" in each),
    };
  },

  async life() {
    const made = await secrets.setSecret("life", "one", { tags: { a: "b" } });
    const deleted = await (await secrets.beginDeleteSecret("life")).pollUntilDone();
    const live = await refusal(() => secrets.getSecret("life"));
    const again = await refusal(() => secrets.setSecret("life", "two"));
    const listed = (await all(secrets.listDeletedSecrets())).some((each) => each.name === "life");
    const shown = await secrets.getDeletedSecret("life");
    await (await secrets.beginRecoverDeletedSecret("life")).pollUntilDone();
    const recovered = await secrets.getSecret("life");
    await (await secrets.beginDeleteSecret("life")).pollUntilDone();
    await secrets.purgeDeletedSecret("life");
    const purged = await refusal(() => secrets.getDeletedSecret("life"));
    const { deletedOn, scheduledPurgeDate, recoveryId } = deleted.properties;
    return {
      days: (scheduledPurgeDate - deletedOn) / 86_400_000,
      recoveryId: recoveryId === `${url}/deletedsecrets/life`,
      value: shown.value ?? null,
      live,
      again,
      listed,
      recovered: [recovered.value, recovered.properties.id === made.properties.id],
      purged,
    };
  },

  async backup() {
    await secrets.setSecret("saved", "one");
    await secrets.setSecret("saved", "two");
    const backup = await secrets.backupSecret("saved");
    const live = await refusal(() => secrets.restoreSecretBackup(backup));
    await (await secrets.beginDeleteSecret("saved")).pollUntilDone();
    const deleted = await refusal(() => secrets.restoreSecretBackup(backup));
    await secrets.purgeDeletedSecret("saved");
    await secrets.restoreSecretBackup(backup);
    const versions = (await all(secrets.listPropertiesOfSecretVersions("saved"))).map((each) => each.version);
    const values = [];
    for (const version of versions) values.push((await secrets.getSecret("saved", { version })).value);
    return { live, deleted, values: values.sort() };
  },

  async refusals() {
    return {
      missing: await refusal(() => secrets.getSecret("missing")),
      long: await refusal(() => secrets.setSecret("long", "x".repeat(25_601))),
      badName: await refusal(() => secrets.setSecret("under_score", "x")),
    };
  },
};

await run(scenarios);
