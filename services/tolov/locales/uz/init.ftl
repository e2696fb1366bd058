# `tolov init` nima deydi. Har bir matn bitta qatorda.

init-intro = Har bir javob darhol tekshiriladi. Bo‘sh javob (Enter) sozlamani bo‘sh qoldiradi. Oxirgi javobgacha hech narsa yozilmaydi; Ctrl-C — chiqish.
init-written = { $path } yozildi, uni faqat siz o‘qiy olasiz. Parollar avtomatik yaratildi; qolgan sozlamalar faylda tushuntirilgan.
init-ended = Javoblar tugadi: hech narsa yozilmadi.
init-left = { $name } bo‘sh qoldi: faylga o‘zingiz yozing.
init-next = Endi: faylda ✗ bilan belgilanganini tuzating, shu buyruq bilan qayta tekshiring va do‘konni ishga tushiring: { $command }
