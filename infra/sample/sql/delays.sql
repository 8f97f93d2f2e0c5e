-- Delay by hour of the day: median and 90th percentile
SELECT hour(scheduled) AS hour,
       count(*) AS flights,
       approx_percentile(delay, 0.5) AS median_delay,
       approx_percentile(delay, 0.9) AS p90_delay,
       round(100.0 * count_if(late) / count(*), 1) AS late_percent
FROM raw
GROUP BY 1
ORDER BY 1;
