# Hammaga xabar yuborish.
broadcast-ask = 📣 <b>Hammaga xabar</b>
    Xabarni shu yerga yuboring: matn, surat, albom, video yoki boshqa kanaldan olingan post. Avval qanday ko‘rinishini ko‘rsataman, so‘ng siz tasdiqlaysiz.
broadcast-open = 📣 №{ $number } · { $done } / { $total }
broadcast-open-draft = 📝 №{ $number } qoralama
broadcast-not-such = Bunday xabarni hammaga yubora olmayman. Matn, surat, albom, video yoki fayl yuboring.
broadcast-preview = 👆 Xaridorlarga shunday ko‘rinadi.
    Oluvchilar: <b>{ $count } kishi</b>. Yuboraymi?
broadcast-send = 📣 { $count } kishiga yuborish
broadcast-forward = ↪️ Asl muallifi bilan uzatish
broadcast-cancel = ❌ Bekor qilish
broadcast-started = 📣 №{ $number } xabar yuborila boshladi. Jarayonni alohida xabarda kuzatib turasiz.
broadcast-running = 📣 <b>№{ $number } xabar yuborilmoqda</b>
broadcast-paused = ⏸ <b>№{ $number } xabar vaqtincha to‘xtatildi</b>
broadcast-done = ✅ <b>№{ $number } xabarni yuborish tugadi</b>
broadcast-stopped = ⏹ <b>№{ $number } xabar to‘xtatildi</b>
broadcast-progress = { $bar } { $done } / { $total }
broadcast-numbers = Yetkazildi: { $sent } · botni bloklagan: { $blocked } · xato: { $failed }
broadcast-pause = ⏸ To‘xtatib turish
broadcast-resume = ▶️ Davom ettirish
broadcast-stop = ⏹ To‘xtatish
broadcast-part-late = 🖼 Albomning bu qismi kech keldi: xabar usiz yuboriladi.
