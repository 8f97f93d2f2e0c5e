/** The monthly estimate by service, with what would lower it. */
import type { StackPlan } from "../../src/rpc/page.ts";
import { formatDollars } from "../parts/format.ts";
import { Icon } from "../parts/icon.tsx";

export function Cost({ cost }: { readonly cost: StackPlan["monthlyCost"] }) {
  if (!cost) {
    return (
      <section aria-labelledby="cost-title">
        <h2 id="cost-title" class="preview-section">
          Cost
        </h2>
        <p class="muted">This target runs on your machine and costs nothing.</p>
      </section>
    );
  }
  const largest = Math.max(...cost.services.map((each) => each.cost), 0.01);
  return (
    <section aria-labelledby="cost-title">
      <h2 id="cost-title" class="preview-section">
        Monthly cost <span class="muted">US dollars, prices of {cost.pricesOf}</span>
      </h2>
      <table class="cost">
        <thead class="visually-hidden">
          <tr>
            <th scope="col">Service</th>
            <th scope="col">Share</th>
            <th scope="col">Cost</th>
            <th scope="col">What lowers it</th>
          </tr>
        </thead>
        <tbody>
          {cost.services
            .toSorted((a, b) => b.cost - a.cost)
            .map((each) => (
              <tr key={each.service}>
                <th scope="row">{each.service}</th>
                <td class="cost-share">
                  <div class="cost-bar" style={{ width: `${((each.cost / largest) * 100).toFixed(1)}%` }} />
                </td>
                <td class="number numeric">{formatDollars(each.cost)}</td>
                <td class="muted">{each.lever ?? ""}</td>
              </tr>
            ))}
        </tbody>
        <tfoot>
          <tr>
            <th scope="row">Total</th>
            <td />
            <td class="number numeric">{formatDollars(cost.total)}</td>
            <td />
          </tr>
        </tfoot>
      </table>
      {cost.warnings.map((warning) => (
        <p key={warning} class="cost-warning">
          <Icon name="alert" size={16} />
          {warning}
        </p>
      ))}
    </section>
  );
}
