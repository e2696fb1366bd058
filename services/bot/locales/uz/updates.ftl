slow-down = ⏳ Juda tez-tez yozyapsiz, ulgurmayapman. Biroz kuting, navbat bilan javob beraman.
try-in-a-moment = ⏳ Hozir so‘rovlar juda ko‘p. Birozdan so‘ng yana bosing.
