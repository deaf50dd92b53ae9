//! Signatures of the Standard Webhooks specification: HMAC-SHA256 over `id.timestamp.body`.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::model::Secret;

/// The bytes of a signing secret, `whsec_` and base64; `None` where it is none. The specification asks for 24 to 64
/// bytes.
pub(super) fn key_of(secret: &Secret) -> Option<Vec<u8>> {
    let text = secret.expose().trim();
    let key = STANDARD.decode(text.strip_prefix("whsec_").unwrap_or(text)).ok()?;
    (24..=64).contains(&key.len()).then_some(key)
}

/// The header `webhook-signature` of one attempt; `None` where the secret is none.
#[must_use]
pub fn sign(secret: &Secret, id: &str, timestamp_s: i64, body: &[u8]) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key_of(secret)?).ok()?;
    mac.update(format!("{id}.{timestamp_s}.").as_bytes());
    mac.update(body);
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_test_vector_of_the_specification() {
        let signature = sign(
            &Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
            "msg_p5jXN8AQM9LWM0D4loKWxJek",
            1_614_265_330,
            br#"{"test": 2432232314}"#,
        );
        assert_eq!(signature.as_deref(), Some("v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="));
    }

    #[test]
    fn a_weak_or_broken_secret_is_none() {
        for secret in ["", "whsec_", "whsec_c2hvcnQ=", "whsec_!!!"] {
            assert_eq!(sign(&Secret::new(secret), "id", 0, b""), None, "{secret}");
        }
    }
}
