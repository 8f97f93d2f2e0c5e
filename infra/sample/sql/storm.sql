-- Departures a day at the north-eastern airports
SELECT date_trunc('day', scheduled) AS day,
       count_if(origin = 'BOS') AS bos,
       count_if(origin = 'EWR') AS ewr,
       count_if(origin = 'JFK') AS jfk,
       count_if(origin = 'LGA') AS lga
FROM raw
WHERE scheduled >= TIMESTAMP '2001-02-26 00:00:00'
  AND dt >= '2001-02-26'
GROUP BY 1
ORDER BY 1;

-- Worst windows: furthest below the forecast
SELECT origin, window_start, actual, median, round(deviation, 1) AS deviation
FROM comparison
WHERE measure = 'departures' AND deviation < -1
ORDER BY deviation
LIMIT 20;
