slow-down = ⏳ Juda tez-tez yozyapsiz, ulgurmayapman. Biroz kuting, navbat bilan javob beraman.
try-in-a-moment = ⏳ Hozir so‘rovlar juda ko‘p. Birozdan so‘ng yana bosing.
message-held-up = ⏳ So‘rovlar juda ko‘p edi, xabaringizga javob bera olmadik. Iltimos, uni qayta yuboring.
