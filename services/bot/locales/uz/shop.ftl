menu-catalogue = 🛍 Katalog
stale-button = Bu tugma eskirgan. /menu ni bosing
back = ⬅️ Orqaga
back-to-menu = 🏠 Menyu
back-to-orders = ⬅️ Buyurtmalar
skip = O‘tkazib yuborish ➡️
try-again = 🔄 Yana urinish
