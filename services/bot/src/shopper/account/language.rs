//! The choice of a language.

use tolov_domain::Language;

use crate::{
    conversation::{callback::ShopCallback, screen::Button},
    texts::l,
};

/// A row for each language, in its own words.
pub(crate) fn language_buttons(chosen: Option<Language>) -> Vec<Vec<Button>> {
    let button = |language: Language| {
        let name = l!(language, "language-name");
        let label = if chosen == Some(language) { format!("✅ {name}") } else { name };
        vec![Button::callback(label, ShopCallback::ChooseLanguage { language })]
    };
    Language::ALL.into_iter().map(button).collect()
}
