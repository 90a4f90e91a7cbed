//! Generating, importing, opening and exporting.

use super::SeededEntropy;
use super::keys::{EC_SHORT, RSA, RSA_COMPOSITE, all_keys, bytes, ec_keys, hex, oct_key, refusal, rsa_keys};
use crate::{Error, Fault, Provider};
use domain::{Curve, KeySpec, KeyType, PrivateJwk, PublicKey, Refusal, Secret, SignatureAlgorithm};

fn padded(text: &str, length: usize) -> Vec<u8> {
    let bytes = hex(text);
    let mut padded = vec![0; length - bytes.len()];
    padded.extend(bytes);
    padded
}

pub fn generated_keys_reopen_and_are_fresh(provider: &dyn Provider) {
    let entropy = SeededEntropy::new(11);
    for curve in [Curve::P256, Curve::P384, Curve::P521, Curve::P256K] {
        let spec = KeySpec::Ec { curve };
        let (one, two) = (provider.generate(spec, &entropy).unwrap(), provider.generate(spec, &entropy).unwrap());
        assert!(one.public != two.public);
        let PublicKey::Ec { x, y, .. } = &one.public else { unreachable!("an EC key has an EC public key") };
        assert_eq!((x.len(), y.len()), (curve.coordinate_length(), curve.coordinate_length()));
        let algorithm = curve.algorithm();
        let digest = bytes(algorithm.digest_length().unwrap(), 1);
        let first = provider.open(spec, &one.public, &one.material).unwrap();
        let signature = first.sign(algorithm, &digest, &entropy).unwrap();
        let again = provider.open(spec, &one.public, &one.material).unwrap();
        assert_eq!(again.verify(algorithm, &digest, &signature), Ok(true));
    }
    for bits in [128, 192, 256] {
        let spec = KeySpec::Oct { bits };
        let (one, two) = (provider.generate(spec, &entropy).unwrap(), provider.generate(spec, &entropy).unwrap());
        assert_eq!(one.public, PublicKey::Oct);
        let tag = |key: &crate::Generated| {
            let handle = provider.open(spec, &key.public, &key.material).unwrap();
            handle.sign(SignatureAlgorithm::Hs256, b"", &entropy).unwrap()
        };
        assert!(tag(&one) == tag(&one) && tag(&one) != tag(&two));
    }
}

pub fn a_generated_rsa_key_works(provider: &dyn Provider) {
    let spec = KeySpec::DEFAULT_RSA;
    let entropy = SeededEntropy::new(12);
    let key = provider.generate(spec, &entropy).unwrap();
    let PublicKey::Rsa { n, e } = &key.public else { unreachable!("an RSA key has an RSA public key") };
    assert_eq!((n.len(), e.as_slice()), (256, &[1, 0, 1][..]));
    assert!(n.first().unwrap() & 0x80 != 0);
    let handle = provider.open(spec, &key.public, &key.material).unwrap();
    let signature = handle.sign(SignatureAlgorithm::Ps256, &[1; 32], &entropy).unwrap();
    assert_eq!(handle.verify(SignatureAlgorithm::Ps256, &[1; 32], &signature), Ok(true));
}

pub fn sizes_that_are_not_generated_are_refused(provider: &dyn Provider) {
    let entropy = SeededEntropy::new(13);
    for (key_type, sizes) in [(KeyType::Rsa, [0, 1024, 2047, 8192]), (KeyType::Oct, [0, 8, 64, 512])] {
        for bits in sizes {
            let spec = if key_type == KeyType::Rsa { KeySpec::Rsa { bits } } else { KeySpec::Oct { bits } };
            let due = Refusal::KeySizeUnsupported { key_type, bits };
            assert_eq!(refusal(provider.generate(spec, &entropy)), due);
        }
    }
}

pub fn imported_keys_keep_their_public_part(provider: &dyn Provider) {
    for (fixture, key) in RSA.iter().zip(rsa_keys(provider)) {
        assert_eq!(key.generated.public, PublicKey::Rsa { n: fixture.value("n"), e: fixture.value("e") });
    }
    for (fixture, key) in EC_SHORT.iter().zip(ec_keys(provider)) {
        let length = fixture.curve.coordinate_length();
        let (x, y) = (padded(fixture.x, length), padded(fixture.y, length));
        assert_eq!(key.generated.public, PublicKey::Ec { curve: fixture.curve, x, y });
    }
    assert_eq!(oct_key(provider, 256, 1).generated.public, PublicKey::Oct);
}

/// The EC keys above have none of their zeros; here they and the RSA key come with too many.
pub fn stripped_and_added_leading_zeros_do_not_matter(provider: &dyn Provider) {
    let [rsa, ..] = &RSA;
    let plain = provider.import(&rsa.jwk(|_, part| part)).unwrap();
    let zeros = provider.import(&rsa.jwk(|_, part| [&[0, 0], part.as_slice()].concat())).unwrap();
    assert_eq!(plain.public, zeros.public);
    for fixture in EC_SHORT {
        let plain = provider.import(&fixture.jwk()).unwrap();
        for extra in [0, 1, 5] {
            let length = fixture.curve.coordinate_length() + extra;
            let [x, y, d] = [fixture.x, fixture.y, fixture.d].map(|part| padded(part, length));
            let jwk = PrivateJwk::Ec { curve: fixture.curve, x, y, d: Secret::new(d) };
            assert_eq!(provider.import(&jwk).unwrap().public, plain.public);
        }
    }
}

pub fn an_rsa_key_whose_parts_disagree_is_refused(provider: &dyn Provider) {
    let [rsa, ..] = &RSA;
    let due = Refusal::KeyPairInvalid { curve: None };
    for wrong in ["n", "e", "d", "p", "q", "dp", "dq", "qi"] {
        let changed = rsa.jwk(|name, mut part| {
            if name == wrong {
                *part.last_mut().unwrap() ^= 2;
            }
            part
        });
        assert_eq!(refusal(provider.import(&changed)), due, "{wrong} changed");
        let empty = rsa.jwk(|name, part| if name == wrong { Vec::new() } else { part });
        let refused = refusal(provider.import(&empty));
        assert!(refused == due || wrong == "n", "{wrong} empty");
    }
    let swapped = rsa.jwk(|name, part| if name == "p" { rsa.value("q") } else { part });
    assert_eq!(refusal(provider.import(&swapped)), due);
}

pub fn an_rsa_key_whose_prime_is_none_is_refused(provider: &dyn Provider) {
    let jwk = RSA_COMPOSITE.jwk(|_, part| part);
    assert_eq!(refusal(provider.import(&jwk)), Refusal::KeyPairInvalid { curve: None });
}

pub fn an_ec_key_whose_parts_disagree_is_refused(provider: &dyn Provider) {
    for fixture in EC_SHORT {
        let curve = fixture.curve;
        let length = curve.coordinate_length();
        let [x, y, d] = [fixture.x, fixture.y, fixture.d].map(|part| padded(part, length));
        let with = |x: &[u8], y: &[u8], d: &[u8]| {
            let jwk = PrivateJwk::Ec { curve, x: x.to_vec(), y: y.to_vec(), d: Secret::new(d.to_vec()) };
            refusal(provider.import(&jwk))
        };
        let due = Refusal::KeyPairInvalid { curve: Some(curve) };
        let flipped = |bytes: &[u8]| {
            let mut bytes = bytes.to_vec();
            *bytes.last_mut().unwrap() ^= 1;
            bytes
        };
        assert_eq!(with(&flipped(&x), &y, &d), due, "off the curve");
        assert_eq!(with(&x, &flipped(&y), &d), due, "off the curve");
        assert_eq!(with(&x, &y, &flipped(&d)), due, "another scalar");
        assert_eq!(with(&y, &x, &d), due, "coordinates swapped");
        assert_eq!(with(&x, &y, &vec![0; length]), due, "scalar zero");
        assert_eq!(with(&x, &y, &vec![0xff; length]), due, "scalar beyond the order");
        assert_eq!(with(&[], &[], &d), due, "no point");
        assert_eq!(with(&x, &y, &[]), due, "no scalar");
        assert_eq!(with(&[[1].as_slice(), &x].concat(), &y, &d), due, "a coordinate too long");
        let other = if curve == Curve::P256 { Curve::P256K } else { Curve::P256 };
        let jwk = PrivateJwk::Ec { curve: other, x: x.clone(), y: y.clone(), d: Secret::new(d.clone()) };
        assert_eq!(refusal(provider.import(&jwk)), Refusal::KeyPairInvalid { curve: Some(other) });
    }
}

pub fn sizes_that_are_not_imported_are_refused(provider: &dyn Provider) {
    let [rsa, ..] = &RSA;
    let unsupported = |key_type, bits| Refusal::KeySizeUnsupported { key_type, bits };
    for (length, bits) in [(128, 1024), (255, 2040), (320, 2560), (1024, 8192)] {
        let jwk = rsa.jwk(|name, part| if name == "n" { vec![0xff; length] } else { part });
        assert_eq!(refusal(provider.import(&jwk)), unsupported(KeyType::Rsa, bits));
    }
    let half = rsa.jwk(|name, mut part| {
        if name == "n" {
            *part.first_mut().unwrap() &= 0x7f;
        }
        part
    });
    assert!(matches!(refusal(provider.import(&half)), Refusal::KeySizeUnsupported { .. }));
    for length in [0_usize, 65, 128] {
        let jwk = PrivateJwk::Oct { k: Secret::new(vec![1; length]) };
        let bits = u32::try_from(length * 8).unwrap();
        assert_eq!(refusal(provider.import(&jwk)), unsupported(KeyType::Oct, bits));
    }
    for length in [1, 63, 64] {
        assert!(provider.import(&PrivateJwk::Oct { k: Secret::new(vec![1; length]) }).is_ok());
    }
}

pub fn material_of_another_key_does_not_open(provider: &dyn Provider) {
    let keys = all_keys(provider);
    for (one, key) in keys.iter().enumerate() {
        for (two, other) in keys.iter().enumerate().filter(|(two, _)| *two != one) {
            let opened = provider.open(key.spec, &key.generated.public, &other.generated.material);
            assert!(matches!(opened.err(), Some(Error::Fault(Fault::MaterialInvalid(_)))), "{one} {two}");
        }
        let garbage = Secret::new(vec![0x30; 3]);
        let opened = provider.open(key.spec, &key.generated.public, &garbage);
        assert!(matches!(opened.err(), Some(Error::Fault(Fault::MaterialInvalid(_)))), "{one}");
    }
    for key in ec_keys(provider) {
        let other = provider.generate(key.spec, &SeededEntropy::new(14)).unwrap();
        let opened = provider.open(key.spec, &key.generated.public, &other.material);
        assert!(matches!(opened.err(), Some(Error::Fault(Fault::MaterialInvalid(_)))), "the same curve");
    }
    let (p256, p384) = (&ec_keys(provider)[0], &ec_keys(provider)[1]);
    let opened = provider.open(p256.spec, &p384.generated.public, &p384.generated.material);
    assert!(matches!(opened.err(), Some(Error::Fault(Fault::MaterialInvalid(_)))));
}

pub fn an_exported_key_is_the_one_that_was_imported(provider: &dyn Provider) {
    let entropy = SeededEntropy::new(15);
    for key in rsa_keys(provider).into_iter().chain(ec_keys(provider)) {
        let exported = provider.export(key.spec, &key.generated.public, &key.generated.material).unwrap();
        let jwk = crate::bundle::read_pkcs8(exported.expose()).unwrap();
        assert_eq!(jwk.spec(), key.spec);
        let again = provider.import(&jwk).unwrap();
        assert_eq!(again.public, key.generated.public);
        let algorithm = match key.spec {
            KeySpec::Ec { curve } => curve.algorithm(),
            _ => SignatureAlgorithm::Rs256,
        };
        let digest = bytes(algorithm.digest_length().unwrap(), 2);
        let reopened = provider.open(key.spec, &again.public, &again.material).unwrap();
        let signature = reopened.sign(algorithm, &digest, &entropy).unwrap();
        assert_eq!(key.handle.verify(algorithm, &digest, &signature), Ok(true));
    }
    let oct = oct_key(provider, 256, 3);
    let exported = provider.export(oct.spec, &oct.generated.public, &oct.generated.material);
    assert_eq!(refusal(exported), Refusal::KeyTypeUnsupported { key_type: KeyType::Oct, hsm: false });
}

pub fn material_of_another_key_is_not_exported(provider: &dyn Provider) {
    for key in ec_keys(provider) {
        let other = provider.generate(key.spec, &SeededEntropy::new(16)).unwrap();
        let exported = provider.export(key.spec, &key.generated.public, &other.material);
        assert!(matches!(exported.err(), Some(Error::Fault(Fault::MaterialInvalid(_)))));
    }
}
