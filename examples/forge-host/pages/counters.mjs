// The counter page of each person in an invisible iframe, and the ledger of the events that these pages report.
import { connectBridge, SANDBOX } from './bridge.mjs';
import { element } from './element.mjs';
import { Ledger } from './ledger.mjs';

/** @typedef {import('./host.mjs').ShownMember} ShownMember */

/**
 * @param {ShownMember[]} members
 * @param {() => void} changed called after each report
 */
export function startCounters(members, changed) {
  const window = crypto.randomUUID();
  const people = members.map((member) => ({
    member,
    publisher: `${member.id}.${window}`,
    dashboard: member.dashboard.id,
  }));
  const ledger = new Ledger(people);
  let publishing = true;
  const frames = people.map(({ member, publisher }) =>
    addFrame(member, publisher, (report, post) => {
      if (report.type === 'ready') post({ publishing });
      ledger.add(publisher, report);
      changed();
    }),
  );
  return {
    /** @param {ShownMember} member */
    countsOf: (member) => ledger.counts(`${member.id}.${window}`),
    /** @param {boolean} wanted */
    setPublishing(wanted) {
      publishing = wanted;
      for (const { post } of frames) post({ publishing });
    },
  };
}

/**
 * @param {ShownMember} member
 * @param {string} publisher
 * @param {(report: import('./ledger.mjs').Report, post: (message: object) => void) => void} onReport
 */
function addFrame(member, publisher, onReport) {
  const src = `${member.counter}?${new URLSearchParams({ publisher })}`;
  const title = `Counter of ${member.displayName}`;
  const frame = element('iframe', { class: 'counter', title, 'aria-hidden': 'true', sandbox: SANDBOX, src });
  const bridge = connectBridge(frame, { member: member.id, gadget: member.gadgets.at(0)?.key ?? '' });
  const { origin } = new URL(src);
  addEventListener('message', (event) => {
    if (event.source !== frame.contentWindow || event.origin !== origin) return;
    if (event.data?.forge === 'counter') onReport(event.data.report, bridge.post);
  });
  document.body.append(frame);
  return bridge;
}
