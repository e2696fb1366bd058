menu-catalogue = 🛍 Catalogue
stale-button = This button is out of date. Press /menu
back = ⬅️ Back
back-to-menu = 🏠 Menu
back-to-orders = ⬅️ Orders
try-again = 🔄 Try again
