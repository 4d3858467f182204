//! XAES-256-GCM (C2SP): AES-256-GCM with a key derived from the first half of each 192-bit nonce, so that the number of random
//! nonces is practically unlimited. Nonces with the same first half share a key, which [`GcmKey`] expands once for all of them.
//!
//! This is a separate crate because its functions are compiled for speed, while the rest of the browser build is
//! compiled for size. Those that compute are neither generic nor inlined, so that this crate's profile applies to them.
#![no_std]

use aes_gcm::{
    AeadCore, AeadInOut as _, Aes256Gcm, KeyInit as _,
    aead::{array::typenum::Unsigned as _, inout::InOutBuf},
    aes::{Aes256, Block, cipher::BlockCipherEncrypt as _},
};
use zeroize::Zeroizing;

/// The length of a key in bytes.
pub const KEY_LEN: usize = 32;
/// The length of a nonce in bytes.
pub const NONCE_LEN: usize = 24;
/// The length of the authentication tag in bytes.
pub const TAG_LEN: usize = <Aes256Gcm as AeadCore>::TagSize::USIZE;

/// The length of an AES-GCM nonce in bytes.
pub const GCM_NONCE_LEN: usize = 12;
/// The length in bytes of the part of a nonce that selects the key of AES-256-GCM.
pub const PREFIX_LEN: usize = NONCE_LEN - GCM_NONCE_LEN;

/// The error for a ciphertext, tag, key, nonce or associated data that differs from that of the encryption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unauthentic;

/// A key of XAES-256-GCM, expanded once for all of its messages. It is erased when it is dropped.
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
    #[must_use]
    pub fn encrypt(&self, nonce: &[u8; NONCE_LEN], aad: &[u8], data: &mut [u8]) -> [u8; TAG_LEN] {
        let (prefix, nonce) = split(nonce);
        self.gcm_key(prefix).encrypt(nonce, aad, data)
    }

    /// Verifies `tag` and only then decrypts `data` in place.
    ///
    /// # Errors
    /// As [`GcmKey::decrypt`].
    pub fn decrypt(
        &self,
        nonce: &[u8; NONCE_LEN],
        aad: &[u8],
        data: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Result<(), Unauthentic> {
        let (prefix, nonce) = split(nonce);
        self.gcm_key(prefix).decrypt(nonce, aad, data, tag)
    }

    /// Derives and expands the key with which AES-256-GCM encrypts and decrypts all messages whose nonce begins with `prefix`. The
    /// rest of the nonce is that of AES-256-GCM.
    #[must_use]
    pub fn gcm_key(&self, prefix: &[u8; PREFIX_LEN]) -> GcmKey {
        GcmKey::new(&self.derive(prefix))
    }

    /// Derives the bytes of [`Self::gcm_key`], for a platform that has AES-256-GCM but not this cipher.
    #[must_use]
    #[inline(never)]
    pub fn derive(&self, prefix: &[u8; PREFIX_LEN]) -> Zeroizing<[u8; KEY_LEN]> {
        let mut parts = [1, 2].map(|number| {
            let mut block = [0; 16];
            block[1] = number;
            block[2] = b'X';
            block[4..].copy_from_slice(prefix);
            Block::from((u128::from_be_bytes(block) ^ *self.mask).to_be_bytes())
        });
        self.aes.encrypt_blocks(&mut parts);
        let mut derived = Zeroizing::new([0; KEY_LEN]);
        derived[..16].copy_from_slice(&parts[0]);
        derived[16..].copy_from_slice(&parts[1]);
        derived
    }
}

/// Splits a nonce into the prefix that selects the key and the nonce of AES-256-GCM.
#[must_use]
pub fn split(nonce: &[u8; NONCE_LEN]) -> (&[u8; PREFIX_LEN], &[u8; GCM_NONCE_LEN]) {
    let (prefix, rest) = nonce.split_first_chunk().expect("a nonce is longer than its prefix");
    (prefix, rest.try_into().expect("the rest of a nonce has the length of a nonce of AES-GCM"))
}

/// A key of AES-256-GCM, expanded once for all of its messages. It is erased when it is dropped.
#[derive(Clone)]
pub struct GcmKey(Aes256Gcm);

impl GcmKey {
    /// Expands a key.
    #[must_use]
    #[inline(never)]
    pub fn new(key: &[u8; KEY_LEN]) -> Self {
        Self(Aes256Gcm::new(key.into()))
    }

    /// Encrypts `data` in place and returns the tag.
    ///
    /// The caller bounds the length of `data` as for [`XaesKey::encrypt`], and never uses a nonce for two different inputs.
    #[must_use]
    #[inline(never)]
    pub fn encrypt(&self, nonce: &[u8; GCM_NONCE_LEN], aad: &[u8], data: &mut [u8]) -> [u8; TAG_LEN] {
        self.0
            .encrypt_inout_detached(nonce.into(), aad, InOutBuf::from(data))
            .expect("messages are bounded far below 2^36 bytes")
            .into()
    }

    /// Verifies `tag` and only then decrypts `data` in place.
    ///
    /// # Errors
    /// [`Unauthentic`] if the tag does not match. `data` then stays encrypted.
    #[inline(never)]
    pub fn decrypt(
        &self,
        nonce: &[u8; GCM_NONCE_LEN],
        aad: &[u8],
        data: &mut [u8],
        tag: &[u8; TAG_LEN],
    ) -> Result<(), Unauthentic> {
        self.0
            .decrypt_inout_detached(nonce.into(), aad, InOutBuf::from(data), tag.into())
            .map_err(|_| Unauthentic)
    }
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
