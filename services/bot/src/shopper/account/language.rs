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

/// The other languages in one row, for a first screen.
pub(crate) fn language_switch(current: Language, to: impl Fn(Language) -> ShopCallback) -> Vec<Button> {
    let others = Language::ALL.into_iter().filter(|language| *language != current);
    others.map(|language| Button::callback(l!(language, "language-name"), to(language))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_chosen_language_is_marked_and_the_switch_offers_the_others() {
        assert_eq!(
            language_buttons(Some(Language::Ru)).concat()[1],
            Button::callback("✅ 🇷🇺 Русский", ShopCallback::ChooseLanguage { language: Language::Ru })
        );
        assert_eq!(
            language_switch(Language::Uz, |language| ShopCallback::StartIn { language }),
            [
                Button::callback("🇷🇺 Русский", ShopCallback::StartIn { language: Language::Ru }),
                Button::callback("🇬🇧 English", ShopCallback::StartIn { language: Language::En }),
            ]
        );
    }
}
