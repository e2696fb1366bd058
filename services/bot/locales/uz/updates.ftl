slow-down = ⏳ Juda tez-tez bosyapsiz, ulgurmayapman. Biroz kuting: hammasiga navbati bilan javob beraman.
