-- Newest record of each airport
SELECT origin, max(scheduled) AS newest, count(*) AS events
FROM raw
WHERE origin IN ('ATL', 'BOS', 'DFW', 'EWR', 'JFK', 'LAX', 'LGA', 'ORD')
GROUP BY origin
ORDER BY newest;

-- Rejected records by reason
SELECT reason, count(*) AS records, max(arrival) AS newest
FROM rejected
GROUP BY reason
ORDER BY records DESC;
