# Hammaga xabar yuborish.
broadcast-ask = 📣 <b>Hammaga xabar</b>
    Xabarni shu yerga yuboring: matn, rasm, video yoki boshqa kanaldan olingan post. Avval qanday ko'rinishini ko'rsataman, so'ng siz tasdiqlaysiz.
broadcast-open = 📣 №{ $number } · { $done } / { $total }
broadcast-not-such = Bunday xabarni tarqata olmayman. Matn, rasm, video yoki fayl yuboring.
broadcast-preview = 👆 Xaridorlar xabarni shunday ko'radi.
    Oluvchilar: <b>{ $count } kishi</b>. Yuboraymi?
broadcast-send = 📣 { $count } kishiga yuborish
broadcast-forward = ↪️ Asl muallifi bilan uzatish
broadcast-cancel = ❌ Bekor qilish
broadcast-started = 📣 №{ $number } tarqatish boshlandi. Borishi alohida xabarda ko'rinib turadi.
broadcast-running = 📣 <b>Tarqatish №{ $number } ketmoqda</b>
broadcast-paused = ⏸ <b>Tarqatish №{ $number } to'xtatib turilibdi</b>
broadcast-done = ✅ <b>Tarqatish №{ $number } tugadi</b>
broadcast-stopped = ⏹ <b>Tarqatish №{ $number } bekor qilindi</b>
broadcast-progress = { $bar } { $done } / { $total }
broadcast-numbers = Yetkazildi: { $sent } · botni bloklagan: { $blocked } · xato: { $failed }
broadcast-pause = ⏸ To'xtatib turish
broadcast-resume = ▶️ Davom etish
broadcast-stop = ⏹ Butunlay to'xtatish
