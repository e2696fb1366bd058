"""Makes the database of the old bot, in the types in which aiogram and motor wrote it and with the faults that its data has.

    python make_shop.py mongodb://localhost:27017/dbname

Only pymongo is needed. What the faults are is said in tests/it/legacy.rs.
"""

import sys
from datetime import datetime, timedelta, timezone

from pymongo import MongoClient

db = MongoClient(sys.argv[1]).get_default_database()
NOW = datetime.now(timezone.utc)


def order(number, user_id, total, status, age=timedelta(hours=1)):
    return {
        "order_id": number,
        "user_id": user_id,
        "products": [{"product_id": 77, "count": 2}],
        "total_amount": total,
        "status": status,
        "payment_method": "click",
        "created_at": NOW - age,
    }


db.users.insert_many([
    {"id": 5551, "phone_number": "998901234567", "is_premium": False, "balance": 0, "referrals_count": 0,
     "order_count": 0, "savat": [{"product_id": 77, "count": 3}, {"product_id": 9, "count": 1}]},
    {"id": 5552, "phone_number": None, "balance": 5000, "referrer_id": 5551, "order_count": 4, "savat": []},
])
db.admins.insert_one({"id": 5550})
db.categories.insert_many([
    {"name": "Choylar", "category_id": 311, "products": [77]},
    {"name": "Nonlar", "category_id": 311, "products": [78]},
])
db.products.insert_many([
    {"id": 77, "title": "Ko'k choy", "description": "Yangi hosil", "price": "15 000 so'm", "photo": "AgACAgIA"},
    {"id": 78, "title": "Non", "description": "", "price": "kelishiladi"},
    {"id": 79, "title": "Asal", "description": "", "price": 90000.0},
])
db.orders.insert_many([
    order(1, 5551, 30000.0, "pending"),
    order(2, 5552, 15000.0, "pending"),
    order(2, 5553, 99000.0, "pending"),
    order(3, 5551, 30000.0, "pending"),
    order(4, 5552, 15000.0, "pending"),
    order(5, 5551, 30000.0, "cancelled"),
    order(7, 5551, 30000.0, "pending", timedelta(days=3)),
    order(8, 5552, 45000.0, "paid"),
    order(900_000_000_000, 5552, 45000.0, "paid"),
    order(1_000_000_000_000, 5552, 45000.0, "paid"),
])
