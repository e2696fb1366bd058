menu-catalogue = 🛍 Katalog
stale-button = Bu tugma eskirgan. /menu ni bosing
back = ⬅️ Orqaga
back-to-menu = 🏠 Menyu
back-to-orders = ⬅️ Buyurtmalar
try-again = 🔄 Yana urinish
