// The verdict without network: a signature and the list must both agree, or nobody comes in.

// used: {at, generation} by number, of what this device admitted since the list. at: the portal's time as far as is known.
export function judge({ claim, list, used, at }) {
  const refuse = (reason, more = {}) => ({ verdict: "refused", reason, ...more });
  if (!list) return refuse("unknown", { why: "no_list" });
  if (!claim) return refuse("unknown");
  const { manifest } = list;
  if (claim.event !== manifest.event) return refuse("other_event", claim);
  if (at < Date.parse(manifest.valid_from)) return refuse("too_early", claim);
  if (at > Date.parse(manifest.valid_until)) return refuse("too_late", claim);
  const ticket = list.find(claim.number);
  if (!ticket) return refuse("unknown", { ...claim, why: "not_listed" });
  if (ticket.state === "cancelled") return refuse("cancelled", claim);
  const before = used.get(claim.number);
  if (claim.generation < Math.max(ticket.generation, before ? before.generation : 0)) return refuse("replaced", claim);
  if (before) return refuse("already_checked", { ...claim, since: before.at });
  if (ticket.state === "checked") return refuse("already_checked", claim);
  if (ticket.state !== "admissible") return refuse("not_distributed", claim);
  if (manifest.entrance && ticket.entrance && ticket.entrance !== manifest.entrance) {
    return refuse("other_gate", { ...claim, entrance: ticket.entrance });
  }
  return { verdict: "admitted", reason: "", category: ticket.category, ...claim };
}
