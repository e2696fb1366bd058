//! A list with a fixed capacity.

use std::collections::VecDeque;

/// The newest entries, oldest first.
#[derive(Debug, Clone)]
pub(crate) struct Ring<T> {
    entries: VecDeque<T>,
    capacity: usize,
}

impl<T> Ring<T> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { entries: VecDeque::new(), capacity }
    }

    /// Adds an entry, and drops the oldest if there are too many.
    pub(crate) fn push(&mut self, entry: T) {
        self.entries.push_back(entry);
        if self.entries.len() > self.capacity {
            self.entries.pop_front();
        }
    }

    /// The newest entry for which `is_meant` is true.
    pub(crate) fn find(&self, is_meant: impl Fn(&T) -> bool) -> Option<&T> {
        self.entries.iter().rev().find(|entry| is_meant(entry))
    }

    /// As [`Ring::find`], to change it.
    pub(crate) fn find_mut(&mut self, is_meant: impl Fn(&T) -> bool) -> Option<&mut T> {
        self.entries.iter_mut().rev().find(|entry| is_meant(entry))
    }

    pub(crate) fn iter(&self) -> impl DoubleEndedIterator<Item = &T> {
        self.entries.iter()
    }

    pub(crate) fn to_vec(&self) -> Vec<T>
    where
        T: Clone,
    {
        self.entries.iter().cloned().collect()
    }

    pub(crate) fn clear(&mut self) {
        self.entries.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_entry_is_dropped() {
        let mut ring = Ring::new(2);
        for entry in 1..=3 {
            ring.push(entry);
        }
        assert_eq!(ring.to_vec(), [2, 3]);
    }
}
