//! The buttons of shoppers.

use tolov_domain::{Language, OrderId, ProductId};

use crate::conversation::callback::argument::callbacks;

callbacks! {
    /// The buttons of shoppers.
    ShopCallback {
        Menu = "m",
        ChooseLanguage { language: Language } = "l",
        Languages = "ls",
        /// On the first screen of a new shopper: another language.
        StartIn { language: Language } = "li",
        /// The same where the first screen is a card.
        ProductIn { id: ProductId, language: Language } = "pi",
        Categories { page: u32 } = "cs",
        Category { id: i64, page: u32 } = "c",
        /// The page of its category that a product is on.
        PageOf { product_id: ProductId } = "cp",
        /// The card of a product.
        Product { id: ProductId } = "p",
        /// The card of one variant of it.
        Variant { product_id: ProductId, article_id: ProductId } = "v",
        /// The same with another photo, from 0; where the article is the product, the card of the product.
        Photo { product_id: ProductId, article_id: ProductId, photo: u32 } = "ph",
        /// On a card: sets the quantity in the cart.
        SetOnCard { article_id: ProductId, count: u32 } = "sc",
        /// On a card: the quantity is going to be typed.
        AskQuantity { article_id: ProductId } = "sq",
        Cart = "k",
        CartPage { page: u32 } = "kp",
        /// The changes of the cart are accepted.
        AcceptNews = "ka",
        /// In the cart: sets the quantity.
        SetInCart { article_id: ProductId, count: u32 } = "sk",
        ClearCart = "kc",
        ClearCartConfirmed = "kcs",
        AskPromo = "pr",
        DropPromo = "prd",
        CheckOut = "co",
        Pickup = "cou",
        Deliver = "cod",
        /// In checkout: another number, address, landmark or comment.
        ChangeOrderPhone = "cop",
        ChangeAddress = "coa",
        ChangeLandmark = "col",
        ChangeComment = "coc",
        RemoveComment = "con",
        /// In checkout: back from a question.
        CheckoutBack = "cob",
        /// Places the order that is shown.
        PlaceOrder = "cog",
        LeaveCheckout = "cox",
        /// Cancels the unpaid order and begins another one.
        ReplaceOrder { id: OrderId } = "cor",
        Orders { page: u32 } = "os",
        OpenOrder { id: OrderId } = "o",
        CheckPayment { id: OrderId } = "oc",
        /// Has CLICK send a bill to the number of the order.
        BillToPhone { id: OrderId } = "ob",
        /// Sends Telegram's invoice of the order.
        PayInTelegram { id: OrderId } = "ot",
        CancelOrder { id: OrderId } = "ox",
        CancelOrderConfirmed { id: OrderId } = "oxs",
        OrderAgain { id: OrderId } = "oa",
        Profile = "me",
        ChangePhone = "mep",
        Invite = "mei",
        Help = "h",
        AskSupport = "su",
        /// The same, below an answer of staff.
        ReplyToStaff = "sur",
        Search = "f",
        FoundPage { page: u32 } = "fp",
        /// A label: a count, a page number.
        Nothing = "-",
    }
}
