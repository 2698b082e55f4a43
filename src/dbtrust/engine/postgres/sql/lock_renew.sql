UPDATE {ledger} SET until = clock_timestamp() + make_interval(secs => {lease})
 WHERE number = -1 AND step = 0 AND fence = {fence}
