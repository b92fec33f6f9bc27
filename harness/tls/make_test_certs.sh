#!/bin/sh
# make_test_certs.sh OUT: makes the identities that the tests of harness/ need in the folder OUT,
# good and bad, with openssl(1): NAME.pem (the certificate, then its intermediates) and NAME.key.
# The keys belong to this one build and are never kept anywhere else.
set -eu
out=${1:?usage: make_test_certs.sh OUT}
rm -rf "$out"
mkdir -p "$out"
cd "$out"
mkdir issued

cat > openssl.cnf <<'END'
[ca]
default_ca = tests
[tests]
database = index.txt
new_certs_dir = issued
rand_serial = yes
default_md = sha256
policy = any
copy_extensions = none
unique_subject = no
[any]
commonName = supplied
[req]
distinguished_name = name
prompt = no
[name]
CN = unnamed
[root]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[server]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectAltName = DNS:rig.test,DNS:*.lab.test,IP:127.0.0.1,IP:::1
[client]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = clientAuth
[nameless]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
END

ec_key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key"; }
rsa_key() { openssl genrsa -out "$1.key" 2048; }

# root PREFIX NAME
root() {
    ec_key "$1"
    openssl req -new -x509 -config openssl.cnf -extensions root -key "$1.key" -subj "/CN=$2" \
        -days 3650 -out "$1.pem"
}
# issue PREFIX NAME CA EXTENSIONS [START END]: signs PREFIX.key
issue() {
    : > index.txt
    openssl req -new -config openssl.cnf -key "$1.key" -subj "/CN=$2" -out "$1.csr"
    openssl ca -batch -notext -config openssl.cnf -cert "$3.pem" -keyfile "$3.key" \
        -extensions "$4" -in "$1.csr" -out "$1.pem" \
        -startdate "${5:-20200101000000Z}" -enddate "${6:-20491231000000Z}"
    rm "$1.csr"
}

{
    root ca "Test CA"
    root other-ca "Another CA"
    for name in server-ecdsa server-expired server-not-yet server-nameless server-other-ca \
        client client-expired client-other-ca client-as-server intermediate server-chained; do
        ec_key "$name"
    done
    rsa_key server-rsa
    rsa_key other-rsa
    issue server-ecdsa rig.test ca server
    issue server-rsa rig.test ca server
    issue server-expired rig.test ca server 20200101000000Z 20200201000000Z
    issue server-not-yet rig.test ca server 20480101000000Z 20491231000000Z
    issue server-nameless rig.test ca nameless
    issue server-other-ca rig.test other-ca server
    issue client "board 7" ca client
    issue client-expired "board 8" ca client 20200101000000Z 20200201000000Z
    issue client-other-ca "board 9" other-ca client
    issue client-as-server "board 10" ca server
    issue intermediate "Test intermediate" ca root
    issue server-chained rig.test intermediate server
    cat intermediate.pem >> server-chained.pem
    cat ca.pem client-expired.pem > ca-and-leaf.pem
    openssl ec -in client.key -aes128 -passout pass:secret -out encrypted.key
    openssl pkcs8 -topk8 -nocrypt -in server-ecdsa.key -out server-ecdsa-pkcs8.key
    echo "no certificate" > not-pem.pem
    rm -r issued index.txt*
} > log.txt 2>&1 || {
    echo "make_test_certs.sh: openssl failed:" >&2
    tail -20 log.txt >&2
    exit 1
}
