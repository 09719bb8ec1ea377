//! The 64-bit hash FNV-1a (Fowler, Noll & Vo): the same on every machine and for ever.
//!
//! In: bytes. Out: a number that goes into files and seeds; no protection against malice.

/// The hash of no bytes.
pub(crate) const FNV_OFFSET: u64 = 0xcbf2_9ce4_8422_2325;

/// The hash of bytes.
pub(crate) fn fnv_1a(bytes: &[u8]) -> u64 {
    add_to_hash(FNV_OFFSET, bytes)
}

/// The hash of what `hash` is the hash of, followed by `bytes`.
pub(crate) fn add_to_hash(hash: u64, bytes: &[u8]) -> u64 {
    let add = |hash: u64, &byte: &u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    bytes.iter().fold(hash, add)
}
