/**
 * Called for each event before it is checked against the pipeline's fields. Return the event, several events, or null to
 * drop it. An event that this function throws on is kept in the table `rejected`.
 *
 * The US Department of Transportation counts a flight as late when it is 15 minutes or more behind its schedule.
 */
export default function enrich(event) {
  event.late = typeof event.delay === "number" ? event.delay >= 15 : null;
  return event;
}
