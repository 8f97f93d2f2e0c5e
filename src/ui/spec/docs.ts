/**
 * What each part of a pipeline file means, in Markdown, by its path; `*` stands for any key or index. The JSON schema's
 * descriptions come from here, so completion and hovers say the same.
 */
export const DOCS: Readonly<Record<string, string>> = {
  "": "A pipeline: a stream of events, the series made of it, their forecast, and the alarms that compare the two.",
  $schema: "The schema this file follows, for editors.",
  name: "The pipeline's name; also its stream's. Lower-case letters, digits and `-`.",
  source: "The events: their fields, and which of them is the time.",
  "source.time":
    "The field with the **event time**: ISO 8601 text (UTC unless it names an offset), or epoch seconds or milliseconds.",
  "source.fields":
    "The fields of an event with their types. Events that do not fit are kept in the table `rejected`, with the reason.",
  "source.fields.*": "`string`, `double` (64-bit float), `integer`, `boolean` or `timestamp`.",
  "source.lateness":
    "The **watermark** trails the newest event by this. A window closes when the watermark passes its end; later events reach the lake and are counted, but change no closed window.",
  "source.idle":
    "After this long without any event the clock moves on by itself, so that silence closes windows, too, and can alarm.",
  "source.ahead":
    "An event further than this ahead of the stream's clock is rejected, unless those after it show that the stream has moved on.",
  "source.behind": "An event further than this behind the stream's clock is rejected.",
  "source.shards": "Shards of the stream: each takes 1 MB or 1,000 records a second. 1 to 64.",
  enrich:
    "A module beside this file whose default export turns an event into an event, a list of events, or `null` to drop it. It must be a plain function of its event alone: on AWS it runs twice for each event, in two places, and again when something is tried again. It is the workspace's own code: it only runs in trusted workspaces.",
  series: "How events become series: one for each measure and each combination of the `by` values.",
  "series.every":
    "The length of a window: from `1m` to `1d`, in whole minutes, fitting evenly into a day. Windows are aligned to UTC midnight.",
  "series.by":
    'Fields to split by: `["origin"]` discovers their values in the data, `{"origin": ["BOS", "JFK"]}` lists the ones to watch; measures times listed combinations are at most 10,000 series.',
  "series.measures": "What is computed for each window, by name.",
  "series.measures.*": 'One statistic of a field: `{"count": "*"}`, `{"avg": "delay"}`.',
  "series.measures.*.count": "Counts events (`*`), or a field's values that are not null.",
  "series.measures.*.sum": "The sum of a numeric field.",
  "series.measures.*.avg": "The mean of a numeric field.",
  "series.measures.*.min": "The smallest value of a numeric field.",
  "series.measures.*.max": "The largest value of a numeric field.",
  "series.measures.*.stddev": "The sample standard deviation of a numeric field.",
  "series.measures.*.resolution":
    "The smallest half width of the band, in the measure's unit: differences below it never alarm. 1 for a count unless given.",
  forecast: "How the series are forecast.",
  "forecast.history": "How much history is learned from.",
  "forecast.horizon":
    "How far ahead the forecast reaches: 48 hours unless given (33 with one-minute windows); at most 2,016 windows.",
  "forecast.band":
    "The share of windows that lie inside the **band** when all is well: 0.98 means the 1% and 99% quantiles.",
  "forecast.seasons":
    'The lengths of one or two seasons, such as `["1d", "1w"]`, or `"auto"` to find them in the data.',
  "forecast.retrain":
    "How often, in event time, the forecast is trained anew: once a day unless given, and at least once a horizon.",
  "forecast.exclude":
    "A JSON file beside this one that lists spans of time to leave out of the training, such as past incidents.",
  alarms: "Alarm rules. Each watches every series of its measure, and opens at most one incident at a time.",
  "alarms.*.name": "The rule's name, unique in this pipeline.",
  "alarms.*.measure": "The measure it watches.",
  "alarms.*.direction": "Which side of the band counts: `below`, `above` or `both`.",
  "alarms.*.threshold":
    "The **deviation** beyond which a window is breaching: 1 is the edge of the band, 2 twice as far from the median.",
  "alarms.*.datapoints": "A series contributes when `m of n`: m of its last n windows are breaching.",
  "alarms.*.missing":
    "How a window without a value counts: `breaching` makes silence a breach at once; `notBreaching`, `ignore` (the state stays) and `missing` are CloudWatch's TreatMissingData. A window without a forecast never breaches: it raises `forecast-missing`.",
  "alarms.*.severity": "The severity of its incidents: 1 critical to 5 no impact.",
  "alarms.*.runbook": "A Markdown file beside this one that says what to do; it is shown beside the incident.",
  "alarms.*.resolveAfter":
    'The incident is resolved by itself after the alarm has been OK this long; `"never"`: only a person resolves it.',
  sql: "The folder with the prep queries: each statement of its .sql files is a named query.",
  retention: "How long data is kept.",
  "retention.stream": "How long records stay in the stream.",
  "retention.lake":
    "How long events stay in the lake, by their time and the stream's clock; rejected records stay as long from their arrival.",
  targets: "AWS targets by name. The embedded local target needs no entry.",
  "targets.*.account": "The account's 12 digits: checked before every write, so that nothing lands in another account.",
  "targets.*.region": "The region, such as `eu-west-1`.",
  "targets.*.profile": "The profile in `~/.aws/config` that gives the credentials.",
  "targets.*.incidents":
    "Where incidents are kept: `incident-manager`, `ops-center`, or `auto` for what the account has.",
};
