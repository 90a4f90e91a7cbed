//! Inputs worth beginning from: at least one that is accepted for everything an entry can accept.

pub const GUID: &[&[u8]] = &[
    b"00000000-0000-4000-8000-00000000000a",
    b"{A0000000-0000-4000-8000-00000000000A}",
    b"0123456789abcdef0123456789abcdef",
    b"urn:uuid:a0000000-0000-4000-8000-00000000000a",
];
pub const OBJECT_NAME: &[&[u8]] = &[b"k", b"My-Key-1", b"-", b"0"];
pub const CONTAINER_NAME: &[&[u8]] = &[b"abc", b"Contoso-HSM-1", b"a-b-c", b"a--b"];
pub const VERSION_ID: &[&[u8]] = &[b"0123456789abcdef0123456789abcdef", b"0123456789ABCDEF0123456789ABCDEF"];
pub const CALENDAR_DURATION: &[&[u8]] = &[b"P30D", b"P18M", b"P2Y", b"P1Y2M3W4DT5H6M7.8S", b"PT0S", b"P1.5D", b"-P1D"];
pub const KEY_IMPORT: &[&[u8]] =
    &[b"\0\x10sixteen byte key", P256_KEY, b"\x05\x01n\x01e\x01d\x01p\x01q\x01p\x01q\x01i"];
pub const BACKUP_BLOB: &[&[u8]] = &[b"SRBK\x01\0\x05vault\x01twelve bytes ciphertext and a tag of 16"];
macro_rules! made_by_openssl {
    ($($name:literal)+) => { &[$(include_bytes!(concat!("../../crates/custody/tests/certificates/", $name))),+] };
}

pub const CERTIFICATE: &[&[u8]] = made_by_openssl!("rsa.der" "issuing.der" "prime256v1.der" "ed25519.der");
pub const CERTIFICATION_REQUEST: &[&[u8]] = made_by_openssl!("greedy.csr");
pub const CERTIFICATE_SUBJECT: &[&[u8]] = &[
    b"CN=www.contoso.com, OU=IT + L=Redmond, O=\"Contoso \"\"Ltd\"\", S. A.\", ST=WA, C=US",
    br"E=a@b.c; DC=contoso; serialNumber=1-2; OID.2.5.4.97=\ \C3\BC\, b",
    b"2.5.4.3=#0C0161,CN=#1E0400E900EA,CN=#020101",
];
pub const PKCS12_FILE: &[&[u8]] =
    made_by_openssl!("open.pfx" "once.pfx" "no-code.pfx" "legacy-no-code.pfx" "legacy-empty.pfx" "no-bytes.pfx");
pub const PEM_TEXT: &[&[u8]] =
    made_by_openssl!("rsa-pkcs1.pem" "ec-sec1.pem" "ec-no-point.pem" "bag-attributes.pem" "encrypted.pem");
pub const SIGNED_NOTE: &[&[u8]] = &[
    b"This is an example message.\n\n\xe2\x80\x94 example.com/foo \
      Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n",
    b"This is an example message.\n\n\xe2\x80\x94 witness.example/w AAAAAAAA\n\xe2\x80\x94 example.com/foo \
      Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n",
];
pub const VERIFIER_KEY: &[&[u8]] = &[b"example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"];
pub const LOG_CHECKPOINT: &[&[u8]] = &[
    b"example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n",
    b"strongroom/1\n0\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\nan extension\n",
];
pub const AUDIT_EXPORT: &[&[u8]] = &[
    b"{\"strongroomAuditExport\":1,\"key\":\"k\",\"first\":1,\"peaks\":[]}\n{\"position\":1,\"leaf\":\"{}\"}\n\
      {\"size\":1,\"checkpoint\":\"text\\n\"}\n{\"last\":1,\"checkpoints\":1}\n",
    b"{\"strongroomAuditExport\":1,\"key\":\"k\",\"first\":3,\"peaks\":\
      [\"CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\"]}\n{\"position\":3,\"leaf\":\"{}\"}\n\
      {\"position\":18446744073709551615,\"leaf\":\"AuditPrune\"}\n{\"last\":3,\"checkpoints\":0}\n",
];
pub const REQUEST_TARGET: &[&[u8]] = &[
    b"/keys/k/0123456789abcdef0123456789abcdef/sign?api%2Dversion=7.4",
    b"//keys//?$skiptoken=a%20b&maxresults=25",
    b"https://kv.vault.localhost:8443/keys/%41?x",
];
pub const HOST_NAME: &[&[u8]] = &[
    b"kv.vault.localhost:8443",
    b"hsm.managedhsm.localhost",
    b"kv.vault.azure.net",
    b"hsm.managedhsm.azure.net:443",
    b"a.b.vault.localhost:8443",
];

/// The key of RFC 6979 A.2.5, in the form [`key_import`] reads.
pub const P256_KEY: &[u8] = b"\x01\
    \x20\x60\xfe\xd4\xba\x25\x5a\x9d\x31\xc9\x61\xeb\x74\xc6\x35\x6d\x68\
    \xc0\x49\xb8\x92\x3b\x61\xfa\x6c\xe6\x69\x62\x2e\x60\xf2\x9f\xb6\
    \x20\x79\x03\xfe\x10\x08\xb8\xbc\x99\xa4\x1a\xe9\xe9\x56\x28\xbc\x64\
    \xf2\xf1\xb2\x0c\x2d\x7e\x9f\x51\x77\xa3\xc2\x94\xd4\x46\x22\x99\
    \x20\xc9\xaf\xa9\xd8\x45\xba\x75\x16\x6b\x5c\x21\x57\x67\xb1\xd6\x93\
    \x4e\x50\xc3\xdb\x36\xe8\x9b\x12\x7b\x8a\x62\x2b\x12\x0f\x67\x21";

pub const ARM_ROUTE: &[&[u8]] = &[
    b"tenants",
    b"subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg",
    b"subscriptions/00000000-0000-0000-0000-000000000001/resources",
    b"subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.Billing/billingPeriods/202611-1/providers\
      /Microsoft.Consumption/usageDetails",
    b"subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-1",
    b"subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-1\
      /accessPolicies/add",
    b"subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.KeyVault/managedHSMs\
      /hsm-1/privateEndpointConnections/c",
    b"subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.KeyVault/locations/eastus\
      /deletedManagedHSMs/hsm-1/purge",
    b"subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.KeyVault/locations/eastus\
      /operationResults/00000000-0000-4000-8000-00000000000a",
    b"subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.KeyVault/checkMhsmNameAvailability",
    b"subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.KeyVault/register",
    b"providers/Microsoft.KeyVault/operations",
    b"subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-1\
      /providers/Microsoft.Authorization/roleAssignments/00000000-0000-4000-8000-00000000000a",
    b"providers/Microsoft.Authorization/roleDefinitions",
    b"subscriptions/00000000-0000-0000-0000-000000000001/providers/Microsoft.Authorization/locks/l",
    b"subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/Microsoft.KeyVault/vaults/kv-1\
      /providers/Microsoft.EventGrid/eventSubscriptions/events/getFullUrl",
];
pub const ARM_SCOPE: &[&[u8]] = &[
    b"/",
    b"/subscriptions/00000000-0000-0000-0000-00000000000A/RESOURCEGROUPS/Rg",
    b"/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/rg/providers/microsoft.keyvault/VAULTS/kv-1\
      /keys/k",
    b"/providers/Other.Namespace/things/vaults/parts/managedHSMs",
];
pub const ARM_FILTER: &[&[u8]] = &[
    b"resourceType eq 'Microsoft.KeyVault/vaults' and name eq 'it''s'",
    b"atScope() and assignedTo('00000000-0000-4000-8000-00000000000a')",
    b"principalId eq 00000000-0000-4000-8000-00000000000a",
    b"tagName eq 'a' and tagValue eq 'b'",
    b"properties/usageEnd ge '2026-11-01T00:00:00Z' and properties/usageEnd le '2026-11-30' and date lt '2026-12-01'",
];
pub const ARM_QUERY: &[&[u8]] = &[b"2024-11-01", b"2026-05-15-preview", b"25", b"vault:kv-1", b"7.4"];
pub const ARM_VAULT_BODY: &[&[u8]] = &[
    br#"{"location":"East US","tags":{"a":"b"},"properties":{"tenantId":"00000000-0000-0000-0000-000000000001","sku":{"family":"A","name":"premium"},"accessPolicies":[{"tenantId":"00000000-0000-0000-0000-000000000001","objectId":"00000000-0000-0000-0000-000000000002","applicationId":"00000000-0000-0000-0000-000000000003","permissions":{"keys":["get","all"],"secrets":[],"certificates":null,"storage":["get"]}}],"enableSoftDelete":true,"softDeleteRetentionInDays":"90","enablePurgeProtection":true,"enableRbacAuthorization":false,"enabledForDeployment":true,"publicNetworkAccess":"disabled"}}"#,
    br#"{"location":"eastus","properties":{"createMode":"recover","tenantId":"00000000-0000-0000-0000-000000000001","sku":{"family":"A","name":"standard"},"softDeleteRetentionInDays":7,"networkAcls":{"bypass":"None","defaultAction":"deny","ipRules":[{"value":"10.0.0.0/8"},{"value":"::1"}],"virtualNetworkRules":[{"id":"/v","ignoreMissingVnetServiceEndpoint":true}]}}}"#,
    br#"{"tags":{},"properties":{"enableSoftDelete":false}}"#,
    br#"{"name":"kv-1","type":"Microsoft.KeyVault/vaults"}"#,
];
pub const ARM_HSM_BODY: &[&[u8]] = &[
    br#"{"location":"eastus","sku":{"family":"B","name":"Standard_B1"},"identity":{"type":"None"},"properties":{"tenantId":"00000000-0000-0000-0000-000000000001","initialAdminObjectIds":["00000000-0000-0000-0000-000000000002"],"enableSoftDelete":true,"softDeleteRetentionInDays":"28","enablePurgeProtection":false,"createMode":"Default","regions":[{"name":"West US"}],"networkAcls":{"serviceTags":[{"tag":"t"}]}}}"#,
    br#"{"sku":{"family":"C","name":"Custom_C42"},"properties":{"publicNetworkAccess":"Enabled"}}"#,
    br#"{"name":"hsm-1"}"#,
];
pub const ARM_OTHER_BODY: &[&[u8]] = &[
    br#"{"properties":{"accessPolicies":[{"tenantId":"00000000-0000-0000-0000-000000000001","objectId":"00000000-0000-0000-0000-000000000002","permissions":{"keys":["get"]}}]}}"#,
    br#"{"properties":{"roleDefinitionId":"/subscriptions/s/providers/Microsoft.Authorization/roleDefinitions/00482a5a-887f-4fb3-b363-3b7fe8e74483","principalId":"00000000-0000-0000-0000-000000000002","principalType":"ServicePrincipal","condition":""}}"#,
    br#"{"location":"eastus","tags":{"a":"b"}}"#,
    br#"{"properties":{"destination":{"endpointType":"WebHook","properties":{"endpointUrl":"https://hooks.example.com/in?code=s"}},"filter":{"includedEventTypes":["Microsoft.KeyVault.KeyExpired"],"subjectBeginsWith":"a"},"eventDeliverySchema":"CloudEventSchemaV1_0","retryPolicy":{"maxDeliveryAttempts":3,"eventTimeToLiveInMinutes":60},"expirationTimeUtc":"2099-01-01T00:00:00Z"}}"#,
    br#"{"destination":{"endpointType":"WebHook","properties":{"maxEventsPerBatch":1}},"labels":["l"]}"#,
];

pub const DATA_PLANE_TARGET: &[&[u8]] = &[
    b"GET /keys?api-version=7.4&maxresults=25&$skiptoken=eyJOZXh0TWFya2VyIjoia2V5cyFrIiwiVGFyZ2V0TG9jYXRpb24iOjB9",
    b"POST /keys/k/0123456789abcdef0123456789abcdef/sign?api-version=7.6",
    b"PUT //keys/k/rotationpolicy?api%2Dversion=7.3",
    b"DELETE /deletedkeys/k?api-version=2025-07-01",
    b"POST /keys/restore?api-version=7.5-preview.1",
    b"POST /rng?api-version=7.6",
    b"PUT /keys/k/providers/Microsoft.Authorization/roleAssignments/00000000-0000-4000-8000-00000000000a?api-version=7.4",
    b"GET ///providers/Microsoft.Authorization/roleAssignments?$filter=principalId%20eq%20'00000000-0000-4000-8000-00000000000a'",
    b"GET /settings/AllowKeyManagementOperationsThroughARM?api-version=7.4",
    b"GET /secrets/s?api-version=7.4",
    b"DELETE /certificates/c/pending?api-version=2026-04-01",
    b"PATCH /certificates/issuers/i?api-version=7.4",
    b"PUT /certificates/contacts?api-version=7.6",
    b"POST /deletedcertificates/c/recover?api-version=7.4",
];
pub const KEY_CREATE_BODY: &[&[u8]] = &[
    br#"{"kty":"RSA-HSM","key_size":3072,"public_exponent":65537,"key_ops":["wrapKey","unwrapKey"],"attributes":{"enabled":true,"nbf":1763661600,"exp":1863661600,"exportable":false},"tags":{"a":"b"}}"#,
    br#"{"kty":"EC","crv":"P-256K","key_size":256}"#,
    br#"{"kty":"oct-HSM","key_size":192,"release_policy":null}"#,
];
pub const KEY_IMPORT_BODY: &[&[u8]] = &[
    br#"{"Hsm":true,"key":{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","d":"870MB6gfuTJ4HtUnUvYMyJpr5eUZNP4Bk43bVdj3eAE","key_ops":["sign"]},"attributes":{"exp":1863661600},"tags":{}}"#,
    br#"{"key":{"kty":"RSA","n":"AQ","e":"AQAB","d":"AQ","p":"AQ","q":"AQ","dp":"AQ","dq":"AQ","qi":"AQ=="}}"#,
    br#"{"hsm":true,"key":{"kty":"oct","k":"AAECAwQFBgcICQoLDA0ODw"}}"#,
    br#"{"key":{"kty":"RSA-HSM","key_hsm":"AQ"}}"#,
];
pub const OBJECT_UPDATE_BODY: &[&[u8]] = &[
    br#"{"key_ops":["sign","verify"],"attributes":{"enabled":false,"nbf":1,"exp":null},"tags":{"a":"b"}}"#,
    br#"{"attributes":{"exp":9223372036854775807,"exportable":true},"release_policy":{"data":"AQ"}}"#,
    br#"{"contentType":"text/plain","attributes":{"enabled":true},"tags":{}}"#,
    br#"{"policy":{"key_props":{"kty":"EC","reuse_key":true},"lifetime_actions":[]},"tags":{"a":"b"}}"#,
];
pub const SECRET_BODY: &[&[u8]] = &[
    br#"{"value":"correct horse","contentType":"text/plain","attributes":{"enabled":true,"nbf":1763661600,"exp":1863661600},"tags":{"a":"b"}}"#,
    br#"{"value":"","attributes":null}"#,
];
pub const CERTIFICATE_BODY: &[&[u8]] = &[
    br#"{"policy":{"key_props":{"exportable":true,"kty":"RSA-HSM","key_size":2048,"reuse_key":false},"secret_props":{"contentType":"application/x-pkcs12"},"x509_props":{"subject":"CN=contoso.com","sans":{"dns_names":["a.contoso.com"],"emails":["a@contoso.com"],"upns":["u@contoso.com"],"uris":["https://contoso.com"],"ipAddresses":["::1"]},"ekus":["1.3.6.1.5.5.7.3.1"],"key_usage":["digitalSignature"],"validity_months":12},"lifetime_actions":[{"trigger":{"lifetime_percentage":80},"action":{"action_type":"AutoRenew"}},{"trigger":{"days_before_expiry":30},"action":{"action_type":"EmailContacts"}}],"issuer":{"name":"Self","cty":"OV-SSL","cert_transparency":true},"attributes":{"enabled":true}},"attributes":{"enabled":true},"tags":{"a":"b"},"preserveCertOrder":true}"#,
    br#"{"key_props":{"kty":"EC","crv":"P-384"},"x509_props":{"subject":"CN=a"},"issuer":{"name":"Unknown"}}"#,
    br#"{"value":"MIIBAg==","pwd":"p","policy":{"secret_props":{"contentType":"application/x-pem-file"}},"attributes":{"enabled":false}}"#,
    br#"{"value":"-----BEGIN PRIVATE KEY-----\nAQ==\n-----END PRIVATE KEY-----\n"}"#,
    br#"{"x5c":["MIIBAg=="],"attributes":{"enabled":true},"tags":{"a":"b"}}"#,
    br#"{"cancellation_requested":true}"#,
];
pub const ISSUER_BODY: &[&[u8]] = &[
    br#"{"provider":"Test","credentials":{"account_id":"https://kv1.vault.localhost:8443/keys/ca/0123456789abcdef0123456789abcdef","pwd":"p"},"org_details":{"id":"o","admin_details":[{"first_name":"a","last_name":"b","email":"a@contoso.com","phone":"1"}]},"attributes":{"enabled":true}}"#,
    br#"{"provider":"DigiCert","credentials":{"account_id":"customer-42"}}"#,
    br#"{"contacts":[{"email":"a@contoso.com","name":"a","phone":"1"},{"email":"b@contoso.com"}]}"#,
];
pub const KEY_OPERATION_BODY: &[&[u8]] = &[
    br#"{"alg":"RSA-OAEP-256","value":"AQIDBA"}"#,
    br#"{"alg":"A256GCM","value":"AQIDBA","iv":"AAECAwQFBgcICQoL","aad":"AQ==","tag":"AAECAwQFBgcICQoLDA0ODw"}"#,
    br#"{"alg":"A128CBCPAD","value":"AAECAwQFBgcICQoLDA0ODw","iv":"AAECAwQFBgcICQoLDA0ODw"}"#,
];
pub const KEY_SIGNATURE_BODY: &[&[u8]] = &[
    br#"{"alg":"ES256","value":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc"}"#,
    br#"{"alg":"PS512","digest":"BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc","value":"AQIDBA"}"#,
];
pub const KEY_OTHER_BODY: &[&[u8]] = &[br#"{"value":"U1JCSwEABXZhdWx0AQ"}"#, br#"{"count":128}"#];
pub const KEY_ROTATION_POLICY_BODY: &[&[u8]] = &[
    br#"{"lifetimeActions":[{"trigger":{"timeAfterCreate":"P18M"},"action":{"type":"Rotate"}},{"trigger":{"timeBeforeExpiry":"P30D"},"action":{"type":"notify"}}],"attributes":{"expiryTime":"P2Y"}}"#,
    br#"{"lifetimeActions":[],"attributes":{}}"#,
];
pub const HSM_ROLE_ASSIGNMENT_BODY: &[&[u8]] = &[
    br#"{"properties":{"roleDefinitionId":"Microsoft.KeyVault/providers/Microsoft.Authorization/roleDefinitions/21dbd100-6940-42c2-9190-5d6cb909625b","principalId":"00000000-0000-0000-0000-000000000002"}}"#,
];
pub const SKIP_TOKEN: &[&[u8]] = &[
    br#"{"NextMarker":"keys!k","TargetLocation":0}"#,
    br#"{"NextMarker":"deletedkeys!k","TargetLocation":0}"#,
    br#"{"NextMarker":"keys/k/versions!17","TargetLocation":0}"#,
    b"eyJOZXh0TWFya2VyIjoia2V5cyFrIiwiVGFyZ2V0TG9jYXRpb24iOjB9",
];

pub const SIGN_IN_FORM: &[&[u8]] = &[
    b"client_id=00000000-0000-4000-8000-00000000000a&grant_type=client_credentials&client_secret=a%2Bb+c%7E\
      &scope=https%3A%2F%2Fvault.localhost%3A8443%2F.default+openid&claims=%7B%7D",
    b"grant_type=password&&username=%c3%a9&=&x",
];
pub const SIGN_IN_BASIC: &[&[u8]] =
    &[b"Basic YXBwOnA6JTI1", b"00000000-0000-4000-8000-00000000000a:p%3A+%25", b"app:\xc3\xa9"];
pub const SIGN_IN_CLAIMS: &[&[u8]] = &[
    br#"{"access_token":{"xms_cc":{"values":["CP1"]},"nbf":{"essential":true,"value":"1763661600"}}}"#,
    br#"{"id_token":null,"access_token":{"xms_cc":{}}}"#,
];
pub const DIRECTORY_FILTER: &[&[u8]] = &[
    b"servicePrincipalNames/any(c:c eq '00000000-0000-4000-8000-00000000000a')",
    b"startswith(displayName,'it''s') or appId eq 'a' and mail eq 'b'",
    b"userPrincipalName eq 'u'",
    b"principalId eq '6' and roleDefinitionId eq '7'",
];
pub const DIRECTORY_PATH: &[&[u8]] = &[
    b"/users/u@x",
    b"/users('u@x')/getMemberGroups",
    b"/applications(appId='00000000-0000-0000-0000-000000000002')/addPassword",
    b"/groups/00000000-0000-0000-0000-000000000003/members/00000000-0000-0000-0000-000000000001/$ref",
    b"/directoryObjects/00000000-0000-0000-0000-000000000001/microsoft.graph.checkMemberGroups",
    b"/users/u@x/transitiveMemberOf/microsoft.graph.group",
    b"/directoryRoles(roleTemplateId='62e90394-69f5-4237-9190-012177145e10')/members/$ref",
    b"/roleManagement/directory/roleAssignments/00000000-0000-0000-0000-000000000009",
];
pub const DIRECTORY_BODY: &[&[u8]] = &[
    br#"{"displayName":"g","mailNickname":"g","description":"d","mailEnabled":false,"securityEnabled":true}"#,
    br#"{"displayName":"u","userPrincipalName":"u@x","accountEnabled":true,"passwordProfile":{"password":"p"}}"#,
    br#"{"displayName":"a","signInAudience":"AzureADMyOrg","keyCredentials":[],"web":{"redirectUris":[]}}"#,
    br#"{"appId":"00000000-0000-0000-0000-000000000002","accountEnabled":true}"#,
    br#"{"passwordCredential":{"displayName":"s","startDateTime":"2026-01-01T00:00:00Z","endDateTime":"2027-01-01T00:00:00Z"}}"#,
    br#"{"keyId":"00000000-0000-0000-0000-000000000009"}"#,
    br#"{"@odata.id":"https://graph.microsoft.com/v1.0/directoryObjects/00000000-0000-0000-0000-000000000001"}"#,
    br#"{"groupIds":["00000000-0000-0000-0000-000000000003"]}"#,
    br#"{"roleDefinitionId":"00000000-0000-0000-0000-000000000007","principalId":"00000000-0000-0000-0000-000000000001","directoryScopeId":"/"}"#,
    br#"{"ids":["00000000-0000-0000-0000-000000000001"],"types":["user","group"]}"#,
];
/// The header on the first line, the claims on the rest: see `bearer_token`. Tenant, issuer, audience and key are
/// those that the entry in the identity crate knows.
pub const BEARER_TOKEN: &[&[u8]] = &[
    b"{\"typ\":\"JWT\",\"alg\":\"ES256\",\"kid\":\"k\"}\n{\"aud\":\"a/\",\"iss\":\"i\",\"iat\":0,\"nbf\":0,\"exp\":1,\
      \"appid\":\"00000000-0000-0000-0000-000000000003\",\"appidacr\":\"1\",\"groups\":[\"00000000-0000-0000-0000-000000000004\"],\
      \"idtyp\":\"app\",\"oid\":\"00000000-0000-0000-0000-000000000002\",\"sub\":\"s\",\
      \"tid\":\"00000000-0000-0000-0000-000000000000\",\"uti\":\"u\",\"ver\":\"1.0\",\"xms_cc\":[\"CP1\"]}",
    b"{\"typ\":\"jwt\",\"alg\":\"ES256\",\"kid\":\"k\"}\n{\"aud\":\"a\",\"iss\":\"i\",\"iat\":0,\"nbf\":300,\"exp\":1,\
      \"oid\":\"00000000-0000-0000-0000-000000000002\",\"sub\":\"s\",\"tid\":\"00000000-0000-0000-0000-000000000000\",\
      \"uti\":\"u\",\"ver\":\"1.0\"}",
    b"{\"typ\":\"JWT\",\"alg\":\"none\"}\n{}",
    b"{\"typ\":\"JWT\",\"alg\":\"ES256\",\"kid\":\"k\",\"crit\":[\"x\"]}\n{}",
    b"eyJ0eXAiOiJKV1QiLCJhbGciOiJFUzI1NiIsImtpZCI6ImsifQ.e30.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\
      AAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
];

/// Issuer, tenant and audience are those that the entry in the identity crate knows.
pub const EXTERNAL_CLAIMS: &[&[u8]] = &[
    br#"{"iss":"i","aud":"b","sub":"alice","iat":0,"nbf":0,"exp":1}"#,
    br#"{"iss":"i","aud":["a/","b"],"oid":"00000000-0000-0000-0000-000000000002","tid":"00000000-0000-0000-0000-000000000000","azp":"cli","groups":["admins","00000000-0000-0000-0000-000000000004"],"exp":1.5,"iat":-1e3}"#,
];
pub const ISSUER_DISCOVERY: &[&[u8]] = &[
    br#"{"issuer":"i","jwks_uri":"https://login.example.com/keys","scopes_supported":["openid"]}"#,
    br#"{"issuer":"i","jwks_uri":"http://login.example.com/keys"}"#,
];
pub const ISSUER_KEY_SET: &[&[u8]] = &[
    br#"{"keys":[{"kty":"RSA","n":"yyPKzo3eJxaloX-XrnbKTtrzFNu0J9Hd8tUH9du6KnmVFltE9oGX0Ya9OnLqyA9S3nLffO2D_chg2QYIpcYQLEiCF63hcmS7D5pvE9yGMz5hMvae0crGhKojNS-vaWscRuDqc_WPJcj_GeCeS5LrmQbtayV6xdfnbxyEHHUaNNh6nceJxI59xSZOge7AsDeYUNfv64b23JSGAZeh_GVX9T94m3LIT8BuTFzWJOpBwBWT6rpZGd4MIHtKjOoyruKX7ImZxhzq2TGHRXX6L69xf6oQgPh5FN6wb4Rek_n_0wIrDFLJVfJ07vt144Hp16ep_TrkMAnDSH0nd8JQI3yY9Q","e":"AQAB","kid":"a","use":"sig","alg":"RS256"},{"kty":"EC","crv":"P-256","x":"hoxU-Jreqo4tad2Kium9-mXXjEoVaTmfuBOG0KFcWDs","y":"ZRXrXAYcQWWvJnKOxOVfwBMVxidgtlCfgCs6Mw8Nn-A","kid":"e","use":"sig"}]}"#,
    br#"{"keys":[{"kty":"RSA","n":"5sbDVgE-sKc2-lLPU8FZO_6eXsQytlDuS2yJKxb17jH_MOt2o83H7i06nuQhul-Calj5GOm-_9fBYaq1UZ8IU6E8qb4-2xCPyDrgylIKj83IYmXwkBm-WUGsn5bvbfFYldKvKT_jSeYcDMPuVTiStYziguvA12VqzDubX7AhhqxwO7HLBd1dYb7ZkdLpG6BfQT2dgq-Jd0beQYTzu5G5KwI1G-uzlG2sEl1e43-t9uSHZEPKEVYkTHfKscROT_LrO2iGrurMKK8y4RGrweHDv3UEJ-bNpenzyJj_3Ep3AMXWJABoHnGqqUKqg7zWzlVzVk-36Pi8swACy8vInFS3nQ","e":"AQAB","kid":"b","use":"sig"},{"kty":"EC","crv":"P-384","x":"zc_Pd1elLDdxf2NX4QpIft8vGcuyJc4EU7pi-gtGr4nxqlHxBUsq93kDF8roQTNK","y":"rmmywy9Raz6MyKrCedMBfHxBTUIrU2fzbSP13_3Qk6IvC5c1UpmCedDhbxCl9F0O","kid":"f"},{"kty":"RSA","n":"nLF-dFU5KHsT6lKwANuEX6qjhgoAwHeJvEFD_bpaTd-lsgxXcTeytJu99HTLEhiRrDUGnky48TM-t3rCrrl3tz0hJuXZrq8mY0Cj9-1Mg-fUxf88puup79VEAjhKbOtm-3uVNfmtOQqvHONdOt1JZrojYNGtHzjc6hc1b1gh7l8","e":"AQAB","kid":"small","use":"sig"}]}"#,
    br#"{"keys":[{"kty":"oct","kid":"h","k":"AAECAw","alg":"HS256"},{"kty":"EC","crv":"P-256","x":"AQ","y":"AQ","d":"AQ","key_ops":["verify"],"use":"enc"}]}"#,
];
