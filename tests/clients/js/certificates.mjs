// What the JavaScript SDK makes of the certificates of a vault. test_js_sdk.py says what the results should be, and puts
// into the folder where this runs: an authority, `ca.pem` with `ca.key`, and a holder's `imported.pfx`, whose password is
// `secret`, and `imported.both.pem`.

import { execFileSync } from "node:child_process";
import { X509Certificate, createPrivateKey } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { all, credential, paged, refusal, require, run, url } from "./scenarios.mjs";

const { CertificateClient, DefaultCertificatePolicy } = require("@azure/keyvault-certificates");
const { KeyClient } = require("@azure/keyvault-keys");
const { SecretClient } = require("@azure/keyvault-secrets");

const certificates = new CertificateClient(url, credential);
const keys = new KeyClient(url, credential);
const secrets = new SecretClient(url, credential);

const policy = (changes) => ({
  issuerName: "Self",
  subject: "CN=contoso.com",
  keyType: "EC",
  keyCurveName: "P-256",
  ...changes,
});
const create = async (name, changes) =>
  await (await certificates.beginCreateCertificate(name, policy(changes))).pollUntilDone();
const read = (certificate) => new X509Certificate(certificate.cer);
// The SDK leaves `id` of a certificate empty.
const id = (certificate) => certificate.properties.id;
const thumbprint = (certificate) => Buffer.from(certificate.properties.x509Thumbprint).toString("hex");

const scenarios = {
  async defaultPolicy() {
    const poller = await certificates.beginCreateCertificate("plain", DefaultCertificatePolicy, { tags: { a: "b" } });
    const made = await poller.pollUntilDone();
    const certificate = read(made);
    const secret = await secrets.getSecret("plain", { outContentType: "application/x-pem-file" });
    const key = await keys.getKey("plain");
    return {
      key: [certificate.publicKey.asymmetricKeyType, certificate.publicKey.asymmetricKeyDetails.modulusLength],
      selfSigned: certificate.verify(certificate.publicKey),
      thumbprint: thumbprint(made) === certificate.fingerprint.replaceAll(":", "").toLowerCase(),
      expires: made.properties.expiresOn.getTime() === new Date(certificate.validTo).getTime(),
      tags: made.properties.tags,
      issuer: made.policy.issuerName,
      contentType: made.policy.contentType,
      managed: [key.properties.managed, secret.properties.managed],
      ids: key.id === made.keyId && secret.properties.id === made.secretId,
      pair: certificate.checkPrivateKey(createPrivateKey(secret.value)),
    };
  },

  async names() {
    const made = await create("names", {
      keyCurveName: "P-384",
      enhancedKeyUsage: ["1.3.6.1.5.5.7.3.1"],
      keyUsage: ["digitalSignature"],
      subjectAlternativeNames: {
        dnsNames: ["contoso.com", "*.contoso.com"],
        emails: ["a@contoso.com"],
        userPrincipalNames: ["b@contoso.com"],
        uniformResourceIdentifiers: ["spiffe://contoso/a"],
        ipAddresses: ["192.0.2.1", "2001:db8::1"],
      },
    });
    const certificate = read(made);
    const kept = await certificates.getCertificatePolicy("names");
    return {
      curve: certificate.publicKey.asymmetricKeyDetails.namedCurve,
      usages: certificate.keyUsage,
      hosts: [certificate.checkHost("www.contoso.com") ?? null, certificate.checkHost("contoso.org") ?? null],
      addresses: ["192.0.2.1", "2001:db8::1"].map((address) => certificate.checkIP(address) ?? null),
      email: certificate.checkEmail("a@contoso.com") ?? null,
      kept: kept.subjectAlternativeNames,
    };
  },

  async updateAndVersions() {
    const first = await create("versions");
    const second = await create("versions");
    const version = first.properties.version;
    const options = { enabled: false, tags: { n: "1" } };
    const changed = await certificates.updateCertificateProperties("versions", version, options);
    const disabled = await refusal(() => secrets.getSecret("versions", { version }));
    const listed = (await all(certificates.listPropertiesOfCertificateVersions("versions"))).map((each) => each.id);
    const latest = await certificates.getCertificate("versions");
    const asked = { ...latest.policy, validityInMonths: 6 };
    asked.lifetimeActions = [{ action: "EmailContacts", daysBeforeExpiry: 30 }];
    await certificates.updateCertificatePolicy("versions", asked);
    // The SDK drops what the server answers.
    const kept = await certificates.getCertificatePolicy("versions");
    return {
      changed: [changed.properties.enabled, changed.properties.tags],
      disabled,
      same: listed.sort().join() === [first, second].map(id).sort().join(),
      latest: id(latest) === id(second),
      policy: [kept.validityInMonths, kept.lifetimeActions],
    };
  },

  async pages() {
    const names = Array.from({ length: 26 }, (_, number) => `page-${String(number).padStart(2, "0")}`);
    for (const name of names) await create(name);
    // The SDK does not pass on how many are asked for.
    const { sizes, found } = await paged(certificates.listPropertiesOfCertificates().byPage());
    const listed = found.map((each) => each.name);
    return {
      complete: names.every((name) => listed.includes(name)),
      full: sizes.slice(0, -1).every((size) => size === 25),
    };
  },

  async merge() {
    await certificates.beginCreateCertificate("merged", policy({ issuerName: "Unknown" }));
    const poller = await certificates.getCertificateOperation("merged");
    const { csr, status } = poller.getOperationState().certificateOperation;
    const pending = await refusal(() => create("merged"));
    writeFileSync("merged.csr", csr);
    const request = ["-req", "-inform", "DER", "-in", "merged.csr", "-CA", "ca.pem", "-CAkey", "ca.key"];
    execFileSync("openssl", ["x509", ...request, "-days", "30", "-out", "merged.pem"], { stdio: "pipe" });
    const authority = new X509Certificate(readFileSync("ca.pem"));
    const leaf = new X509Certificate(readFileSync("merged.pem"));
    const wrong = await refusal(() => certificates.mergeCertificate("merged", [authority.raw]));
    const merged = await certificates.mergeCertificate("merged", [leaf.raw, authority.raw]);
    const done = await poller.pollUntilDone();
    return {
      status,
      pending,
      wrong,
      same: read(merged).fingerprint256 === leaf.fingerprint256 && id(done) === id(merged),
      signed: read(merged).verify(authority.publicKey),
    };
  },

  async cancelAndDeleteTheOperation() {
    const poller = await certificates.beginCreateCertificate("cancelled", policy({ issuerName: "Unknown" }));
    await poller.cancelOperation();
    const { certificateOperation } = (await certificates.getCertificateOperation("cancelled")).getOperationState();
    const deleted = await certificates.deleteCertificateOperation("cancelled");
    const listed = async (options) =>
      (await all(certificates.listPropertiesOfCertificates(options))).some((each) => each.name === "cancelled");
    return {
      status: certificateOperation.status,
      deleted: deleted.status,
      gone: await refusal(() => certificates.getCertificateOperation("cancelled")),
      listed: [await listed(), await listed({ includePending: true })],
    };
  },

  async imports() {
    const password = "secret";
    const pfx = readFileSync("imported.pfx");
    const fromPfx = await certificates.importCertificate("from-pfx", pfx, { password });
    const contentType = "application/x-pem-file";
    const pem = readFileSync("imported.both.pem");
    const fromPem = await certificates.importCertificate("from-pem", pem, { policy: { contentType } });
    const imported = new X509Certificate(pem);
    const secret = await secrets.getSecret("from-pem");
    return {
      same: [fromPfx, fromPem].map((each) => read(each).fingerprint256 === imported.fingerprint256),
      pair: imported.checkPrivateKey(createPrivateKey(secret.value)),
      policy: [fromPem.policy.issuerName, fromPem.policy.subject],
      wrongPassword: await refusal(() => certificates.importCertificate("wrong", pfx, { password: "wrong" })),
      noPassword: await refusal(() => certificates.importCertificate("wrong", pfx)),
      garbage: await refusal(() => certificates.importCertificate("wrong", Buffer.from("garbage"))),
    };
  },

  async life() {
    const made = await create("life");
    const managed = [
      await refusal(() => keys.beginDeleteKey("life")),
      await refusal(() => secrets.beginDeleteSecret("life")),
    ];
    const deleted = await (await certificates.beginDeleteCertificate("life")).pollUntilDone();
    const live = [
      await refusal(() => certificates.getCertificate("life")),
      await refusal(() => keys.getKey("life")),
      await refusal(() => secrets.getSecret("life")),
    ];
    const again = await refusal(() => create("life"));
    const listed = (await all(certificates.listDeletedCertificates())).some((each) => each.name === "life");
    const recovered = await (await certificates.beginRecoverDeletedCertificate("life")).pollUntilDone();
    await keys.getKey("life");
    await (await certificates.beginDeleteCertificate("life")).pollUntilDone();
    await certificates.purgeDeletedCertificate("life");
    return {
      managed,
      days: (deleted.scheduledPurgeDate - deleted.deletedOn) / 86_400_000,
      recoveryId: deleted.recoveryId === `${url}/deletedcertificates/life`,
      live,
      again,
      listed,
      recovered: id(recovered) === id(made),
      purged: await refusal(() => certificates.getDeletedCertificate("life")),
    };
  },

  async backup() {
    const made = await create("saved");
    const backup = await certificates.backupCertificate("saved");
    const live = await refusal(() => certificates.restoreCertificateBackup(backup));
    await (await certificates.beginDeleteCertificate("saved")).pollUntilDone();
    const deleted = await refusal(() => certificates.restoreCertificateBackup(backup));
    await certificates.purgeDeletedCertificate("saved");
    const restored = await certificates.restoreCertificateBackup(backup);
    const secret = await secrets.getSecret("saved");
    return { live, deleted, restored: id(restored) === id(made) && secret.properties.id === made.secretId };
  },

  async issuersAndContacts() {
    const administratorContacts = [{ firstName: "A", lastName: "B", email: "a@contoso.com", phone: "1" }];
    const options = { accountId: "me", password: "hush", organizationId: "o", administratorContacts };
    const made = await certificates.createIssuer("theirs", "Test", options);
    const changed = await certificates.updateIssuer("theirs", { accountId: "you" });
    // The SDK gives no name.
    const listed = (await all(certificates.listPropertiesOfIssuers())).map((each) => [each.id, each.provider]);
    await certificates.deleteIssuer("theirs");
    const contacts = [{ email: "a@contoso.com", name: "A", phone: "1" }];
    await certificates.setContacts(contacts);
    const got = await certificates.getContacts();
    await certificates.deleteContacts();
    return {
      made: [made.provider, made.accountId, made.password ?? null, made.administratorContacts],
      changed: [changed.provider, changed.accountId],
      listed: listed.map(([id, provider]) => [id.split("/").pop(), provider]),
      gone: await refusal(() => certificates.getIssuer("theirs")),
      contacts: got,
      noContacts: await refusal(() => certificates.getContacts()),
    };
  },
};

await run(scenarios);
