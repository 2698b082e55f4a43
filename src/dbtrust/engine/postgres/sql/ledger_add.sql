INSERT INTO {ledger} (number, step, state, written, name, origin, checksum, source, who, dbtrust, duration_ms, at_least_once, stored)
VALUES ({number}, {step}, {state}, {written}, {name}, {origin}, {checksum}, {source}, {who}, {dbtrust}, {duration_ms}, {at_least_once}, {stored})
