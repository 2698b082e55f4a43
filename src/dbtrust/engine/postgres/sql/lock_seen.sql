-- The last token, who got it, and whether its lease still runs.
SELECT fence, stored ->> 'holder', stored ->> 'since', coalesce(until > clock_timestamp(), false), stored ->> 'format'
  FROM {ledger} WHERE number = -1 AND step = 0
