menu-catalogue = 🛍 Katalog
stale-button = Bu tugma eskirgan. /menu ni bosing
