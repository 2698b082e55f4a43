UPDATE {ledger} SET state = {state}, duration_ms = {duration_ms}, checksum = {checksum}, source = {source}, at = clock_timestamp()
 WHERE number = {number} AND step = {step}
