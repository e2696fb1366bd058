# `tolov init` nima deydi. Har bir matn bitta qatorda.

init-written = { $path } yozildi, uni faqat siz o‘qiy olasiz. Parollar avtomatik yaratildi; qolgan sozlamalar faylda tushuntirilgan.
init-ended = Javoblar tugadi: hech narsa yozilmadi.
init-left = { $name } bo‘sh qoldi: faylga o‘zingiz yozing.
