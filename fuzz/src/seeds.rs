//! Inputs worth beginning from: at least one that is accepted for everything an entry can accept.

pub const GUID: &[&[u8]] = &[
    b"00000000-0000-4000-8000-00000000000a",
    b"{A0000000-0000-4000-8000-00000000000A}",
    b"0123456789abcdef0123456789abcdef",
    b"urn:uuid:a0000000-0000-4000-8000-00000000000a",
];
pub const OBJECT_NAME: &[&[u8]] = &[b"k", b"My-Key-1", b"-", b"0"];
pub const OTHER_NAME: &[&[u8]] = &[b"le-1", b"Self", b"UNKNOWN", b"Audit-Hook-1", b"ab"];
pub const CONTAINER_NAME: &[&[u8]] = &[b"abc", b"Contoso-HSM-1", b"a-b-c", b"a--b"];
pub const VERSION_ID: &[&[u8]] = &[b"0123456789abcdef0123456789abcdef", b"0123456789ABCDEF0123456789ABCDEF"];
pub const CALENDAR_DURATION: &[&[u8]] = &[b"P30D", b"P18M", b"P2Y", b"P1Y2M3W4DT5H6M7.8S", b"PT0S", b"P1.5D", b"-P1D"];
pub const MOMENT: &[&[u8]] =
    &[b"2026-11-20T18:12:00Z", b"2026-11-20T18:12:00.123456789+01:00", b"2026-11-20", b"-009999-01-01T00:00:00Z"];
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
    b"GET /secrets/s/0123456789abcdef0123456789abcdef?api-version=7.4",
    b"PUT /secrets/s?api-version=7.4",
    b"POST /deletedsecrets/s/recover?api-version=2026-04-01",
    b"POST /certificates/c/create?api-version=7.4",
    b"GET /certificates?includePending=true&api-version=7.4",
    b"PATCH /certificates/c/pending?api-version=7.4",
    b"POST /certificates/c/pending/merge?api-version=7.4",
    b"GET /certificates/c/pending?request_id=0123456789abcdef0123456789abcdef&api-version=7.4",
    b"GET /certificates/c/policy?api-version=7.4",
    b"PUT /certificates/contacts?api-version=7.4",
    b"PUT /certificates/issuers/le?api-version=7.4",
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
pub const UPDATE_BODY: &[&[u8]] = &[
    br#"{"key_ops":["sign","verify"],"attributes":{"enabled":false,"nbf":1,"exp":null},"tags":{"a":"b"}}"#,
    br#"{"attributes":{"exp":9223372036854775807,"exportable":true},"release_policy":{"data":"AQ"}}"#,
    br#"{"contentType":"text/plain","attributes":{"enabled":true,"nbf":1},"tags":{}}"#,
    br#"{"policy":{"x509_props":{"subject":"CN=a","validity_months":6}},"attributes":{"enabled":false},"tags":{"a":"b"}}"#,
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
pub const OTHER_BODY: &[&[u8]] = &[br#"{"value":"U1JCSwEABXZhdWx0AQ"}"#, br#"{"count":128}"#];
pub const SECRET_BODY: &[&[u8]] = &[
    br#"{"value":"correct horse","contentType":"text/plain","attributes":{"enabled":true,"nbf":1763661600,"exp":1863661600},"tags":{"a":"b"}}"#,
    br#"{"value":""}"#,
];
pub const CERTIFICATE_BODY: &[&[u8]] = &[
    br#"{"policy":{"key_props":{"exportable":true,"kty":"RSA","key_size":3072,"reuse_key":false},"secret_props":{"contentType":"application/x-pkcs12"},"x509_props":{"subject":"CN=www.contoso.com","ekus":["1.3.6.1.5.5.7.3.1"],"sans":{"emails":["a@b.c"],"dns_names":["a.example","*.a.example"],"upns":["a@b"],"uris":["https://a.example/"],"ipAddresses":["10.0.0.1","::1"]},"key_usage":["digitalSignature","keyEncipherment"],"validity_months":12},"lifetime_actions":[{"trigger":{"lifetime_percentage":80},"action":{"action_type":"AutoRenew"}}],"issuer":{"name":"Self","cty":"OV","cert_transparency":false},"attributes":{"enabled":true}},"attributes":{"enabled":true,"exp":1863661600},"tags":{"a":"b"},"preserveCertOrder":true}"#,
    br#"{"key_props":{"exportable":false,"kty":"EC-HSM","crv":"P-384","reuse_key":true},"x509_props":{"subject":"CN=a"},"lifetime_actions":[{"trigger":{"days_before_expiry":30},"action":{"action_type":"emailContacts"}}],"issuer":{"name":"Unknown"}}"#,
    br#"{"value":"-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n","policy":{"secret_props":{"contentType":"application/x-pem-file"}},"tags":{}}"#,
    br#"{"value":"LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0t","pwd":"p"}"#,
    br#"{"value":"MIIC AQID\r\n","pwd":""}"#,
    br#"{"x5c":["AQID","BAUG"],"attributes":{"enabled":false},"tags":{"a":"b"}}"#,
    br#"{"cancellation_requested":true}"#,
];
pub const ISSUER_BODY: &[&[u8]] = &[
    br#"{"provider":"ACME","credentials":{"account_id":"a","pwd":"c2VjcmV0"},"org_details":{"id":"o","admin_details":[{"first_name":"J","last_name":"D","email":"a@b.c","phone":"1"}]},"attributes":{"enabled":true}}"#,
    br#"{"provider":"Private","credentials":{"account_id":"https://kv.vault.localhost:8443/keys/ca/0123456789abcdef0123456789abcdef"}}"#,
    br#"{"credentials":{"account_id":"https://hsm.managedhsm.localhost/keys/ca"}}"#,
    br#"{"contacts":[{"email":"a@b.c","name":"n","phone":"1"},{"email":"d@e.f"}]}"#,
];
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
    br#"{"NextMarker":"secrets/k/versions!17","TargetLocation":0}"#,
    br#"{"NextMarker":"certificates/issuers!le","TargetLocation":0}"#,
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
pub const ACME_DOCUMENT: &[&[u8]] = &[
    br#"{"newNonce":"https://acme.example/nonce","newAccount":"https://acme.example/account","newOrder":"https://acme.example/order","meta":{"termsOfService":"https://acme.example/terms"}}"#,
    br#"{"status":"invalid","authorizations":["https://acme.example/authz/1"],"finalize":"https://acme.example/order/1/finalize","certificate":"https://acme.example/cert/1","error":{"type":"urn:ietf:params:acme:error:unauthorized","detail":"no"}}"#,
    br#"{"status":"pending","identifier":{"type":"dns","value":"a.example"},"challenges":[{"type":"http-01","url":"https://acme.example/chall/1","token":"DGyRejmCefe7v4NfDGDKfA","status":"invalid","error":{"type":"urn:ietf:params:acme:error:connection","detail":"refused"}}]}"#,
    br#"{"type":"urn:ietf:params:acme:error:compound","detail":"not\nthese","subproblems":[{"type":"urn:ietf:params:acme:error:caa","detail":"no","identifier":{"type":"dns","value":"a.example"}}],"status":403}"#,
    b"<html>502 Bad Gateway</html>",
];
pub const ACME_CHAIN: &[&[u8]] = &[
    b"-----BEGIN CERTIFICATE-----\nAQID\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nBAUG\n-----END CERTIFICATE-----\n",
    b"text before\r\n-----BEGIN CERTIFICATE-----\r\nAQ==\r\n-----END CERTIFICATE-----\r\n",
    b"-----BEGIN PRIVATE KEY-----\nAQID\n-----END PRIVATE KEY-----\n",
];
pub const ACME_ADDRESS: &[&[u8]] = &[
    b"https://acme.example/order/1?x=y",
    b"https://ACME.example:443/",
    b"HTTPS://acme.example",
    b"https://acme.example:8443/",
    b"https://acme.example@evil.example/",
    b"https://acme.example\\@evil.example/",
    b"http://acme.example/",
];
pub const ACME_RETRY_AFTER: &[&[u8]] = &[
    b"120",
    b"4294967295",
    b"Fri, 31 Dec 1999 23:59:59 GMT\nFri, 31 Dec 1999 23:58:59 GMT",
    b"Fri, 31 Dec 9999 23:59:59 GMT\nSat, 01 Jan 0001 00:00:00 GMT",
];
pub const NOTICE_ENDPOINT: &[&[u8]] = &[
    b"https://hooks.example.com:8443/in/here?code=s3cret&x=%20",
    b"HTTP://127.0.0.1",
    b"https://[::1]:9000/?a",
    b"https://user@hooks.example.com/",
    b"https://hooks.example.com\\@evil.example/",
];
pub const RECEIVER_AGREEMENT: &[&[u8]] = &[
    b"*\n",
    b" Keys.Example.COM \n{\"validationResponse\":\"00000000-0000-0000-0000-00000000C0DE\"}",
    b"eventgrid.azure.net\n{\"validationResponse\":\"\"}",
];
pub const RECEIVER_ANSWER: &[&[u8]] =
    &[b"\x01\xf7120", b"\x01\xad9223372036854775807", b"\x01\xf7-9223372036854775808", b"\0\xc8", b"\x01\x94soon"];
pub const PROXY_HEAD: &[&[u8]] = &[
    b"CONNECT a.vault.localhost:443 HTTP/1.1\r\nHost: a\r\nProxy-Connection: keep-alive\r\n\r\n",
    b"a.vault.localhost:443",
    b"[::1]:8443",
    b"LOCALHOST.:1",
    b"example.com:443",
];
