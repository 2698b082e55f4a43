UPDATE {ledger} SET until = NULL, stored = stored - 'holder' - 'since' WHERE number = -1 AND step = 0 AND fence = {fence}
