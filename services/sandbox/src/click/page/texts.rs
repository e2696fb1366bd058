//! The payment page's texts in Uzbek, Russian and English.

use tolov_domain::Language;

/// One text in the three languages of [`Language::ALL`].
#[derive(Debug, Clone, Copy)]
pub(super) struct Text(&'static str, &'static str, &'static str);

impl Text {
    pub(super) const fn in_language(self, language: Language) -> &'static str {
        match language {
            Language::Uz => self.0,
            Language::Ru => self.1,
            Language::En => self.2,
        }
    }
}

pub(super) const PAYMENT: Text = Text("To‘lov", "Оплата", "Payment");
pub(super) const CONFIRMATION: Text = Text("Tasdiqlash", "Подтверждение", "Confirmation");
pub(super) const NOT_POSSIBLE: Text =
    Text("To‘lab bo‘lmaydi", "Оплата невозможна", "Payment is not possible");
pub(super) const ORDER: Text = Text("Buyurtma", "Заказ", "Order");
pub(super) const AMOUNT: Text = Text("Summa", "Сумма", "Amount");
pub(super) const SOUM: Text = Text("so‘m", "сум", "UZS");
pub(super) const CARD_NUMBER: Text = Text("Karta raqami", "Номер карты", "Card number");
pub(super) const VALID_UNTIL: Text =
    Text("Amal qilish muddati (OO/YY)", "Срок действия (ММ/ГГ)", "Valid until (MM/YY)");
pub(super) const PAY: Text = Text("To‘lash", "Оплатить", "Pay");
pub(super) const SMS_SENT: Text = Text(
    "Tasdiqlash kodi shu raqamga yuborildi:",
    "Код подтверждения отправлен на номер",
    "A code was sent to",
);
pub(super) const SMS_CODE: Text = Text("SMS dagi kod", "Код из СМС", "Code from the SMS");
pub(super) const CONFIRM: Text = Text("Tasdiqlash", "Подтвердить", "Confirm");
pub(super) const CANCEL: Text = Text("To‘lovni bekor qilish", "Отменить оплату", "Cancel the payment");
pub(super) const TEST_CARD_HINT: Text = Text(
    "Sinov kartasi: {card}, {expiry}. Boshqa kartalarda pul yo‘q.",
    "Тестовая карта: {card}, {expiry}. На любой другой нет денег.",
    "Test card: {card}, {expiry}. Other cards have no money.",
);
pub(super) const TEST_CODE_HINT: Text = Text("Sinov kodi:", "Тестовый код:", "Test code:");
pub(super) const BAD_CARD: Text = Text(
    "Kartaning 16 ta raqamini, oy va yilni OO/YY ko‘rinishida yozing.",
    "Введите 16 цифр карты, месяц и год как ММ/ГГ.",
    "Enter the 16 digits of the card, and month and year as MM/YY.",
);
pub(super) const WRONG_CODE: Text = Text(
    "Kod noto‘g‘ri. SMS ga yana qarang.",
    "Неверный код. Посмотрите СМС ещё раз.",
    "The code is wrong. Check the SMS again.",
);
pub(super) const GONE: Text = Text(
    "Bu to‘lov tugagan yoki hozir bajarilmoqda. Havolani qaytadan oching.",
    "Этот платёж уже завершён или выполняется. Откройте ссылку заново.",
    "This payment has ended or is in progress. Open the pay link again.",
);
pub(super) const NO_SUCH_PAGE: Text =
    Text("Bunday sahifa yo‘q.", "Такой страницы нет.", "This page does not exist.");
pub(super) const PAID: Text = Text("To‘landi", "Оплачено", "Paid");
pub(super) const PAID_MORE: Text =
    Text("To‘lov muvaffaqiyatli o‘tdi.", "Платёж прошёл успешно.", "The payment was successful.");
pub(super) const NOT_PAID: Text = Text("To‘lanmadi", "Не оплачено", "Not paid");
pub(super) const SHOP_REFUSED: Text =
    Text("Do‘kon to‘lovni qabul qilmadi:", "Магазин не принял платёж:", "The shop refused the payment:");
pub(super) const NO_MONEY: Text = Text(
    "Kartada mablag‘ yetarli emas.",
    "На карте недостаточно средств.",
    "There is not enough money on the card.",
);
pub(super) const CANCELLED: Text = Text("Bekor qilindi", "Отменено", "Cancelled");
pub(super) const CANCELLED_MORE: Text = Text(
    "To‘lov bekor qilindi. Pul yechilmadi.",
    "Платёж отменён. Деньги не списаны.",
    "The payment was cancelled. No money was taken.",
);
pub(super) const REVERSED: Text = Text("Qaytarildi", "Возвращено", "Reversed");
pub(super) const REVERSED_MORE: Text = Text(
    "To‘lov qaytarildi. Pul yana kartada.",
    "Платёж возвращён. Деньги снова на карте.",
    "The payment was reversed. The money is back on the card.",
);
pub(super) const IN_PROGRESS: Text = Text("Bajarilmoqda", "Выполняется", "In progress");
pub(super) const SHOP_SILENT: Text = Text(
    "Do‘kon hali javob bermadi. To‘lov sizsiz ham davom etadi.",
    "Магазин ещё не ответил. Платёж продолжится без вас.",
    "The shop has not answered yet. The payment continues without you.",
);
pub(super) const SHOP_UNREACHABLE: Text = Text(
    "Do‘kon javob bermayapti. CLICK xodimlari to‘lovni ko‘rib chiqadi.",
    "Магазин не отвечает. Платёж рассмотрит поддержка CLICK.",
    "The shop does not answer. CLICK's support will check the payment.",
);
pub(super) const PAYMENT_NUMBER: Text = Text("To‘lov raqami", "Номер платежа", "Payment number");
pub(super) const BACK_TO_SHOP: Text = Text("Do‘konga qaytish", "Вернуться в магазин", "Back to the shop");
pub(super) const SANDBOX: Text = Text(
    "Bu Tolov sinov maydoni: haqiqiy pul ishlatilmaydi.",
    "Это песочница Tolov: настоящих денег здесь нет.",
    "This is Tolov's sandbox: no real money is used.",
);
