//! The shopper's buttons.

use tolov_domain::{Language, OrderId, ProductId};

use crate::conversation::callback::argument::callbacks;

callbacks! {
    /// What a shopper can tap.
    ShopCallback {
        Menu = "m",
        ChooseLanguage { language: Language } = "l",
        Languages = "ls",
        Categories { page: u32 } = "cs",
        Category { id: i64, page: u32 } = "c",
        /// The card of a product.
        Product { id: ProductId } = "p",
        /// The card of one variant of it.
        Variant { product_id: ProductId, article_id: ProductId } = "v",
        /// From a card: so many into the cart.
        SetOnCard { article_id: ProductId, count: u32 } = "sc",
        Cart = "k",
        CartPage { page: u32 } = "kp",
        /// What is new in the cart was read.
        AcceptNews = "ka",
        /// From the cart: so many.
        SetInCart { article_id: ProductId, count: u32 } = "sk",
        ClearCart = "kc",
        ClearCartConfirmed = "kcs",
        AskPromo = "pr",
        DropPromo = "prd",
        CheckOut = "co",
        /// In checkout: goes on without changing what the step asks.
        KeepPhone = "cop",
        Pickup = "cou",
        Deliver = "cod",
        /// The place of the last order again.
        SamePlace = "cos",
        SkipComment = "coc",
        SkipLandmark = "col",
        /// In checkout: the step before.
        CheckoutBack = "cob",
        /// The summary is agreed to.
        PlaceOrder = "cog",
        LeaveCheckout = "cox",
        Orders { page: u32 } = "os",
        OpenOrder { id: OrderId } = "o",
        CheckPayment { id: OrderId } = "oc",
        CancelOrder { id: OrderId } = "ox",
        CancelOrderConfirmed { id: OrderId } = "oxs",
        OrderAgain { id: OrderId } = "oa",
        Profile = "me",
        ChangePhone = "mep",
        Invite = "mei",
        Help = "h",
        AskSupport = "su",
        Search = "f",
        FoundPage { page: u32 } = "fp",
        /// A label that does nothing: a count, a page number.
        Nothing = "-",
    }
}
