//! AES-256-GCM (NIST SP 800-38D) with nonces of 96 bits, composed of AES and GHASH.
//!
//! A message has a key of its own, so the first blocks are a large part of its cost. Here the key of GHASH, the mask of the tag
//! and the first blocks of the key stream are encrypted together, by the instructions for several blocks at once.

use crate::{GCM_NONCE_LEN, KEY_LEN, TAG_LEN, Unauthentic};
use aes::{
    Aes256, Block,
    cipher::{
        BlockCipherEncBackend, BlockCipherEncClosure, BlockCipherEncrypt as _, BlockSizeUser, KeyInit as _,
        ParBlocks, consts::U16, typenum::Unsigned as _,
    },
};
use ghash::{GHash, universal_hash::UniversalHash as _};

const BLOCK_LEN: usize = 16;
/// The number of blocks that are encrypted at once, a multiple of those that AES encrypts in parallel as software.
const CHUNK: usize = 4;

/// The state of one message.
pub(crate) struct Gcm {
    aes: Aes256,
    ghash: GHash,
    mask: Block,
    /// The first blocks of the key stream.
    head: [Block; CHUNK - 2],
    nonce: [u8; GCM_NONCE_LEN],
}

impl Gcm {
    pub(crate) fn new(key: &[u8; KEY_LEN], nonce: &[u8; GCM_NONCE_LEN]) -> Self {
        let aes = Aes256::new(key.into());
        let mut blocks = [Block::default(), counter(nonce, 1), counter(nonce, 2), counter(nonce, 3)];
        encrypt_blocks(&aes, &mut blocks);
        let [hash_key, mask, head @ ..] = blocks;
        Self { aes, ghash: GHash::new(&hash_key), mask, head, nonce: *nonce }
    }

    /// Encrypts or decrypts `data` in place.
    pub(crate) fn apply_key_stream(&self, data: &mut [u8]) {
        let (head, rest) = data.split_at_mut(data.len().min(self.head.len() * BLOCK_LEN));
        xor(head, &self.head);
        // The caller bounds the length of `data` far below 2^32 blocks.
        let mut number = 2 + self.head.len() as u32;
        for chunk in rest.chunks_mut(CHUNK * BLOCK_LEN) {
            let mut blocks = [Block::default(); CHUNK];
            let blocks = &mut blocks[..chunk.len().div_ceil(BLOCK_LEN)];
            for block in &mut *blocks {
                *block = counter(&self.nonce, number);
                number += 1;
            }
            encrypt_blocks(&self.aes, blocks);
            xor(chunk, blocks);
        }
    }

    /// Returns the tag of a ciphertext.
    pub(crate) fn tag(&self, aad: &[u8], ciphertext: &[u8]) -> [u8; TAG_LEN] {
        let mut tag = self.hash(aad, ciphertext).finalize();
        xor(&mut tag, &[self.mask]);
        tag.into()
    }

    /// Compares the tag of a ciphertext with `tag` in constant time.
    pub(crate) fn verify(
        &self,
        aad: &[u8],
        ciphertext: &[u8],
        tag: &[u8; TAG_LEN],
    ) -> Result<(), Unauthentic> {
        let mut expected = Block::from(*tag);
        xor(&mut expected, &[self.mask]);
        self.hash(aad, ciphertext).verify(&expected).map_err(|_| Unauthentic)
    }

    fn hash(&self, aad: &[u8], ciphertext: &[u8]) -> GHash {
        let mut ghash = self.ghash.clone();
        ghash.update_padded(aad);
        ghash.update_padded(ciphertext);
        let mut lengths = Block::default();
        lengths[..8].copy_from_slice(&bits(aad).to_be_bytes());
        lengths[8..].copy_from_slice(&bits(ciphertext).to_be_bytes());
        ghash.update(&[lengths]);
        ghash
    }
}

fn bits(bytes: &[u8]) -> u64 {
    bytes.len() as u64 * 8
}

/// Returns the input of AES for a block of the key stream. The block with the number 1 masks the tag.
fn counter(nonce: &[u8; GCM_NONCE_LEN], number: u32) -> Block {
    let mut block = Block::default();
    block[..GCM_NONCE_LEN].copy_from_slice(nonce);
    block[GCM_NONCE_LEN..].copy_from_slice(&number.to_be_bytes());
    block
}

fn xor(data: &mut [u8], blocks: &[Block]) {
    for (byte, key) in data.iter_mut().zip(blocks.iter().flatten()) {
        *byte ^= key;
    }
}

/// Encrypts blocks in parallel. The trait's own method encrypts the last blocks one by one if they do not fill the backend, and
/// each takes as long as several together.
pub(crate) fn encrypt_blocks(aes: &Aes256, blocks: &mut [Block]) {
    struct Parallel<'a>(&'a mut [Block]);

    impl BlockSizeUser for Parallel<'_> {
        type BlockSize = U16;
    }

    impl BlockCipherEncClosure for Parallel<'_> {
        #[inline(always)]
        fn call<B: BlockCipherEncBackend<BlockSize = U16>>(self, backend: &B) {
            for chunk in self.0.chunks_mut(B::ParBlocksSize::USIZE) {
                let mut parallel = ParBlocks::<B>::default();
                parallel[..chunk.len()].copy_from_slice(chunk);
                backend.encrypt_par_blocks((&mut parallel).into());
                chunk.copy_from_slice(&parallel[..chunk.len()]);
            }
        }
    }

    aes.encrypt_with_backend(Parallel(blocks));
}

#[cfg(test)]
mod tests {
    extern crate alloc;
    use crate::{GCM_NONCE_LEN, KEY_LEN, Unauthentic, gcm_decrypt, gcm_encrypt};
    use aes_gcm::{AeadInOut as _, Aes256Gcm, KeyInit as _};
    use alloc::vec::Vec;

    #[test]
    fn every_length_has_the_ciphertext_and_the_tag_of_the_crate_aes_gcm() {
        let (key, nonce) = ([7; KEY_LEN], [9; GCM_NONCE_LEN]);
        let other = Aes256Gcm::new(&key.into());
        for length in 0..=300 {
            let plaintext: Vec<u8> = (0..length).map(|byte: u16| byte as u8).collect();
            let aad = &plaintext[..plaintext.len() / 3];
            let (mut data, mut expected) = (plaintext.clone(), plaintext.clone());
            let tag = gcm_encrypt(&key, &nonce, aad, &mut data);
            let expected_tag = other
                .encrypt_inout_detached(&nonce.into(), aad, expected.as_mut_slice().into())
                .expect("the message is short");
            assert_eq!((&data, tag.as_slice()), (&expected, expected_tag.as_slice()), "{length} bytes");
            assert_eq!(gcm_decrypt(&key, &nonce, aad, &mut data, &tag), Ok(()));
            assert_eq!(data, plaintext);
        }
    }

    #[test]
    fn a_change_of_any_input_is_unauthentic() {
        let (key, nonce, mut data) =
            ([7; KEY_LEN], [9; GCM_NONCE_LEN], *b"forty bytes, two blocks and a part of it");
        let tag = gcm_encrypt(&key, &nonce, b"aad", &mut data);
        let refuses = |key, nonce, aad: &[u8], mut data: [u8; 40], tag| {
            gcm_decrypt(&key, &nonce, aad, &mut data, &tag) == Err(Unauthentic)
        };
        for bit in 0..8 {
            let changed = |byte: u8| byte ^ 1 << bit;
            for at in 0..tag.len() {
                let mut other = tag;
                other[at] = changed(other[at]);
                assert!(refuses(key, nonce, b"aad", data, other), "bit {bit} of byte {at} of the tag");
            }
            for at in 0..data.len() {
                let mut other = data;
                other[at] = changed(other[at]);
                assert!(refuses(key, nonce, b"aad", other, tag), "bit {bit} of byte {at} of the ciphertext");
            }
            let (mut other_key, mut other_nonce) = (key, nonce);
            other_key[3] = changed(key[3]);
            other_nonce[11] = changed(nonce[11]);
            assert!(refuses(other_key, nonce, b"aad", data, tag), "bit {bit} of the key");
            assert!(refuses(key, other_nonce, b"aad", data, tag), "bit {bit} of the nonce");
        }
        assert!(refuses(key, nonce, b"aae", data, tag), "the associated data");
        assert!(refuses(key, nonce, b"aad\0", data, tag), "the length of the associated data");
    }
}
