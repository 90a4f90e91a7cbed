#!/bin/sh
# Makes the files beside it, with OpenSSL 3 and its legacy provider, and Python's ctypes for what its command line can't.
# They are committed: nothing runs this but a person who wants them anew. Keys are for tests only.
set -eu
cd "$(dirname "$0")"
rm -f ./*.pem ./*.pfx ./*.csr ./*.der ./*.txt
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# name, days, subject, key, issuer or "self", section of extensions
certificate() {
    openssl req -new -key "$scratch/$4.key" -subj "$3" -utf8 -out "$scratch/$1.csr"
    if [ "$5" = self ]; then signer="-key $scratch/$4.key"; else signer="-CA $scratch/$5.pem -CAkey $scratch/$5.key"; fi
    # shellcheck disable=SC2086
    openssl x509 -req -in "$scratch/$1.csr" $signer -days "$2" -set_serial "0x$(openssl rand -hex 15)" \
        -extfile extensions.cnf -extensions "$6" -out "$scratch/$1.pem"
}

# What OpenSSL says of a certificate: what reading is compared with.
expect() {
    openssl x509 -in "$scratch/$1.pem" -outform DER -out "$1.der"
    openssl x509 -in "$scratch/$1.pem" -noout -serial -dates -dateopt iso_8601 -fingerprint -sha1 >"$1.txt"
}

openssl genrsa -out "$scratch/root.key" 3072
openssl genrsa -out "$scratch/rsa.key" 2048
openssl genrsa -out "$scratch/other.key" 2048
for curve in prime256v1 secp384r1 secp521r1 secp256k1; do
    openssl genpkey -algorithm EC -pkeyopt "ec_paramgen_curve:$curve" -out "$scratch/$curve.key"
done
cp "$scratch/secp384r1.key" "$scratch/issuing.key"
openssl genpkey -algorithm ED25519 -out "$scratch/ed25519.key"

certificate root 7300 "/C=US/O=Contoso/CN=Contoso Root" root self authority
certificate issuing 3650 "/C=US/O=Contoso/CN=Contoso Issuing" issuing root authority
certificate rsa 365 "/C=US/ST=WA/L=Redmond/O=Contoso, Ltd/CN=www.contoso.com" rsa issuing holder
for curve in prime256v1 secp384r1 secp521r1 secp256k1; do
    certificate "$curve" 90 "/CN=$curve.contoso.com" "$curve" issuing plain
done
certificate ed25519 90 "/CN=ed25519.contoso.com" ed25519 self plain
cat "$scratch/issuing.pem" "$scratch/root.pem" >"$scratch/chain.pem"
for name in root issuing rsa prime256v1 ed25519; do expect "$name"; done

# PKCS#12: name, key and certificate, then arguments of the command.
pfx() {
    name=$1 key=$2
    shift 2
    openssl pkcs12 -export -inkey "$scratch/$key.key" -in "$scratch/$key.pem" -certfile "$scratch/chain.pem" \
        -out "$name.pfx" "$@"
}
pfx modern-rsa rsa -passout pass:password
for curve in prime256v1 secp384r1 secp521r1 secp256k1; do pfx "modern-$curve" "$curve" -passout pass:password; done
pfx modern-empty rsa -passout pass:
pfx legacy-rsa rsa -legacy -passout pass:password
pfx legacy-ec prime256v1 -legacy -passout pass:password
pfx legacy-empty prime256v1 -legacy -passout pass:
pfx legacy-wide prime256v1 -legacy -passout "pass:pässwörd 🔑"
pfx windows prime256v1 -keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1 -passout pass:password
pfx rc2-128 prime256v1 -legacy -keypbe PBE-SHA1-RC2-128 -certpbe PBE-SHA1-RC2-128 -passout pass:password
pfx pbes2-others prime256v1 -keypbe AES-128-CBC -certpbe DES-EDE3-CBC -macalg sha512 -passout pass:password
pfx aes-192 prime256v1 -keypbe AES-192-CBC -certpbe AES-192-CBC -macalg sha384 -passout pass:password
pfx open prime256v1 -keypbe NONE -certpbe NONE -nomac -passout pass:
pfx no-code prime256v1 -nomac -passout pass:password
pfx legacy-no-code prime256v1 -legacy -nomac -passout pass:password
pfx once prime256v1 -iter 1 -passout pass:password
openssl pkcs12 -export -nokeys -in "$scratch/rsa.pem" -out no-key.pfx -passout pass:password
openssl pkcs12 -export -inkey "$scratch/rsa.key" -nocerts -out no-certificate.pfx -passout pass:password

# A password of no bytes at all, which .NET writes for none: by the library, the command line knows an empty one only.
python3 - "$scratch" <<'PYTHON'
import ctypes, ctypes.util, sys
crypto = ctypes.CDLL(ctypes.util.find_library("crypto"))
for name in ["BIO_new_file", "PEM_read_bio_PrivateKey", "PEM_read_bio_X509", "PKCS12_create"]:
    getattr(crypto, name).restype = ctypes.c_void_p
def opened(name, mode=b"r"):
    return ctypes.c_void_p(crypto.BIO_new_file(name.encode(), mode))
key = ctypes.c_void_p(crypto.PEM_read_bio_PrivateKey(opened(sys.argv[1] + "/prime256v1.key"), None, None, None))
certificate = ctypes.c_void_p(crypto.PEM_read_bio_X509(opened(sys.argv[1] + "/prime256v1.pem"), None, None, None))
triple_des = 146
file = crypto.PKCS12_create(None, None, key, certificate, None, triple_des, triple_des, 2000, 2000, 0)
written = opened("no-bytes.pfx", b"wb")
assert crypto.i2d_PKCS12_bio(written, ctypes.c_void_p(file)) == 1
crypto.BIO_free_all(written)
PYTHON

# PEM
cat "$scratch/chain.pem" "$scratch/rsa.key" "$scratch/rsa.pem" >rsa-any-order.pem
openssl rsa -traditional -in "$scratch/rsa.key" | cat - "$scratch/rsa.pem" >rsa-pkcs1.pem
openssl ecparam -name prime256v1 -out "$scratch/parameters.pem"
openssl ec -in "$scratch/prime256v1.key" | cat "$scratch/parameters.pem" - "$scratch/prime256v1.pem" >ec-sec1.pem
openssl ec -in "$scratch/secp256k1.key" -no_public | openssl pkcs8 -topk8 -nocrypt |
    cat - "$scratch/secp256k1.pem" >ec-no-point.pem
openssl pkcs12 -in modern-rsa.pfx -passin pass:password -nodes | sed 's/$/\r/' >bag-attributes.pem
openssl pkcs8 -topk8 -in "$scratch/rsa.key" -passout pass:password | cat - "$scratch/rsa.pem" >encrypted.pem
openssl pkcs8 -topk8 -v1 PBE-SHA1-3DES -in "$scratch/rsa.key" -passout pass:password |
    cat - "$scratch/rsa.pem" >encrypted-legacy.pem
openssl rsa -traditional -aes128 -passout pass:password -in "$scratch/rsa.key" |
    cat - "$scratch/rsa.pem" >encrypted-pkcs1.pem
cat "$scratch/other.key" "$scratch/rsa.pem" >other-key.pem
cat "$scratch/rsa.key" "$scratch/prime256v1.key" "$scratch/rsa.pem" >two-keys.pem
cat "$scratch/ed25519.key" "$scratch/ed25519.pem" >ed25519.pem

# A certificate whose key is written in a way that few write it; the key itself is as always.
unusual() {
    openssl ec -in "$scratch/prime256v1.key" "$2" "$3" -out "$scratch/$1.key"
    openssl req -new -x509 -key "$scratch/$1.key" -subj "/CN=$1.contoso.com" -days 36500 -out "$scratch/$1.pem"
    cat "$scratch/prime256v1.key" "$scratch/$1.pem" >"$1.pem"
}
unusual compressed -conv_form compressed
unusual explicit -param_enc explicit

# A request that asks for more than a holder gets.
openssl req -new -key "$scratch/prime256v1.key" -subj "/O=Contoso/CN=greedy.contoso.com" -config extensions.cnf \
    -reqexts greedy -outform DER -out greedy.csr
