// What the JavaScript SDK makes of the keys of a vault or a managed HSM. test_js_sdk.py says what the results should be.

import { createHash, randomUUID } from "node:crypto";
import { all, credential, kind, paged, refusal, require, run, url } from "./scenarios.mjs";

const { CryptographyClient, KeyClient } = require("@azure/keyvault-keys");

const keys = new KeyClient(url, credential);
const isHsm = kind === "hsm";

const bytes = (text) => new TextEncoder().encode(text);
const text = (bytes) => new TextDecoder().decode(bytes);
const digest = (algorithm) => createHash(`sha${algorithm.slice(2, 5)}`).update("message").digest();
// As the SDK does for a caller who may not read the key: everything is asked of the server.
const remote = (key) => {
  const client = new CryptographyClient(key.id, credential);
  client.key = { kind: "remoteOnlyIdentifier", value: key.id };
  return client;
};

const scenarios = {
  async createRsa() {
    const made = [];
    for (const keySize of [2048, 3072, 4096]) {
      const key = await keys.createRsaKey(`rsa-${keySize}`, { keySize });
      made.push([key.keyType, key.key.n.length * 8, [...key.keyOperations].sort()]);
    }
    return made;
  },

  async createEc() {
    const made = [];
    for (const curve of ["P-256", "P-256K", "P-384", "P-521"]) {
      const key = await keys.createEcKey(`ec-${curve}`, { curve });
      made.push([key.keyType, key.key.crv, key.key.x.length]);
    }
    return made;
  },

  async createOct() {
    if (!isHsm) return await refusal(() => keys.createOctKey("oct"));
    const made = [];
    for (const keySize of [128, 192, 256]) {
      const key = await keys.createOctKey(`oct-${keySize}`, { keySize, hsm: true });
      made.push([key.keyType, key.key.k ?? null]);
    }
    return made;
  },

  async updateAndVersions() {
    const first = await keys.createEcKey("versions", { tags: { n: "1" } });
    const second = await keys.createEcKey("versions");
    // Not later than 2038: the SDK cuts the seconds to 32 bits.
    const expiresOn = new Date("2035-01-01T00:00:00Z");
    const changed = await keys.updateKeyProperties("versions", first.properties.version, {
      enabled: false,
      expiresOn,
      tags: { n: "2" },
    });
    const listed = await all(keys.listPropertiesOfKeyVersions("versions"));
    const same = listed.map((each) => each.id).sort().join() === [first.id, second.id].sort().join();
    const latest = await keys.getKey("versions");
    return {
      changed: [changed.properties.enabled, changed.properties.expiresOn, changed.properties.tags],
      same,
      latest: latest.id === second.id,
    };
  },

  async pages() {
    const names = Array.from({ length: 30 }, (_, number) => `page-${String(number).padStart(2, "0")}`);
    for (const name of names) await keys.createEcKey(name);
    const { sizes, found } = await paged(keys.listPropertiesOfKeys().byPage({ maxPageSize: 20 }));
    const listed = found.map((each) => each.name);
    return { complete: names.every((name) => listed.includes(name)), full: sizes.slice(0, -1).every((n) => n === 20) };
  },

  async life() {
    const made = await keys.createEcKey("life", { tags: { a: "b" } });
    const deleting = await keys.beginDeleteKey("life");
    const deleted = await deleting.pollUntilDone();
    const live = await refusal(() => keys.getKey("life"));
    const again = await refusal(() => keys.createEcKey("life"));
    const listed = (await all(keys.listDeletedKeys())).some((each) => each.name === "life");
    const recovered = await (await keys.beginRecoverDeletedKey("life")).pollUntilDone();
    await (await keys.beginDeleteKey("life")).pollUntilDone();
    await keys.purgeDeletedKey("life");
    const purged = await refusal(() => keys.getDeletedKey("life"));
    const { deletedOn, scheduledPurgeDate, recoveryId } = deleted.properties;
    return {
      days: (scheduledPurgeDate - deletedOn) / 86_400_000,
      recoveryId: recoveryId === `${url}/deletedkeys/life`,
      live,
      again,
      listed,
      recovered: recovered.id === made.id,
      purged,
    };
  },

  async backup() {
    const made = await keys.createEcKey("saved");
    const backup = await keys.backupKey("saved");
    const live = await refusal(() => keys.restoreKeyBackup(backup));
    await (await keys.beginDeleteKey("saved")).pollUntilDone();
    const deleted = await refusal(() => keys.restoreKeyBackup(backup));
    await keys.purgeDeletedKey("saved");
    const restored = await keys.restoreKeyBackup(backup);
    return { live, deleted, restored: restored.id === made.id };
  },

  async rotation() {
    const made = await keys.createEcKey("rotating");
    const policy = await keys.updateKeyRotationPolicy("rotating", {
      expiresIn: "P180D",
      lifetimeActions: [{ action: "Rotate", timeAfterCreate: "P90D" }],
    });
    const read = await keys.getKeyRotationPolicy("rotating");
    const rotated = await keys.rotateKey("rotating");
    return {
      expiresIn: [policy.expiresIn, read.expiresIn],
      actions: read.lifetimeActions.map((each) => each.action).sort(),
      rotated: rotated.id !== made.id && rotated.key.crv === made.key.crv,
    };
  },

  async importKey() {
    const { privateKey } = await crypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign"]);
    const jwk = await crypto.subtle.exportKey("jwk", privateKey);
    const part = (name) => Buffer.from(jwk[name], "base64url");
    const made = await keys.importKey("imported", {
      kty: "EC",
      crv: "P-256",
      x: part("x"),
      y: part("y"),
      d: part("d"),
      keyOps: ["sign", "verify"],
    });
    return { kty: made.keyType, same: Buffer.from(made.key.x).equals(part("x")) };
  },

  async randomBytes() {
    if (!isHsm) return "not of a vault";
    const random = await keys.getRandomBytes(32);
    return [random.length, await refusal(() => keys.getRandomBytes(129))];
  },

  async sign() {
    const rsa = await keys.createRsaKey("sign-rsa");
    const curves = { ES256: "P-256", ES256K: "P-256K", ES384: "P-384", ES512: "P-521" };
    const results = {};
    for (const algorithm of ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", ...Object.keys(curves)]) {
      const key = curves[algorithm] ? await keys.createEcKey(`sign-${algorithm}`, { curve: curves[algorithm] }) : rsa;
      const client = remote(key);
      const value = digest(algorithm);
      const { result: signature } = await client.sign(algorithm, value);
      const verified = await client.verify(algorithm, value, signature);
      const forged = await client.verify(algorithm, Buffer.from(value).reverse(), signature);
      results[algorithm] = [signature.length, verified.result, forged.result];
    }
    return results;
  },

  async signWithWhatTheSdkDoesItself() {
    const client = new CryptographyClient(await keys.createRsaKey("sign-local"), credential);
    const { result } = await client.signData("RS256", bytes("message"));
    return (await client.verifyData("RS256", bytes("message"), result)).result;
  },

  async encryptRsa() {
    const client = remote(await keys.createRsaKey("encrypt-rsa"));
    const results = {};
    for (const algorithm of ["RSA1_5", "RSA-OAEP", "RSA-OAEP-256"]) {
      const sealed = await client.encrypt({ algorithm, plaintext: bytes("secret") });
      const opened = await client.decrypt({ algorithm, ciphertext: sealed.result });
      const wrapped = await client.wrapKey(algorithm, bytes("a key of 16 byte"));
      const unwrapped = await client.unwrapKey(algorithm, wrapped.result);
      results[algorithm] = [text(opened.result), text(unwrapped.result)];
    }
    return results;
  },

  async encryptAes() {
    if (!isHsm) return "not in a vault";
    const results = {};
    for (const keySize of [128, 192, 256]) {
      const client = remote(await keys.createOctKey(`aes-${keySize}`, { keySize, hsm: true }));
      const iv = Buffer.alloc(16, 7);
      for (const mode of ["CBC", "CBCPAD"]) {
        const algorithm = `A${keySize}${mode}`;
        const plaintext = bytes(mode === "CBC" ? "sixteen bytes of" : "any length");
        const sealed = await client.encrypt({ algorithm, plaintext, iv });
        const opened = await client.decrypt({ algorithm, ciphertext: sealed.result, iv });
        results[algorithm] = text(opened.result) === text(plaintext) && sealed.result.length === 16;
      }
      const algorithm = `A${keySize}GCM`;
      const additionalAuthenticatedData = bytes("aad");
      const sealed = await client.encrypt({ algorithm, plaintext: bytes("secret"), additionalAuthenticatedData });
      const opened = await client.decrypt({
        algorithm,
        ciphertext: sealed.result,
        iv: sealed.iv,
        authenticationTag: sealed.authenticationTag,
        additionalAuthenticatedData,
      });
      results[algorithm] = text(opened.result) === "secret" && sealed.iv.length === 12;
      const wrapped = await client.wrapKey(`A${keySize}KW`, bytes("a key of 16 byte"));
      const unwrapped = await client.unwrapKey(`A${keySize}KW`, wrapped.result);
      results[`A${keySize}KW`] = text(unwrapped.result) === "a key of 16 byte" && wrapped.result.length === 24;
    }
    const wrong = remote(await keys.getKey("aes-256"));
    results.wrongSize = await refusal(() => wrong.wrapKey("A128KW", bytes("a key of 16 byte")));
    results.forged = await refusal(() => wrong.unwrapKey("A256KW", Buffer.alloc(24)));
    return results;
  },

  async refusals() {
    const key = await keys.createRsaKey("refusing", { keyOps: ["decrypt"] });
    const client = remote(key);
    const notPermitted = await refusal(() => client.sign("RS256", digest("RS256")));
    await keys.updateKeyProperties("refusing", { enabled: false });
    const disabled = await refusal(() => client.decrypt({ algorithm: "RSA-OAEP", ciphertext: Buffer.alloc(256) }));
    return {
      notPermitted,
      disabled,
      missing: await refusal(() => keys.getKey(randomUUID())),
      badName: await refusal(() => keys.createEcKey("under_score")),
    };
  },
};

await run(scenarios);
