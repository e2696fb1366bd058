# Xodimlar paneli.
panel-title = 🛠 <b>Xodimlar paneli</b>
    { $name } · { $role }

    Nima qilamiz?
panel-catalogue = 📚 Katalog
panel-promo = 🎟 Promokodlar
panel-staff = 👥 Xodimlar
panel-journal = 🗒 Jurnal
panel-to-shop = 🛍 Do‘konga o‘tish
panel-back = ⬅️ Panelga
role-owner = Do‘kon egasi
role-manager = Menejer
role-courier = Kuryer
staff-no-right = Bunga ruxsatingiz yo‘q. Kerak bo‘lsa, do‘kon egasidan so‘rang.
