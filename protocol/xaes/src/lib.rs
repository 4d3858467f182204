//! XAES-256-GCM (C2SP): AES-256-GCM with a key derived for each 192-bit nonce, so that the number of random nonces is
//! practically unlimited.
//!
//! This is a separate crate because its functions are compiled for speed, while the rest of the browser build is
//! compiled for size. They are neither generic nor inlined, so that this crate's profile applies to them.
#![no_std]

use aes_gcm::{
    AeadCore, AeadInOut as _, Aes256Gcm, KeyInit as _,
    aead::{array::typenum::Unsigned as _, inout::InOutBuf},
    aes::{Aes256, Block, cipher::BlockCipherEncrypt as _},
};
use core::mem::ManuallyDrop;
use zeroize::Zeroizing;

/// The length of a key in bytes.
pub const KEY_LEN: usize = 32;
/// The length of a nonce in bytes.
pub const NONCE_LEN: usize = 24;
/// The length of the authentication tag in bytes.
pub const TAG_LEN: usize = <Aes256Gcm as AeadCore>::TagSize::USIZE;

/// The length of an AES-GCM nonce in bytes.
pub const GCM_NONCE_LEN: usize = 12;

/// The error for a ciphertext, tag, key, nonce or associated data that differs from that of the encryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unauthentic;

/// A key of XAES-256-GCM, expanded once for all of its messages.
#[derive(Clone)]
pub struct XaesKey {
    aes: Aes256,
    /// The subkey K1 of CMAC.
    mask: Zeroizing<u128>,
}

impl XaesKey {
    /// Expands a key.
    #[must_use]
    #[inline(never)]
    pub fn new(key: &[u8; KEY_LEN]) -> Self {
        let aes = Aes256::new(key.into());
        let mut zero = Block::default();
        aes.encrypt_block(&mut zero);
        let zero = Zeroizing::new(u128::from_be_bytes(zero.into()));
        // The doubling of CMAC in GF(2^128).
        let mask = Zeroizing::new(*zero << 1 ^ if *zero >> 127 == 1 { 0x87 } else { 0 });
        Self { aes, mask }
    }

    /// Encrypts `data` in place and returns the tag.
    ///
    /// The caller bounds the length of `data` far below the cipher's limit of 2^36 bytes.
    #[inline(never)]
    pub fn encrypt(&self, nonce: &[u8; NONCE_LEN], aad: &[u8], data: &mut [u8]) -> [u8; TAG_LEN] {
        let (key, nonce) = self.gcm_key(nonce);
        gcm_encrypt(&key, &nonce, aad, data)
    }

    /// Verifies `tag` and only then decrypts `data` in place.
    ///
    /// # Errors
    /// [`Unauthentic`] if the tag does not match. `data` then stays encrypted.
    #[inline(never)]
    pub fn decrypt(
        &self,
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        data: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Result<(), Unauthentic> {
        let (key, nonce) = self.gcm_key(nonce);
        gcm_decrypt(&key, &nonce, aad, data, tag)
    }

    /// Derives the key and the nonce with which AES-256-GCM encrypts and decrypts this one message. A platform that has
    /// AES-256-GCM but not this cipher can use them too.
    #[must_use]
    #[inline(never)]
    pub fn gcm_key(&self, nonce: &[u8; NONCE_LEN]) -> (Zeroizing<[u8; KEY_LEN]>, [u8; GCM_NONCE_LEN]) {
        let (first, last) = nonce.split_at(NONCE_LEN - GCM_NONCE_LEN);
        let mut parts = [1, 2].map(|number| {
            let mut block = [0; 16];
            block[1] = number;
            block[2] = b'X';
            block[4..].copy_from_slice(first);
            Block::from((u128::from_be_bytes(block) ^ *self.mask).to_be_bytes())
        });
        self.aes.encrypt_blocks(&mut parts);
        let mut derived = Zeroizing::new([0; KEY_LEN]);
        derived[..16].copy_from_slice(&parts[0]);
        derived[16..].copy_from_slice(&parts[1]);
        let mut gcm_nonce = [0; GCM_NONCE_LEN];
        gcm_nonce.copy_from_slice(last);
        (derived, gcm_nonce)
    }
}

/// Encrypts `data` in place with AES-256-GCM and returns the tag.
///
/// The caller bounds the length of `data` as for [`XaesKey::encrypt`], and never uses a nonce for two different inputs.
#[inline(never)]
pub fn gcm_encrypt(
    key: &[u8; KEY_LEN],
    nonce: &[u8; GCM_NONCE_LEN],
    aad: &[u8],
    data: &mut [u8],
) -> [u8; TAG_LEN] {
    cipher(key)
        .encrypt_inout_detached(nonce.into(), aad, InOutBuf::from(data))
        .expect("messages are bounded far below 2^36 bytes")
        .into()
}

/// Verifies `tag` and only then decrypts `data` in place with AES-256-GCM.
///
/// # Errors
/// As [`XaesKey::decrypt`].
#[inline(never)]
pub fn gcm_decrypt(
    key: &[u8; KEY_LEN],
    nonce: &[u8; GCM_NONCE_LEN],
    aad: &[u8],
    data: &mut [u8],
    tag: &[u8; TAG_LEN],
) -> Result<(), Unauthentic> {
    cipher(key)
        .decrypt_inout_detached(nonce.into(), aad, InOutBuf::from(data), tag.into())
        .map_err(|_| Unauthentic)
}

/// Returns the cipher of one message. Its key schedule, on the stack, is not erased: the code for that has 0.8 kB in plain JavaScript.
/// Keys that outlive a message are erased.
fn cipher(key: &[u8; KEY_LEN]) -> ManuallyDrop<Aes256Gcm> {
    ManuallyDrop::new(Aes256Gcm::new(key.into()))
}

#[cfg(test)]
mod tests {
    extern crate alloc;
    use super::*;
    use alloc::{vec, vec::Vec};
    use shake::{
        Shake128,
        digest::{ExtendableOutput, Update, XofReader},
    };

    fn read<const N: usize>(stream: &mut impl XofReader) -> [u8; N] {
        let mut bytes = [0; N];
        stream.read(&mut bytes);
        bytes
    }

    fn read_up_to_255(stream: &mut impl XofReader) -> Vec<u8> {
        let [length] = read(stream);
        let mut bytes = vec![0; usize::from(length)];
        stream.read(&mut bytes);
        bytes
    }

    #[test]
    fn ten_thousand_random_c2sp_cases_have_the_published_digest() {
        let mut cases = Shake128::default().finalize_xof();
        let mut digest = Shake128::default();
        for _ in 0..10_000 {
            let key: [u8; KEY_LEN] = read(&mut cases);
            let nonce: [u8; NONCE_LEN] = read(&mut cases);
            let plaintext = read_up_to_255(&mut cases);
            let aad = read_up_to_255(&mut cases);
            let mut data = plaintext.clone();
            let key = XaesKey::new(&key);
            let tag = key.encrypt(&nonce, &aad, &mut data);
            digest.update(&data);
            digest.update(&tag);
            assert_eq!(key.decrypt(&nonce, &aad, &mut data, &tag), Ok(()));
            assert_eq!(data, plaintext);
        }
        let published = [
            0xe6, 0xb9, 0xed, 0xf2, 0xdf, 0x6c, 0xec, 0x60, 0xc8, 0xcb, 0xd8, 0x64, 0xe2, 0x21, 0x1b, 0x59,
            0x7f, 0xb6, 0x9a, 0x52, 0x91, 0x60, 0xcd, 0x04, 0x0d, 0x56, 0xc0, 0xc2, 0x10, 0x08, 0x19, 0x39,
        ];
        assert_eq!(read::<32>(&mut digest.finalize_xof()), published);
    }

    #[test]
    fn data_that_fails_authentication_stays_encrypted() {
        let (key, nonce) = (XaesKey::new(&[1; KEY_LEN]), [2; NONCE_LEN]);
        let mut data = *b"secret";
        let mut tag = key.encrypt(&nonce, b"aad", &mut data);
        let sealed = data;
        tag[0] ^= 1;
        assert_eq!(key.decrypt(&nonce, b"aad", &mut data, &tag), Err(Unauthentic));
        assert_eq!(data, sealed);
    }
}
