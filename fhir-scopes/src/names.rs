//! A cheap hash of names, used by the look-up tables that are laid out when the crate is compiled.

/// Sets the bit that tells lower from upper case in every byte.
const LOWER_CASE: u64 = 0x2020_2020_2020_2020;

/// The place of a name among `slots`, a power of two. Looks at the ends of a name and its length, eight bytes at a time.
pub(crate) const fn slot(name: &[u8], slots: usize) -> usize {
    slot_within(0, name, slots)
}

/// The same for a name that belongs to something: to a type, by its number.
pub(crate) const fn slot_within(owner: usize, name: &[u8], slots: usize) -> usize {
    place(ends(name), owner << 8 ^ name.len(), slots)
}

/// The same where upper and lower case are one. Only for names of letters.
pub(crate) const fn slot_of_letters(name: &[u8], slots: usize) -> usize {
    let (first, last) = ends(name);
    place((first | LOWER_CASE, last | LOWER_CASE), name.len(), slots)
}

#[allow(clippy::cast_possible_truncation, reason = "the upper half of a hash is as good as the whole")]
const fn place((first, last): (u64, u64), rest: usize, slots: usize) -> usize {
    let mixed = (first ^ last.rotate_left(29) ^ rest as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 40) as usize % slots
}

/// The first and the last eight bytes, which overlap in short names.
const fn ends(name: &[u8]) -> (u64, u64) {
    if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
        return (u64::from_le_bytes(*first), u64::from_le_bytes(*last));
    }
    if let (Some(first), Some(last)) = (name.first_chunk(), name.last_chunk()) {
        return (u32::from_le_bytes(*first) as u64, u32::from_le_bytes(*last) as u64);
    }
    let mut all = 0;
    let mut i = 0;
    while i < name.len() {
        all = all << 8 | name[i] as u64;
        i += 1;
    }
    (all, 0)
}
