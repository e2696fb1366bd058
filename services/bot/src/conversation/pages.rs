//! Lists that are shown a page at a time.

use crate::conversation::{
    callback::{CallbackData, ShopCallback},
    screen::Button,
};

/// Each item is a row of buttons: more would have to be scrolled on a phone.
pub(crate) const PER_PAGE: u32 = 8;
/// A store passes over the items before a page: so many pages of a list that grows for ever.
pub(crate) const PAGES_MAX: u32 = 100;

/// One page of a list that is in memory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Page<'a, T> {
    pub(crate) items: &'a [T],
    /// From 0.
    pub(crate) number: u32,
    count: u32,
}

impl<'a, T> Page<'a, T> {
    /// The page with this number, or the last one: a list may have become shorter since its buttons were shown.
    pub(crate) fn of(all: &'a [T], number: u32) -> Self {
        let count = count(all.len());
        let number = number.min(count - 1);
        Self {
            items: all.chunks(to_usize(PER_PAGE)).nth(to_usize(number)).unwrap_or_default(),
            number,
            count,
        }
    }

    /// The index of its first item in the list.
    pub(crate) fn first(&self) -> usize {
        to_usize(self.number).saturating_mul(to_usize(PER_PAGE))
    }

    pub(crate) fn buttons<C: Into<CallbackData>>(&self, to: impl Fn(u32) -> C) -> Vec<Button> {
        page_buttons(self.number, self.count, to)
    }
}

/// The buttons that lead to the other pages; none where there is one page.
pub(crate) fn page_buttons<C: Into<CallbackData>>(
    number: u32,
    count: u32,
    to: impl Fn(u32) -> C,
) -> Vec<Button> {
    if count < 2 {
        return Vec::new();
    }
    let before = number.checked_sub(1).map(|before| Button::callback("◀️", to(before)));
    let next = number.saturating_add(1);
    let after = (next < count).then(|| Button::callback("▶️", to(next)));
    let shown = Button::callback(format!("{next} / {count}"), ShopCallback::Nothing);
    before.into_iter().chain([shown]).chain(after).collect()
}

/// The same for a list that is too long to be counted. Beyond [`PAGES_MAX`] pages one searches instead.
pub(crate) fn uncounted_page_buttons<C: Into<CallbackData>>(
    number: u32,
    has_next: bool,
    to: impl Fn(u32) -> C,
) -> Vec<Button> {
    let before = number.checked_sub(1).map(|before| Button::callback("◀️", to(before)));
    let next = number.saturating_add(1);
    let after = (has_next && next < PAGES_MAX).then(|| Button::callback("▶️", to(next)));
    if before.is_none() && after.is_none() {
        return Vec::new();
    }
    let shown = Button::callback(next.to_string(), ShopCallback::Nothing);
    before.into_iter().chain([shown]).chain(after).collect()
}

/// How many pages a list of this length has; at least 1.
pub(crate) fn count(length: impl TryInto<u32>) -> u32 {
    length.try_into().unwrap_or(u32::MAX).div_ceil(PER_PAGE).max(1)
}

/// The page that the item with this index is on.
pub(crate) fn page_of_index(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX) / PER_PAGE
}

fn to_usize(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
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
    fn a_list_is_cut_into_pages_and_a_page_beyond_the_end_is_the_last_one() {
        let all: Vec<usize> = (0..17).collect();
        let to = |page| ShopCallback::Categories { page };
        assert_eq!(Page::of(&all, 0).items, &all[..8]);
        assert_eq!(labels(&Page::of(&all, 0).buttons(to)), ["1 / 3", "▶️"]);
        assert_eq!(labels(&Page::of(&all, 1).buttons(to)), ["◀️", "2 / 3", "▶️"]);
        assert_eq!(Page::of(&all, u32::MAX), Page::of(&all, 2));
        assert_eq!((Page::of(&all, 2).items, Page::of(&all, 2).first()), (&[16][..], 16));
        assert_eq!(page_of_index(16), 2);
    }

    #[test]
    fn a_list_that_is_not_counted_is_paged_up_to_a_limit() {
        let to = |page| ShopCallback::Categories { page };
        let buttons = |number, has_next| uncounted_page_buttons(number, has_next, to);
        assert!(buttons(0, false).is_empty());
        assert_eq!(labels(&buttons(0, true)), ["1", "▶️"]);
        assert_eq!(labels(&buttons(2, true)), ["◀️", "3", "▶️"]);
        assert_eq!(labels(&buttons(2, false)), ["◀️", "3"]);
        assert_eq!(labels(&buttons(PAGES_MAX - 1, true)), ["◀️", "100"]);
    }

    #[test]
    fn a_short_or_empty_list_is_one_page_without_buttons() {
        for all in [vec![], vec![1; to_usize(PER_PAGE)]] {
            let page = Page::of(&all, 3);
            assert_eq!((page.items, page.number), (all.as_slice(), 0));
            assert!(page.buttons(|page| ShopCallback::Categories { page }).is_empty());
        }
    }
}
