# Xaridor va xodimlar o‘rtasidagi yozishmalar.
support-ask = 💬 Savolingizni yozing: matn, surat yoki ovozli xabar yuborishingiz mumkin. Operatorlarimiz shu yerda javob beradi.
support-menu = ⬅️ Menyu
support-sent = ✅ Xabaringiz operatorga yetkazildi, javob shu yerga keladi. Yana yozishingiz mumkin.
support-nobody = Kechirasiz, hozircha savollarga javob beradigan operator yo‘q.
support-nobody-now = Kechirasiz, xabarni hozir yetkaza olmadim. Birozdan so‘ng yana urinib ko‘ring.
support-not-such = Kechirasiz, bunday xabarni yetkaza olmayman. Matn, surat, ovozli xabar yoki fayl yuboring.
support-header = 💬 <b>Xaridordan xabar</b>
    { $writer }
    <i>Javob berish uchun tugmani bosing yoki pastdagi xabarga «Javob berish» (Reply) orqali yozing.</i>
support-edited = ✏️ <b>Xaridor xabarini tuzatdi</b>
support-answer-header = 💬 <b>Do‘kondan javob</b>
    <i>Davom etish uchun shu yerga yozing: xabaringiz operatorga yetkaziladi.</i>
support-answered = ✅ Javobingiz xaridorga yuborildi.
support-shopper-gone = Xaridor botni bloklagan, javobni yetkazib bo‘lmadi.
support-who-answered = ✅ Javob berdi: { $who }, { $time }
support-reply = ✍️ Javob yozish
support-ask-answer = ✍️ { $writer } uchun javobni yozing: keyingi xabaringiz shu xaridorga yuboriladi.
support-part-late = 🖼 Albomning bu qismi kech keldi. Uni qayta yuboring.
