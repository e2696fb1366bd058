"""Makes payments.sqlite, payments.db as the old payment server left it: its own table `orders`, and the transactions of PayTechUZ, written by
PayTechUZ itself.

    pip install paytechuz==0.4.1 sqlalchemy fastapi python-multipart
    python make_payments.py payments.sqlite

paytechuz 0.3.22 and 0.3.51 write the same rows into the same tables (compared on 29 November 2026).

What the faults are is said in tests/it/legacy.rs, which reads the file.
"""

import sys
from datetime import datetime

from paytechuz.integrations.fastapi.models import PaymentTransaction, run_migrations
from sqlalchemy import JSON, Column, DateTime, Float, Integer, String, create_engine
from sqlalchemy.orm import declarative_base, sessionmaker

Base = declarative_base()


class Order(Base):
    """webhook_server/database.py of the old system."""

    __tablename__ = "orders"
    id = Column(Integer, primary_key=True, index=True)
    order_id = Column(Integer, unique=True, index=True)
    user_id = Column(Integer)
    products = Column(JSON)
    total_amount = Column(Float)
    status = Column(String, default="pending")
    payment_method = Column(String)
    created_at = Column(DateTime)


engine = create_engine(f"sqlite:///{sys.argv[1]}")
run_migrations(engine)
Base.metadata.create_all(engine)
db = sessionmaker(bind=engine)()

DAY = datetime(2025, 11, 20, 9, 30)
LINES = [{"product_id": 77, "count": 2}]
for order_id, user_id, total, status in [
    (1, 5551, 30000.0, "paid"),
    (2, 5552, 15000.0, "paid"),
    (3, 5551, 30000.0, "pending"),
    (4, 5552, 15000.0, "pending"),
    (5, 5551, 30000.0, "cancelled"),
    (6, 666, 1.0, "paid"),
    (8, 5552, 45000.0, "paid"),
]:
    db.add(Order(order_id=order_id, user_id=user_id, products=LINES, total_amount=total, status=status,
                 payment_method="click", created_at=DAY))
db.commit()


def transaction(trans_id, order_id, amount, paydoc):
    row = db.query(Order).filter(Order.order_id == order_id).one()
    params = {"click_trans_id": str(trans_id), "click_paydoc_id": str(paydoc), "merchant_trans_id": str(order_id)}
    made = PaymentTransaction.create_transaction(
        db, "click", str(trans_id), str(row.id), amount, {"raw_params": params, "merchant_trans_id": str(order_id)}
    )
    made.state = PaymentTransaction.INITIATING
    db.commit()
    return made


transaction(3647911001, 1, 30000.0, 4429723001).mark_as_paid(db)
transaction(3647911002, 2, 15000.0, 4429723002).mark_as_paid(db)
transaction(3647911003, 4, 15000.0, 4429723004)
transaction(3647911004, 5, 30000.0, 4429723005).mark_as_cancelled(db, reason="Error code: -5017")

for payment in db.query(PaymentTransaction):
    payment.created_at = payment.updated_at = DAY
    payment.performed_at = payment.performed_at and DAY
    payment.cancelled_at = payment.cancelled_at and DAY
db.commit()
