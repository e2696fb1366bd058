# Promokodlar.
edit-promos-empty = 🎟 <b>Promokodlar</b>
    Hozircha yo‘q.
edit-promos-title = 🎟 <b>Promokodlar</b>: { $count } ta
    Kod · chegirma · necha marta ishlatilgan
edit-promo-add = ➕ Promokod qo‘shish
edit-promo-switch-on = ▶️ Yoqish
edit-promo-switch-off = ⏸ To‘xtatib turish
edit-promo-any-goods = istalgan summa
edit-promo-for-ever = muddatsiz
edit-promo-unbounded = cheklanmagan (ko‘pi bilan { $count })
edit-promo-choose-any-goods = Istalgan summa
edit-promo-choose-for-ever = Muddatsiz
edit-promo-choose-unbounded = Cheklanmagan (ko‘pi bilan { $count })
edit-promo-is-on = ✅ Ishlayapti
edit-promo-is-off = ⏸ To‘xtatilgan
edit-promo-is-over = ⌛ Muddati o‘tgan
edit-promo-card = 🎟 <code>{ $code }</code> · <b>{ $off }</b>
    { $state }

    Eng kam xarid: { $goods }
    Ishlatilgan: { $used } / { $uses }
    Bir xaridor uchun: { $shopper }
    Oxirgi kuni: { $until }
edit-promo-ask-code = 🎟 <b>Yangi promokod</b>

    Kodni yozing: lotin harflari, raqamlar, - va _ (ko‘pi bilan { $count } ta belgi). Masalan: YOZ2027
edit-promo-ask-off = 🎟 <code>{ $code }</code>

    Qancha chegirma? Foiz (10%, ko‘pi bilan 99%) yoki so‘mdagi summani yozing (20 000).
edit-promo-ask-goods = 🎟 <code>{ $code }</code>

    Kamida qancha so‘mlik xarid uchun amal qiladi? Masalan: 100 000
edit-promo-ask-uses = 🎟 <code>{ $code }</code>

    Hammasi bo‘lib necha marta ishlatish mumkin? 1 dan { $count } gacha son.
edit-promo-ask-shopper = 🎟 <code>{ $code }</code>

    Bir xaridor necha marta ishlata oladi? Odatda 1.
edit-promo-ask-until = 🎟 <code>{ $code }</code>

    Oxirgi kuni qaysi? kk.oo.yyyy ko‘rinishida, bugun yoki keyinroq. Masalan: 31.12.2027
edit-promo-review = Hammasi to‘g‘rimi?
edit-promo-make = ✅ Yaratish
edit-promo-there = { $code } kodi allaqachon bor
