//! Rotation: the overlap for which a replaced encryption key stays in use.

use super::{NOW, channel_input, js, message_input, rust, secret, session_input, signing};
use crate::resolver::{mint_session, rotate, seal, sign_channel_token};
use sealwire_protocol::limits;
use serde_json::Value;
use wasm_bindgen::JsValue;
use wasm_bindgen_test::wasm_bindgen_test;

#[allow(clippy::cast_precision_loss, reason = "a day in seconds is exact")]
const OVERLAP: f64 = limits::KEY_OVERLAP as f64;

/// Returns the times at which the keys of a secret were created, in seconds after [`NOW`].
fn created(secret: &JsValue) -> Vec<f64> {
    let keys = rust(secret)["keys"].as_array().unwrap().clone();
    keys.iter().map(|key| key["createdAt"].as_f64().unwrap() - NOW).collect()
}

fn ids(keys: &Value) -> Vec<String> {
    keys.as_array().unwrap().iter().map(|key| key["id"].as_str().unwrap().to_owned()).collect()
}

#[wasm_bindgen_test]
fn a_rotation_keeps_the_keys_in_use_and_drops_the_others() {
    let first = secret();
    let second = rotate(&first, NOW + 10.0, &signing()).unwrap();
    let third = rotate(&second, NOW + 50.0, &signing()).unwrap();
    assert_eq!(created(&third), [50.0, 10.0, 0.0]);
    // The first key was replaced at 10, the second at 50.
    assert_eq!(
        created(&rotate(&third, NOW + 9.0 + OVERLAP, &signing()).unwrap()),
        [9.0 + OVERLAP, 50.0, 10.0, 0.0]
    );
    assert_eq!(
        created(&rotate(&third, NOW + 10.0 + OVERLAP, &signing()).unwrap()),
        [10.0 + OVERLAP, 50.0, 10.0]
    );
    assert_eq!(created(&rotate(&third, NOW + 50.0 + OVERLAP, &signing()).unwrap()), [50.0 + OVERLAP, 50.0]);
}

#[wasm_bindgen_test]
fn a_key_whose_overlap_has_ended_is_in_no_session_and_no_channel_token() {
    let rotated = rotate(&secret(), NOW + 10.0, &signing()).unwrap();
    let at = |mut input: Value, seconds: f64| {
        input["nowSeconds"] = (NOW + seconds).into();
        js(&input)
    };
    let sessions = |seconds: f64| {
        let grant = rust(&mint_session(&at(session_input(), seconds), &rotated, None).unwrap());
        ids(&grant["keys"])
    };
    let tokens = |seconds: f64| {
        let token = rust(&sign_channel_token(&at(channel_input(), seconds), &rotated).unwrap());
        let text = token["token"].as_str().unwrap().to_owned();
        text.split('~').skip(1).map(|key| key.split('.').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let both = sessions(10.0);
    assert_eq!(both.len(), 2);
    for (keys, seconds) in [(2, 9.0 + OVERLAP), (1, 10.0 + OVERLAP), (1, 30.0 * 86_400.0)] {
        assert_eq!(sessions(seconds), both[..keys], "{seconds}");
        assert_eq!(tokens(seconds), both[..keys], "{seconds}");
    }
    // A process whose clock is behind that of the rotation keeps both keys.
    assert_eq!(sessions(0.0), both);
}

#[wasm_bindgen_test]
fn a_message_for_a_channel_with_claims_is_sealed_under_a_replaced_key_only_during_the_overlap() {
    let secret = secret();
    let token = rust(&sign_channel_token(&js(&channel_input()), &secret).unwrap())["token"].clone();
    let rotated = rotate(&secret, NOW, &signing()).unwrap();
    let seal_at = |seconds: f64| {
        let mut input = message_input();
        input["token"] = token.clone();
        input["nowMs"] = ((NOW + seconds) * 1000.0).into();
        seal(&js(&input), &rotated, None)
    };
    assert!(seal_at(OVERLAP - 0.001).is_ok());
    let error = rust(&seal_at(OVERLAP).unwrap_err());
    assert_eq!(error["code"], "TOKEN_MALFORMED");
    assert!(error["message"].as_str().unwrap().contains("sign it again"));
}

#[wasm_bindgen_test]
fn the_next_rotation_corrects_the_times_of_a_clock_that_was_ahead() {
    let ahead = rotate(&secret(), NOW + 1e9, &signing()).unwrap();
    let again = rotate(&ahead, NOW + 10.0, &signing()).unwrap();
    assert_eq!(created(&again), [10.0, 10.0, 0.0]);
    assert_eq!(created(&rotate(&again, NOW + 10.0 + OVERLAP, &signing()).unwrap()), [10.0 + OVERLAP, 10.0]);
}

#[wasm_bindgen_test]
fn a_rotation_that_would_drop_a_key_in_use_is_refused_with_a_retry_time() {
    let mut rotated = secret();
    for minute in 1..limits::MAX_KEY_VERSIONS {
        rotated = rotate(&rotated, NOW + 60.0 * minute as f64, &signing()).unwrap();
    }
    let error = rust(&rotate(&rotated, NOW + 3600.0, &signing()).unwrap_err());
    assert_eq!(error["code"], "RATE_LIMITED");
    // The oldest key was replaced after a minute.
    assert_eq!(error["retryAfterMs"].as_f64(), Some((OVERLAP + 60.0 - 3600.0) * 1000.0));
    assert!(error["message"].as_str().unwrap().contains("16 encryption keys"), "{error}");
    assert_eq!(
        created(&rotate(&rotated, NOW + OVERLAP + 60.0, &signing()).unwrap()).len(),
        limits::MAX_KEY_VERSIONS
    );
    let grant = rust(&mint_session(&js(&session_input()), &rotated, None).unwrap());
    assert_eq!(ids(&grant["keys"]).len(), limits::MAX_KEY_VERSIONS);
}
