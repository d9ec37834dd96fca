//! A list of small things that costs no allocation while there are few of them, as in nearly every request.

use alloc::vec::Vec;
use core::ops::Deref;

const PLACES: usize = 4;

/// Up to four items in place, more of them in a `Vec`.
#[derive(Debug, Clone, Default)]
pub(crate) enum Handful<T> {
    #[default]
    Empty,
    Few {
        /// The places behind the first `count` hold copies that mean nothing.
        items: [T; PLACES],
        count: u8,
    },
    Many(Vec<T>),
}

impl<T: Copy + PartialEq> Handful<T> {
    pub(crate) fn push(&mut self, item: T) {
        match self {
            Self::Empty => *self = Self::Few { items: [item; PLACES], count: 1 },
            Self::Few { items, count } => {
                if let Some(place) = items.get_mut(usize::from(*count)) {
                    *place = item;
                    *count += 1;
                } else {
                    let mut many = Vec::with_capacity(2 * PLACES);
                    many.extend_from_slice(items);
                    many.push(item);
                    *self = Self::Many(many);
                }
            }
            Self::Many(many) => many.push(item),
        }
    }

    /// Adds what is not yet there.
    pub(crate) fn insert(&mut self, item: T) {
        if !self.contains(&item) {
            self.push(item);
        }
    }
}

impl<T> Deref for Handful<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match self {
            Self::Empty => &[],
            Self::Few { items, count } => items.get(..usize::from(*count)).unwrap_or_default(),
            Self::Many(many) => many,
        }
    }
}

impl<T: Copy + PartialEq> FromIterator<T> for Handful<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut handful = Self::default();
        for item in items {
            handful.push(item);
        }
        handful
    }
}

impl<T: Copy + PartialEq, const N: usize> From<[T; N]> for Handful<T> {
    fn from(items: [T; N]) -> Self {
        items.into_iter().collect()
    }
}

impl<T: Copy + PartialEq> From<&[T]> for Handful<T> {
    fn from(items: &[T]) -> Self {
        items.iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Handful;
    use alloc::vec::Vec;

    #[test]
    fn nothing_is_lost_between_few_and_many() {
        for count in 0..12_u8 {
            let handful: Handful<u8> = (0..count).collect();
            assert_eq!(handful.to_vec(), (0..count).collect::<Vec<_>>());
        }
        let mut handful = Handful::from([1, 2]);
        handful.insert(2);
        assert_eq!(*handful, [1, 2]);
    }
}
