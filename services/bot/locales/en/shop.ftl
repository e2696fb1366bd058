menu-catalogue = 🛍 Catalogue
stale-button = This button is out of date. Press /menu
