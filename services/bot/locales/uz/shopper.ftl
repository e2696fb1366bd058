# Xaridorga aytiladigan gaplar. Narx va ismlar dasturdan tayyor holda keladi.
money = { $amount } so‘m
number = №{ $number }
unit-kilogram = kg
unit-litre = litr
unit-metre = metr

paid-title = ✅ <b>№{ $order } buyurtma to‘landi</b>
paid-total = Jami: <b>{ $total }</b>
paid-payment = CLICK to‘lov raqami: <code>{ $payment }</code>
paid-thanks = Xaridingiz uchun rahmat!

expired-title = ⌛ <b>№{ $order } buyurtma: to‘lov muddati o‘tdi</b>
expired-cart = Buyurtma uchun pul yechilmadi. Savatingiz joyida: istalgan payt qayta buyurtma berishingiz mumkin.

order-line = • { $title } × { $count }
order-line-amount = • { $title } · { $amount }
order-line-untitled = • №{ $product } mahsulot × { $count }
order-lines-more = … va yana { $count } xil mahsulot

unknown = Kechirasiz, buni tushunmadim. Mana nima qila olaman:
try-later = Hozir javob bera olmayapman. Birozdan so‘ng yana urinib ko‘ring.
edit-not-taken = ✏️ Bu tuzatish hisobga olinmadi. Yangi xabar qilib yuboring yoki /menu orqali bizga yozing.
