# The staff panel.
panel-title = 🛠 <b>Staff panel</b>
    { $name } · { $role }

    What shall we do?
panel-catalogue = 📚 Catalogue
panel-promo = 🎟 Promo codes
panel-staff = 👥 Staff
panel-journal = 🗒 Journal
panel-to-shop = 🛍 To the shop
panel-back = ⬅️ Panel
role-owner = Owner
role-manager = Manager
role-courier = Courier
staff-no-right = You don’t have the right to do this. If you need it, ask the shop’s owner.
