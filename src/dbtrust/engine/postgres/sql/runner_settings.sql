-- What makes the server notice a client that is gone, as far as this server has it (name, value).
SELECT s.name, w.value
  FROM (VALUES ('client_connection_check_interval', '2s'), ('tcp_keepalives_idle', '30'),
               ('tcp_keepalives_interval', '10'), ('tcp_keepalives_count', '3'), ('tcp_user_timeout', '60s'),
               ('idle_session_timeout', '0'), ('idle_in_transaction_session_timeout', '0')) w(name, value)
  JOIN pg_settings s ON s.name = w.name
 WHERE s.context = 'user'
   AND NOT (s.name LIKE 'tcp%' AND inet_client_addr() IS NULL)
