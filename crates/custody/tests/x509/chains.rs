//! Chains: put in order from their leaf on, and refused without it.

use super::{VALIDITY, entropy, fixture, of_authority, properties, request};
use custody::{
    SoftwareProvider,
    conformance::keys::ec_keys,
    x509::{Certificate, Order, arrange, issue},
};
use domain::Refusal;

/// A root, an authority below it made by hand of what the module has, and a leaf: here all from OpenSSL.
fn chain() -> [Vec<u8>; 3] {
    [fixture!("rsa.der").to_vec(), fixture!("issuing.der").to_vec(), fixture!("root.der").to_vec()]
}

fn arranged(certificates: &[&Vec<u8>], order: Order) -> Result<Vec<Vec<u8>>, Refusal> {
    let key = Certificate::read(fixture!("rsa.der")).unwrap().public_key().unwrap();
    arrange(certificates.iter().map(|der| (*der).clone()).collect(), &key, order)
}

#[test]
fn a_chain_is_put_in_order_however_it_comes() {
    let [leaf, issuing, root] = &chain();
    let expected = Ok(chain().to_vec());
    for given in [
        [leaf, issuing, root],
        [leaf, root, issuing],
        [issuing, leaf, root],
        [issuing, root, leaf],
        [root, leaf, issuing],
        [root, issuing, leaf],
    ] {
        assert_eq!(arranged(&given, Order::LeafFirst), expected);
    }
    let kept = |certificates: &[&Vec<u8>]| certificates.iter().map(|der| (*der).clone()).collect::<Vec<_>>();
    assert_eq!(arranged(&[root, issuing, leaf], Order::AsGiven), Ok(kept(&[leaf, root, issuing])));
    assert_eq!(arranged(&[leaf, root, issuing], Order::AsGiven), Ok(kept(&[leaf, root, issuing])));
    assert_eq!(arranged(&[leaf, root, leaf], Order::AsGiven), Ok(kept(&[leaf, root, leaf])));
    assert_eq!(arranged(&[leaf, root, leaf, root], Order::LeafFirst), Ok(kept(&[leaf, root])), "without its middle");
    let other = &fixture!("ed25519.der").to_vec();
    assert_eq!(arranged(&[other, root, issuing, leaf], Order::LeafFirst), Ok(kept(&[leaf, issuing, root, other])));
}

#[test]
fn chains_without_their_leaf_are_refused() {
    let [leaf, issuing, root] = &chain();
    for order in [Order::LeafFirst, Order::AsGiven] {
        let reason = |given: &[&Vec<u8>]| match arranged(given, order) {
            Err(Refusal::CertificateInvalid { reason }) => reason,
            other => unreachable!("{other:?}"),
        };
        assert_eq!(reason(&[]), "there is no certificate");
        assert_eq!(reason(&[issuing, root]), "no certificate is of the private key");
        assert_eq!(reason(&[leaf, &vec![0x30, 0]]), "it is not a certificate in DER");
        assert_eq!(reason(&[leaf; 33]), "there are more than 32 certificates");
    }
}

/// Two authorities of one name, neither with an identifier that tells: their signatures do.
#[test]
fn of_two_issuers_with_one_name_the_one_that_signed_is_next() {
    let keys = ec_keys(&SoftwareProvider);
    let [one, other, key] = [&keys[0], &keys[1], &keys[2]];
    let (first, second) = (of_authority(one, "CN=root"), of_authority(other, "CN=root"));
    let leaf = issue(&request(key, &properties()), &second, &*other.handle, VALIDITY, &entropy()).unwrap();
    let ordered = arrange(vec![first.clone(), second.clone(), leaf.clone()], &key.generated.public, Order::LeafFirst);
    assert_eq!(ordered, Ok(vec![leaf, second, first]));
}

/// A key that signs certificates may have one that it signed itself, and one from above.
#[test]
fn of_two_certificates_of_a_key_the_holder_s_is_the_leaf() {
    let keys = ec_keys(&SoftwareProvider);
    let own = of_authority(&keys[0], "CN=root");
    let leaf = issue(&request(&keys[0], &properties()), &own, &*keys[0].handle, VALIDITY, &entropy()).unwrap();
    let ordered = arrange(vec![own.clone(), leaf.clone()], &keys[0].generated.public, Order::LeafFirst);
    assert_eq!(ordered, Ok(vec![leaf, own.clone()]));
    assert_eq!(arrange(vec![own.clone()], &keys[0].generated.public, Order::LeafFirst), Ok(vec![own]));
}
