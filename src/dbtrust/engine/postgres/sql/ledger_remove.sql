DELETE FROM {ledger} WHERE number = {number} AND step >= {step}
