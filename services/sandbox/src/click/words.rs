//! The payment page's words: Uzbek, Russian, English, as CLICK's own page has them.

use tolov_domain::Language;

/// One text in the three languages of [`Language::ALL`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Words(&'static str, &'static str, &'static str);

impl Words {
    pub(super) const fn in_language(self, language: Language) -> &'static str {
        match language {
            Language::Uz => self.0,
            Language::Ru => self.1,
            Language::En => self.2,
        }
    }
}

pub(super) const PAYMENT: Words = Words("To'lov", "Оплата", "Payment");
pub(super) const CONFIRMATION: Words = Words("Tasdiqlash", "Подтверждение", "Confirmation");
pub(super) const NOT_POSSIBLE: Words =
    Words("To'lab bo'lmaydi", "Оплата невозможна", "Payment is not possible");
pub(super) const ORDER: Words = Words("Buyurtma", "Заказ", "Order");
pub(super) const AMOUNT: Words = Words("Summa", "Сумма", "Amount");
pub(super) const SOUM: Words = Words("so'm", "сум", "so'm");
pub(super) const CARD_NUMBER: Words = Words("Karta raqami", "Номер карты", "Card number");
pub(super) const VALID_UNTIL: Words =
    Words("Amal qilish muddati (OO/YY)", "Срок действия (ММ/ГГ)", "Valid until (MM/YY)");
pub(super) const PAY: Words = Words("To'lash", "Оплатить", "Pay");
pub(super) const SMS_SENT: Words = Words(
    "Tasdiqlash kodi shu raqamga yuborildi:",
    "Код подтверждения отправлен на номер",
    "A code was sent to",
);
pub(super) const SMS_CODE: Words = Words("SMS dagi kod", "Код из СМС", "Code from the SMS");
pub(super) const CONFIRM: Words = Words("Tasdiqlash", "Подтвердить", "Confirm");
pub(super) const CANCEL: Words = Words("To'lovni bekor qilish", "Отменить оплату", "Cancel the payment");
pub(super) const TEST_CARD_HINT: Words = Words(
    "Sinov kartasi: {card}, {expiry}. Boshqa kartalarda pul yo'q.",
    "Тестовая карта: {card}, {expiry}. На любой другой нет денег.",
    "Test card: {card}, {expiry}. Any other card has no money on it.",
);
pub(super) const TEST_CODE_HINT: Words = Words("Sinov kodi:", "Тестовый код:", "Test code:");
pub(super) const BAD_CARD: Words = Words(
    "Kartaning 16 ta raqamini, oy va yilni OO/YY ko'rinishida yozing.",
    "Введите 16 цифр карты, месяц и год как ММ/ГГ.",
    "Write the 16 digits of the card, and month and year as MM/YY.",
);
pub(super) const WRONG_CODE: Words = Words(
    "Kod noto'g'ri. SMS ga yana qarang.",
    "Неверный код. Посмотрите СМС ещё раз.",
    "The code is wrong. Look at the SMS again.",
);
pub(super) const GONE: Words = Words(
    "Bu to'lov tugagan yoki hozir bajarilmoqda. Havolani qaytadan oching.",
    "Этот платёж уже завершён или выполняется. Откройте ссылку заново.",
    "This payment has ended already, or is being worked on. Open the pay link anew.",
);
pub(super) const NO_SUCH_PAGE: Words =
    Words("Bunday sahifa yo'q.", "Такой страницы нет.", "There is no such page.");
pub(super) const PAID: Words = Words("To'landi", "Оплачено", "Paid");
pub(super) const PAID_MORE: Words =
    Words("To'lov muvaffaqiyatli o'tdi.", "Платёж прошёл успешно.", "The payment went through.");
pub(super) const NOT_PAID: Words = Words("To'lanmadi", "Не оплачено", "Not paid");
pub(super) const SHOP_REFUSED: Words =
    Words("Do'kon to'lovni qabul qilmadi:", "Магазин не принял платёж:", "The shop did not accept it:");
pub(super) const NO_MONEY: Words = Words(
    "Kartada mablag' yetarli emas.",
    "На карте недостаточно средств.",
    "There is not enough money on the card.",
);
pub(super) const CANCELLED: Words = Words("Bekor qilindi", "Отменено", "Cancelled");
pub(super) const CANCELLED_MORE: Words = Words(
    "To'lov bekor qilindi. Pul yechilmadi.",
    "Платёж отменён. Деньги не списаны.",
    "The payment was cancelled. No money was taken.",
);
pub(super) const GIVEN_BACK: Words = Words("Qaytarildi", "Возвращено", "Given back");
pub(super) const GIVEN_BACK_MORE: Words = Words(
    "To'lov qaytarildi. Pul yana kartada.",
    "Платёж возвращён. Деньги снова на карте.",
    "The payment was reversed. The money is back on the card.",
);
pub(super) const IN_WORK: Words = Words("Bajarilmoqda", "Выполняется", "In work");
pub(super) const SHOP_SILENT: Words = Words(
    "Do'kon hali javob bermadi. To'lov sizsiz ham davom etadi.",
    "Магазин ещё не ответил. Платёж продолжится без вас.",
    "The shop has not answered yet. The payment goes on without you.",
);
pub(super) const SHOP_MUTE: Words = Words(
    "Do'kon javob bermayapti. CLICK xodimlari to'lovni ko'rib chiqadi.",
    "Магазин не отвечает. Платёж рассмотрит поддержка CLICK.",
    "The shop does not answer. CLICK's support looks into the payment.",
);
pub(super) const PAYMENT_NUMBER: Words = Words("To'lov raqami", "Номер платежа", "Payment number");
pub(super) const BACK_TO_SHOP: Words = Words("Do'konga qaytish", "Вернуться в магазин", "Back to the shop");
pub(super) const SANDBOX: Words = Words(
    "Bu Tolov sinov maydoni: haqiqiy pul ishlatilmaydi.",
    "Это песочница Tolov: настоящих денег здесь нет.",
    "This is Tolov's sandbox: no real money moves.",
);
