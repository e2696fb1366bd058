//! Lists that are shown a page at a time.

use crate::conversation::{callback::ShopCallback, screen::Button};

/// Each item is a row of buttons: more of them would have to be scrolled on a phone.
pub(crate) const PER_PAGE: usize = 8;

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page<'a, T> {
    pub(crate) items: &'a [T],
    /// From 0.
    number: u32,
    /// At least 1.
    count: u32,
}

impl<'a, T> Page<'a, T> {
    /// The page with this number, or the last one: a list may have become shorter since its buttons were shown.
    pub(crate) fn of(all: &'a [T], number: u32) -> Self {
        let count = u32::try_from(all.len().div_ceil(PER_PAGE)).unwrap_or(u32::MAX).max(1);
        let number = number.min(count - 1);
        let index = usize::try_from(number).unwrap_or(usize::MAX);
        Self { items: all.chunks(PER_PAGE).nth(index).unwrap_or_default(), number, count }
    }

    pub(crate) fn number(&self) -> u32 {
        self.number
    }

    /// The buttons that turn the page; none where there is one page.
    pub(crate) fn turning(&self, to: impl Fn(u32) -> ShopCallback) -> Vec<Button> {
        if self.count == 1 {
            return Vec::new();
        }
        let shown = format!("{} / {}", self.number + 1, self.count);
        let before = self.number.checked_sub(1).map(|before| Button::callback("◀️", to(before)));
        let after = (self.number + 1 < self.count).then(|| Button::callback("▶️", to(self.number + 1)));
        before.into_iter().chain([Button::callback(shown, ShopCallback::Nothing)]).chain(after).collect()
    }
}

/// On which page the item with this index is.
pub(crate) fn number_of(index: usize) -> u32 {
    u32::try_from(index / PER_PAGE).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(buttons: &[Button]) -> Vec<&str> {
        buttons
            .iter()
            .map(|button| match button {
                Button::Callback { label, .. } => label.as_str(),
                Button::Link { .. } | Button::SearchHere { .. } | Button::Share { .. } => "",
            })
            .collect()
    }

    #[test]
    fn a_list_is_cut_into_pages_and_a_page_that_is_gone_is_the_last_one() {
        let all: Vec<usize> = (0..17).collect();
        let to = |page| ShopCallback::Categories { page };
        assert_eq!(Page::of(&all, 0).items, &all[..8]);
        assert_eq!(labels(&Page::of(&all, 0).turning(to)), ["1 / 3", "▶️"]);
        assert_eq!(labels(&Page::of(&all, 1).turning(to)), ["◀️", "2 / 3", "▶️"]);
        assert_eq!(Page::of(&all, u32::MAX), Page::of(&all, 2));
        assert_eq!(Page::of(&all, 2).items, [16]);
        assert_eq!(number_of(16), 2);
    }

    #[test]
    fn a_short_or_empty_list_is_one_page_that_cannot_be_turned() {
        for all in [vec![], vec![1; PER_PAGE]] {
            let page = Page::of(&all, 3);
            assert_eq!((page.items, page.number()), (all.as_slice(), 0));
            assert!(page.turning(|page| ShopCallback::Categories { page }).is_empty());
        }
    }
}
