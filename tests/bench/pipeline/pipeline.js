// SPDX-License-Identifier: Apache-2.0
//
// pipeline.js - what a shop would write in an afternoon: Node.js, MQTT, JsonLogic.
//
//   node pipeline.js PORT RULES.json LOG [STORE]
//
// The same events in and the same guidance out as aisled: duplicates dropped, every rule evaluated,
// the best one shown, the decision appended to a log and synced before anything is published, QoS 1,
// no Nagle. What arrives during a sync shares the next one. It keeps no profiles, no outcomes, no
// withdrawals after a restart, and the broker's PUBACK goes out before the sync: its promises are weaker.
'use strict';
const fs = require('fs');
const mqtt = require('mqtt');
const logic = require('json-logic-js');

const [port, rulesFile, logFile, store = '0042'] = process.argv.slice(2);
const rules = JSON.parse(fs.readFileSync(rulesFile));
const log = fs.openSync(logFile, 'a');
const root = `aisle/v1/${store}`;
const seen = new Set();
const baskets = new Map();
let serial = 0, waiting = [], syncing = false;

function decide(data) {
  let best = null;
  for (const rule of rules) {
    if (!logic.apply(rule.eligible, data) || !logic.apply(rule.applicable, data)) continue;
    const worth = rule.propensity * rule.margin;
    if (best === null || worth > best.worth) best = {rule, worth};
  }
  return best && best.rule;
}

function item(station, event) {
  const d = event.data;
  const basket = baskets.get(d.basket) || {total: 0, lines: 0};
  baskets.set(d.basket, basket);
  basket.total += d.amount;
  basket.lines++;
  const rule = decide({amount: d.amount, line: d.line, category: d.category, brand: d.brand,
    basket_total: basket.total, basket_lines: basket.lines, voids: 0, known: false});
  if (rule === null) return null;
  const at = new Date();
  return {guidance: `g-${d.basket}`, decision: `d-${++serial}`, station, basket: d.basket, at: at.toISOString(),
    expires: new Date(at.getTime() + 60000).toISOString(), policy: {name: 'bench', version: 1}, customer: {known: false},
    prompts: [{prompt: `p-${serial}`, action: rule.action, treatment: 'plain', kind: 'inform', headline: d.name,
      say: rule.say, why: [], confidence: rule.propensity, gate: 'none', state: 'open', choices: ['accept', 'dismiss'],
      expires: new Date(at.getTime() + 60000).toISOString()}]};
}

function answer(station, event) {
  if (event.type === 'aisle.basket.item-added') return item(station, event);
  if (event.type !== 'aisle.basket.closed') return null;
  baskets.delete(event.data.basket);
  return {withdraw: `g-${event.data.basket}`, reason: 'closed'};
}

function flush() {
  if (syncing || waiting.length === 0) return;
  const batch = waiting;
  waiting = [];
  syncing = true;
  fs.write(log, batch.map((b) => b.text + '\n').join(''), (failed) => {
    if (failed) throw failed;
    fs.fdatasync(log, (error) => {
      if (error) throw error;
      syncing = false;
      for (const b of batch) client.publish(`${root}/guidance/${b.station}`, b.text, {qos: 1});
      flush();
    });
  });
}

const client = mqtt.connect({host: '127.0.0.1', port: Number(port), clientId: 'pipeline', clean: true, protocolVersion: 4});
client.on('connect', () => {
  client.stream.setNoDelay(true);
  client.subscribe(`${root}/pos/+/event`, {qos: 1}, () => console.log('subscribed'));
});
client.on('message', (topic, payload) => {
  const event = JSON.parse(payload);
  const key = `${event.source}\0${event.id}`;
  if (seen.has(key)) return;
  seen.add(key);
  const station = topic.split('/')[4];
  const out = answer(station, event);
  if (out === null) return;
  waiting.push({station, text: JSON.stringify(out)});
  flush();
});
