slow-down = ⏳ Juda tez-tez bosyapsiz, ulgurmayapman. Biroz kuting: hammasiga navbati bilan javob beraman.
try-in-a-moment = ⏳ Hozir juda ko'p so'rov keldi. Bir ozdan so'ng yana bosing.
